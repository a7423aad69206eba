// The whole path from files to the exposition: good files, bad files, and files that change while they are followed.
#include "exporter/feed/accounting.h"

#include <sys/stat.h>
#include <unistd.h>

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <functional>
#include <mutex>
#include <random>
#include <thread>

#include "exporter/exposition/exposition.h"
#include "exporter/feed/ingest.h"
#include "exporter/feed/reading_metrics.h"
#include "shared/base/deadline.h"
#include "shared/io/gzip_encode.h"
#include "tests/support/log_capture.h"

namespace fs = std::filesystem;
using namespace mtawatch;
using namespace mtawatch::exporter::exposition;
using namespace mtawatch::exporter::feed;

namespace {

const std::string header_text =
    "type,timeLogged,timeQueued,orig,rcpt,dsnStatus,dsnDiag,bounceCat,dlvType,dlvSourceIp,vmta,vmtaPool\n";

std::string record(const std::string& rcpt = "u@gmail.com", const std::string& time = "2026-11-20 10:00:00+0000") {
    return "d," + time + "," + time + ",b@news.example.com," + rcpt +
           ",2.0.0 (success),smtp;250 ok,,smtp,192.0.2.1,vmta1,pool1\n";
}

std::string packed(std::string_view text) { return io::gzip_encode(text).value(); }

struct Fixture {
    fs::path folder = fs::temp_directory_path() / ("mtawatch-acct-" + std::to_string(::getpid()));
    base::SystemClock clock;
    std::mutex lock;
    test::LogCapture captured;
    FeedSettings settings;

    Fixture() {
        fs::remove_all(folder);
        fs::create_directories(folder);
        settings.follow.globs = {folder / "acct-*.csv"};
        settings.count.scanner.zone = mta::logs::Zone::utc();
    }
    Fixture(const Fixture&) = delete;
    Fixture& operator=(const Fixture&) = delete;
    ~Fixture() { fs::remove_all(folder); }

