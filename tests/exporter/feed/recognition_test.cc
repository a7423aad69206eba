// Files are known by what they hold: nothing is left unread because it looks like a copy, and nothing is counted again
// because it was copied.
#include <boost/test/unit_test.hpp>
#include <filesystem>
#include <fstream>

#include "exporter/exposition/exposition.h"
#include "exporter/feed/ingest.h"
#include "exporter/feed/reading_metrics.h"
#include "shared/io/gzip_encode.h"
#include "tests/support/fake_clock.h"
#include "tests/support/folder.h"
#include "tests/support/log_capture.h"
#include "tests/support/zstd_text.h"

namespace fs = std::filesystem;
using namespace mtawatch;
using namespace mtawatch::exporter::feed;
using exporter::exposition::ExpositionWriter;
using exporter::exposition::Format;
using exporter::series::RecordFormat;

namespace {

const std::string header = "type,timeLogged,orig,rcpt,vmta\n";
const std::string timeless_header = "type,vmta,bounceCat,dsnStatus\n";

// Deliveries that differ from each other, numbered from `first`.
std::string records(int first, int count) {
    std::string text;
    for (int i = first; i < first + count; ++i) {
        text += "d,2026-11-20 10:00:00+0000,b@news.example.com,user" + std::to_string(i) + "@gmail.com,v1\n";
    }
    return text;
}
std::string timeless(int count) {
    std::string text;
    for (int i = 0; i < count; ++i) text += "d,vmta-main,,2.0.0 (success)\n";
    return text;
}
std::string kumo(int id) {
    return R"({"type":"Delivery","id":")" + std::to_string(id) +
           R"(","sender":"b@news.example.com","recipient":"u@gmail.com","queue":"gmail.com","size":500,)"
           R"("response":{"code":250,"content":"OK"},"timestamp":1795168802,"created":1795168800})" +
           "\n";
}

// An exporter's feed driven by hand, with a clock that stands still between the looks.
struct Fixture {
    test::Folder folder;
    test::FakeClock clock;
    test::LogCapture log;
    FeedSettings settings;
    std::optional<Ingest> ingest;

    explicit Fixture(const std::string& glob, RecordFormat format = RecordFormat::pmta) {
        settings.count.format = format;
        settings.follow.globs = {path(glob)};
        settings.count.scanner.zone = mta::logs::Zone::utc();
        start();
    }
    void start() { ingest.emplace(settings, clock, log.log(clock), false); }
    void restart() {
        const std::string document = ingest->checkpoint();
        start();
        BOOST_REQUIRE(ingest->restore(document).has_value());
    }
    [[nodiscard]] std::string path(const std::string& name) const { return folder.path() + "/" + name; }
    void write(const std::string& name, std::string_view text) const {
        std::ofstream(path(name), std::ios::binary | std::ios::app) << text;
    }
    void overwrite(const std::string& name, std::string_view text) const {
        std::ofstream(path(name), std::ios::binary | std::ios::trunc) << text;
    }
    void rename(const std::string& from, const std::string& to) const { fs::rename(path(from), path(to)); }
    // All records counted, after a look at every file.
    std::uint64_t counted() {
        ingest->catch_up([] { return true; });
        return ingest->amount().records;
    }
    std::uint64_t counted_later() {
        clock.advance(std::chrono::seconds(3));
        return counted();
    }
    std::uint64_t metric(const std::string& name) {
        std::string text;
        ExpositionWriter writer(Format::text, text);
        const Ingest* const feed = &*ingest;
        write_reading_metrics(writer, {&feed, 1});
        const std::size_t at = text.find("\n" + name + " ");
        BOOST_REQUIRE(at != std::string::npos);
        return std::stoull(text.substr(at + name.size() + 2));
    }
    std::uint64_t copies() { return metric("pmta_exporter_files_taken_for_copies"); }
};

}  // namespace

BOOST_AUTO_TEST_SUITE(recognition)

// A hard link keeps the inode, as a file system does that gives a removed file's inode to the next one.
BOOST_AUTO_TEST_CASE(a_new_file_that_gets_the_inode_of_a_removed_copy_is_read) {
    Fixture fixture("acct-*.csv");
    fixture.write("acct-1.csv", header + records(0, 100));
    BOOST_TEST(fixture.counted() == 100U);
    fixture.write("acct-1.csv.gz", io::gzip_encode(header + records(0, 100)).value());
    BOOST_TEST(fixture.counted() == 100U);
    BOOST_TEST(fixture.copies() == 1U);
    fs::rename(fixture.path("acct-1.csv.gz"), fixture.path("acct-2.csv"));
    fixture.overwrite("acct-2.csv", header + records(100, 50));
    BOOST_TEST(fixture.counted() == 150U);
    fixture.write("acct-2.csv", records(150, 5));
    BOOST_TEST(fixture.counted() == 155U);
    BOOST_TEST(fixture.copies() == 0U);
}

