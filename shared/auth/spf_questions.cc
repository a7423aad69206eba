#include "shared/auth/spf_questions.h"

#include <algorithm>
#include <vector>

#include "shared/auth/spf_lint.h"
#include "shared/dns/names.h"

namespace mtawatch::auth {

namespace {

// What a term asks first.
void add_questions(const SpfTerm& term, const std::string& domain, std::vector<dns::Question>& questions) {
    const auto target = spf_constant_target(term, domain);
    if (!target) return;
    const auto ask = [&](dns::Type type) { questions.push_back({.name = *target, .type = type}); };
    switch (term.kind) {
        case SpfKind::include:
        case SpfKind::redirect:
        case SpfKind::exp:
            return ask(dns::Type::txt);
        case SpfKind::a:
            ask(dns::Type::a);
            return ask(dns::Type::aaaa);
        case SpfKind::mx:
            return ask(dns::Type::mx);
        case SpfKind::exists:
            return ask(dns::Type::a);
        default:
            return;
    }
}

}  // namespace

std::optional<std::string> spf_constant_target(const SpfTerm& term, const std::string& domain) {
    if (!term.domain) return domain;
    if (!term.domain->is_constant()) return std::nullopt;
    SpfMacroValues values;
    values.domain = domain;
    std::string name = spf_target_name(expand_spf_macros(*term.domain, values));
    if (!dns::askable(name)) return std::nullopt;
    return name;
}

std::string spf_constant_tail(const SpfMacroString& name) {
    if (name.pieces.empty() || name.pieces.back().macro) return {};
    const std::string& text = name.pieces.back().text;
    const std::size_t dot = text.find('.');
    return dot == std::string::npos ? std::string() : spf_target_name(text.substr(dot + 1));
}

void fetch_spf_terms(DnsCache& dns, const SpfRecord& record, const std::string& domain) {
    std::vector<dns::Question> questions;
    for (const SpfTerm& term : record.mechanisms) add_questions(term, domain, questions);
    if (record.redirect) add_questions(*record.redirect, domain, questions);
    if (record.exp) add_questions(*record.exp, domain, questions);
    if (questions.size() <= spf_lint_max_lookups) dns.fetch(questions);
}

std::vector<SpfCost> spf_costs(const SpfNode& node) {
    std::vector<SpfCost> costs;
    if (!is_spf_record(node.record)) return costs;
    const SpfRecord record = parse_spf_record(node.record);
    const auto add = [&](const SpfTerm& term) {
        if (!term.queries()) return;
        const auto child = std::ranges::find(node.children, term.written, &SpfNode::term);
        costs.push_back({term.written, child == node.children.end() ? 1 : child->lookups + 1});
    };
    for (const SpfTerm& term : record.mechanisms) {
        if (term.kind == SpfKind::all) break;
        add(term);
    }
    if (record.redirect && record.all() == nullptr) add(*record.redirect);
    return costs;
}

void fetch_spf(DnsCache& dns, const std::string& domain) {
    const dns::Answer& answer = dns.ask(domain, dns::Type::txt);
    const auto& texts = answer.records.texts;
    const auto record = std::ranges::find_if(texts, is_spf_record);
    if (record != texts.end()) fetch_spf_terms(dns, parse_spf_record(*record), domain);
}

}  // namespace mtawatch::auth
