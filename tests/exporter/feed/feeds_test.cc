// Postfix logs and KumoMTA segments beside PowerMTA's files: what is counted, in which order, and what a restart keeps.
#include <unistd.h>

#include <boost/test/unit_test.hpp>
#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>

#include "exporter/feed/accounting.h"
#include "exporter/feed/ingest.h"
#include "exporter/feed/reading_metrics.h"
#include "exporter/files/tracked_file.h"
#include "shared/base/deadline.h"
#include "shared/io/gzip_encode.h"
#include "tests/support/log_capture.h"
#include "tests/support/zstd_text.h"

namespace fs = std::filesystem;
using namespace mtawatch;
using namespace mtawatch::exporter::files;
using namespace mtawatch::exporter::feed;

namespace {

const std::string sent_line =
    "postfix/smtp[5]: A1B2C3: to=<u@gmail.com>, relay=Gmail-SMTP-in.l.google.com[192.0.2.5]:25, delay=1.7, "
    "delays=0/0/1/0, dsn=2.0.0, status=sent (250 2.0.0 OK)";
const std::string queued_line = "postfix/qmgr[3]: A1B2C3: from=<b@news.example.com>, size=1047, nrcpt=1 (queue active)";

std::string line(const std::string& text, const std::string& time = "10:00:00") {
    return "2026-11-20T" + time + "+00:00 mx1 " + text + "\n";
}

std::string segment(const std::string& type, const std::string& more = "") {
    return R"({"type":")" + type +
           R"(","id":"1","sender":"b@news.example.com","recipient":"u@gmail.com","queue":"spring:t@gmail.com",)"
           R"("size":500,"response":{"code":250,"enhanced_code":null,"content":"OK","command":null},)"
           R"("peer_address":{"name":"mx.example","addr":"192.0.2.9"},"timestamp":1795168802,"created":1795168800,)"
           R"("bounce_classification":"Uncategorized","egress_pool":"pool-a","egress_source":"ip-1",)"
           R"("source_address":{"address":"192.0.2.1:4711"},"delivery_protocol":"ESMTP")" +
           more + "}\n";
}

struct Fixture {
    fs::path folder = fs::temp_directory_path() / ("mtawatch-feeds-" + std::to_string(::getpid()));
    base::SystemClock clock;
    test::LogCapture captured;
    FeedSettings postfix;
    FeedSettings kumomta;

    Fixture() {
        fs::remove_all(folder);
        fs::create_directories(folder);
        postfix.count.format = exporter::series::RecordFormat::postfix;
        postfix.follow.globs = {folder / "mail.log"};
        kumomta.count.format = exporter::series::RecordFormat::kumomta;
        kumomta.follow.globs = {folder / "2026*"};
    }
    Fixture(const Fixture&) = delete;
    Fixture& operator=(const Fixture&) = delete;
    ~Fixture() { fs::remove_all(folder); }

    [[nodiscard]] std::string path(const std::string& name) const { return folder / name; }
    void write(const std::string& name, std::string_view text) const {
        std::ofstream(path(name), std::ios::binary | std::ios::app) << text;
    }
    [[nodiscard]] base::Log log() { return captured.log(clock); }
    [[nodiscard]] std::string once(const std::vector<FeedSettings>& feeds) {
        std::string text;
        exporter::exposition::ExpositionWriter writer(exporter::exposition::Format::text, text);
        const auto done = run_once(feeds, clock, log(), nullptr, writer);
        return done ? text : "error: " + done.error().what;
    }
};

bool has(const std::string& exposition, const std::string& sample) {
    return ("\n" + exposition).find("\n" + sample + "\n") != std::string::npos;
}

struct Following {
    Following(Fixture& fixture, const FeedSettings& settings) : ingest(settings, fixture.clock, fixture.log(), false) {}
    std::string look() {
        ingest.catch_up([] { return true; });
        std::string text;
        exporter::exposition::ExpositionWriter writer(exporter::exposition::Format::text, text);
        ingest.write(writer);
        const Ingest* const feed = &ingest;
        write_reading_metrics(writer, {&feed, 1});
        return text;
    }
    Ingest ingest;
};

const std::string from_news =
    "postfix_sender_deliveries_total{sender_domain=\"news.example.com\",provider=\"gmail\"} 1";

}  // namespace

BOOST_AUTO_TEST_SUITE(feeds)

