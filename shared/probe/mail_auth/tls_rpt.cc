#include "shared/probe/mail_auth/tls_rpt.h"

#include <fmt/core.h>

#include "shared/dns/names.h"
#include "shared/probe/mail_auth/txt_record.h"

namespace mtawatch::probe::mail_auth {

using base::fail;

base::Result<TlsRptObservation> observe_tls_rpt(const std::string& domain, auth::DnsCache& dns) {
    auto ascii = dns::ascii_name(domain);
    if (!ascii) return fail(ascii.error());
    TlsRptObservation out;
    out.domain = std::move(*ascii);
    const TxtKind kind{"TLSRPT", auth::is_tls_rpt_record, "v=TLSRPTv1",
                       fmt::format("v=TLSRPTv1; rua=mailto:tls-reports@{}", out.domain)};
    out.record = find_txt_record("_smtp._tls." + out.domain, kind, dns, out.findings);
    if (out.record.empty()) return out;
    out.read = auth::parse_tls_rpt_record(out.record);
    out.findings.add(out.read.findings);
    return out;
}

base::Result<TlsRptObservation> tls_rpt(const TlsRptQuery& query, const base::Deadline& deadline, world::World& world) {
    auto transport = world::open_resolver(world, query.resolver);
    if (!transport) return fail(transport.error());
    auth::DnsCache dns(**transport, deadline);
    return observe_tls_rpt(query.domain, dns);
}

std::string to_json(const TlsRptObservation& observation) {
    base::JsonWriter json;
    json.object().member("domain", observation.domain).member("record", observation.record).key("destinations").array();
    for (const auth::ReportUri& uri : observation.read.destinations) json.value(uri.text);
    json.end();
    write_findings(json, observation.findings);
    json.end();
    return json.take();
}

}  // namespace mtawatch::probe::mail_auth
