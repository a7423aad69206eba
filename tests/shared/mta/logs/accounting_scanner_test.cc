// What the accounting scanner makes of real forms of files, and of bad ones.
#include <fmt/core.h>

#include <boost/test/unit_test.hpp>
#include <random>
#include <string>
#include <vector>

#include "shared/mta/logs/accounting_scanner.h"
#include "tests/support/reference_reader.h"

using namespace mtawatch;
using mta::logs::AccountingScanner;
using mta::logs::Column;
using mta::logs::Record;
using mta::logs::RecordType;
using mta::logs::ScanError;

namespace {

mta::logs::ScannerOptions utc() {
    mta::logs::ScannerOptions options;
    options.zone = mta::logs::Zone::utc();
    return options;
}

// "type time rcpt" of every record, between semicolons.
std::string read(AccountingScanner& scanner, std::string_view text, bool finished = true) {
    std::string out;
    const auto collect = [&] {
        for (auto records = scanner.next(); !records.empty(); records = scanner.next()) {
            for (const Record& record : records) {
                out += fmt::format("{} {} {};", name(record.type), record.time == mta::logs::no_time ? 0 : record.time,
                                   record.raw(Column::rcpt));
            }
        }
    };
    while (!text.empty()) {
        text.remove_prefix(scanner.push(text));
        collect();
    }
    if (finished) scanner.finish();
    collect();
    return out;
}

std::string read(std::string_view text, mta::logs::ScannerOptions options = utc()) {
    AccountingScanner scanner(std::move(options));
    return read(scanner, text);
}

std::uint64_t errors(std::string_view text, ScanError error) {
    AccountingScanner scanner(utc());
    read(scanner, text);
    return scanner.counts().of(error);
}

const std::string header_text = "type,timeLogged,rcpt\n";

}  // namespace

BOOST_AUTO_TEST_CASE(all_types_by_name_in_any_order_and_case) {
    BOOST_CHECK_EQUAL(read("RCPT,TYPE,other,TimeLogged\na@x,type,,\n"), "");
    BOOST_CHECK_EQUAL(read("type,RCPT,other,TimeLogged\nd,a@x,,1000\ntq,,,1001\nrs,b@x,\"a,b\",1002\nq,c@x,,1003\n"),
                      "d 1000 a@x;tq 1001 ;rs 1002 b@x;other 1003 c@x;");
}

BOOST_AUTO_TEST_CASE(the_first_of_equal_columns_counts_and_a_name_before_its_alias) {
    BOOST_CHECK_EQUAL(read("type,timestamp,rcpt,timeLogged,RCPT\nd,1,first,2,second\n"), "d 2 first;");
    BOOST_CHECK_EQUAL(read("type,timestamp,rcpt\nd,7,a@x\n"), "d 7 a@x;");
}

BOOST_AUTO_TEST_CASE(a_file_without_type_takes_it_from_its_columns) {
    BOOST_CHECK_EQUAL(read("timestamp,rcpt,feedback_type\n5,a@x,abuse\n"), "f 5 a@x;");
    BOOST_CHECK_EQUAL(read("timestamp,rcpt,diag_code,diag_text\n5,a@x,5.1.1,no\n"), "diagnostic 5 a@x;");
    BOOST_CHECK_EQUAL(read("timeLogged,rcpt,dsnAction\n5,a@x,relayed\n6,b@x,failed\n7,c@x,delayed\n8,d@x,strange\n"),
                      "d 5 a@x;b 6 b@x;t 7 c@x;other 8 d@x;");
    BOOST_CHECK_EQUAL(read("timeLogged,rcpt,dsnStatus,bounceCat\n5,a@x,2.0.0,\n6,b@x,5.1.1,bad-mailbox\n7,c@x,,x\n"),
                      "d 5 a@x;b 6 b@x;b 7 c@x;");
    BOOST_CHECK_EQUAL(read("timeLogged,rcpt,rcvSourceIp\n5,a@x,192.0.2.1\n"), "r 5 a@x;");
    BOOST_CHECK_EQUAL(read("timeLogged,rcpt,dsnReportingMta\n5,a@x,mx\n"), "rb 5 a@x;");
    BOOST_CHECK_EQUAL(read("timestamp,rcpt,bodySize\n5,a@x,1024\n"), "d 5 a@x;");
    auto options = utc();
    options.untyped = RecordType::r;
    BOOST_CHECK_EQUAL(read("timeLogged,rcpt\n5,a@x\n", options), "r 5 a@x;");
}

