#include "shared/probe/mail_auth/fcrdns.h"

#include <fmt/format.h>

#include <algorithm>

#include "shared/auth/dmarc_walk.h"
#include "shared/base/text.h"
#include "shared/dns/names.h"

namespace mtawatch::probe::mail_auth {

using base::fail;

namespace {

dns::Type address_type(const base::IpAddress& ip) { return ip.is_v4() ? dns::Type::a : dns::Type::aaaa; }

enum class Leads { there, elsewhere, unseen };

// Whether a name has this address.
Leads leads_to(const std::string& name, const base::IpAddress& ip, auth::DnsCache& dns, Findings& findings) {
    if (!dns::askable(name)) return Leads::elsewhere;
    const dns::Answer& answer = dns.ask(name, address_type(ip));
    if (!answer.known()) {
        findings.add(Weight::unseen, "lookup-failed", dns.failure(name, address_type(ip), answer).what);
        return Leads::unseen;
    }
    const auto& addresses = answer.records.addresses;
    return std::ranges::find(addresses, ip) == addresses.end() ? Leads::elsewhere : Leads::there;
}

// Whether `name` holds `piece` with no further letter or digit of a number at its ends.
bool holds_number(std::string_view name, std::string_view piece) {
    constexpr std::string_view hex = "0123456789abcdef";
    const auto ends_there = [&](std::size_t at) {
        return at >= name.size() || hex.find(name[at]) == std::string_view::npos || !base::is_digit(piece.front());
    };
    for (std::size_t at = name.find(piece); at != std::string_view::npos; at = name.find(piece, at + 1)) {
        const bool begins = at == 0 || !base::is_digit(name[at - 1]);
        if (begins && ends_there(at + piece.size())) return true;
    }
    return false;
}

// "192-0-2-10.dsl.example.net", "static.10.2.0.192.example.net", "c000020a…", "2001-db8--10…": names that providers
// generate make receivers suspicious.
bool looks_generic(const std::string& name, const base::IpAddress& ip) {
    std::vector<std::string> pieces;
    if (ip.is_v4()) {
        std::vector<std::string> plain;
        std::vector<std::string> padded;
        std::string hex;
        for (const char c : ip.bytes()) {
            const auto byte = static_cast<unsigned char>(c);
            plain.push_back(fmt::format("{}", byte));
            padded.push_back(fmt::format("{:03}", byte));
            hex += fmt::format("{:02x}", byte);
        }
        for (int turn = 0; turn < 2; ++turn) {
            for (const char* separator : {".", "-", "_"}) {
                pieces.push_back(base::join(plain, separator));
                pieces.push_back(base::join(padded, separator));
            }
            pieces.push_back(base::join(padded, ""));
            std::ranges::reverse(plain);
            std::ranges::reverse(padded);
        }
        pieces.push_back(std::move(hex));
    } else {
        std::string dashed = ip.to_string();
        std::ranges::replace(dashed, ':', '-');
        std::string nibbles = dns::reversed_labels(ip);
        pieces.push_back(nibbles);
        std::erase(nibbles, '.');
        pieces.push_back(nibbles);
        std::ranges::reverse(nibbles);
        pieces.push_back(nibbles);
        std::string grouped;
        for (std::size_t i = 0; i < nibbles.size(); i += 4) grouped += (i > 0 ? "-" : "") + nibbles.substr(i, 4);
        pieces.push_back(grouped);
        pieces.push_back(dashed);
    }
    return std::ranges::any_of(pieces, [&name](const std::string& piece) { return holds_number(name, piece); });
}

// Whether a name can be one that the Internet knows: "localhost", "192.0.2.15" and the root cannot.
bool is_public_name(std::string_view name) {
    if (!dns::is_host_name(name) || base::IpAddress::parse(name)) return false;
    const std::string_view last = name.substr(name.rfind('.') + 1);
    constexpr std::string_view internal = " local localdomain localhost internal lan invalid arpa ";
    return last.size() < name.size() && internal.find(fmt::format(" {} ", last)) == std::string_view::npos;
}

void compare_helo(ReverseLook& look, const std::string& helo, auth::DnsCache& dns) {
    const Leads leads = leads_to(helo, look.ip, dns, look.findings);
    if (leads == Leads::elsewhere) {
        look.findings.add(Weight::broken, "helo-elsewhere", fmt::format("the HELO name {} does not lead to it", helo),
                          fmt::format("give {} this address, or let the host say a name that has it", helo));
    }
    if (std::ranges::find(look.names, helo) == look.names.end()) {
        look.findings.add(Weight::weak, "helo-differs",
                          fmt::format("its reverse name is {}, not the HELO name", fmt::join(look.names, ", ")),
                          fmt::format("ask whoever gives you the address for the reverse name {}", helo));
    }
}

// The address record that would make `name` lead back: only where the name is there for nothing else.
std::optional<Publication> address_line(const std::string& name, const base::IpAddress& ip, auth::DnsCache& dns) {
    if (!is_public_name(name) || looks_generic(name, ip) || !dns::askable(name)) return std::nullopt;
    const dns::Answer& there = dns.ask(name, address_type(ip));
    if (!there.known() || there.found() || auth::is_unregistered(dns, name)) return std::nullopt;
    if (auth::cannot_publish(dns, name)) return std::nullopt;
    return Publication{name, address_type(ip), ip.to_string()};
}

std::vector<std::vector<Publication>> lines_for(const ReverseLook& look, const std::string& helo, auth::DnsCache& dns) {
    const std::string& wanted = !helo.empty() ? helo : look.names.empty() ? helo : look.names.front();
    const auto forward = wanted.empty() ? std::nullopt : address_line(wanted, look.ip, dns);
    std::vector<std::vector<Publication>> attempts;
    if (!helo.empty() && is_public_name(helo) && !auth::is_unregistered(dns, helo)) {
        const std::string reverse = dns::reverse_name(look.ip);
        const dns::Answer& answer = dns.ask(reverse, dns::Type::ptr);
        // Where the reverse zone hands the name on, the record belongs there (RFC 2317).
        const Publication ptr{answer.chain.empty() ? reverse : answer.chain.back(), dns::Type::ptr, helo};
        if (forward) attempts.push_back({ptr, *forward});
        attempts.push_back({ptr});
    }
    if (forward) attempts.push_back({*forward});
    return attempts;
}

void advise(ReverseLook& look, const FcrdnsQuery& query, auth::DnsCache& dns) {
    if (look.findings.has(Weight::unseen) || look.findings.items.empty()) return;
    FcrdnsQuery plain = query;
    plain.advise = false;
    for (std::vector<Publication>& lines : lines_for(look, query.helo, dns)) {
        auth::DnsCache view(dns);
        for (const Publication& line : lines) auth::publish(view, line, {});
        auto after = std::make_shared<ReverseLook>(observe_reverse(look.ip, plain, view));
        look.remedies.push_back({std::move(lines), std::move(after)});
    }
}

// What the names say by themselves.
void judge_names(ReverseLook& look, const FcrdnsQuery& query) {
    if (look.names.size() > max_reverse_names) {
        look.findings.add(Weight::weak, "many-names",
                          fmt::format("{} reverse names, of which receivers look at {} at most", look.names.size(),
                                      max_reverse_names));
        look.names.resize(max_reverse_names);
    } else if (look.names.size() > 1) {
        look.findings.add(Weight::note, "several-names",
                          fmt::format("{} reverse names; one is enough", look.names.size()));
    }
    for (std::string& name : look.names) {
        if (name.empty()) name = ".";
        if (!is_public_name(name)) {
            look.findings.add(Weight::broken, "bad-name",
                              fmt::format("its reverse name {} is no name that the Internet knows", name),
                              "ask whoever gives you the address for a reverse name of yours");
        } else if (!query.generic_names && name != query.helo && looks_generic(name, look.ip)) {
            look.findings.add(
                Weight::weak, "generic-name",
                fmt::format("the reverse name {} looks generated, as of a customer line", name),
                "ask whoever gives you the address for a name of its own (--generic-names: the scheme is yours)");
        }
    }
}

}  // namespace

ReverseLook observe_reverse(const base::IpAddress& ip, const FcrdnsQuery& query, auth::DnsCache& dns) {
    ReverseLook look;
    look.ip = ip.unmapped();
    const std::string reverse = dns::reverse_name(look.ip);
    const dns::Answer& answer = dns.ask(reverse, dns::Type::ptr);
    if (!answer.known()) {
        look.findings.add(Weight::unseen, "lookup-failed", dns.failure(reverse, dns::Type::ptr, answer).what);
        return look;
    }
    if (!answer.found()) {
        look.findings.add(Weight::absent, "absent", "there is no reverse name",
                          fmt::format("ask whoever gives you the address for the PTR record {}, with the name that the "
                                      "host says in HELO",
                                      reverse));
    } else {
        look.names = answer.records.names;
        judge_names(look, query);
        for (const std::string& name : look.names) {
            if (leads_to(name, look.ip, dns, look.findings) == Leads::there) look.confirmed.push_back(name);
        }
        if (look.confirmed.empty() && !look.findings.has(Weight::unseen) && !look.findings.has("bad-name")) {
            look.findings.add(Weight::broken, "not-confirmed",
                              fmt::format("its reverse name {} does not lead back", fmt::join(look.names, ", ")),
                              "give that name this address, or ask for a reverse name that has it");
        }
        if (!query.helo.empty()) compare_helo(look, query.helo, dns);
    }
    if (query.advise) advise(look, query, dns);
    return look;
}

base::Result<FcrdnsObservation> fcrdns(const FcrdnsQuery& query, const base::Deadline& deadline, world::World& world) {
    FcrdnsObservation out;
    if (!query.helo.empty()) {
        auto helo = dns::ascii_name(query.helo);
        if (!helo) return fail(helo.error().at("--helo"));
        if (!is_public_name(*helo)) {
            return fail(base::Fault::usage,
                        "--helo {} is no full name; write the name that the host says in HELO, such as "
                        "mail.example.com",
                        base::one_line(query.helo, 60));
        }
        out.helo = std::move(*helo);
    }
    for (const base::IpAddress& ip : query.ips) {
        if (const auto why = base::not_public(ip)) {
            return fail(base::Fault::usage, "{} is {}; write the address that the Internet sees", ip.to_string(), *why);
        }
    }
    auto transport = world::open_resolver(world, query.resolver);
    if (!transport) return fail(transport.error());
    auth::DnsCache dns(**transport, deadline);
    std::vector<dns::Question> questions;
    for (const base::IpAddress& ip : query.ips) {
        questions.push_back({.name = dns::reverse_name(ip.unmapped()), .type = dns::Type::ptr});
    }
    dns.fetch(questions);
    FcrdnsQuery checked = query;
    checked.helo = out.helo;
    for (const base::IpAddress& ip : query.ips) out.addresses.push_back(observe_reverse(ip, checked, dns));
    return out;
}

std::string to_json(const FcrdnsObservation& observation) {
    base::JsonWriter json;
    json.object().member("helo", observation.helo).key("addresses").array();
    for (const ReverseLook& look : observation.addresses) {
        json.object().member("ip", look.ip.to_string()).member("names", look.names).member("confirmed", look.confirmed);
        json.member("valid", look.findings.usable());
        write_findings(json, look.findings);
        json.end();
    }
    json.end().end();
    return json.take();
}

}  // namespace mtawatch::probe::mail_auth
