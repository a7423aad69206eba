// A file read by two threads says what it says to one.
#include "exporter/feed/scan_ahead.h"

#include <boost/test/unit_test.hpp>
#include <filesystem>
#include <fstream>
#include <set>

#include "exporter/feed/ingest.h"
#include "exporter/files/open_file.h"
#include "shared/mta/logs/accounting_scanner.h"
#include "tests/support/log_capture.h"

namespace fs = std::filesystem;
using namespace mtawatch;
using namespace mtawatch::exporter::files;
using namespace mtawatch::exporter::feed;

namespace {

class TempFile {
  public:
    explicit TempFile(std::string_view text) {
        std::string name = fs::temp_directory_path() / "scan-ahead-XXXXXX";
        const io::Descriptor fd(::mkstemp(name.data()));
        path_ = name;
        std::ofstream(path_) << text;
    }
    TempFile(const TempFile&) = delete;
    TempFile& operator=(const TempFile&) = delete;
    ~TempFile() { fs::remove(path_); }
    [[nodiscard]] const std::string& path() const { return path_; }

  private:
    std::string path_;
};

mta::logs::ScannerOptions utc() {
    mta::logs::ScannerOptions options;
    options.zone = mta::logs::Zone::utc();
    return options;
}

void append(std::string& out, std::span<const mta::logs::Record> records) {
    std::string scratch;
    for (const mta::logs::Record& record : records) {
        out += std::string(name(record.type)) + " " + std::to_string(record.time);
        for (const auto column : {mta::logs::Column::rcpt, mta::logs::Column::vmta, mta::logs::Column::dsn_diag}) {
            out += record.has(column) ? "|" + std::string(record.text(column, scratch)) : "|-";
        }
        out += '\n';
    }
}

// What one thread reads from `offset` on, under `header`.
std::string read_alone(std::string_view text, std::string_view header, std::uint64_t offset) {
    mta::logs::AccountingScanner scanner(utc());
    scanner.resume(header, offset);
    std::string out;
    for (std::string_view rest = text.substr(offset); !rest.empty();) {
        rest.remove_prefix(scanner.push(rest));
        for (auto records = scanner.next(); !records.empty(); records = scanner.next()) append(out, records);
    }
    return out;
}

// Three headers, one of them in the middle of a chunk; quotes, a bad line, CR LF, and a last line without an end.
std::string mixed_file() {
    std::string text = "type,timeLogged,rcpt,dsnDiag\n";
    for (int i = 0; i < 9000; ++i) {
        if (i == 4000) text += "type,vmta,timeLogged,rcpt,unknown\r\n";
        if (i == 4100) text += "timeLogged,rcpt,vmta,bounceCat,type\n";
        if (i % 1000 == 7) text += "no record at all\n";
        const std::string rcpt = "user" + std::to_string(i) + "@example.org";
        const std::string time = "2026-11-21 03:" + std::to_string(10 + i / 60 % 50) + ":00+0000";
        if (i < 4000) {
            text += "b," + time + "," + rcpt + ",\"smtp;550 \"\"no\"\", really\n  not\"\n";
        } else if (i < 4100) {
            text += "d,v1," + time + "," + rcpt + ",x\r\n";
        } else {
            text += time + "," + rcpt + ",v" + std::to_string(i % 7) + ",,t\n";
        }
    }
    return text + "2026-11-21 03:59:00+0000,half";
}

}  // namespace

BOOST_AUTO_TEST_SUITE(scan_ahead)

BOOST_AUTO_TEST_CASE(two_threads_read_what_one_reads_and_any_piece_may_be_the_last_before_a_crash) {
    const std::string text = mixed_file();
    const TempFile file(text);
    const auto fd = open_to_read(file.path());
    BOOST_REQUIRE(fd.has_value());
    ScanAhead ahead(std::make_unique<mta::logs::AccountingScanner>(utc()), fd->get(), file.path());
    std::string got;
    std::size_t pieces = 0;
    std::set<std::string> headers;
    const std::string expected = read_alone(text, {}, 0);
    for (bool last = false; !last; ++pieces) {
        ScannedPiece& piece = ahead.next();
        BOOST_REQUIRE(!piece.error);
        append(got, piece.records.records());
        headers.insert(piece.header);
        BOOST_REQUIRE(got + read_alone(text, piece.header, piece.consumed) == expected);
        last = piece.last;
        if (!last) continue;
        BOOST_TEST(piece.counts.parsed == 9000U);
        BOOST_TEST(piece.counts.headers == 3U);
        BOOST_TEST(piece.counts.malformed() == 9U);
        BOOST_TEST(piece.consumed == text.rfind('\n') + 1);
    }
    BOOST_CHECK(got == expected);
    BOOST_TEST(pieces > 4U);
    BOOST_TEST(headers.size() == 3U);
}

BOOST_AUTO_TEST_CASE(an_empty_file_is_one_last_piece) {
    const TempFile file("");
    const auto fd = open_to_read(file.path());
    ScanAhead ahead(std::make_unique<mta::logs::AccountingScanner>(utc()), fd->get(), file.path());
    ScannedPiece& piece = ahead.next();
    BOOST_TEST(piece.last);
    BOOST_TEST(piece.records.records().empty());
    BOOST_TEST(piece.consumed == 0U);
}

BOOST_AUTO_TEST_CASE(a_file_that_cannot_be_read_on_says_why) {
    ScanAhead ahead(std::make_unique<mta::logs::AccountingScanner>(utc()), -1, "/var/log/pmta/acct.csv");
    ScannedPiece& piece = ahead.next();
    BOOST_TEST(piece.last);
    BOOST_REQUIRE(piece.error.has_value());
    BOOST_TEST(piece.error->what == "/var/log/pmta/acct.csv: Bad file descriptor");
}

BOOST_AUTO_TEST_CASE(leaving_in_the_middle_ends_the_thread) {
    const std::string text = mixed_file();
    const TempFile file(text);
    const auto fd = open_to_read(file.path());
    ScanAhead ahead(std::make_unique<mta::logs::AccountingScanner>(utc()), fd->get(), file.path());
    BOOST_TEST(!ahead.next().last);
}

// Large enough for the follower to take a second core where the machine has one; --once never does.
BOOST_AUTO_TEST_CASE(a_backlog_adds_up_to_the_same_on_one_core_and_on_two) {
    std::string text;
    while (text.size() < (17U << 20U)) text += mixed_file() + "\n";
    const TempFile file(text);
    FeedSettings settings;
    settings.follow.globs = {file.path()};
    const base::SystemClock clock;
    const auto read = [&](bool once) {
        Ingest ingest(settings, clock, test::quiet_log(clock), once);
        ingest.catch_up([] { return true; });
        std::string exposition;
        exporter::exposition::ExpositionWriter writer(exporter::exposition::Format::text, exposition);
        base::TurnLock unshared;
        exporter::series::render_store(writer, ingest.store(), unshared);
        BOOST_TEST(ingest.amount().records > 100'000U);
        return exposition;
    };
    BOOST_CHECK(read(false) == read(true));
}

BOOST_AUTO_TEST_SUITE_END()
