#include "shared/probe/mail_auth/dmarc_advice.h"

#include <fmt/core.h>

#include <algorithm>
#include <optional>
#include <utility>

#include "shared/auth/dmarc_mend.h"
#include "shared/auth/dmarc_walk.h"

namespace mtawatch::probe::mail_auth {

namespace {

// One record to try, and the texts that it takes the place of.
struct Attempt {
    std::string at;  // without "_dmarc."
    std::string record;
    std::vector<std::string> replaces;
};

// The texts at a name that were meant to be the record, as they should have been written.
struct Texts {
    std::vector<std::string> replaces;
    std::vector<std::string> mended;
    bool any_record = false;
};

Texts texts_at(const std::string& name, auth::DnsCache& dns) {
    Texts out;
    const auto& all = dns.ask(name, dns::Type::txt).records.texts;
    out.any_record = std::ranges::any_of(all, auth::is_dmarc_record);
    for (const std::string& text : all) {
        if (auth::is_dmarc_record(text) != out.any_record) continue;  // what stands beside records is skipped
        auto mended = auth::mended_dmarc_record(text);
        if (!mended) continue;
        out.replaces.push_back(text);
        out.mended.push_back(std::move(*mended));
    }
    return out;
}

// The record, with and without an address for reports where it has none.
void add_attempts(const Attempt& attempt, std::vector<Attempt>& attempts) {
    if (auth::parse_dmarc_record(attempt.record).rua.empty()) {
        Attempt reporting = attempt;
        reporting.record =
            auth::with_dmarc_tag(attempt.record, "rua", fmt::format("mailto:dmarc-reports@{}", attempt.at));
        attempts.push_back(std::move(reporting));
    }
    attempts.push_back(attempt);
}

// A sound record that is only too weak is raised; one that was broken is mended first.
void add_existing(const std::string& at, const DmarcQuery& query, auth::DnsCache& dns, std::vector<Attempt>& attempts) {
    const Texts texts = texts_at("_dmarc." + at, dns);
    if (texts.mended.empty()) return;
    const std::string record = auth::merged_dmarc_records(texts.mended);
    const bool sound = texts.any_record && texts.replaces.size() == 1 &&
                       auth::parse_dmarc_record(texts.replaces.front()).findings.usable();
    const auth::DmarcRecord read = auth::parse_dmarc_record(record);
    if (sound && !read.test_mode && read.p && *read.p < query.least) {
        add_attempts({at, auth::with_dmarc_policy(record, query.least), texts.replaces}, attempts);
    }
    add_attempts({at, record, texts.replaces}, attempts);
}

std::vector<Attempt> attempts_for(const DmarcQuery& query, const DmarcObservation& seen, auth::DnsCache& dns) {
    std::vector<Attempt> attempts;
    const auth::DmarcStep& own = seen.walk.steps.front();
    if (own.records > 0 || !own.near_misses.empty()) {
        add_existing(own.name, query, dns, attempts);
    } else if (seen.findings.has("wrong-name")) {
        const Texts texts = texts_at(own.name, dns);
        if (!texts.mended.empty()) add_attempts({own.name, auth::merged_dmarc_records(texts.mended), {}}, attempts);
    } else if (seen.decision.record) {
        add_existing(seen.decision.record_domain, query, dns, attempts);
    } else {
        const std::string at = dmarc_home(seen);
        if (auth::is_unregistered(dns, at)) return attempts;
        attempts.push_back({at, fmt::format("v=DMARC1; p=none; rua=mailto:dmarc-reports@{}", at), {}});
    }
    return attempts;
}

}  // namespace

std::string dmarc_home(const DmarcObservation& seen) {
    return seen.registrable_domain.empty() ? seen.domain : seen.registrable_domain;
}

std::vector<Remedy<DmarcObservation>> dmarc_remedies(const DmarcQuery& query, const DmarcObservation& seen,
                                                     auth::DnsCache& dns, const world::World& world) {
    std::vector<Remedy<DmarcObservation>> remedies;
    if (seen.findings.has(Weight::unseen)) return remedies;
    DmarcQuery plain = query;
    plain.advise = plain.authoritative = false;
    for (const Attempt& attempt : attempts_for(query, seen, dns)) {
        if (attempt.replaces.size() == 1 && attempt.replaces.front() == attempt.record) continue;
        const std::string name = "_dmarc." + attempt.at;
        if (auth::cannot_publish(dns, name) ||
            (attempt.at != dmarc_home(seen) && auth::cannot_publish(dns, attempt.at))) {
            continue;
        }
        Publication line{name, dns::Type::txt, attempt.record};
        auth::DnsCache view(dns);
        auth::publish(view, line, attempt.replaces);
        auto after = observe_dmarc(plain, view, world);
        if (!after || !auth::parse_dmarc_record(attempt.record).findings.usable()) continue;
        remedies.push_back({{std::move(line)}, std::make_shared<DmarcObservation>(std::move(*after))});
    }
    return remedies;
}

}  // namespace mtawatch::probe::mail_auth