BOOST_AUTO_TEST_CASE(a_postfix_log_is_counted_under_its_own_names_and_labels) {
    Fixture fixture;
    fixture.write("mail.log",
                  line(queued_line) + line(sent_line) +
                      line("postfix/smtp[5]: A1B2C3: to=<x@yahoo.com>, relay=none, delay=3, delays=0/0/1/0, dsn=4.4.1, "
                           "status=deferred (connect to mx.example[192.0.2.6]:25: Connection timed out)") +
                      line("postfix/qmgr[3]: A1B2C3: from=<b@news.example.com>, status=expired, returned to sender"));
    const std::string text = fixture.once({fixture.postfix});
    const std::string relay = "relay=\"gmail-smtp-in.l.google.com\",provider=\"gmail\"";
    for (const std::string& sample :
         {std::string("postfix_accounting_records_total{record_type=\"d\"} 1"),
          std::string("postfix_accounting_records_total{record_type=\"b\"} 1"),
          "postfix_deliveries_total{" + relay + "} 1", "postfix_delivered_bytes_total{" + relay + "} 1047", from_news,
          std::string("postfix_transient_failures_total{relay=\"\",provider=\"yahoo\",reason=\"connection\"} 1"),
          std::string("postfix_bounces_total{relay=\"\",provider=\"yahoo\",category=\"message-expired\",bounce_class="
                      "\"soft\"} 1"),
          std::string("postfix_sender_lifetime_records_total{sender_domain=\"news.example.com\"} 2"),
          // 1.7 s is more than one second, and two seconds in the sum.
          std::string("postfix_delivery_delay_seconds_bucket{provider=\"gmail\",le=\"1.0\"} 0"),
          std::string("postfix_delivery_delay_seconds_bucket{provider=\"gmail\",le=\"5.0\"} 1"),
          std::string("postfix_delivery_delay_seconds_sum{provider=\"gmail\"} 2")}) {
        BOOST_TEST(has(text, sample), sample);
    }
    // What a Postfix log cannot say is not there, not even as 0.
    for (const char* absent : {"pmta_deliveries", "record_type=\"f\"", "source_ip", "pool=", "complaints", "job_"}) {
        BOOST_TEST(text.find(absent) == std::string::npos, absent);
    }
}

BOOST_AUTO_TEST_CASE(a_segment_of_kumomta_is_known_by_its_first_bytes) {
    Fixture fixture;
    fixture.write("20261120-100000", test::zstd_text(segment("Delivery") + segment("Bounce")));
    fixture.write("20261120-100001", segment("Delivery"));
    // A skippable frame in front, as seekable zstd files may have one.
    fixture.write("20261120-100004",
                  std::string("\x50\x2a\x4d\x18\x03\x00\x00\x00xyz", 11) + test::zstd_text(segment("Delivery")));
    fixture.write("20261120-100002", io::gzip_encode(segment("Delivery")).value());
    fixture.write("20261120-100003", segment("Reception", ",\"reception_protocol\":\"ESMTP\""));
    const std::string text = fixture.once({fixture.kumomta});
    const std::string labels = "{egress_source=\"ip-1\",egress_pool=\"pool-a\",provider=\"gmail\"}";
    BOOST_TEST(has(text, "kumomta_log_deliveries_total" + labels + " 4"));
    BOOST_TEST(has(text, "kumomta_log_delivered_bytes_total" + labels + " 2000"));
    BOOST_TEST(has(text, "kumomta_log_accounting_records_total{record_type=\"b\"} 1"));
    BOOST_TEST(has(text, "kumomta_log_accounting_records_total{record_type=\"r\"} 1"));
    BOOST_TEST(has(text, "kumomta_log_source_ip_deliveries_total{source_ip=\"192.0.2.1\"} 4"));
    BOOST_TEST(has(text, "kumomta_log_last_delivery_timestamp_seconds{egress_pool=\"pool-a\"} 1795168802"));
    BOOST_TEST(text.find("record_type=\"tq\"") == std::string::npos);
}

BOOST_AUTO_TEST_CASE(a_segment_without_its_end_is_being_written_and_no_problem) {
    Fixture fixture;
    fixture.write("20261120-100000", test::zstd_text(segment("Delivery") + segment("Delivery").substr(0, 50), false));
    const auto before = fs::file_time_type::clock::now() - std::chrono::seconds(10);
    fs::last_write_time(fixture.path("20261120-100000"), before);
    Following following(fixture, fixture.kumomta);
    const std::string source = "{source=\"" + fixture.path("2026*") + "\"} ";
    const std::string text = following.look();
    BOOST_TEST(has(text, "kumomta_log_accounting_records_total{record_type=\"d\"} 1"));
    BOOST_TEST(has(text, "pmta_exporter_source_unreadable" + source + "0"));
    BOOST_TEST(fixture.captured.messages.empty());
    BOOST_TEST(following.ingest.ready());
}

BOOST_AUTO_TEST_CASE(compressions_that_cannot_be_read_are_named) {
    Fixture fixture;
    fixture.write("mail.log", line(sent_line));
    fixture.write("mail.log.2.xz", std::string("\xfd"
                                               "7zXZ\0\0\4",
                                               8));
    (void)fixture.once({fixture.postfix});
    BOOST_REQUIRE(fixture.captured.messages.size() == 1U);
    BOOST_TEST(fixture.captured.messages[0] ==
               fixture.path("mail.log.2.xz") +
                   ": is compressed with xz or bzip2, which cannot be read; gzip and zstd can");
}

