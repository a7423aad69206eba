#include "shared/probe/mail_auth/fcrdns.h"

#include <fmt/format.h>

#include <algorithm>

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

// "192-0-2-10.dsl.example.net": names that providers generate make receivers suspicious.
bool looks_generic(const std::string& name, const base::IpAddress& ip) {
    if (!ip.is_v4()) return false;
    const std::string text = ip.to_string();
    std::string first = name.substr(0, name.find('.'));
    std::string dashed = text;
    std::ranges::replace(dashed, '.', '-');
    std::vector<std::string> octets;
    for (const std::string_view octet : base::split(text, '.')) octets.emplace_back(octet);
    std::ranges::reverse(octets);
    const std::string reversed = base::join(octets, "-");
    return base::icontains(name, dashed) || base::icontains(name, reversed) || base::icontains(name, text);
}

void compare_helo(ReverseLook& look, const std::string& helo, auth::DnsCache& dns) {
    const Leads leads = leads_to(helo, look.ip, dns, look.findings);
    if (leads == Leads::elsewhere) {
        look.findings.add(Weight::broken, "helo-elsewhere",
                          fmt::format("the HELO name {} does not lead to it; publish: {}. IN {} {}", helo, helo,
                                      dns::name(address_type(look.ip)), look.ip.to_string()));
    }
    if (std::ranges::find(look.names, helo) == look.names.end()) {
        look.findings.add(Weight::weak, "helo-differs",
                          fmt::format("its reverse name is {}, not the HELO name; publish: {}. IN PTR {}.",
                                      fmt::join(look.names, ", "), dns::reverse_name(look.ip), helo));
    }
}

}  // namespace

ReverseLook observe_reverse(const base::IpAddress& ip, const std::string& helo, auth::DnsCache& dns) {
    ReverseLook look;
    look.ip = ip.unmapped();
    const std::string reverse = dns::reverse_name(look.ip);
    const dns::Answer& answer = dns.ask(reverse, dns::Type::ptr);
    if (!answer.known()) {
        look.findings.add(Weight::unseen, "lookup-failed", dns.failure(reverse, dns::Type::ptr, answer).what);
        return look;
    }
    if (!answer.found()) {
        look.findings.add(Weight::absent, "absent",
                          fmt::format("there is no reverse name; publish: {}. IN PTR {}.", reverse,
                                      helo.empty() ? "mail.example.com" : helo));
        return look;
    }
    look.names = answer.records.names;
    if (look.names.size() > max_reverse_names) {
        look.findings.add(Weight::weak, "many-names",
                          fmt::format("{} reverse names, of which receivers look at {} at most", look.names.size(),
                                      max_reverse_names));
        look.names.resize(max_reverse_names);
    } else if (look.names.size() > 1) {
        look.findings.add(Weight::note, "several-names",
                          fmt::format("{} reverse names; one is enough", look.names.size()));
    }
    for (const std::string& name : look.names) {
        if (leads_to(name, look.ip, dns, look.findings) == Leads::there) look.confirmed.push_back(name);
    }
    if (look.confirmed.empty() && !look.findings.has(Weight::unseen)) {
        look.findings.add(
            Weight::broken, "not-confirmed",
            fmt::format("its reverse name {} does not lead back; publish: {}. IN {} {}", fmt::join(look.names, ", "),
                        look.names.front(), dns::name(address_type(look.ip)), look.ip.to_string()));
    }
    for (const std::string& name : look.names) {
        if (!looks_generic(name, look.ip)) continue;
        look.findings.add(
            Weight::weak, "generic-name",
            fmt::format("the reverse name {} looks generated, as of a customer line; give it a name of its own", name));
    }
    if (!helo.empty()) compare_helo(look, helo, dns);
    return look;
}

base::Result<FcrdnsObservation> fcrdns(const FcrdnsQuery& query, const base::Deadline& deadline, world::World& world) {
    FcrdnsObservation out;
    if (!query.helo.empty()) {
        auto helo = dns::ascii_name(query.helo);
        if (!helo) return fail(helo.error().at("--helo"));
        out.helo = std::move(*helo);
    }
    auto transport = world::open_resolver(world, query.resolver);
    if (!transport) return fail(transport.error());
    auth::DnsCache dns(**transport, deadline);
    std::vector<dns::Question> questions;
    for (const base::IpAddress& ip : query.ips) {
        questions.push_back({.name = dns::reverse_name(ip.unmapped()), .type = dns::Type::ptr});
    }
    dns.fetch(questions);
    for (const base::IpAddress& ip : query.ips) out.addresses.push_back(observe_reverse(ip, out.helo, dns));
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
