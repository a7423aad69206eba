#include "shared/auth/dmarc_walk.h"

#include <algorithm>
#include <utility>

#include "shared/base/text.h"
#include "shared/dns/names.h"

namespace mtawatch::auth {

namespace {

// Written as if it were a DMARC record, but not one: case, blanks in front, an SPF-like version.
bool is_near_miss(std::string_view text) { return base::icontains(text.substr(0, 16), "dmarc"); }

DmarcStep walk_step(DnsCache& dns, const std::string& name) {
    DmarcStep step;
    step.name = name;
    const std::string question = "_dmarc." + name;
    if (!dns::askable(question)) return step;  // too long to exist
    const dns::Answer& answer = dns.ask(question, dns::Type::txt);
    step.cnames = answer.chain;
    if (!answer.known()) {
        step.failure = dns.failure(question, dns::Type::txt, answer).what;
        return step;
    }
    step.ttl = answer.records.ttl;
    for (const std::string& text : answer.records.texts) {
        if (!is_dmarc_record(text)) {
            ++step.other_texts;
            if (is_near_miss(text)) step.near_misses.push_back(text);
            continue;
        }
        if (++step.records == 1) step.record = parse_dmarc_record(text);
    }
    if (step.records > 1) step.record.reset();
    return step;
}

// The name to ask after `name`: one label less, or seven labels of a very long one; "" when none is left.
std::string next_name(const std::string& name) {
    const std::size_t count = dns::labels(name).size();
    std::string_view next = dns::parent(name);
    if (count >= dmarc_max_queries) {
        for (std::size_t left = count - 1; left >= dmarc_max_queries; --left) next = dns::parent(next);
    }
    return std::string(next);
}

std::string pick_organizational_domain(const std::vector<DmarcStep>& steps) {
    const DmarcStep* shortest = nullptr;
    for (std::size_t i = 0; i < steps.size(); ++i) {
        if (!steps[i].record) continue;
        if (steps[i].record->psd == DmarcPsd::no) return steps[i].name;
        // One label below a public suffix, but never above the name the walk began with.
        if (steps[i].record->psd == DmarcPsd::yes && i > 0) {
            const std::string& start = steps.front().name;
            const std::size_t wanted = dns::labels(steps[i].name).size() + 1;
            std::string_view below = start;
            while (dns::labels(below).size() > wanted) below = dns::parent(below);
            return std::string(below);
        }
        shortest = &steps[i];
    }
    return shortest == nullptr ? steps.front().name : shortest->name;
}

// p for the record's own name, else np or sp (RFC 9989 section 4.7).
void choose_policy(DnsCache& dns, const std::string& domain, bool np_counts, DmarcDecision& decision) {
    const DmarcRecord& record = *decision.record;
    if (!record.applies) return;
    decision.inherited = decision.record_domain != domain;
    decision.tag = "p";
    decision.policy = record.p.value_or(DmarcPolicy::none);
    if (!decision.inherited) return;
    if (np_counts && record.np) {
        const dns::Answer& answer = dns.ask(domain, dns::Type::a);
        if (!answer.known()) {
            decision.failure = dns.failure(domain, dns::Type::a, answer).what;
            return;
        }
        decision.domain_exists = answer.outcome != dns::Outcome::no_name;
    }
    if (!decision.domain_exists && record.np) {
        decision.tag = "np";
        decision.policy = record.np;
    } else if (record.sp) {
        decision.tag = "sp";
        decision.policy = record.sp;
    }
}

}  // namespace

const DmarcStep* DmarcWalk::failed() const {
    const auto found = std::ranges::find_if(steps, [](const DmarcStep& step) { return !step.failure.empty(); });
    return found == steps.end() ? nullptr : &*found;
}

DmarcWalk walk_dmarc(DnsCache& dns, const std::string& domain) {
    DmarcWalk walk;
    for (std::string name = domain; !name.empty() && walk.steps.size() < dmarc_max_queries; name = next_name(name)) {
        walk.steps.push_back(walk_step(dns, name));
        const auto& record = walk.steps.back().record;
        if (record && record->psd != DmarcPsd::unsaid) break;
    }
    if (walk.failed() == nullptr) walk.organizational_domain = pick_organizational_domain(walk.steps);
    return walk;
}

DmarcDecision decide_dmarc(DnsCache& dns, const std::string& domain, const DmarcWalk& walk) {
    DmarcDecision decision;
    const auto use = [&](const DmarcStep& step) {
        decision.record_domain = step.name;
        decision.record = step.record;
        choose_policy(dns, domain, true, decision);
    };
    if (walk.steps.front().record) {
        use(walk.steps.front());
        return decision;
    }
    if (const DmarcStep* failed = walk.failed()) {
        decision.failure = failed->failure;
        return decision;
    }
    for (const DmarcStep& step : walk.steps) {
        if (step.record && step.name == walk.organizational_domain) {
            use(step);
            return decision;
        }
    }
    for (const DmarcStep& step : walk.steps) {
        if (step.record && step.record->psd == DmarcPsd::yes) use(step);
    }
    return decision;
}

DmarcDecision decide_dmarc_by_suffix_list(DnsCache& dns, const std::string& domain) {
    DmarcDecision decision;
    std::vector<std::string> names{domain};
    if (const std::string registrable = registrable_domain(domain); !registrable.empty() && registrable != domain) {
        names.push_back(registrable);
    }
    for (const std::string& name : names) {
        DmarcStep step = walk_step(dns, name);
        if (!step.failure.empty()) {
            decision.failure = step.failure;
            return decision;
        }
        if (!step.record) continue;
        decision.record_domain = name;
        decision.record = std::move(step.record);
        choose_policy(dns, domain, false, decision);
        return decision;
    }
    return decision;
}

std::optional<bool> dmarc_aligned(DnsCache& dns, const std::string& author, const std::string& identifier,
                                  bool strict) {
    if (author == identifier) return true;
    if (strict) return false;
    const std::string own = walk_dmarc(dns, author).organizational_domain;
    const std::string other = walk_dmarc(dns, identifier).organizational_domain;
    if (own.empty() || other.empty()) return std::nullopt;
    return own == other;
}

bool is_unregistered(DnsCache& dns, const std::string& name) {
    const std::string registrable = registrable_domain(name);
    return !registrable.empty() && dns.ask(registrable, dns::Type::ns).outcome == dns::Outcome::no_name;
}

Consent report_consent(DnsCache& dns, const std::string& policy_domain, const std::string& policy_org,
                       const std::string& destination) {
    const DmarcWalk walk = walk_dmarc(dns, destination);
    if (walk.failed() == nullptr && walk.organizational_domain == policy_org) return Consent::not_needed;
    const std::string question = policy_domain + "._report._dmarc." + destination;
    if (!dns::askable(question)) return Consent::missing;
    const dns::Answer& answer = dns.ask(question, dns::Type::txt);
    if (!answer.known()) return Consent::unseen;
    const auto& texts = answer.records.texts;
    return std::ranges::any_of(texts, is_dmarc_record) ? Consent::given : Consent::missing;
}

}  // namespace mtawatch::auth