BOOST_AUTO_TEST_CASE(rotated_logs_are_found_beside_their_log_and_read_oldest_first) {
    Fixture fixture;
    fixture.write("mail.log", line(sent_line, "12:00:00"));
    fixture.write("mail.log.1", line("postfix/smtpd[7]: connect from x[192.0.2.1]", "11:00:00"));
    // The sender of the message was said two rotations ago.
    fixture.write("mail.log.2.gz", io::gzip_encode(line(queued_line, "10:00:00")).value());
    const std::string text = fixture.once({fixture.postfix});
    BOOST_TEST(has(text, from_news));
    BOOST_TEST(has(text, "pmta_exporter_source_files{source=\"" + fixture.path("mail.log") + "\"} 3"));
}

BOOST_AUTO_TEST_CASE(logs_that_begin_in_the_same_second_are_read_in_the_order_of_their_numbers) {
    for (const bool dated : {false, true}) {
        Fixture fixture;
        fixture.write("mail.log", line(sent_line));
        fixture.write(dated ? "mail.log-20261120" : "mail.log.1", line("postfix/smtpd[7]: connect from x[192.0.2.1]"));
        fixture.write(dated ? "mail.log-20261119" : "mail.log.2", line(queued_line));
        BOOST_TEST(has(fixture.once({fixture.postfix}), from_news));
    }
}

BOOST_AUTO_TEST_CASE(names_of_rotation_are_told_from_names) {
    struct Row {
        std::string path;
        std::string stem;
    };
    // Of one stem, from the newest to the oldest.
    const std::vector<std::vector<Row>> table{
        {{"/var/log/mail.log", "mail.log"}, {"/old/mail.log.1", "mail.log"}, {"mail.log.10.gz", "mail.log"}},
        {{"mail.log", "mail.log"}, {"mail.log-20261121", "mail.log"}, {"mail.log-20261120.gz", "mail.log"}},
        {{"maillog", "maillog"},
         {"maillog.20261121-100000.gz", "maillog"},
         {"maillog.20261121-095959.gz", "maillog"},
         {"maillog.20261120-235959", "maillog"}},
        {{"20261121-100000.zst", "20261121-100000"}},
        {{"acct-2026-11-21-0001.csv", "acct-2026-11-21-0001.csv"}},
        {{"mail-7", "mail-7"}},
    };
    for (const auto& rows : table) {
        for (std::size_t i = 0; i < rows.size(); ++i) {
            BOOST_TEST(stem_of(rows[i].path) == rows[i].stem);
            if (i > 0) BOOST_TEST(rotation_age(rows[i].path) > rotation_age(rows[i - 1].path), rows[i].path);
        }
    }
}

BOOST_AUTO_TEST_CASE(the_last_words_to_a_renamed_log_are_read_before_the_new_log) {
    Fixture fixture;
    fixture.write("mail.log", line("postfix/smtpd[7]: connect from x[192.0.2.1]", "10:00:00"));
    Following following(fixture, fixture.postfix);
    (void)following.look();
    fs::rename(fixture.path("mail.log"), fixture.path("mail.log.1"));
    fixture.write("mail.log", line(sent_line, "10:00:02"));
    fixture.write("mail.log.1", line(queued_line, "10:00:01"));
    BOOST_TEST(has(following.look(), from_news));
}

BOOST_AUTO_TEST_CASE(a_log_is_read_no_further_than_it_went_before_the_older_one_was_read) {
    Fixture fixture;
    const std::string noise = "postfix/smtpd[7]: connect from x[192.0.2.1]";
    fixture.write("mail.log.1", line(noise, "10:00:00"));
    fixture.write("mail.log", line(noise, "11:00:00"));
    Following following(fixture, fixture.postfix);
    int pieces = 0;
    following.ingest.catch_up([&] {
        // The old log is read, the new one is not yet at its end: now syslog writes to the one, then to the other.
        if (++pieces == 2) {
            fixture.write("mail.log.1", line(queued_line, "11:00:01"));
            fixture.write("mail.log", line(sent_line, "11:00:02"));
        }
        return true;
    });
    BOOST_TEST(pieces == 2);
    BOOST_TEST(has(following.look(), from_news));
}

BOOST_AUTO_TEST_CASE(what_earlier_lines_said_survives_a_restart) {
    Fixture fixture;
    fixture.write("mail.log", line(queued_line));
    Following before(fixture, fixture.postfix);
    (void)before.look();
    const std::string document = before.ingest.checkpoint();
    fixture.write("mail.log", line(sent_line));
    Following after(fixture, fixture.postfix);
    BOOST_REQUIRE(after.ingest.restore(document).has_value());
    const std::string text = after.look();
    BOOST_TEST(has(text, from_news));
    BOOST_TEST(
        has(text, "postfix_delivered_bytes_total{relay=\"gmail-smtp-in.l.google.com\",provider=\"gmail\"} 1047"));
}

