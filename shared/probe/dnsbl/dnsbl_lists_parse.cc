// The format of a list file: YAML in, lists out. Linked into the build's own tool too, which turns the built-in file
// into code.
#include <algorithm>

#include "shared/base/text.h"
#include "shared/config/node.h"
#include "shared/dns/names.h"
#include "shared/probe/dnsbl/dnsbl_lists.h"

namespace mtawatch::probe::dnsbl {
namespace {

using base::fail;
using base::Fault;
using base::Result;
using config::Node;

constexpr std::string_view key_mark = "{key}";

ListSeverity severity_of(std::string_view word) {
    if (word == "none") return ListSeverity::none;
    return word == "advisory" ? ListSeverity::advisory : ListSeverity::critical;
}

// "127.0.0.2", "127.0.0.4-127.0.0.7" or "mask:8".
std::optional<ListCode> parse_match(std::string_view text) {
    ListCode code;
    if (text.starts_with("mask:")) {
        const auto mask = base::to_number<std::uint8_t>(text.substr(5));
        if (!mask || *mask == 0) return std::nullopt;
        code.mask = *mask;
        return code;
    }
    const std::size_t dash = text.find('-');
    const auto first = base::IpAddress::parse(base::trim(text.substr(0, dash)));
    const auto last =
        dash == std::string_view::npos ? first : base::IpAddress::parse(base::trim(text.substr(dash + 1)));
    if (!first || !last || !first->is_v4() || !last->is_v4() || *last < *first) return std::nullopt;
    code.first = first->v4_value();
    code.last = last->v4_value();
    return code;
}

constexpr std::string_view match_help =
    "must be an IPv4 address, a range such as 127.0.0.4-127.0.0.7, or mask:8 for a bit of the last octet";

Result<ListCode> read_code(const Node& node, ListSeverity severity_of_list) {
    std::string match;
    std::string meaning;
    std::string severity;
    config::MapReader map(node);
    map.required("match")
        .text("match", match)
        .text("meaning", meaning)
        .choice("severity", severity, {"critical", "advisory", "none"});
    if (auto done = map.finish(); !done) return fail(done.error());
    auto code = parse_match(match);
    if (!code) return fail(node.error(fmt::format("match: {}", match_help)));
    code->meaning = meaning;
    code->severity = severity.empty() ? severity_of_list : severity_of(severity);
    return *code;
}

Result<void> read_codes(const Node& node, DnsblList& list) {
    if (const auto codes = node.find("codes")) {
        const auto items = codes->items();
        if (!items) return fail(items.error());
        for (const Node& item : *items) {
            auto code = read_code(item, list.severity);
            if (!code) return fail(code.error());
            list.codes.push_back(std::move(*code));
        }
    }
    if (const auto errors = node.find("error_codes")) {
        const auto texts = errors->texts();
        if (!texts) return fail(texts.error());
        for (const std::string& text : *texts) {
            auto code = parse_match(text);
            if (!code) return fail(errors->error(match_help));
            list.error_codes.push_back(std::move(*code));
        }
    }
    return {};
}

Result<void> check_test_points(const Node& node, const DnsblList& list) {
    for (const auto* points : {&list.test_listed, &list.test_clean}) {
        for (const std::string& point : *points) {
            const bool address = base::IpAddress::parse(point).has_value();
            if (!address && (list.kind == ListKind::ip || list.kind == ListKind::allow)) {
                return fail(node.error(fmt::format("test entry \"{}\" is not an IP address", point)));
            }
            if (!address && !dns::ascii_name(point)) {
                return fail(node.error(fmt::format("test entry \"{}\" is not a name", point)));
            }
        }
    }
    return {};
}

// The zone as it is asked; never part of a message, for it may hold a key.
Result<void> check_zone(const Node& node, DnsblList& list) {
    const bool marked = list.zone.find(key_mark) != std::string::npos;
    std::string plain = list.zone;
    if (marked) plain.replace(plain.find(key_mark), key_mark.size(), "key");
    const auto ascii = dns::ascii_name(plain);
    if (!ascii) return fail(node.error(fmt::format("the zone of {} is not a domain name", list.name)));
    if (!marked) list.zone = *ascii;
    return {};
}

Result<DnsblList> read_list(const Node& node) {
    DnsblList list;
    std::string key_file;
    std::string kind = "ip";
    std::string severity = "critical";
    const auto untouched = [](const Node&) -> Result<void> { return {}; };
    config::MapReader map(node);
    map.text("name", list.name).text("zone", list.zone).text("key_file", key_file);
    map.choice("kind", kind, {"ip", "domain", "both", "allow"}).boolean("ipv6", list.ipv6);
    map.boolean("registered", list.registered);
    map.boolean("enabled", list.enabled).choice("severity", severity, {"critical", "advisory"});
    map.node("codes", untouched).node("error_codes", untouched);
    map.texts("test_listed", list.test_listed).texts("test_clean", list.test_clean);
    map.text("delist", list.delist).text("terms", list.terms);
    if (auto done = map.finish(); !done) return fail(done.error());
    if (list.name.empty() && list.zone.empty()) return fail(node.error("a list needs a name or a zone"));
    if (list.name.empty()) list.name = list.zone;
    if (list.zone.empty()) list.zone = list.name;
    list.kind = kind == "ip"       ? ListKind::ip
                : kind == "domain" ? ListKind::domain
                : kind == "allow"  ? ListKind::allow
                                   : ListKind::both;
    list.severity = severity_of(severity);
    list.key = key_file;  // replaced by its content when the list is chosen
    if ((list.zone.find(key_mark) != std::string::npos) == key_file.empty()) {
        return fail(node.error(fmt::format("{}: {{key}} in the zone and key_file go together", list.name)));
    }
    if (auto done = check_zone(node, list); !done) return fail(done.error());
    if (auto done = read_codes(node, list); !done) return fail(done.error());
    if (auto done = check_test_points(node, list); !done) return fail(done.error());
    return list;
}

Result<DeadList> read_dead(const Node& node) {
    DeadList dead;
    config::MapReader map(node);
    map.required("zone").text("zone", dead.zone).text("why", dead.why);
    if (auto done = map.finish(); !done) return fail(done.error());
    return dead;
}

}  // namespace

Result<DnsblCatalogue> parse_dnsbl_lists(std::string_view text, std::string_view file) {
    const auto root = config::parse_yaml(text, file);
    if (!root) return fail(root.error());
    DnsblCatalogue catalogue;
    config::MapReader map(*root);
    map.each("lists", [&catalogue](const Node& node) -> Result<void> {
        auto list = read_list(node);
        if (!list) return fail(list.error());
        const bool twice = std::ranges::any_of(catalogue.lists, [&list](const DnsblList& other) {
            return base::iequals(other.name, list->name) || base::iequals(other.zone, list->name);
        });
        if (twice) {
            return fail(node.error(fmt::format("the list {} is there twice", list->name)));
        }
        if (catalogue.lists.size() == max_lists) return fail(node.error("too many lists"));
        catalogue.lists.push_back(std::move(*list));
        return {};
    });
    map.each("dead", [&catalogue](const Node& node) -> Result<void> {
        auto dead = read_dead(node);
        if (!dead) return fail(dead.error());
        catalogue.dead.push_back(std::move(*dead));
        return {};
    });
    if (auto done = map.finish(); !done) return fail(done.error());
    if (catalogue.lists.empty()) {
        return fail(Fault::configuration, "{}: no list in it; write entries below \"lists:\"", file);
    }
    return catalogue;
}

}  // namespace mtawatch::probe::dnsbl
