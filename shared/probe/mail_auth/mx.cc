#include "shared/probe/mail_auth/mx.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

#include "shared/auth/dmarc_walk.h"
#include "shared/auth/spf_record.h"
#include "shared/base/text.h"
#include "shared/dns/names.h"

namespace mtawatch::probe::mail_auth {

using base::fail;

namespace {

// Addresses of one host, and what is wrong with it. False when it cannot take mail.
bool check_host(MxHost& host, auth::DnsCache& dns, Findings& findings) {
    if (base::IpAddress::parse(host.name)) {
        findings.add(Weight::broken, "address",
                     fmt::format("the mail host {} is an address; an MX must name a host", host.name));
        return false;
    }
    bool known = true;
    for (const dns::Type type : {dns::Type::a, dns::Type::aaaa}) {
        const dns::Answer& answer = dns.ask(host.name, type);
        if (!answer.known()) {
            findings.add(Weight::unseen, "lookup-failed", dns.failure(host.name, type, answer).what);
            known = false;
        }
        if (!answer.chain.empty()) host.cname = answer.chain.back();
        host.addresses.insert(host.addresses.end(), answer.records.addresses.begin(), answer.records.addresses.end());
    }
    if (!host.cname.empty()) {
        findings.add(Weight::weak, "cname",
                     fmt::format("the mail host {} is a CNAME to {}, which RFC 2181 forbids; name {} in the MX record",
                                 host.name, host.cname, host.cname));
    }
    for (const base::IpAddress& address : host.addresses) {
        if (const auto why = base::not_public(address)) {
            findings.add(
                Weight::weak, "private-address",
                fmt::format("the mail host {} has the address {}, which is {}", host.name, address.to_string(), *why));
        }
    }
    return !host.addresses.empty() || !known;
}

// What the set of hosts lacks, though each of them takes mail.
void compare_addresses(MxLook& look) {
    bool any_v4 = false;
    bool any_v6 = false;
    std::map<base::IpAddress, std::string> owners;
    std::set<std::string> names;
    for (const MxHost& host : look.hosts) {
        if (!names.insert(host.name).second) {
            look.findings.add(Weight::note, "same-host", fmt::format("{} is a mail host twice", host.name));
            continue;
        }
        if (host.name.find('_') != std::string::npos) {
            look.findings.add(Weight::note, "underscore",
                              fmt::format("the mail host {} has an underscore, which host names may not have "
                                          "(RFC 952): some senders refuse it",
                                          host.name));
        }
        for (const base::IpAddress& address : host.addresses) {
            (address.is_v4() ? any_v4 : any_v6) = true;
            const auto [there, fresh] = owners.emplace(address, host.name);
            if (fresh || there->second == host.name) continue;
            look.findings.add(Weight::note, "same-address",
                              fmt::format("the mail hosts {} and {} are one machine ({}), so neither stands in for the "
                                          "other",
                                          there->second, host.name, address.to_string()));
        }
    }
    if (any_v6 && !any_v4 && !look.findings.has(Weight::unseen)) {
        look.findings.add(Weight::weak, "no-ipv4",
                          "no mail host has an IPv4 address, and most senders have nothing else; add one");
    }
}

void check_hosts(MxLook& look, auth::DnsCache& dns) {
    std::vector<dns::Question> questions;
    for (const MxHost& host : look.hosts) {
        if (!dns::askable(host.name)) continue;
        for (const dns::Type type : {dns::Type::a, dns::Type::aaaa}) {
            questions.push_back({.name = host.name, .type = type});
        }
    }
    dns.fetch(questions);
    std::vector<std::string> dead;
    for (MxHost& host : look.hosts) {
        if (!check_host(host, dns, look.findings)) dead.push_back(host.name);
    }
    for (const std::string& name : dead) {
        if (base::IpAddress::parse(name)) continue;
        const bool all = dead.size() == look.hosts.size();
        look.findings.add(all ? Weight::broken : Weight::weak, "dead-host",
                          fmt::format("the mail host {} has no address{}", name, all ? ", so mail cannot arrive" : ""),
                          "give it one, or name another host in the MX record");
    }
    compare_addresses(look);
}

void check_null_mx(MxLook& look, std::size_t records, unsigned preference, bool host_expected, auth::DnsCache& dns) {
    look.null_mx = true;
    if (records > 1) {
        look.findings.add(Weight::broken, "null-mx-beside",
                          "a null MX (\"0 .\") stands beside other MX records; keep one kind");
        return;
    }
    if (preference != 0) {
        look.findings.add(Weight::weak, "null-mx-preference",
                          fmt::format("the null MX has preference {}; write 0 (RFC 7505 section 3)", preference));
    }
    const dns::Answer& answer = dns.ask(look.domain, dns::Type::txt);
    const auto& texts = answer.records.texts;
    const auto record = std::ranges::find_if(texts, auth::is_spf_record);
    if (!answer.known() || host_expected) return;
    if (record == texts.end()) {
        look.findings.add(Weight::weak, "null-mx-spf",
                          "it takes no mail (null MX), and no SPF record says whether it sends any",
                          "publish \"v=spf1 -all\" if it sends none, else an MX");
    } else if (!base::iequals(base::trim(*record), "v=spf1 -all")) {
        look.findings.add(
            Weight::weak, "null-mx-sends",
            "it sends mail (its SPF record names senders) but takes none (null MX), so receivers may refuse what it "
            "sends (RFC 7505 section 4.2)",
            "publish an MX for its bounces");
    }
}

void compare_expected(MxLook& look, const std::vector<std::string>& expected) {
    if (expected.empty()) return;
    for (const std::string& wanted : expected) {
        const bool found =
            std::ranges::any_of(look.hosts, [&wanted](const MxHost& host) { return host.name == wanted; });
        if (!found) {
            look.findings.add(
                Weight::broken, "expected-missing", fmt::format("{} is not among the mail hosts", wanted),
                look.null_mx ? "replace the null MX by one that names it" : "add an MX record that names it");
        }
    }
    for (const MxHost& host : look.hosts) {
        if (std::ranges::find(expected, host.name) == expected.end()) {
            look.findings.add(Weight::weak, "unexpected",
                              fmt::format("{} is a mail host, but not an expected one", host.name));
        }
    }
}

// Without MX records a domain's own address takes its mail.
void check_implicit(MxLook& look, auth::DnsCache& dns, bool no_name) {
    const std::string remedy = "publish an MX record that names the host which takes its mail";
    if (no_name) {
        const bool unregistered = auth::is_unregistered(dns, look.domain);
        look.findings.add(
            Weight::absent, "no-domain", "there is no such domain",
            unregistered ? fmt::format("is {} spelled right?", auth::registrable_domain(look.domain)) : remedy);
        return;
    }
    MxHost own;
    own.name = look.domain;
    const bool takes = check_host(own, dns, look.findings);
    if (look.findings.has(Weight::unseen)) return;
    if (!takes) {
        look.findings.add(Weight::absent, "absent", "there is no MX record, so mail cannot arrive", remedy);
        return;
    }
    look.implicit = true;
    look.hosts.push_back(std::move(own));
    look.findings.add(Weight::weak, "implicit", "there is no MX record, so mail goes to its own address", remedy);
}

}  // namespace

MxLook observe_mx(const std::string& domain, const std::vector<std::string>& expected, auth::DnsCache& dns) {
    MxLook look;
    look.domain = domain;
    const dns::Answer& answer = dns.ask(domain, dns::Type::mx);
    if (!answer.known()) {
        look.findings.add(Weight::unseen, "lookup-failed", dns.failure(domain, dns::Type::mx, answer).what);
        return look;
    }
    if (!answer.found()) {
        check_implicit(look, dns, answer.outcome == dns::Outcome::no_name);
        compare_expected(look, expected);
        return look;
    }
    for (const dns::Mx& mx : answer.records.mx) {
        if (mx.host.empty()) {
            check_null_mx(look, answer.records.mx.size(), mx.preference, !expected.empty(), dns);
        } else {
            look.hosts.push_back({mx.preference, mx.host, {}, {}});
        }
    }
    std::ranges::stable_sort(look.hosts, [](const MxHost& a, const MxHost& b) { return a.preference < b.preference; });
    check_hosts(look, dns);
    compare_expected(look, expected);
    return look;
}

base::Result<MxObservation> mx(const MxQuery& query, const base::Deadline& deadline, world::World& world) {
    std::vector<std::string> domains;
    std::vector<std::string> expected;
    for (const std::string& given : query.domains) {
        auto domain = dns::ascii_name(given);
        if (!domain) return fail(domain.error());
        domains.push_back(std::move(*domain));
    }
    for (const std::string& given : query.expected) {
        auto host = dns::ascii_name(given);
        if (!host) return fail(host.error().at("--expect"));
        expected.push_back(std::move(*host));
    }
    auto transport = world::open_resolver(world, query.resolver);
    if (!transport) return fail(transport.error());
    auth::DnsCache dns(**transport, deadline);
    std::vector<dns::Question> questions;
    questions.reserve(domains.size());
    for (const std::string& domain : domains) questions.push_back({.name = domain, .type = dns::Type::mx});
    dns.fetch(questions);
    MxObservation out;
    for (const std::string& domain : domains) out.domains.push_back(observe_mx(domain, expected, dns));
    return out;
}

std::string to_json(const MxObservation& observation) {
    base::JsonWriter json;
    json.object().key("domains").array();
    for (const MxLook& look : observation.domains) {
        json.object().member("domain", look.domain).member("null_mx", look.null_mx).member("implicit", look.implicit);
        json.key("hosts").array();
        for (const MxHost& host : look.hosts) {
            std::vector<std::string> addresses;
            addresses.reserve(host.addresses.size());
            for (const base::IpAddress& address : host.addresses) addresses.push_back(address.to_string());
            json.object()
                .member("preference", host.preference)
                .member("name", host.name)
                .member("addresses", addresses);
            json.member("cname", host.cname).end();
        }
        json.end();
        write_findings(json, look.findings);
        json.end();
    }
    json.end().end();
    return json.take();
}

}  // namespace mtawatch::probe::mail_auth
