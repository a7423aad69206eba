#include "shared/probe/mail_auth/tls_rpt.h"

#include <fmt/core.h>

#include "shared/dns/names.h"
#include "shared/probe/mail_auth/txt_record.h"

namespace mtawatch::probe::mail_auth {

using base::fail;

namespace {

std::string record_name(const std::string& domain) { return "_smtp._tls." + domain; }

// A mailbox at the domain can only be advised where the domain takes mail.
bool takes_mail(const std::string& domain, auth::DnsCache& dns) {
    const dns::Answer& mx = dns.ask(domain, dns::Type::mx);
    return mx.found() && !mx.records.mx.front().host.empty();
}

// The texts that stand there mended, or a first record.
void advise(TlsRptObservation& seen, auth::DnsCache& dns) {
    const std::string name = record_name(seen.domain);
    if (seen.findings.has(Weight::unseen) || !dns::askable(name) || auth::cannot_publish(dns, name)) return;
    std::vector<std::string> replaces;
    std::string record;
    for (const std::string& text : dns.ask(name, dns::Type::txt).records.texts) {
        auto mended = auth::mended_tls_rpt_record(text);
        if (!mended || (!seen.record.empty() && text != seen.record)) continue;
        replaces.push_back(text);
        record = std::move(*mended);
    }
    const bool first = seen.findings.has(Weight::absent);
    if (record.empty() && first && takes_mail(seen.domain, dns)) {
        record = fmt::format("v=TLSRPTv1; rua=mailto:tls-reports@{}", seen.domain);
    }
    if (record.empty() || replaces.size() > 1 || record == seen.record) return;
    Publication line{name, dns::Type::txt, record};
    auth::DnsCache view(dns);
    auth::publish(view, line, replaces);
    auto after = observe_tls_rpt(seen.domain, view);
    if (after) seen.remedies.push_back({{std::move(line)}, std::make_shared<TlsRptObservation>(std::move(*after))});
}

}  // namespace

base::Result<TlsRptObservation> observe_tls_rpt(const std::string& domain, auth::DnsCache& dns) {
    auto ascii = dns::ascii_name(domain);
    if (!ascii) return fail(ascii.error());
    TlsRptObservation out;
    out.domain = std::move(*ascii);
    const TxtKind kind{"TLSRPT", auth::is_tls_rpt_record, "v=TLSRPTv1",
                       fmt::format("publish v=TLSRPTv1; rua=mailto:ADDRESS at {}, with an address that somebody reads",
                                   record_name(out.domain))};
    out.record = find_txt_record(record_name(out.domain), kind, dns, out.findings);
    if (out.record.empty()) return out;
    out.read = auth::parse_tls_rpt_record(out.record);
    out.findings.add(out.read.findings);
    return out;
}

base::Result<TlsRptObservation> tls_rpt(const TlsRptQuery& query, const base::Deadline& deadline, world::World& world) {
    auto transport = world::open_resolver(world, query.resolver);
    if (!transport) return fail(transport.error());
    auth::DnsCache dns(**transport, deadline);
    auto seen = observe_tls_rpt(query.domain, dns);
    if (seen) advise(*seen, dns);
    return seen;
}

std::string to_json(const TlsRptObservation& observation, const std::vector<std::string>& publish) {
    base::JsonWriter json;
    json.object().member("domain", observation.domain).member("record", observation.record).key("destinations").array();
    for (const auth::ReportUri& uri : observation.read.destinations) json.value(uri.text);
    json.end();
    write_findings(json, observation.findings);
    json.member("publish", publish);
    json.end();
    return json.take();
}

}  // namespace mtawatch::probe::mail_auth
