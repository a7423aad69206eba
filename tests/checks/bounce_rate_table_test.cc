// Proves that check_bounce_rate judges a table of anyone's, and never leaves out what it does not understand.
#include <fmt/format.h>

#include <boost/test/unit_test.hpp>
#include <string>
#include <vector>

#include "tests/checks/bounce_rate_fixture.h"

using namespace mtawatch;
using test::Scenario;
using test::with;

namespace {

std::string table_rows(std::size_t count, const char* status, const char* at = "2026-11-21 12:59:00.123456+01") {
    std::string text;
    for (std::size_t i = 0; i < count; ++i) text += fmt::format("{},{},{},user{}@gmail.com\n", i, at, status, i);
    return text;
}
const std::string table = "id,created_at,status,recipient\n";
const std::vector<std::string> mapped{"--map", "timeLogged=created_at,type=status,rcpt=recipient", "--types",
                                      "sent=d,bounced=b,failed=b,deferred=t"};

const std::vector<Scenario> table_scenarios{
    {"psql", table + table_rows(190, "sent") + table_rows(6, "bounced") + table_rows(4, "failed"), mapped,
     "0 BOUNCE_RATE OK - last 1 h: 5.00 % bounced (10 of 200)"},
    {"deferral", table + table_rows(100, "sent") + table_rows(100, "deferred"), with(mapped, {"--metric", "deferral"}),
     "2 BOUNCE_RATE CRITICAL - last 1 h: 50.00 % deferred (100 of 200), above 30"},
    {"old_rows_are_outside", table + table_rows(100, "sent") + table_rows(50, "failed", "2026-11-21 11:59:00+01"),
     mapped, "0 BOUNCE_RATE OK - last 1 h: 0.00 % bounced (0 of 100)"},
    {"quoted_names_and_cells",
     "\"id\",\"created_at\",\"status\",\"recipient\"\r\n" +
         [] {
             std::string text;
             for (int i = 0; i < 100; ++i) text += "1,\"2026-11-21 11:59:00+00\",\"sent\",\"a,b@gmail.com\"\r\n";
             return text;
         }(),
     mapped, "0 BOUNCE_RATE OK - last 1 h: 0.00 % bounced (0 of 100)"},
    {"a_column_of_its_own_called_type", "type,created_at,status,recipient\n" + table_rows(100, "sent"), mapped,
     "0 BOUNCE_RATE OK - last 1 h: 0.00 % bounced (0 of 100)"},
    {"an_unknown_value_is_named", table + table_rows(150, "sent") + table_rows(30, "queued") + table_rows(20, "x"),
     mapped,
     "3 BOUNCE_RATE UNKNOWN - not all of the mail is counted: --types does not say what \"queued\" (30), \"x\" (20) "
     "mean "
     "in the type column; write VALUE=d, b, t or f, or VALUE=other to leave it out"},
    {"a_value_may_be_left_out",
     table + table_rows(150, "sent") + table_rows(30, "queued"),
     {"--map", "timeLogged=created_at,type=status", "--types", "sent=d,queued=other"},
     "0 BOUNCE_RATE OK - last 1 h: 0.00 % bounced (0 of 150)"},
    {"a_missing_column_names_those_there",
     table + table_rows(150, "sent"),
     {"--map", "timeLogged=created_at,type=state"},
     "3 BOUNCE_RATE UNKNOWN - /log/table: --map type=state: the table has no column \"state\"; its header is id, "
     "created_at, status, recipient"},
    {"no_column_of_times",
     table + table_rows(150, "sent"),
     {"--map", "type=status"},
     "3 BOUNCE_RATE UNKNOWN - /log/table: the table has no column of times; name it with --map timeLogged=COLUMN"},
    {"no_delivery", table + table_rows(150, "failed"), mapped,
     "3 BOUNCE_RATE UNKNOWN - the table holds no delivery: name the value that stands for one with --types VALUE=d"},
    {"header_alone", table, mapped,
     "3 BOUNCE_RATE UNKNOWN - /log/table: no row up to 2026-11-21T12:00:00Z; look at the query, and at --map "
     "timeLogged=..."},
    {"a_column_that_is_not_ours",
     table,
     {"--map", "when=created_at"},
     "3 BOUNCE_RATE UNKNOWN - --map when=created_at: \"when\" is no column of ours; write type, timeLogged, rcpt, "
     "orig, "
     "dsnStatus, dsnDiag, bounceCat, dlvType, dlvSourceIp, vmta, vmtaPool or jobId"},
    {"a_type_that_is_not_ours",
     table,
     {"--types", "sent=delivered"},
     "3 BOUNCE_RATE UNKNOWN - --types sent=delivered: write d (delivered), b (bounced), t (deferred), f (complaint) or "
     "other (not counted)"},
    {"a_value_of_several_words_is_named_too",
     table + table_rows(150, "sent") + table_rows(30, "soft bounce") + table_rows(1, ""), mapped,
     "3 BOUNCE_RATE UNKNOWN - not all of the mail is counted: --types does not say what \"\" (1), \"soft bounce\" (30) "
     "mean in the type column; write VALUE=d, b, t or f, or VALUE=other to leave it out"},
    {"values_of_several_words_can_be_mapped",
     table + table_rows(150, "sent") + table_rows(50, "soft bounce"),
     {"--map", "timeLogged=created_at,type=status", "--types", "sent=d,soft bounce=t"},
     "0 BOUNCE_RATE OK - last 1 h: 0.00 % bounced (0 of 150)"},
    {"unknown_values_outside_the_window_do_not_matter",
     table + table_rows(150, "sent") + table_rows(30, "queued", "2026-11-20 11:59:00+01"), mapped,
     "0 BOUNCE_RATE OK - last 1 h: 0.00 % bounced (0 of 150)"},
    {"one_column_cannot_be_two",
     table,
     {"--map", "type=status,timeLogged=status"},
     "3 BOUNCE_RATE UNKNOWN - --map timeLogged=status: type is status already"},
    {"half_a_pair",
     table,
     {"--map", "type"},
     "3 BOUNCE_RATE UNKNOWN - --map \"type\": write NAME=NAME, separated by commas"},
    {"without_map_the_header_is_none_of_ours",
     table + table_rows(5, "sent"),
     {},
     "3 BOUNCE_RATE UNKNOWN - /log/table: no header line; is it an accounting file of PowerMTA?"},
};

}  // namespace

BOOST_AUTO_TEST_CASE(tables) { test::check_all(table_scenarios, "/log/table", {"-f", "/log/table"}); }

BOOST_AUTO_TEST_CASE(json_names_the_format_and_the_values_that_nothing_explains) {
    test::Fixture fixture;
    fixture.write("/log/table", table + table_rows(150, "sent") + table_rows(30, "soft bounce") + table_rows(2, "x"));
    const std::string text = fixture.text(with({"-f", "/log/table", "-o", "json"}, mapped));
    BOOST_TEST(text.find(R"("observation":{"format":"pmta","metric":"bounce",)") != std::string::npos);
    BOOST_TEST(text.find(R"("unknown_types":[{"value":"soft bounce","records":30},{"value":"x","records":2}])") !=
               std::string::npos);
}
