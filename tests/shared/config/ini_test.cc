// Proves the ini format of --extra-opts.
#include <boost/test/unit_test.hpp>

#include "shared/config/ini.h"

using namespace mtawatch;

BOOST_AUTO_TEST_SUITE(ini)

BOOST_AUTO_TEST_CASE(sections_hold_entries_in_order_with_their_lines) {
    const auto sections = config::parse_ini(
        "# comment\n[check_dnsbl]\r\n address = 192.0.2.1\naddress=192.0.2.2\n"
        "; comment\nlist = \"bl.example.net = critical\"\nno-self-test\n\n[other]\n",
        "p.ini");
    BOOST_REQUIRE(sections.has_value());
    BOOST_REQUIRE(sections->size() == 2);
    const auto& entries = sections->front().entries;
    BOOST_REQUIRE(entries.size() == 4);
    BOOST_TEST(entries[0].key == "address");
    BOOST_TEST(entries[0].value.value() == "192.0.2.1");
    BOOST_TEST(entries[1].line == 4);
    BOOST_TEST(entries[2].value.value() == "bl.example.net = critical");
    BOOST_TEST(!entries[3].value);
    BOOST_TEST(sections->back().entries.empty());
}

BOOST_AUTO_TEST_CASE(anything_else_is_refused_with_file_and_line) {
    const std::pair<std::string, const char*> table[] = {
        {"a = 1\n", "p.ini line 1: an entry before the first [section] (\"a = 1\")"},
        {"[x\n", "p.ini line 1: a section is written [name] (\"[x\")"},
        {"[]\n", "p.ini line 1: a section is written [name] (\"[]\")"},
        {"[", "p.ini line 1: a section is written [name] (\"[\")"},
        {"[x]\n[y]\n[x]\n", "p.ini line 3: this section is there already (\"[x]\")"},
        {"[x]\n= 1\n", "p.ini line 2: a name is missing before '=' (\"= 1\")"},
        {"[x]\nsome words\n", "p.ini line 2: an entry is written name = value (\"some words\")"},
        {std::string("[x]\na=\0\n", 8), "p.ini line 2: a NUL byte (\"a=\xEF\xBF\xBD\")"},
    };
    for (const auto& [text, expected] : table) {
        const auto sections = config::parse_ini(text, "p.ini");
        BOOST_REQUIRE(!sections.has_value());
        BOOST_TEST(sections.error().what == expected);
    }
}

BOOST_AUTO_TEST_SUITE_END()