    [[nodiscard]] std::string path(const std::string& name) const { return folder / name; }
    void write(const std::string& name, std::string_view text) const {
        std::ofstream(path(name), std::ios::binary | std::ios::app) << text;
    }
    [[nodiscard]] base::Log log() {
        return {base::LogLevel::info, base::LogFormat::logfmt, clock, [this](std::string_view line) {
                    const std::lock_guard turn(lock);
                    captured.messages.push_back(test::message_of(line));
                }};
    }
    [[nodiscard]] bool logged(std::string_view piece) {
        const std::lock_guard turn(lock);
        return captured.holds(piece);
    }
    // The exposition of --once, or the error's text.
    [[nodiscard]] std::string once() {
        std::string text;
        ExpositionWriter writer(Format::text, text);
        const auto done = run_once({settings}, clock, log(), nullptr, writer);
        return done ? text : "error: " + done.error().what;
    }
};

std::optional<std::uint64_t> value(const std::string& exposition, const std::string& series) {
    const std::size_t at = ("\n" + exposition).find("\n" + series + " ");
    if (at == std::string::npos) return std::nullopt;
    return std::stoull(exposition.substr(at + series.size() + 1));
}

std::string by_type(const std::string& type) { return "pmta_accounting_records_total{record_type=\"" + type + "\"}"; }

// Follows with an Ingest driven by hand: no thread and no waiting.
struct Following {
    explicit Following(Fixture& from) : fixture(from), ingest(from.settings, from.clock, from.log(), false) {}
    std::uint64_t deliveries() {
        ingest.catch_up([] { return true; });
        std::string text;
        ExpositionWriter writer(Format::text, text);
        ingest.write(writer);
        return value(text, by_type("d")).value_or(UINT64_MAX);
    }
    std::uint64_t metric(const std::string& name) {
        std::string text;
        ExpositionWriter writer(Format::text, text);
        ingest.write(writer);
        const Ingest* const feed = &ingest;
        write_reading_metrics(writer, {&feed, 1});
        return value(text, name).value_or(UINT64_MAX);
    }
    Fixture& fixture;
    Ingest ingest;
};

struct BadInput {
    std::string name;
    std::function<void(Fixture&)> prepare;
    // Series and the value it must have, beside one good record in another file that must be counted.
    std::vector<std::pair<std::string, std::uint64_t>> expected;
    std::string said;
};
std::ostream& operator<<(std::ostream& out, const BadInput& bad) { return out << bad.name; }

const std::vector<BadInput> bad_inputs{
    {"a folder among the files",
     [](Fixture& w) { fs::create_directory(w.path("acct-dir.csv")); },
     {},
     "is a folder, not a file"},
    {"a fifo among the files",
     [](Fixture& w) { ::mkfifo(w.path("acct-fifo.csv").c_str(), 0600); },
     {},
     "is no regular file"},
    {"binary garbage",
     [](Fixture& w) {
         std::string bytes;
         for (int i = 0; i < 100'000; ++i) bytes += static_cast<char>((i * 7919) >> 3);
         w.write("acct-garbage.csv", bytes);
     },
     {},
     ""},
    {"no header",
     [](Fixture& w) { w.write("acct-nohead.csv", record() + record()); },
     {{"pmta_exporter_parse_errors_total{reason=\"no_header\"}", 2}},
     ""},
    {"only a header",
     [](Fixture& w) { w.write("acct-head.csv", header_text); },
     {{"pmta_exporter_lines_total{status=\"header\"}", 2}},
     ""},
    {"an empty file", [](Fixture& w) { w.write("acct-empty.csv", ""); }, {}, ""},
    {"an endless line",
     [](Fixture& w) {
         w.write("acct-long.csv", header_text + std::string(20U << 20U, 'x') + "\n" + record("u@yahoo.com"));
     },
     {{"pmta_exporter_lines_total{status=\"oversized\"}", 1},
      {"pmta_deliveries_total{vmta=\"vmta1\",pool=\"pool1\",provider=\"yahoo\"}", 1}},
     ""},
    {"NUL bytes and invalid UTF-8",
     [](Fixture& w) {
         w.write("acct-nul.csv", header_text +
                                     "d,2026-11-20 10:00:00+0000,,b@x.example,u@yahoo.com,,,,smtp,192.0.2.1,v" +
                                     std::string("\0\xff", 2) + ",p\n");
     },
     {{"pmta_deliveries_total{vmta=\"v\xef\xbf\xbd\xef\xbf\xbd\",pool=\"p\",provider=\"yahoo\"}", 1}},
     ""},
    {"a stamp in the future",
     [](Fixture& w) { w.write("acct-future.csv", header_text + record("u@yahoo.com", "2999-01-01 00:00:00+0000")); },
     {{"pmta_exporter_parse_errors_total{reason=\"future_timestamp\"}", 1},
      {"pmta_last_record_timestamp_seconds{record_type=\"d\"}", 1795168800}},
     ""},
    {"a stamp that is none",
     [](Fixture& w) { w.write("acct-stamp.csv", header_text + record("u@yahoo.com", "yesterday")); },
     {{"pmta_exporter_parse_errors_total{reason=\"timestamp\"}", 1}},
     ""},
    {"too few cells",
     [](Fixture& w) { w.write("acct-cells.csv", header_text + "d,2026-11-20 10:00:00+0000\n"); },
     {{"pmta_exporter_parse_errors_total{reason=\"columns\"}", 1}},
     ""},
    {"a stray quote",
     [](Fixture& w) { w.write("acct-quote.csv", header_text + record("\"u@yahoo.com") + record("u@yahoo.com")); },
     {{"pmta_deliveries_total{vmta=\"vmta1\",pool=\"pool1\",provider=\"yahoo\"}", 1}},
     ""},
    {"a damaged .gz", [](Fixture& w) { w.write("acct-bad.csv.gz", "\x1f\x8b no gzip at all"); }, {}, "acct-bad.csv.gz"},
    {"a .gz without its trailer",
     [](Fixture& w) {
         const std::string whole = packed(header_text + record("u@yahoo.com"));
         w.write("acct-cut.csv.gz", std::string_view(whole).substr(0, whole.size() - 8));
     },
     {},
     ""},
};

}  // namespace

BOOST_AUTO_TEST_SUITE(accounting)

BOOST_DATA_TEST_CASE(bad_input_costs_itself_and_nothing_else, boost::unit_test::data::make(bad_inputs), bad) {
    Fixture fixture;
    fixture.write("acct-good.csv", header_text + record());
    bad.prepare(fixture);
    const std::string text = fixture.once();
    BOOST_TEST(value(text, "pmta_deliveries_total{vmta=\"vmta1\",pool=\"pool1\",provider=\"gmail\"}").value_or(0) ==
               1U);
    for (const auto& [series, expected] : bad.expected) {
        BOOST_TEST(value(text, series).value_or(UINT64_MAX) == expected, series);
    }
    if (!bad.said.empty()) BOOST_TEST(fixture.logged(bad.said));
}

BOOST_AUTO_TEST_CASE(a_bounce_without_a_category_gets_that_of_powermtas_own_patterns) {
    Fixture fixture;
    fixture.settings.count.bounce_patterns_file = "/etc/pmta/config";
    fixture.settings.count.bounce_patterns_text =
        "<bounce-category-patterns>\n/house rule/ our-own-category\n// other\n</bounce-category-patterns>\n";
    const std::string head = "b,2026-11-20 10:00:00+0000,,b@news.example.com,u@gmail.com,5.7.1 (x),smtp;550 ";
    fixture.write("acct-1.csv", std::string(header_text) + head + "house rule 7,,smtp,192.0.2.1,vmta1,pool1\n" + head +
                                    "house rule 7,spam-related,smtp,192.0.2.1,vmta1,pool1\n");
    const std::string text = fixture.once();
    const auto bounces = [&](const std::string& category, const std::string& verdict) {
        return value(text, "pmta_bounces_total{vmta=\"vmta1\",pool=\"pool1\",provider=\"gmail\",category=\"" +
                               category + "\",bounce_class=\"" + verdict + "\"}");
    };
    BOOST_CHECK_EQUAL(bounces("our-own-category", "other").value_or(0), 1U);
    BOOST_CHECK_EQUAL(bounces("spam-related", "block").value_or(0), 1U);
}

BOOST_AUTO_TEST_CASE(nothing_to_read_is_an_error_and_no_zero) {
    Fixture fixture;
    BOOST_TEST(fixture.once() == "error: no readable accounting file matches " + fixture.settings.follow.globs[0]);
    fixture.settings.follow.globs = {fixture.path("missing") + "/acct-*.csv"};
    BOOST_TEST(fixture.once().starts_with("error: no readable accounting file matches"));
    BOOST_TEST(fixture.logged("/missing: No such file or directory"));
}

BOOST_AUTO_TEST_CASE(a_zero_only_for_types_that_the_configuration_names) {
    Fixture fixture;
    fixture.write("acct-1.csv", header_text + record());
    BOOST_TEST(fixture.once().find("pmta_complaints_total{") == std::string::npos);
    fixture.settings.count.expected_types = {mta::logs::RecordType::f};
    const std::string zero =
        "pmta_complaints_total{provider=\"other\",feedback_type=\"other\",vmta=\"other\",pool=\"other\"}";
    BOOST_TEST(value(fixture.once(), zero).value_or(1) == 0U);
    BOOST_TEST(fixture.once().find("pmta_remote_bounces_total{") == std::string::npos);
}

BOOST_AUTO_TEST_CASE(the_first_backlog_is_withheld_until_it_is_read) {
    Fixture fixture;
    fixture.write("acct-1.csv", header_text + record());
    Ingest ingest(fixture.settings, fixture.clock, fixture.log(), false);
    std::string text;
    ExpositionWriter writer(Format::text, text);
    ingest.write(writer);
    const Ingest* const feed = &ingest;
    write_reading_metrics(writer, {&feed, 1});
    BOOST_TEST(!ingest.ready());
    BOOST_TEST(!value(text, by_type("d")).has_value());
    BOOST_TEST(value(text, "pmta_exporter_catching_up").value_or(0) == 1U);
    ingest.catch_up([] { return true; });
    BOOST_TEST(ingest.ready());
}

BOOST_AUTO_TEST_CASE(a_last_line_waits_until_it_is_whole) {
    Fixture fixture;
    Following following(fixture);
    fixture.write("acct-1.csv", header_text + record() + record().substr(0, 40));
    BOOST_TEST(following.deliveries() == 1U);
    fixture.write("acct-1.csv", record().substr(40));
    BOOST_TEST(following.deliveries() == 2U);
}

BOOST_AUTO_TEST_CASE(a_renamed_moved_or_compressed_file_goes_on_where_it_was) {
    Fixture fixture;
    fs::create_directory(fixture.path("moved"));
    fixture.settings.follow.moved_to = {fixture.path("moved")};
    Following following(fixture);
    fixture.write("acct-1.csv", header_text + record("a@gmail.com", "2026-11-20 10:00:01+0000"));
    BOOST_TEST(following.deliveries() == 1U);
    fs::rename(fixture.path("acct-1.csv"), fixture.path("acct-2.csv"));
    fixture.write("acct-2.csv", record());
    BOOST_TEST(following.deliveries() == 2U);
    fs::rename(fixture.path("acct-2.csv"), fixture.path("moved/acct-2.csv"));
    fixture.write("moved/acct-2.csv", record());
    BOOST_TEST(following.deliveries() == 3U);
    std::ifstream plain(fixture.path("moved/acct-2.csv"));
    const std::string content{std::istreambuf_iterator<char>(plain), {}};
    fixture.write("moved/acct-2.csv.gz", packed(content + record()));
    BOOST_TEST(following.deliveries() == 3U);  // the plain file is still there: a copy
    fs::remove(fixture.path("moved/acct-2.csv"));
    BOOST_TEST(following.deliveries() == 4U);
    BOOST_TEST(following.deliveries() == 4U);
}

// A gigabyte takes seconds to unpack, in which the live files would wait. Here it could not even be unpacked.
BOOST_AUTO_TEST_CASE(the_gz_of_a_counted_file_is_not_unpacked) {
    Fixture fixture;
    Following following(fixture);
    std::string content = header_text;
    std::mt19937 random(1);
    for (int i = 0; i < 60'000; ++i) content += record(fmt::format("{:x}{:x}@gmail.com", random(), random()));
    fixture.write("acct-1.csv", content);
    BOOST_TEST(following.deliveries() == 60'000U);
    std::string gz = packed(content);
    std::fill_n(gz.end() - static_cast<std::ptrdiff_t>(gz.size() / 10), 1'000, '\xff');
    fixture.write("acct-1.csv.gz", gz);
    fs::remove(fixture.path("acct-1.csv"));
    BOOST_TEST(following.deliveries() == 60'000U);
    BOOST_TEST(!fixture.logged("acct-1.csv.gz:"));
    BOOST_TEST(fixture.captured.messages.empty());
}

// Of the same size: only its time tells, where nothing is watched.
BOOST_AUTO_TEST_CASE(a_gz_that_is_mended_in_place_is_read_at_once) {
    Fixture fixture;
    fixture.settings.follow.globs = {fixture.path("acct-*.csv")};
    Following following(fixture);
    const std::string good = packed(header_text + record());
    std::string bad = good;
    bad[bad.size() - 8] = static_cast<char>(bad[bad.size() - 8] ^ 1);  // the checksum
    fixture.write("acct-1.csv.gz", bad);
    following.deliveries();
    const std::string unreadable = "pmta_exporter_source_unreadable{source=\"" + fixture.path("acct-*.csv") + "\"}";
    BOOST_TEST(following.metric(unreadable) == 1U);
    std::ofstream(fixture.path("acct-1.csv.gz"), std::ios::binary) << good;
    BOOST_TEST(following.deliveries() == 1U);
    BOOST_TEST(following.metric(unreadable) == 0U);
}

BOOST_AUTO_TEST_CASE(a_new_file_and_its_gz_met_together_are_one_file) {
    Fixture fixture;
    Following following(fixture);
    const std::string content = header_text + record("a@gmail.com", "2026-11-20 10:00:02+0000");
    fixture.write("acct-1.csv", content);
    fixture.write("acct-1.csv.gz", packed(content));
    BOOST_TEST(following.deliveries() == 1U);
}

BOOST_AUTO_TEST_CASE(truncated_in_place_begins_anew_and_is_counted) {
    Fixture fixture;
    Following following(fixture);
    fixture.write("acct-1.csv", header_text + record("a@gmail.com", "2026-11-20 10:00:03+0000") + record());
    BOOST_TEST(following.deliveries() == 2U);
    fs::resize_file(fixture.path("acct-1.csv"), 0);
    std::string anew = header_text;
    for (int i = 0; i < 10; ++i) anew += record(fmt::format("b{}@gmail.com", i), "2026-11-20 11:00:00+0000");
    fixture.write("acct-1.csv", anew);
    following.deliveries();
    BOOST_TEST(following.deliveries() == 12U);
    BOOST_TEST(following.metric("pmta_exporter_file_truncations_total") == 1U);
}

BOOST_AUTO_TEST_CASE(copied_then_truncated_loses_nothing_of_the_copy) {
    Fixture fixture;
    fixture.settings.follow.globs = {fixture.path("acct-1.csv*")};
    Following following(fixture);
    fixture.write("acct-1.csv", header_text + record("a@gmail.com", "2026-11-20 10:00:04+0000"));
    BOOST_TEST(following.deliveries() == 1U);
    fixture.write("acct-1.csv", record());
    fs::copy_file(fixture.path("acct-1.csv"), fixture.path("acct-1.csv.1"));
    fs::resize_file(fixture.path("acct-1.csv"), 0);
    fixture.write("acct-1.csv", header_text + record("b@gmail.com", "2026-11-20 11:00:01+0000"));
    following.deliveries();
    BOOST_TEST(following.deliveries() == 3U);
}

BOOST_AUTO_TEST_CASE(another_file_under_a_used_inode_is_another_file) {
    Fixture fixture;
    Following following(fixture);
    fixture.write("acct-1.csv", header_text + record("a@gmail.com", "2026-11-20 10:00:05+0000"));
    BOOST_TEST(following.deliveries() == 1U);
    {
        std::ofstream(fixture.path("acct-1.csv"), std::ios::trunc)
            << header_text << record("other@yahoo.com", "2026-11-20 12:00:00+0000") << record() << record();
    }
    following.deliveries();
    BOOST_TEST(following.deliveries() == 4U);
}

BOOST_AUTO_TEST_CASE(a_restart_goes_on_under_whatever_name) {
    Fixture fixture;
    std::string document;
    {
        Following first(fixture);
        fixture.write("acct-1.csv", header_text + record("a@gmail.com", "2026-11-20 10:00:06+0000"));
        BOOST_TEST(first.deliveries() == 1U);
        document = first.ingest.checkpoint();
    }
    fixture.write("acct-1.csv", record());
    fs::rename(fixture.path("acct-1.csv"), fixture.path("acct-renamed.csv"));
    Following second(fixture);
    BOOST_REQUIRE(second.ingest.restore(document).has_value());
    BOOST_TEST(second.deliveries() == 2U);
}

BOOST_AUTO_TEST_CASE(appended_records_are_seen_by_a_running_exporter) {
    Fixture fixture;
    fixture.write("acct-1.csv", header_text + record());
    auto running = Accounting::start({fixture.settings}, fixture.clock, fixture.log());
    BOOST_REQUIRE(running.has_value());
    const auto reaches = [&](std::uint64_t wanted) {
        const base::Deadline limit(fixture.clock, std::chrono::seconds(20));
        while (!limit.expired()) {
            std::string text;
            ExpositionWriter writer(Format::text, text);
            (*running)->write(writer);
            if (value(text, by_type("d")) == wanted) return true;
            std::this_thread::sleep_for(std::chrono::milliseconds(1));
        }
        return false;
    };
    BOOST_TEST(reaches(1));
    fixture.write("acct-1.csv", record());
    BOOST_TEST(reaches(2));
    // A reload keeps what was counted.
    BOOST_TEST((*running)->reload({fixture.settings}).has_value());
    fixture.write("acct-1.csv", record());
    BOOST_TEST(reaches(3));
}

BOOST_AUTO_TEST_CASE(a_damaged_state_is_kept_aside_and_counting_starts_anew) {
    Fixture fixture;
    fixture.write("acct-1.csv", header_text + record());
    fixture.settings.state_file = fixture.path("state");
    fixture.write("state", "not a state");
    {
        auto running = Accounting::start({fixture.settings}, fixture.clock, fixture.log());
        BOOST_REQUIRE(running.has_value());
    }
    BOOST_TEST(fixture.logged("the state file is not a state file of this exporter; it is kept as " +
                              fixture.path("state.unreadable")));
    BOOST_TEST(fs::exists(fixture.path("state.unreadable")));
    BOOST_TEST(fs::exists(fixture.path("state")));
}

BOOST_AUTO_TEST_CASE(events_of_the_log_are_counted_and_traces_are_not) {
    Fixture fixture;
    fixture.settings.log_globs = {fixture.path("pmta.log")};
    Following following(fixture);
    fixture.write("acct-1.csv", header_text + record());
    fixture.write("pmta.log",
                  "2026-11-20 10:00:00 Error writing to \"/usr/bin/feed\": Broken pipe\n"
                  "2026-11-20 10:00:01 Startup error: No logging file specified\n"
                  "2026-11-20 10:00:02 License expires in 3 days\n"
                  "2026-11-20 10:00:03 <<< 550 error: license to spam revoked\n"
                  "2026-11-20 10:00:04 Error: cannot open spool\n");
    following.deliveries();
    for (const char* event : {"pipe_failed", "startup_error", "licence", "other"}) {
        BOOST_TEST(following.metric("pmta_log_events_total{event=\"" + std::string(event) + "\"}") == 1U, event);
    }
}

BOOST_AUTO_TEST_CASE(backfill_gives_every_series_its_history) {
    Fixture fixture;
    fixture.write("acct-1.csv", header_text + record("a@gmail.com", "2026-11-20 10:10:00+0000") +
                                    record("a@gmail.com", "2026-11-20 11:10:00+0000"));
    std::string text;
    const auto done = backfill(fixture.settings, std::chrono::hours(1), fixture.clock, fixture.log(), nullptr,
                               [&](std::string_view piece) { text += piece; });
    BOOST_REQUIRE(done.has_value());
    const std::string series = "pmta_deliveries_total{vmta=\"vmta1\",pool=\"pool1\",provider=\"gmail\"} ";
    BOOST_TEST(text.find(series + "0 1795168800\n" + series + "1 1795172400\n" + series + "2 1795176000\n") !=
               std::string::npos);
    BOOST_TEST(text.ends_with("# EOF\n"));
}

BOOST_AUTO_TEST_SUITE_END()
