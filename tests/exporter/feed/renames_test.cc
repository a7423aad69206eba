// Files that are renamed, replaced or copied at the very moment in which they are looked at.
#include <boost/test/unit_test.hpp>
#include <filesystem>
#include <fstream>
#include <functional>

#include "exporter/exposition/exposition.h"
#include "exporter/feed/ingest.h"
#include "exporter/files/follower.h"
#include "shared/io/gzip_encode.h"
#include "tests/support/folder.h"
#include "tests/support/log_capture.h"

namespace fs = std::filesystem;
using namespace mtawatch;
using namespace mtawatch::exporter::exposition;
using namespace mtawatch::exporter::files;
using namespace mtawatch::exporter::feed;

namespace {

const std::string header_text = "type,timeLogged,timeQueued,orig,rcpt,dsnStatus,dsnDiag,vmta\n";

std::string delivery(const std::string& rcpt, const std::string& time) {
    return "d,2026-11-20 " + time + "+0000,2026-11-20 " + time + "+0000,b@news.example.com," + rcpt +
           ",2.0.0 (success),smtp;250 ok,vmta1\n";
}

// More records than a fingerprint covers.
std::string file_of(int deliveries) {
    std::string content = header_text;
    for (int i = 0; i < deliveries; ++i) {
        content += delivery("user" + std::to_string(i * 7919) + "@gmail.com", "10:00:00");
    }
    return content;
}

std::string line(const std::string& text, const std::string& time) {
    return "2026-11-20T" + time + "+00:00 mx1 " + text + "\n";
}

std::string queued(const std::string& time) {
    return line("postfix/qmgr[3]: A1B2C3: from=<b@news.example.com>, size=1047, nrcpt=1 (queue active)", time);
}

std::string sent(const std::string& time) {
    return line(
        "postfix/smtp[5]: A1B2C3: to=<u@gmail.com>, relay=mx.google.com[192.0.2.5]:25, delay=1, delays=0/0/1/0, "
        "dsn=2.0.0, status=sent (250 2.0.0 OK)",
        time);
}

std::string noise(const std::string& time) { return line("dovecot: imap-login: Login: user=<a>", time); }

const std::string from_news = "postfix_sender_deliveries_total{sender_domain=\"news.example.com\",provider=\"gmail\"}";
const std::string deliveries_series = "pmta_accounting_records_total{record_type=\"d\"}";

std::string packed(std::string_view text) { return io::gzip_encode(text).value(); }

// The machine's clocks, which a test moves on.
class AheadClock final : public base::Clock {
  public:
    [[nodiscard]] base::SteadyTime steady() const override { return real_.steady() + ahead_; }
    [[nodiscard]] base::WallTime wall() const override {
        return real_.wall() + std::chrono::duration_cast<std::chrono::microseconds>(ahead_);
    }
    void advance(base::Duration by) { ahead_ += by; }

  private:
    base::SystemClock real_;
    base::Duration ahead_{};
};

struct Fixture {
    test::Folder folder;
    AheadClock clock;
    FeedSettings settings;

    explicit Fixture(exporter::series::RecordFormat format) {
        settings.count.format = format;
        settings.follow.globs = {path(format == exporter::series::RecordFormat::postfix ? "mail.log" : "acct.csv*")};
        settings.count.scanner.zone = mta::logs::Zone::utc();
    }
    [[nodiscard]] std::string path(const std::string& name) const { return folder.path() + "/" + name; }
    void write(const std::string& name, std::string_view text) const {
        std::ofstream(path(name), std::ios::binary | std::ios::app) << text;
    }
    void rename(const std::string& from, const std::string& to) const { fs::rename(path(from), path(to)); }
};

// The whole path from files to counts; `meanwhile` happens once, after the first piece of the first file was read.
class Counting {
  public:
    explicit Counting(Fixture& fixture)
        : ingest_(fixture.settings, fixture.clock, test::quiet_log(fixture.clock), false) {}
    void look(std::function<void()> meanwhile = {}) {
        ingest_.catch_up([&] {
            if (meanwhile) std::exchange(meanwhile, {})();
            return true;
        });
    }
    // One round of a running exporter: no waiting when there is something to read.
    void follow(std::function<void()> meanwhile = {}) {
        ingest_.follow(-1, [&] {
            if (meanwhile) std::exchange(meanwhile, {})();
            return true;
        });
    }
    // What a series of the exposition says; nothing where there is no such series.
    std::string value(const std::string& series) {
        std::string text;
        ExpositionWriter writer(Format::text, text);
        ingest_.write(writer);
        const std::size_t at = ("\n" + text).find("\n" + series + " ");
        if (at == std::string::npos) return "nothing";
        const std::size_t begin = at + series.size() + 1;
        return text.substr(begin, text.find('\n', begin) - begin);
    }