BOOST_AUTO_TEST_CASE(configured_types_aliases_and_columns) {
    auto options = utc();
    options.record_types = {{"r", RecordType::d}, {"relayed", RecordType::d}};
    options.aliases = {{"sent_at", Column::time_logged}};
    options.custom_columns = {"header_X-Job", "rcpt"};
    AccountingScanner scanner(options);
    scanner.push("type,sent_at,rcpt,HEADER_x-job\nr,5,a@x,\"j\"\"1\"\nrelayed,6,b@x,j2\n");
    const auto records = scanner.next();
    BOOST_REQUIRE_EQUAL(records.size(), 2U);
    std::string scratch;
    BOOST_CHECK(records[0].type == RecordType::d && records[1].type == RecordType::d);
    BOOST_CHECK_EQUAL(records[0].raw(mta::logs::custom_column(0)), "j\"\"1");
    BOOST_CHECK_EQUAL(records[0].text(mta::logs::custom_column(0), scratch), "j\"1");
    BOOST_CHECK_EQUAL(records[1].raw(mta::logs::custom_column(1)), "b@x");
    BOOST_CHECK_EQUAL(records[1].raw(Column::rcpt), "b@x");
    BOOST_CHECK(!records[1].has(Column::vmta) && records[1].raw(Column::vmta).empty());
}

BOOST_AUTO_TEST_CASE(a_stray_quote_costs_one_record) {
    const std::string text = header_text + "d,1,a@x\nd,2,\"b@x\nb,3,c@x\nd,4,d@x\n";
    BOOST_CHECK_EQUAL(read(text), "d 1 a@x;b 3 c@x;d 4 d@x;");
    BOOST_CHECK_EQUAL(errors(text, ScanError::unclosed_quote), 1U);
    BOOST_CHECK_EQUAL(read(header_text + "d,1,\"a\ntype,timeLogged,rcpt\nd,2,b@x\n"), "d 2 b@x;");
}

BOOST_AUTO_TEST_CASE(a_quoted_newline_is_data) {
    BOOST_CHECK_EQUAL(read(header_text + "d,1,\"a\nb\"\nd,2,c@x\n"), "d 1 a\nb;d 2 c@x;");
    BOOST_CHECK_EQUAL(read(header_text + "d,1,\"a\r\nd,no time,x\"\r\nd,2,c@x\r\n"), "d 1 a\r\nd,no time,x;d 2 c@x;");
}

BOOST_AUTO_TEST_CASE(bad_lines_are_counted_by_reason) {
    const std::string text =
        "x,y\n" + header_text + "d,1\nd,1,2,3\nd,nonsense,a@x\n,1,a@x\nd e,1,a@x\n\n\r\nd,,a@x\nd,9,cut";
    BOOST_CHECK_EQUAL(read(text), "d 0 a@x;d 9 cut;");
    BOOST_CHECK_EQUAL(errors(text, ScanError::no_header), 1U);
    BOOST_CHECK_EQUAL(errors(text, ScanError::columns), 2U);
    BOOST_CHECK_EQUAL(errors(text, ScanError::timestamp), 1U);
    BOOST_CHECK_EQUAL(errors(text, ScanError::type), 2U);
    BOOST_CHECK_EQUAL(errors(header_text + "d,9", ScanError::cut_off), 1U);
    BOOST_CHECK_EQUAL(errors(header_text + "d,9,\"open", ScanError::cut_off), 1U);
    std::string wide = "type,timeLogged";
    for (std::size_t i = 0; i < mta::logs::max_record_columns; ++i) wide += ",c";
    BOOST_CHECK_EQUAL(errors(header_text + wide + "\nd,1,a@x\n", ScanError::header), 1U);
    BOOST_CHECK_EQUAL(errors(header_text + wide + "\nd,1,a@x\n", ScanError::no_header), 1U);
}