BOOST_AUTO_TEST_CASE(a_state_belongs_to_its_kind_of_log) {
    Fixture fixture;
    fixture.write("mail.log", line(sent_line));
    Following postfix(fixture, fixture.postfix);
    (void)postfix.look();
    Ingest kumomta(fixture.kumomta, fixture.clock, fixture.log(), false);
    const auto restored = kumomta.restore(postfix.ingest.checkpoint());
    BOOST_REQUIRE(!restored.has_value());
    BOOST_TEST(restored.error().what == "belongs to another kind of log");
    FeedSettings settings;
    Ingest pmta(settings, fixture.clock, fixture.log(), false);
    BOOST_TEST(!pmta.restore(postfix.ingest.checkpoint()).has_value());
    // PowerMTA's is still what it was before there were other kinds.
    BOOST_TEST(pmta.checkpoint().substr(8, 4) == std::string("\3\0\0\0", 4));
}

BOOST_AUTO_TEST_CASE(no_family_is_written_twice_and_counts_of_reading_are_sums) {
    Fixture fixture;
    fixture.write("mail.log", line(queued_line) + line(sent_line));
    fixture.write("20261120-100000", test::zstd_text(segment("Delivery") + segment("Bounce") + "{}\n"));
    const std::string text = fixture.once({fixture.postfix, fixture.kumomta});
    std::set<std::string> types;
    std::istringstream lines(text);
    for (std::string one; std::getline(lines, one);) {
        if (one.starts_with("# TYPE ")) BOOST_TEST(types.insert(one).second, one);
    }
    BOOST_TEST(has(text, "pmta_exporter_lines_total{status=\"parsed\"} 3"));
    BOOST_TEST(has(text, "pmta_exporter_lines_total{status=\"malformed\"} 1"));
    BOOST_TEST(has(text, "pmta_exporter_series{family=\"postfix_deliveries_total\"} 1"));
    BOOST_TEST(has(text, "pmta_exporter_series{family=\"kumomta_log_deliveries_total\"} 1"));
}

BOOST_AUTO_TEST_CASE(one_glob_belongs_to_one_kind_of_log) {
    Fixture fixture;
    fixture.kumomta.follow.globs = fixture.postfix.follow.globs;
    BOOST_TEST(fixture.once({fixture.postfix, fixture.kumomta}) ==
               "error: " + fixture.path("mail.log") + ": is named as KumoMTA log and as another kind of log");
    BOOST_TEST(fixture.once({fixture.postfix, fixture.postfix}) == "error: two feeds of one kind (Postfix log)");
    BOOST_TEST(fixture.once({fixture.postfix}) == "error: no readable Postfix log matches " + fixture.path("mail.log"));
}

BOOST_AUTO_TEST_CASE(all_feeds_run_side_by_side_and_a_reload_keeps_their_kinds) {
    Fixture fixture;
    fixture.postfix.state_file = fixture.path("state.postfix");
    fixture.kumomta.state_file = fixture.path("state.kumomta");
    fixture.write("mail.log", line(sent_line));
    fixture.write("20261120-100000", test::zstd_text(segment("Delivery")));
    auto running = Accounting::start({fixture.postfix, fixture.kumomta}, fixture.clock, fixture.log());
    BOOST_REQUIRE(running.has_value());
    const base::Deadline limit(fixture.clock, std::chrono::seconds(20));
    while (!(*running)->ready() && !limit.expired()) ::usleep(1000);
    BOOST_TEST((*running)->reload({fixture.postfix, fixture.kumomta}).has_value());
    const auto refused = (*running)->reload({fixture.postfix});
    BOOST_REQUIRE(!refused.has_value());
    BOOST_TEST(refused.error().what == "a kind of log cannot be added or removed without a restart");
    std::string text;
    exporter::exposition::ExpositionWriter writer(exporter::exposition::Format::text, text);
    (*running)->write(writer);
    BOOST_TEST(has(text, "postfix_accounting_records_total{record_type=\"d\"} 1"));
    BOOST_TEST(has(text, "kumomta_log_accounting_records_total{record_type=\"d\"} 1"));
    const auto addresses = (*running)->source_addresses();
    BOOST_TEST(addresses == std::vector<std::string>{"192.0.2.1"}, boost::test_tools::per_element());
    (*running)->stop();
    BOOST_TEST(fs::exists(fixture.path("state.postfix")));
    BOOST_TEST(fs::exists(fixture.path("state.kumomta")));
}

BOOST_AUTO_TEST_SUITE_END()