BOOST_AUTO_TEST_CASE(rotated_files_without_times_that_begin_alike_are_all_counted) {
    Fixture fixture("acct.csv*");
    fixture.write("acct.csv", timeless_header + timeless(200));
    std::uint64_t expected = 200;
    BOOST_TEST(fixture.counted() == expected);
    for (int rotation = 0; rotation < 5; ++rotation) {
        for (int i = rotation; i > 0; --i) {
            fixture.rename("acct.csv." + std::to_string(i), "acct.csv." + std::to_string(i + 1));
        }
        fixture.rename("acct.csv", "acct.csv.1");
        fixture.write("acct.csv", timeless_header + timeless(200));
        expected += 200;
        BOOST_TEST(fixture.counted() == expected);
        if (rotation == 2) fixture.restart();
    }
    fixture.write("acct.csv", timeless(100));
    BOOST_TEST(fixture.counted() == expected + 100);
    fixture.restart();
    BOOST_TEST(fixture.counted() == expected + 100);
    BOOST_TEST(fixture.copies() == 0U);
}

BOOST_AUTO_TEST_CASE(a_rotation_while_the_exporter_is_down_is_read_without_times_too) {
    Fixture fixture("acct.csv*");
    fixture.write("acct.csv", timeless_header + timeless(200));
    BOOST_TEST(fixture.counted() == 200U);
    fixture.write("acct.csv", timeless(30));
    fixture.rename("acct.csv", "acct.csv.1");
    fixture.write("acct.csv", timeless_header + timeless(200));
    fixture.restart();
    BOOST_TEST(fixture.counted() == 430U);
}

BOOST_AUTO_TEST_CASE(files_whose_records_are_all_of_one_second_are_not_taken_for_copies) {
    Fixture fixture("acct.csv*");
    std::string same;
    for (int i = 0; i < 200; ++i) same += "d,2026-11-20 10:00:00+0000,,,v1\n";
    fixture.write("acct.csv", header + same);
    BOOST_TEST(fixture.counted() == 200U);
    fixture.rename("acct.csv", "acct.csv.1");
    fixture.write("acct.csv", header + same);
    BOOST_TEST(fixture.counted() == 400U);
}

BOOST_AUTO_TEST_CASE(a_file_that_only_begins_like_another_is_another_file) {
    Fixture fixture("acct.csv*");
    fixture.write("acct.csv", header + records(0, 100));
    BOOST_TEST(fixture.counted() == 100U);
    // Longer than what was read, as a copy that could be gone on in, but not the same before that place.
    fixture.write("acct.csv.1", header + records(0, 50) + records(1000, 100));
    BOOST_TEST(fixture.counted() == 250U);
}

BOOST_AUTO_TEST_CASE(a_copy_beside_its_file_is_named_once_and_counted_once) {
    Fixture fixture("acct-*.csv");
    fixture.write("acct-2026-11-29.csv", header + records(0, 100));
    BOOST_TEST(fixture.counted() == 100U);
    fs::copy_file(fixture.path("acct-2026-11-29.csv"), fixture.path("acct-2026-11-29-backup.csv"));
    BOOST_TEST(fixture.counted() == 100U);
    BOOST_TEST(fixture.counted() == 100U);
    const std::string said = fixture.path("acct-2026-11-29-backup.csv") + ": holds the same as " +
                             fixture.path("acct-2026-11-29.csv") +
                             ", so it is a copy and its records are not counted again";
    BOOST_TEST(std::ranges::count(fixture.log.messages, said) == 1);
    BOOST_TEST(fixture.copies() == 1U);
    fixture.write("acct-2026-11-29.csv", records(100, 10));
    BOOST_TEST(fixture.counted() == 110U);
    fixture.restart();
    BOOST_TEST(fixture.counted() == 110U);
}