BOOST_AUTO_TEST_CASE(a_line_of_100_megabytes_costs_one_record_and_no_memory) {
    for (const char* quote : {"", "\""}) {
        AccountingScanner scanner(utc());
        std::string got = read(scanner, header_text + "d,1,a@x\nd,2," + quote, false);
        const std::string piece(1U << 20U, 'x');
        for (int i = 0; i < 100; ++i) {
            got += read(scanner, piece, false);
            BOOST_REQUIRE_GE(scanner.space().size(), mta::logs::scan_chunk_bytes);
        }
        BOOST_CHECK_EQUAL(scanner.consumed(), header_text.size() + 8);
        got += read(scanner, "\nd,3,b@x\n");
        BOOST_CHECK_EQUAL(got, "d 1 a@x;d 3 b@x;");
        BOOST_CHECK_EQUAL(scanner.counts().of(ScanError::oversized), 1U);
        BOOST_CHECK_EQUAL(scanner.consumed(), scanner.committed());
    }
}

// What a follower does: stop anywhere, keep consumed() and header(), begin again there. Nothing is lost or doubled.
BOOST_AUTO_TEST_CASE(resuming_at_consumed_gives_every_record_once) {
    for (unsigned seed = 1; seed <= 300; ++seed) {
        std::mt19937 random(seed);
        std::string file = header_text;
        for (unsigned i = 0; i < 60; ++i) {
            file += random() % 10 == 0 ? fmt::format("b,{},\"line\nbreak {}\"\n", 1000 + i, i)
                                       : fmt::format("d,{},user{}@x\n", 1000 + i, i);
            if (random() % 15 == 0) file += "d,1,\"stray\n";
            if (random() % 20 == 0) {
                file += "type,rcpt,timeLogged\n" + fmt::format("d,r{},{}\n", i, 2000 + i) + header_text;
            }
        }
        const std::string whole = read(file);
        std::string pieces;
        std::string header;
        std::uint64_t offset = 0;
        while (offset < file.size()) {
            AccountingScanner scanner(utc());
            scanner.resume(header, offset);
            const std::size_t size = 1 + random() % 400;
            const std::string_view piece = std::string_view(file).substr(offset, size);
            const bool last = offset + piece.size() == file.size();
            pieces += read(scanner, piece, last);
            if (scanner.consumed() == offset && !last) {
                AccountingScanner larger(utc());
                larger.resume(header, offset);
                pieces += read(larger, std::string_view(file).substr(offset), true);
                offset = file.size();
            } else {
                offset = scanner.consumed();
                header = scanner.header();
            }
        }
        BOOST_REQUIRE_EQUAL(pieces, whole);
    }
}

BOOST_AUTO_TEST_CASE(reset_begins_another_file_and_keeps_the_counts) {
    AccountingScanner scanner(utc());
    BOOST_CHECK_EQUAL(read(scanner, header_text + "d,1,a@x\nd,2,half", false), "d 1 a@x;");
    scanner.reset();
    BOOST_CHECK_EQUAL(scanner.header(), "");
    BOOST_CHECK_EQUAL(read(scanner, "rcpt,timeLogged\nb@x,5\n"), "other 5 b@x;");
    BOOST_CHECK_EQUAL(scanner.counts().parsed, 2U);
    BOOST_CHECK_EQUAL(scanner.counts().headers, 2U);
}

BOOST_AUTO_TEST_CASE(bytes_that_are_no_text_are_data) {
    const std::string text =
        header_text + std::string("d,1,n\0l@x\n", 10) + "d,2,\xff\xfe@x\n" + std::string(500, '\0') + "\nd,3,c@x\n";
    BOOST_CHECK_EQUAL(read(text), std::string("d 1 n\0l@x;d 2 \xff\xfe@x;d 3 c@x;", 27));
}
