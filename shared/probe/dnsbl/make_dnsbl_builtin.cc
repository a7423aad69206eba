// Part of the build: turns dnsbl_lists.yml into a C++ table, so that no run has to read it.
// make_dnsbl_builtin dnsbl_lists.yml > dnsbl_builtin.cc
#include <fmt/format.h>

#include <cstdio>
#include <fstream>
#include <iterator>

#include "shared/base/last_resort.h"
#include "shared/probe/dnsbl/dnsbl_lists.h"

namespace {

using namespace mtawatch::probe::dnsbl;

std::string quoted(const std::string& text) {
    std::string result = "\"";
    for (const char c : text) {
        if (c == '"' || c == '\\') result += '\\';
        result += c;
    }
    return result + '"';
}

std::string words(const std::vector<std::string>& items) {
    std::string result = "{";
    for (const std::string& item : items) result += quoted(item) + ", ";
    return result + "}";
}

std::string codes(const std::vector<ListCode>& items) {
    std::string result = "{";
    for (const ListCode& code : items) {
        result += fmt::format("{{{}U, {}U, {}, {}, ListSeverity::{}}}, ", code.first, code.last, code.mask,
                              quoted(code.meaning), name(code.severity));
    }
    return result + "}";
}

constexpr std::string_view kinds[] = {"ip", "domain", "both", "allow"};

std::string row(const DnsblList& list) {
    return fmt::format(
        "        {{{}, {}, {}, ListKind::{}, {}, {}, {}, ListSeverity::{},\n         {},\n         {}, {}, {},\n"
        "         {}, {}, false, \"\"}},\n",
        quoted(list.name), quoted(list.zone), quoted(list.key), kinds[static_cast<int>(list.kind)], list.ipv6,
        list.registered, list.enabled, name(list.severity), codes(list.codes), codes(list.error_codes),
        words(list.test_listed), words(list.test_clean), quoted(list.delist), quoted(list.terms));
}

int make(const char* path) {
    std::ifstream file(path, std::ios::binary);
    const std::string text((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
    const auto catalogue = parse_dnsbl_lists(text, path);
    if (!catalogue) {
        fmt::print(stderr, "{}\n", catalogue.error().what);
        return 1;
    }
    fmt::print(
        "// Made from dnsbl_lists.yml by make_dnsbl_builtin.\n#include \"shared/probe/dnsbl/dnsbl_lists.h\"\n\n"
        "namespace mtawatch::probe::dnsbl {{\n\nDnsblCatalogue dnsbl_builtin() {{\n    DnsblCatalogue catalogue;\n"
        "    catalogue.lists = {{\n");
    for (const DnsblList& list : catalogue->lists) fmt::print("{}", row(list));
    fmt::print("    }};\n    catalogue.dead = {{\n");
    for (const DeadList& dead : catalogue->dead) {
        fmt::print("        {{{}, {}}},\n", quoted(dead.zone), quoted(dead.why));
    }
    fmt::print("    }};\n    return catalogue;\n}}\n\n}}  // namespace mtawatch::probe::dnsbl\n");
    return 0;
}

}  // namespace

int main(int argc, char** argv) {
    if (argc != 2) return 2;
    return mtawatch::base::run_main({.before = "make_dnsbl_builtin: "}, [&] { return make(argv[1]); });
}