// Sorted by name the copy comes first, and it is the other one that grows.
BOOST_AUTO_TEST_CASE(of_two_that_are_the_same_the_one_that_grows_is_followed) {
    Fixture fixture("acct-*.csv");
    fixture.write("acct-b.csv", header + records(0, 100));
    fs::copy_file(fixture.path("acct-b.csv"), fixture.path("acct-a.csv"));
    BOOST_TEST(fixture.counted() == 100U);
    fixture.write("acct-b.csv", records(100, 10));
    BOOST_TEST(fixture.counted() == 110U);
    fixture.write("acct-b.csv", records(110, 10));
    BOOST_TEST(fixture.counted() == 120U);
}

BOOST_AUTO_TEST_CASE(a_copied_segment_of_kumomta_counts_once) {
    Fixture fixture("*", RecordFormat::kumomta);
    fixture.write("20261129-100000", test::zstd_text(kumo(1)));
    fixture.write("20261129-110000", test::zstd_text(kumo(2) + kumo(3)));
    BOOST_TEST(fixture.counted() == 3U);
    fs::copy_file(fixture.path("20261129-100000"), fixture.path("saved-segment"));
    BOOST_TEST(fixture.counted() == 3U);
    BOOST_TEST(fixture.log.holds("saved-segment: holds the same as"));
}

// Two live files of other names may begin in the same second with the same record.
BOOST_AUTO_TEST_CASE(two_files_with_the_same_first_record_are_two_files) {
    Fixture fixture("acct-*.csv");
    fixture.write("acct-a.csv", header + records(0, 1));
    fixture.write("acct-b.csv", header + records(0, 1));
    BOOST_TEST(fixture.counted() == 2U);
    fixture.write("acct-a.csv", records(10, 50));
    fixture.write("acct-b.csv", records(90, 50));
    BOOST_TEST(fixture.counted() == 102U);
}