    [[nodiscard]] bool ready() const { return ingest_.ready(); }
    [[nodiscard]] std::uint64_t lag_bytes() const {
        std::uint64_t bytes = 0;
        for (const Ingest::SourceStatus& source : ingest_.sources()) bytes += source.lag_bytes;
        return bytes;
    }

  private:
    Ingest ingest_;
};

// Contents of files; `meanwhile` happens once, before the first file is looked at.
class InterruptedContents final : public Contents {
  public:
    InterruptedContents(const FeedSettings& settings, std::function<void()> meanwhile)
        : contents_(settings, real_files()), meanwhile_(std::move(meanwhile)) {}
    [[nodiscard]] base::Result<Head> head(const std::string& path) override {
        if (meanwhile_) std::exchange(meanwhile_, {})();
        return contents_.head(path);
    }
    [[nodiscard]] base::Result<Comparison> compare(const FileState& known, const SeenFile& seen,
                                                   io::Compression packing) override {
        return contents_.compare(known, seen, packing);
    }
    [[nodiscard]] base::Result<std::uint64_t> text_length(const SeenFile& seen, io::Compression packing) override {
        return contents_.text_length(seen, packing);
    }

  private:
    FileContents contents_;
    std::function<void()> meanwhile_;
};

// A follower alone.
std::vector<std::string> order_found(const Fixture& fixture, std::function<void()> meanwhile) {
    base::TurnLock lock;
    InterruptedContents contents(fixture.settings, std::move(meanwhile));
    Follower follower(fixture.settings.follow, real_files(), fixture.clock, lock,
                      reading_order(fixture.settings.count.format), contents, test::quiet_log(fixture.clock), false);
    follower.rescan();
    std::vector<std::string> names;
    for (const TrackedFile* file : follower.dirty()) names.push_back(fs::path(file->path).filename());
    return names;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(renames)

BOOST_AUTO_TEST_CASE(a_rotation_while_files_are_looked_at_leaves_none_of_them_out) {
    const Fixture fixture(exporter::series::RecordFormat::postfix);
    fixture.write("mail.log.1", queued("10:00:00"));
    fixture.write("mail.log", sent("10:01:00"));
    const auto names = order_found(fixture, [&] {
        fixture.rename("mail.log.1", "mail.log.2");
        fixture.rename("mail.log", "mail.log.1");
        fixture.write("mail.log", noise("10:02:00"));
    });
    BOOST_TEST(names == (std::vector<std::string>{"mail.log.2", "mail.log.1", "mail.log"}),
               boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(a_file_that_was_compressed_while_files_are_looked_at_is_read_before_the_newer_one) {
    const Fixture fixture(exporter::series::RecordFormat::postfix);
    fixture.write("mail.log.1", queued("10:00:00"));
    fixture.write("mail.log", sent("10:01:00"));
    const auto names = order_found(fixture, [&] {
        fixture.write("mail.log.1.gz", packed(queued("10:00:00")));
        fs::remove(fixture.path("mail.log.1"));
    });
    BOOST_TEST(names == (std::vector<std::string>{"mail.log.1.gz", "mail.log"}), boost::test_tools::per_element());
}

// The listing has the inode of the old file, the path leads to the new one.
BOOST_AUTO_TEST_CASE(what_another_file_begins_with_is_no_beginning_of_the_listed_one) {
    const Fixture fixture(exporter::series::RecordFormat::pmta);
    fixture.write("acct.csv", header_text + delivery("a@gmail.com", "10:00:00"));
    const auto names = order_found(fixture, [&] {
        fixture.rename("acct.csv", "acct.csv.1");
        fixture.write("acct.csv", header_text + delivery("b@gmail.com", "11:00:00"));
    });
    BOOST_TEST(names == (std::vector<std::string>{"acct.csv.1", "acct.csv"}), boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(a_sender_is_known_though_its_file_was_renamed_before_it_was_opened) {
    Fixture fixture(exporter::series::RecordFormat::postfix);
    fixture.write("mail.log.3.gz", packed(noise("10:00:00")));
    fixture.write("mail.log.2.gz", packed(queued("10:01:00")));
    fixture.write("mail.log", sent("10:02:00"));
    Counting counting(fixture);
    counting.look([&] {
        fixture.rename("mail.log.3.gz", "mail.log.4.gz");
        fixture.rename("mail.log.2.gz", "mail.log.3.gz");
    });
    BOOST_TEST(counting.value(from_news) == "1");
}

// The rounds go on as in a running exporter: the newer file is ready to be read, where the older one went is not known.
BOOST_AUTO_TEST_CASE(a_newer_file_waits_in_the_next_round_too) {
    Fixture fixture(exporter::series::RecordFormat::postfix);
    fixture.settings.follow.rescan_interval = std::chrono::milliseconds(1);
    Counting counting(fixture);
    counting.look();
    fixture.write("mail.log.3.gz", packed(noise("10:00:00")));
    fixture.write("mail.log.2.gz", packed(queued("10:01:00")));
    fixture.write("mail.log", sent("10:02:00"));
    bool renamed = false;
    for (int round = 0; round < 200 && counting.value(from_news) != "1"; ++round) {
        counting.follow([&] {
            if (std::exchange(renamed, true)) return;
            fixture.rename("mail.log.3.gz", "mail.log.4.gz");
            fixture.rename("mail.log.2.gz", "mail.log.3.gz");
        });
    }
    BOOST_TEST(renamed);
    BOOST_TEST(counting.value(from_news) == "1");
}

BOOST_AUTO_TEST_CASE(the_backlog_is_read_when_what_was_renamed_is_found_again) {
    Fixture fixture(exporter::series::RecordFormat::pmta);
    fixture.write("acct.csv.0", header_text + delivery("a@gmail.com", "10:00:00"));
    fixture.write("acct.csv.1", header_text + delivery("b@gmail.com", "11:00:00"));
    Counting counting(fixture);
    counting.look([&] { fixture.rename("acct.csv.1", "acct.csv.2"); });
    BOOST_TEST(counting.value(deliveries_series) == "2");
    BOOST_TEST(counting.ready());
}

BOOST_AUTO_TEST_CASE(a_gz_with_an_empty_member_at_its_end_is_read) {
    Fixture fixture(exporter::series::RecordFormat::pmta);
    fixture.write("acct.csv.1.gz", packed(header_text + delivery("a@gmail.com", "10:00:00")) + packed(""));
    Counting counting(fixture);
    counting.look();
    BOOST_TEST(counting.value(deliveries_series) == "1");
}

// As when the inode of a removed file is used again at once.
BOOST_AUTO_TEST_CASE(a_packed_file_with_another_content_under_its_inode_is_another_file) {
    Fixture fixture(exporter::series::RecordFormat::pmta);
    const std::string followed =
        header_text + delivery("b@gmail.com", "11:00:00") + delivery("c@gmail.com", "11:00:01");
    fixture.write("acct.csv.0", header_text + delivery("a@gmail.com", "10:00:00"));
    fixture.write("acct.csv.1.gz", packed(header_text + delivery("old@gmail.com", "10:30:00")));
    fixture.write("acct.csv.9", followed);
    Counting counting(fixture);
    counting.look(
        [&] { std::ofstream(fixture.path("acct.csv.1.gz"), std::ios::binary | std::ios::trunc) << packed(followed); });
    counting.look();
    BOOST_TEST(counting.value(deliveries_series) == "3");
}

BOOST_AUTO_TEST_CASE(a_file_that_was_compressed_in_place_is_counted_once) {
    Fixture fixture(exporter::series::RecordFormat::pmta);
    const std::string content = file_of(400);
    fixture.write("acct.csv.1", content);
    Counting counting(fixture);
    counting.look();
    std::ofstream(fixture.path("acct.csv.1"), std::ios::binary | std::ios::trunc) << packed(content);
    counting.look();
    counting.look();
    BOOST_TEST(counting.value(deliveries_series) == "400");
    BOOST_TEST(counting.lag_bytes() == 0U);
}

// Brought back by a slow copy: as long as it is written it is no shorter file that took its place.
BOOST_AUTO_TEST_CASE(a_file_that_is_copied_back_under_its_own_name_is_counted_once) {
    Fixture fixture(exporter::series::RecordFormat::pmta);
    const std::string content = file_of(40);
    fixture.write("acct.csv", content);
    fixture.write("acct.csv.9", header_text + delivery("other@gmail.com", "09:00:00"));
    Counting counting(fixture);
    counting.look();
    BOOST_TEST(counting.value(deliveries_series) == "41");
    fs::remove(fixture.path("acct.csv"));
    counting.look();
    const std::size_t half = content.rfind("d,", content.size() / 2);
    fixture.write("acct.csv", content.substr(0, half));
    counting.look();
    fixture.write("acct.csv", content.substr(half) + delivery("new@gmail.com", "11:00:00"));
    counting.look();
    BOOST_TEST(counting.value(deliveries_series) == "42");
}

BOOST_AUTO_TEST_CASE(a_packed_file_that_was_replaced_before_it_was_read_keeps_its_own_records) {
    Fixture fixture(exporter::series::RecordFormat::pmta);
    fixture.write("acct.csv.0", header_text + delivery("a@gmail.com", "10:00:00"));
    fixture.write("acct.csv.1.gz", packed(header_text + delivery("b@gmail.com", "11:00:00")));
    Counting counting(fixture);
    counting.look([&] {
        fixture.rename("acct.csv.1.gz", "acct.csv.2.gz");
        fixture.write("acct.csv.1.gz",
                      packed(header_text + delivery("c@gmail.com", "12:00:00") + delivery("d@gmail.com", "12:00:01") +
                             delivery("e@gmail.com", "12:00:02")));
    });
    counting.look();
    BOOST_TEST(counting.value(deliveries_series) == "5");
}

// The copy is known by its beginning, and nothing is counted of it before it is as long as what was read.
BOOST_AUTO_TEST_CASE(a_copy_met_half_written_after_the_truncation_is_counted_once) {
    Fixture fixture(exporter::series::RecordFormat::pmta);
    const std::string content = file_of(40);
    fixture.write("acct.csv", content);
    Counting counting(fixture);
    counting.look();
    BOOST_TEST(counting.value(deliveries_series) == "40");
    fixture.write("acct.csv.1", content.substr(0, content.size() / 2));
    fs::resize_file(fixture.path("acct.csv"), 0);
    counting.look();
    BOOST_TEST(counting.value(deliveries_series) == "40");
    fixture.write("acct.csv.1", content.substr(content.size() / 2));
    fixture.write("acct.csv", header_text + delivery("new@gmail.com", "11:00:00"));
    counting.look();
    counting.look();
    BOOST_TEST(counting.value(deliveries_series) == "41");
}

// What is written to it after that counts, although it is still shorter than what was read, once it is seen to be no
// copy on its way: it grew by whole lines and rests.
BOOST_AUTO_TEST_CASE(a_file_replaced_by_a_shorter_one_of_the_same_beginning_is_read_on) {
    Fixture fixture(exporter::series::RecordFormat::pmta);
    const std::string content = file_of(40);
    fixture.write("acct.csv", content);
    Counting counting(fixture);
    counting.look();
    fixture.write("saved", content.substr(0, content.rfind("d,", content.size() / 2)));
    fixture.rename("saved", "acct.csv");
    counting.look();
    BOOST_TEST(counting.value(deliveries_series) == "40");
    fixture.write("acct.csv", delivery("new@gmail.com", "11:00:00"));
    counting.look();
    fixture.clock.advance(std::chrono::seconds(11));
    counting.look();
    BOOST_TEST(counting.value(deliveries_series) == "41");
    fixture.write("acct.csv", delivery("newer@gmail.com", "11:00:01"));
    counting.look();
    BOOST_TEST(counting.value(deliveries_series) == "42");
}

BOOST_AUTO_TEST_SUITE_END()
