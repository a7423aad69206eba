#include "shared/probe/mail_auth/mta_sts.h"

#include <fmt/core.h>

#include <algorithm>

#include "shared/base/text.h"
#include "shared/base/utc.h"
#include "shared/dns/names.h"
#include "shared/http/client.h"
#include "shared/probe/mail_auth/txt_record.h"
#include "shared/probe/world/dial.h"
#include "shared/probe/world/trust.h"

namespace mtawatch::probe::mail_auth {

namespace {

using base::fail;
using base::Result;

// What an id= is for: another one whenever the policy changes.
std::string id_now(const world::World& world) {
    std::string id = base::utc_time(base::unix_seconds(world.clock->wall()));
    std::erase_if(id, [](char c) { return c == '-' || c == ':'; });
    return id;
}

// What the web server's answer means (section 3.3).
void judge_answer(const http::Answer& answer, MtaStsObservation& out) {
    if (!answer.untrusted.empty()) {
        out.findings.add(Weight::broken, "untrusted",
                         fmt::format("{}: {}; senders ignore the policy", out.url, answer.untrusted));
        return;
    }
    const http::Response& response = *answer.response;
    if (response.status >= 300 && response.status < 400) {
        out.findings.add(Weight::broken, "redirect",
                         fmt::format("{} redirects (status {}), which senders must not follow; serve the policy there",
                                     out.url, response.status));
        return;
    }
    if (response.status != 200) {
        out.findings.add(Weight::broken, "bad-status",
                         fmt::format("{} answers with status {}; serve the policy there", out.url, response.status));
        return;
    }
    out.fetched = true;
    out.policy_text = response.body;
    const std::string_view type = response.header("Content-Type").value_or("");
    if (!base::iequals(base::trim(type.substr(0, type.find(';'))), "text/plain")) {
        out.findings.add(Weight::weak, "content-type",
                         fmt::format("the policy comes as \"{}\"; serve it as text/plain", base::one_line(type, 60)));
    }
    if (base::trim(out.policy_text).empty()) {
        out.findings.add(Weight::broken, "empty", fmt::format("{} is empty; write the policy into it", out.url));
        return;
    }
    out.policy = auth::parse_sts_policy(out.policy_text);
    for (const auth::Finding& one : out.policy.findings.items) {
        out.findings.add(one.weight, one.code, "the policy: " + one.text);
    }
}

Result<void> fetch_policy(const MtaStsQuery& query, MtaStsObservation& out, const base::Deadline& deadline,
                          world::World& world) {
    auto context = world::trust_of({}, query.ca_file, world);
    if (!context) return fail(context.error());
    http::Request request;
    auto url = http::parse_url(out.url);
    if (!url) return fail(url.error());
    request.url = std::move(*url);
    request.tls.context = std::move(*context);
    request.max_body_bytes = auth::sts_max_policy_bytes;
    const auto answer = http::fetch(request, world::make_dial(world, {.resolver = query.resolver}), deadline);
    if (answer) {
        judge_answer(*answer, out);
    } else if (answer.error().fault == base::Fault::resolver || answer.error().fault == base::Fault::deadline) {
        out.findings.add(Weight::unseen, "lookup-failed", answer.error().what);
    } else {
        out.findings.add(Weight::broken, "not-served",
                         fmt::format("the policy cannot be fetched: {}", answer.error().what));
    }
    return {};
}

void compare_hosts(MtaStsObservation& out, auth::DnsCache& dns, const world::World& world) {
    const dns::Answer& answer = dns.ask(out.domain, dns::Type::mx);
    if (!answer.known()) {
        out.findings.add(Weight::unseen, "lookup-failed", dns.failure(out.domain, dns::Type::mx, answer).what);
        return;
    }
    for (const dns::Mx& mx : answer.records.mx) {
        if (!mx.host.empty()) out.hosts.push_back(mx.host);
    }
    if (!answer.found()) out.hosts.push_back(out.domain);
    if (!out.policy.mode || *out.policy.mode == auth::StsMode::none || out.policy.mx.empty()) return;
    std::string missing;
    for (const std::string& host : out.hosts) {
        const auto& patterns = out.policy.mx;
        if (std::ranges::any_of(patterns,
                                [&host](const std::string& pattern) { return auth::sts_covers(pattern, host); })) {
            continue;
        }
        out.uncovered.push_back(host);
        missing += fmt::format("{}mx: {}", missing.empty() ? "" : ", ", host);
    }
    if (out.uncovered.empty()) return;
    const bool enforced = *out.policy.mode == auth::StsMode::enforce;
    out.findings.add(
        enforced ? Weight::broken : Weight::weak, "uncovered",
        fmt::format("the policy does not cover {} of {} mail hosts{}; add {}, and then give the record a new id: {}",
                    out.uncovered.size(), out.hosts.size(), enforced ? ", to which senders then deliver nothing" : "",
                    missing, id_now(world)));
}

// A record that is only written wrongly: by a right one the policy is what it was.
void advise(const std::string& record, const auth::StsRecord& read, MtaStsObservation& out, auth::DnsCache& dns) {
    const std::string name = "_mta-sts." + out.domain;
    if (read.findings.usable() || auth::cannot_publish(dns, name)) return;
    auto after = std::make_shared<MtaStsObservation>(out);
    after->record = record;
    after->id = auth::parse_sts_record(record).id;
    std::erase_if(after->findings.items, [&read](const Finding& finding) {
        return std::ranges::find(read.findings.items, finding) != read.findings.items.end();
    });
    out.remedies.push_back({{{name, dns::Type::txt, record}}, std::move(after)});
}

}  // namespace

Result<MtaStsObservation> observe_mta_sts(const MtaStsQuery& query, auth::DnsCache& dns, world::World& world) {
    auto ascii = dns::ascii_name(query.domain);
    if (!ascii) return fail(ascii.error());
    MtaStsObservation out;
    out.domain = std::move(*ascii);
    out.url = fmt::format("https://mta-sts.{}/.well-known/mta-sts.txt", out.domain);
    const std::string record = fmt::format("v=STSv1; id={};", id_now(world));
    const TxtKind kind{
        "MTA-STS", auth::is_sts_record, "v=STSv1",
        fmt::format("serve a policy at {} first, then publish {} at _mta-sts.{}", out.url, record, out.domain)};
    out.record = find_txt_record("_mta-sts." + out.domain, kind, dns, out.findings);
    if (out.record.empty()) return out;
    const auth::StsRecord read = auth::parse_sts_record(out.record);
    out.id = read.id;
    out.findings.add(read.findings);
    if (auto done = fetch_policy(query, out, dns.deadline(), world); !done) return fail(done.error());
    compare_hosts(out, dns, world);
    if (out.policy.mode == auth::StsMode::testing) {
        out.findings.add(Weight::weak, "testing", "mode: testing protects nothing yet; write mode: enforce");
    } else if (out.policy.mode == auth::StsMode::none) {
        out.findings.add(Weight::weak, "mode-none", "mode: none switches MTA-STS off; write mode: enforce");
    }
    advise(record, read, out, dns);
    return out;
}

Result<MtaStsObservation> mta_sts(const MtaStsQuery& query, const base::Deadline& deadline, world::World& world) {
    auto transport = world::open_resolver(world, query.resolver);
    if (!transport) return fail(transport.error());
    auth::DnsCache dns(**transport, deadline);
    return observe_mta_sts(query, dns, world);
}

std::string to_json(const MtaStsObservation& observation, const std::vector<std::string>& publish) {
    base::JsonWriter json;
    json.object()
        .member("domain", observation.domain)
        .member("record", observation.record)
        .member("id", observation.id);
    json.member("url", observation.url).member("fetched", observation.fetched).key("policy").object().key("mode");
    if (observation.policy.mode) {
        json.value(auth::name(*observation.policy.mode));
    } else {
        json.null();
    }
    json.member("max_age", observation.policy.max_age).member("mx", observation.policy.mx).end();
    json.member("hosts", observation.hosts).member("uncovered", observation.uncovered);
    write_findings(json, observation.findings);
    json.member("publish", publish);
    json.end();
    return json.take();
}

}  // namespace mtawatch::probe::mail_auth