// cp, scp and dd truncate a file and write it anew; the exporter looks at any moment.
BOOST_AUTO_TEST_CASE(a_file_that_is_copied_over_itself_is_counted_once_however_slowly) {
    for (const std::size_t piece : {100U, 700U, 5'000U, 1'000'000U}) {
        Fixture fixture("acct-*.csv");
        std::string content = header + records(0, 300);
        fixture.write("acct-1.csv", content);
        std::uint64_t expected = 300;
        BOOST_TEST(fixture.counted() == expected);
        for (int round = 1; round <= 3; ++round) {
            content += records(round * 1000, 20);
            fs::resize_file(fixture.path("acct-1.csv"), 0);
            BOOST_TEST(fixture.counted() == expected);
            std::size_t looks = 0;
            for (std::size_t at = 0; at < content.size(); at += piece) {
                fixture.write("acct-1.csv", content.substr(at, piece));
                if (++looks > 40 && at + 4 * piece < content.size()) continue;
                const std::uint64_t counted = fixture.counted();
                BOOST_REQUIRE(counted <= expected + 20);
                BOOST_REQUIRE(counted >= expected);
                // A stalled transfer: nothing is concluded from time.
                if (at == 2 * piece) fixture.clock.advance(std::chrono::minutes(10));
                if (at == 3 * piece) fixture.restart();
            }
            expected += 20;
            BOOST_TEST(fixture.counted_later() == expected);
        }
        BOOST_TEST(fixture.metric("pmta_exporter_file_truncations_total") == 0U);
    }
}

BOOST_AUTO_TEST_CASE(a_shorter_file_that_is_written_to_without_a_pause_is_counted_when_it_is_longer) {
    Fixture fixture("acct.csv");
    fixture.write("acct.csv", header + records(0, 300));
    BOOST_TEST(fixture.counted() == 300U);
    fixture.write("saved", header + records(0, 60));
    fixture.rename("saved", "acct.csv");
    for (int i = 0; i < 300; i += 2) {
        BOOST_TEST(fixture.counted() >= 300U);
        fixture.write("acct.csv", records(1000 + i, 2));
        fixture.clock.advance(std::chrono::milliseconds(250));
    }
    BOOST_TEST(fixture.counted_later() == 600U);
}

BOOST_AUTO_TEST_CASE(a_second_member_of_a_gz_as_long_as_the_counted_first_is_read) {
    Fixture fixture("acct-*.csv");
    const std::string first = header + records(100, 500);
    const std::string second = header + records(600, 300) + records(400, 200);
    BOOST_REQUIRE(first.size() == second.size());
    fixture.write("acct-1.csv", first);
    BOOST_TEST(fixture.counted() == 500U);
    fs::remove(fixture.path("acct-1.csv"));
    fixture.write("acct-1.csv.gz", io::gzip_encode(first).value());
    BOOST_TEST(fixture.counted_later() == 500U);
    fixture.write("acct-1.csv.gz", io::gzip_encode(second).value());
    BOOST_TEST(fixture.counted() == 500U);  // quiet first
    BOOST_TEST(fixture.counted_later() == 1000U);
    fixture.restart();
    BOOST_TEST(fixture.counted_later() == 1000U);
}

BOOST_AUTO_TEST_CASE(two_members_of_a_gz_made_while_the_exporter_was_down_are_read) {
    Fixture fixture("acct-*.csv");
    const std::string first = header + records(100, 500);
    fixture.write("acct-1.csv", first);
    BOOST_TEST(fixture.counted() == 500U);
    fs::remove(fixture.path("acct-1.csv"));
    fixture.write("acct-1.csv.gz", io::gzip_encode(first).value() +
                                       io::gzip_encode(header + records(600, 300) + records(400, 200)).value());
    fixture.restart();
    BOOST_TEST(fixture.counted_later() == 1000U);
}

BOOST_AUTO_TEST_CASE(a_half_written_line_of_a_live_file_waits_though_a_parallel_file_is_newer) {
    Fixture fixture("acct-*.csv");
    const std::string line = records(5, 1);
    fixture.write("acct-a.csv", header + "d,2026-11-20 09:00:00+0000,b@news.example.com,u@gmail.com,v1\n");
    fixture.write("acct-b.csv", header + records(0, 1));
    BOOST_TEST(fixture.counted() == 2U);
    fixture.write("acct-a.csv", line.substr(0, 60));
    BOOST_TEST(fixture.counted() == 2U);
    fixture.clock.advance(std::chrono::minutes(5));
    BOOST_TEST(fixture.counted() == 2U);
    fixture.write("acct-a.csv", line.substr(60));
    BOOST_TEST(fixture.counted() == 3U);
    BOOST_TEST(fixture.metric("pmta_exporter_parse_errors_total{reason=\"columns\"}") == 0U);
}

BOOST_AUTO_TEST_CASE(a_last_line_without_its_end_counts_in_a_file_that_a_newer_one_of_its_kind_replaced) {
    Fixture fixture("acct-*.csv");
    const std::string line = records(5, 1);
    fixture.write("acct-2026-11-20-0001.csv", header + records(0, 1) + line.substr(0, line.size() - 1));
    fixture.write("acct-2026-11-20-0002.csv",
                  header + "d,2026-11-20 11:00:00+0000,b@news.example.com,u@gmail.com,v1\n");
    BOOST_TEST(fixture.counted() == 2U);
    fixture.clock.advance(std::chrono::minutes(5));
    BOOST_TEST(fixture.counted() == 3U);
}

BOOST_AUTO_TEST_CASE(a_file_that_begins_with_nuls_is_read) {
    Fixture fixture("acct-*.csv");
    fixture.write("acct-1.csv", std::string(8192, '\0') + header + records(0, 3));
    BOOST_TEST(fixture.counted() == 3U);
    fixture.write("acct-1.csv", records(3, 40));
    BOOST_TEST(fixture.counted() == 43U);
    fixture.restart();
    BOOST_TEST(fixture.counted() == 43U);
    fixture.rename("acct-1.csv", "acct-2.csv");
    BOOST_TEST(fixture.counted() == 43U);
}

// A writer that does not append goes on at its old place: a hole of any size before what it writes.
BOOST_AUTO_TEST_CASE(a_file_truncated_under_a_writer_that_goes_on_at_its_old_place_is_read) {
    Fixture fixture("acct.csv*");
    fixture.write("acct.csv", header + records(0, 100));
    BOOST_TEST(fixture.counted() == 100U);
    fs::copy_file(fixture.path("acct.csv"), fixture.path("acct.csv.1"));
    fs::resize_file(fixture.path("acct.csv"), 0);
    fs::resize_file(fixture.path("acct.csv"), std::uintmax_t{3} << 30U);
    fixture.write("acct.csv", header + records(100, 50));
    BOOST_TEST(fixture.counted() == 150U);
    BOOST_TEST(fixture.counted() == 150U);
}

BOOST_AUTO_TEST_CASE(a_file_whose_lines_end_in_cr_alone_is_a_problem_in_words) {
    Fixture fixture("acct-*.csv");
    std::string text = header + records(0, 3);
    std::ranges::replace(text, '\n', '\r');
    fixture.write("acct-1.csv", text);
    BOOST_TEST(fixture.counted() == 0U);
    BOOST_TEST(fixture.log.holds("acct-1.csv: its lines end in CR alone"));
}

BOOST_AUTO_TEST_CASE(a_rotation_to_a_name_that_is_not_looked_for_while_the_exporter_is_down_is_said) {
    Fixture fixture("mail.log", RecordFormat::postfix);
    const std::string line =
        "2026-11-20T10:00:00+00:00 mx1 postfix/smtp[5]: A1B2C3: to=<u@gmail.com>, relay=mx.example[192.0.2.5]:25, "
        "delay=1, delays=0/0/1/0, dsn=2.0.0, status=sent (250 2.0.0 OK)\n";
    fixture.write("mail.log.1", "2026-11-19T10:00:00+00:00 mx1 dovecot: imap-login\n");
    fixture.write("mail.log", line);
    BOOST_TEST(fixture.counted() == 1U);
    fixture.rename("mail.log", "mail-20261129.log");
    fs::remove(fixture.path("mail.log.1"));  // an old one: nothing more was written to it
    fixture.write("mail.log", "2026-11-21T10:00:00+00:00 mx1 dovecot: imap-login\n");
    fixture.restart();
    fixture.counted();
    BOOST_TEST(fixture.log.holds(fixture.path("mail.log") + ": was read up to byte " + std::to_string(line.size()) +
                                 " and is found nowhere"));
    BOOST_TEST(fixture.metric("pmta_exporter_missing_files_total") == 1U);
    fixture.restart();
    fixture.counted();
    BOOST_TEST(fixture.metric("pmta_exporter_missing_files_total") == 1U);
}

BOOST_AUTO_TEST_CASE(copytruncate_is_no_loss_where_the_copy_is_found) {
    Fixture fixture("acct.csv*");
    fixture.write("acct.csv", header + records(0, 100));
    BOOST_TEST(fixture.counted() == 100U);
    fixture.write("acct.csv", records(100, 10));
    fs::copy_file(fixture.path("acct.csv"), fixture.path("acct.csv.1"));
    fs::resize_file(fixture.path("acct.csv"), 0);
    fixture.write("acct.csv", header + records(200, 30));
    BOOST_TEST(fixture.counted() == 140U);
    BOOST_TEST(!fixture.log.holds("is lost"));
    BOOST_TEST(fixture.metric("pmta_exporter_file_truncations_total") == 0U);
    fs::resize_file(fixture.path("acct.csv"), 0);
    fixture.write("acct.csv", header + records(300, 30));
    BOOST_TEST(fixture.counted() == 170U);
    BOOST_TEST(fixture.log.holds("acct.csv: has other content than before; what was not read of it is lost"));
    BOOST_TEST(fixture.metric("pmta_exporter_file_truncations_total") == 1U);
}

// Without times nothing tells the copy from a file in use: it is counted once, and a metric says that it grows.
BOOST_AUTO_TEST_CASE(a_file_taken_for_a_copy_that_grows_is_visible) {
    Fixture fixture("acct.csv*");
    fixture.write("acct.csv", timeless_header + timeless(100));
    BOOST_TEST(fixture.counted() == 100U);
    fs::copy_file(fixture.path("acct.csv"), fixture.path("acct.csv.1"));
    BOOST_TEST(fixture.counted() == 100U);
    BOOST_TEST(fixture.copies() == 1U);
    BOOST_TEST(fixture.metric("pmta_exporter_growing_copies") == 0U);
    fixture.write("acct.csv.1", timeless(10));
    BOOST_TEST(fixture.counted() == 100U);
    BOOST_TEST(fixture.metric("pmta_exporter_growing_copies") == 1U);
}

BOOST_AUTO_TEST_CASE(columns_that_cannot_tell_files_apart_are_named) {
    Fixture fixture("acct-*.csv");
    fixture.write("acct-1.csv", header + records(0, 100));
    BOOST_TEST(ambiguous_sources(fixture.settings, exporter::files::real_files()).empty());
    fixture.write("acct-2.csv", timeless_header + timeless(100));
    fixture.write("acct-3.csv", timeless_header + timeless(100));
    const auto notes = ambiguous_sources(fixture.settings, exporter::files::real_files());
    BOOST_REQUIRE(notes.size() == 1U);
    BOOST_TEST(notes[0] ==
               fixture.path("acct-2.csv") +
                   ": its records have no time, so another file may begin like it and only its name tells the two "
                   "apart; add timeLogged and a column that differs, as rcpt does, to its record-fields");
}

BOOST_AUTO_TEST_SUITE_END()
