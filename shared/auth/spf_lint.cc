#include "shared/auth/spf_lint.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include "shared/auth/dmarc_walk.h"
#include "shared/auth/spf_check_host.h"
#include "shared/auth/spf_published.h"
#include "shared/base/text.h"
#include "shared/dns/names.h"

namespace mtawatch::auth {

namespace {

constexpr unsigned widest_v4 = 8;   // the largest block ever given to one owner
constexpr unsigned widest_v6 = 32;  // the usual size for a provider

// Where a network was authorised.
struct Source {
    base::IpNetwork network;
    std::string term;
    std::string domain;
};

// The name a term asks for, if it is the same for every message and can be asked.
std::optional<std::string> target_of(const SpfTerm& term, const std::string& domain) {
    if (!term.domain) return domain;
    if (!term.domain->is_constant()) return std::nullopt;
    SpfMacroValues values;
    values.domain = domain;
    std::string name = spf_target_name(expand_spf_macros(*term.domain, values));
    if (!dns::askable(name)) return std::nullopt;
    return name;
}

// What a term asks first.
void add_questions(const SpfTerm& term, const std::string& domain, std::vector<dns::Question>& questions) {
    const auto target = target_of(term, domain);
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

// Everything that the record will ask for, in one go.
void fetch_terms(DnsCache& dns, const SpfRecord& record, const std::string& domain) {
    std::vector<dns::Question> questions;
    for (const SpfTerm& term : record.mechanisms) add_questions(term, domain, questions);
    if (record.redirect) add_questions(*record.redirect, domain, questions);
    if (record.exp) add_questions(*record.exp, domain, questions);
    if (questions.size() <= spf_lint_max_lookups) dns.fetch(questions);
}

class Linter {
  public:
    Linter(DnsCache& dns, SpfLint& lint) : dns_(dns), lint_(lint) {}

    void run(const std::string& domain) {
        lint_.tree.domain = domain;
        read_published_spf(dns_, domain, lint_);
        if (lint_.records.size() == 1) {
            lint_.tree.record = lint_.records.front();
            walk(lint_.tree, {domain}, true);
            compare_networks();
        }
        std::vector<base::IpNetwork> networks;
        for (const Source& source : sources_) networks.push_back(source.network);
        lint_.addresses = count_addresses(networks);
        lint_.networks = merged_networks(std::move(networks));
    }

  private:
    void add(Weight weight, std::string_view code, std::string text) {
        lint_.findings.add(weight, code, std::move(text));
    }
    // "in the record of x: " for records other than the domain's own.
    std::string in(const SpfNode& node) const {
        return node.domain == lint_.tree.domain ? std::string() : fmt::format("in the record of {}: ", node.domain);
    }

    // `path`: the domains from the top to this node. `counts`: whether what passes here passes in the end.
    void walk(SpfNode& node, const std::vector<std::string>& path, bool counts) {
        const SpfRecord record = parse_spf_record(node.record);
        for (const SpfFault& fault : record.faults) {
            add(Weight::broken, "syntax", fmt::format("{}{}: {}", in(node), fault.term, fault.what));
        }
        fetch_terms(dns_, record, node.domain);
        judge_order(record, node);
        if (record.exp && includes_ == 0) judge_explanation(*record.exp, node);  // an included one is never shown
        std::set<std::string> written;
        for (const SpfTerm& term : record.mechanisms) {
            const bool again = !written.insert(base::to_lower(term.written)).second;
            if (again && term.kind != SpfKind::include) {  // includes are compared by what they lead to
                add(Weight::weak, "duplicate-term",
                    fmt::format("{}{} stands there twice; remove one", in(node), term.written));
            }
            if (term.kind == SpfKind::all) {
                node.all = term.qualifier;
                break;
            }
            visit(term, node, path, counts && term.qualifier == '+');
        }
        if (record.redirect && record.all() == nullptr) follow_redirect(*record.redirect, node, path, counts);
        if (!record.redirect && record.all() == nullptr && node.term.empty()) {
            add(Weight::weak, "no-all",
                fmt::format("the record ends without all, so everyone else is neutral; append -all: "
                            "\"{} -all\"",
                            std::string(base::trim(node.record))));
        }
    }

    void judge_order(const SpfRecord& record, const SpfNode& node) {
        if (record.all() != nullptr && record.all() != &record.mechanisms.back()) {
            add(Weight::weak, "after-all",
                fmt::format("{}nothing after {} is ever looked at; move it to the end", in(node),
                            record.all()->written));
        }
        if (record.all() != nullptr && record.redirect) {
            add(Weight::weak, "dead-redirect",
                fmt::format("{}{} does nothing beside {}; remove one of them", in(node), record.redirect->written,
                            record.all()->written));
        }
        for (const SpfTerm& term : record.unknown_modifiers) {
            const std::string lower = base::to_lower(term.written.substr(0, term.written.find('=')));
            constexpr std::string_view mechanisms = " include a mx ptr ip4 ip6 exists ";
            if (mechanisms.find(fmt::format(" {} ", lower)) == std::string_view::npos) continue;
            add(Weight::weak, "equals-for-colon",
                fmt::format("{}{} is ignored by everyone; write {}:{}", in(node), term.written, lower,
                            term.written.substr(lower.size() + 1)));
        }
    }

    // Section 6.2: a fault in it loses no mail, only the explanation text.
    void judge_explanation(const SpfTerm& term, const SpfNode& node) {
        const auto target = target_of(term, node.domain);
        if (!target) return;
        const dns::Answer& answer = dns_.ask(*target, dns::Type::txt);
        if (!answer.known()) return add_failure(*target, dns::Type::txt, answer);
        const auto& texts = answer.records.texts;
        std::string why;
        if (texts.size() != 1) {
            why = texts.empty() ? "has no text" : fmt::format("has {} texts; keep one", texts.size());
        } else if (const auto done = parse_spf_macro_string(texts.front(), SpfMacroPlace::explanation); !done) {
            why = fmt::format("cannot be used: {}", done.error().what);
        }
        if (why.empty()) return;
        add(Weight::weak, "bad-explanation",
            fmt::format("{}{}: {} {}, so senders that fail are told nothing", in(node), term.written, *target, why));
    }

    void count(SpfNode& node, const SpfTerm& term, bool is_void) {
        ++lookups_;
        ++node.lookups;
        if (!is_void) return;
        ++node.void_lookups;
        add(Weight::weak, "void", fmt::format("{}{} finds nothing; remove it", in(node), term.written));
    }

    void visit(const SpfTerm& term, SpfNode& node, const std::vector<std::string>& path, bool counts) {
        if (term.kind == SpfKind::ip4 || term.kind == SpfKind::ip6) return add_network(term, node, counts);
        if (lookups_ >= spf_lint_max_lookups) {
            if (lookups_++ == spf_lint_max_lookups) {
                add(Weight::note, "not-followed", fmt::format("not followed beyond {} lookups", spf_lint_max_lookups));
            }
            return;
        }
        if (term.kind == SpfKind::ptr) {
            add(Weight::weak, "ptr",
                fmt::format("{}{} is slow and unreliable and should not be used (RFC 7208 5.5); "
                            "list the addresses with ip4: and ip6:",
                            in(node), term.written));
            return count(node, term, false);
        }
        const auto target = target_of(term, node.domain);
        if (!target) return count(node, term, false);
        switch (term.kind) {
            case SpfKind::include:
                return follow_include(term, *target, node, path, counts);
            case SpfKind::a:
                return count(node, term, !add_hosts({*target}, term, node, counts));
            case SpfKind::mx:
                return visit_mx(term, *target, node, counts);
            default: {
                const dns::Answer& answer = dns_.ask(*target, dns::Type::a);
                if (!answer.known()) add_failure(*target, dns::Type::a, answer);
                return count(node, term, answer.known() && !answer.found());
            }
        }
    }

    void add_failure(const std::string& name, dns::Type type, const dns::Answer& answer) {
        if (!failed_.insert(name).second) return;
        add(Weight::unseen, "lookup-failed", dns_.failure(name, type, answer).what);
    }

    void add_network(const SpfTerm& term, const SpfNode& node, bool counts) {
        const base::IpNetwork& network = term.network;
        if (network.prefix == 0) {
            add(Weight::broken, "everyone",
                fmt::format("{}{} authorises every address there is", in(node), term.written));
        } else if (network.prefix < (network.base.is_v4() ? widest_v4 : widest_v6)) {
            add(Weight::weak, "huge-network",
                fmt::format("{}{} authorises a huge part of the Internet", in(node), term.written));
        }
        if (const auto why = base::not_public(network.base); why && network.prefix > 0) {
            add(Weight::weak, "private-network",
                fmt::format("{}{} is {}: no receiver ever sees such an address; remove it", in(node), term.written,
                            *why));
        }
        if (term.host_bits_set) {
            add(Weight::note, "host-bits", fmt::format("{}{} means {}", in(node), term.written, network.to_string()));
        }
        if (counts) sources_.push_back({network, term.written, node.domain});
    }

    // Adds the addresses of hosts; false when none has any.
    bool add_hosts(const std::vector<std::string>& hosts, const SpfTerm& term, const SpfNode& node, bool counts) {
        bool any = false;
        for (const std::string& host : hosts) {
            if (!dns::askable(host)) continue;
            for (const dns::Type type : {dns::Type::a, dns::Type::aaaa}) {
                const dns::Answer& answer = dns_.ask(host, type);
                if (!answer.known()) add_failure(host, type, answer);
                any = any || !answer.known() || answer.found();
                for (const base::IpAddress& address : answer.records.addresses) {
                    const unsigned prefix = address.is_v4() ? term.prefix4 : term.prefix6;
                    if (counts) sources_.push_back({base::IpNetwork::of(address, prefix), term.written, node.domain});
                }
            }
        }
        return any;
    }

    void visit_mx(const SpfTerm& term, const std::string& target, SpfNode& node, bool counts) {
        const dns::Answer& answer = dns_.ask(target, dns::Type::mx);
        if (!answer.known()) {
            add_failure(target, dns::Type::mx, answer);
            return count(node, term, false);
        }
        if (answer.records.mx.size() > spf_max_mx_hosts) {
            add(Weight::broken, "many-mx",
                fmt::format("{}{} has {} mail hosts, more than the {} allowed", in(node), term.written,
                            answer.records.mx.size(), spf_max_mx_hosts));
        }
        std::vector<std::string> hosts;
        for (const dns::Mx& mx : answer.records.mx) hosts.push_back(mx.host);
        std::vector<dns::Question> questions;
        for (const std::string& host : hosts) {
            if (!dns::askable(host)) continue;
            for (const dns::Type type : {dns::Type::a, dns::Type::aaaa}) {
                questions.push_back({.name = host, .type = type});
            }
        }
        dns_.fetch(questions);
        count(node, term, !add_hosts(hosts, term, node, counts));
    }

    // The record of an include or redirect target, or nothing with a finding.
    std::optional<std::string> record_of(const std::string& target, const SpfTerm& term, const SpfNode& node) {
        const dns::Answer& answer = dns_.ask(target, dns::Type::txt);
        if (!answer.known()) {
            add_failure(target, dns::Type::txt, answer);
            return std::nullopt;
        }
        std::vector<std::string> found;
        for (const std::string& text : answer.records.texts) {
            if (is_spf_record(text)) found.push_back(text);
        }
        if (found.size() == 1) return found.front();
        if (found.size() > 1) {
            add(Weight::broken, "several-records",
                fmt::format("{}{}: {} has {} SPF records, so every receiver sees an error", in(node), term.written,
                            target, found.size()));
        } else if (answer.outcome == dns::Outcome::no_name && can_be_registered(target)) {
            add(Weight::broken, "takeover",
                fmt::format("{}{}: {} is not registered: whoever registers it may send as you; "
                            "remove the term at once",
                            in(node), term.written, registrable_domain(target)));
        } else {
            add(Weight::broken, "dangling",
                fmt::format("{}{}: {} {}, so every receiver sees an error; remove the term", in(node), term.written,
                            target, answer.outcome == dns::Outcome::no_name ? "does not exist" : "has no SPF record"));
        }
        return std::nullopt;
    }

    bool can_be_registered(const std::string& target) {
        const std::string registrable = registrable_domain(target);
        if (registrable.empty()) return false;
        return dns_.ask(registrable, dns::Type::ns).outcome == dns::Outcome::no_name;
    }

    void descend(SpfNode& child, SpfNode& node, std::vector<std::string> path, bool counts) {
        if (std::ranges::find(path, child.domain) != path.end()) {
            add(Weight::broken, "loop", fmt::format("{}{} leads back to itself", in(node), child.term));
            return;
        }
        path.push_back(child.domain);
        walk(child, path, counts);
        node.lookups += child.lookups;
        node.void_lookups += child.void_lookups;
    }

    void follow_include(const SpfTerm& term, const std::string& target, SpfNode& node,
                        const std::vector<std::string>& path, bool counts) {
        auto record = record_of(target, term, node);
        count(node, term, false);
        if (!record) {
            const dns::Answer& answer = dns_.ask(target, dns::Type::txt);
            if (answer.known() && !answer.found()) ++node.void_lookups;
            return;
        }
        if (++included_[target] == 2) {
            add(Weight::weak, "duplicate-include",
                fmt::format("{}{} is included more than once, and costs its lookups each time", in(node), target));
        }
        SpfNode child;
        child.domain = target;
        child.term = term.written;
        child.record = *record;
        ++includes_;
        descend(child, node, path, counts);
        --includes_;
        if (child.all == '+') {
            add(Weight::broken, "include-passes-all",
                fmt::format("{}{} ends in +all, so anyone may send as you", in(node), term.written));
        }
        node.children.push_back(std::move(child));
    }

    void follow_redirect(const SpfTerm& term, SpfNode& node, const std::vector<std::string>& path, bool counts) {
        count(node, term, false);
        const auto target = target_of(term, node.domain);
        if (!target) return;
        auto record = record_of(*target, term, node);
        if (!record) return;
        SpfNode child;
        child.domain = *target;
        child.term = term.written;
        child.record = *record;
        descend(child, node, path, counts);
        node.all = child.all;
        node.children.push_back(std::move(child));
    }

    // Networks that another one contains already. Sorted by base and prefix, containers come first.
    void compare_networks() {
        std::ranges::stable_sort(sources_, [](const Source& a, const Source& b) {
            if (a.network.base != b.network.base) return a.network.base < b.network.base;
            return a.network.prefix < b.network.prefix;
        });
        const Source* outer = nullptr;
        for (const Source& source : sources_) {
            const bool inside = outer != nullptr && outer->network.prefix <= source.network.prefix &&
                                outer->network.contains(source.network.base);
            if (!inside) {
                outer = &source;
                continue;
            }
            if (outer->term == source.term && outer->domain == source.domain) continue;  // two hosts of one term
            const auto place = [this](const Source& at) {
                return at.domain == lint_.tree.domain ? at.term : fmt::format("{} of {}", at.term, at.domain);
            };
            add(Weight::note, "overlap", fmt::format("{} is within {} already", place(source), place(*outer)));
        }
    }

    DnsCache& dns_;
    SpfLint& lint_;
    std::vector<Source> sources_;
    std::map<std::string, unsigned> included_;
    std::set<std::string> failed_;
    unsigned lookups_ = 0;
    unsigned includes_ = 0;  // around the record that is being read
};

}  // namespace

void fetch_spf(DnsCache& dns, const std::string& domain) {
    const dns::Answer& answer = dns.ask(domain, dns::Type::txt);
    const auto& texts = answer.records.texts;
    const auto record = std::ranges::find_if(texts, is_spf_record);
    if (record != texts.end()) fetch_terms(dns, parse_spf_record(*record), domain);
}

SpfLint lint_spf(DnsCache& dns, const std::string& domain) {
    SpfLint lint;
    Linter(dns, lint).run(domain);
    return lint;
}

}  // namespace mtawatch::auth
