#include "shared/auth/spf_lint.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include "shared/auth/dmarc_walk.h"
#include "shared/auth/spf_check_host.h"
#include "shared/auth/spf_mend.h"
#include "shared/auth/spf_networks.h"
#include "shared/auth/spf_published.h"
#include "shared/auth/spf_questions.h"
#include "shared/base/text.h"
#include "shared/dns/names.h"

namespace mtawatch::auth {

namespace {

// Of the senders that a record authorises, so many are evaluated to see whether they pass.
constexpr std::size_t max_evaluated_senders = 50;

// What a term found for each family of addresses.
struct Found {
    bool v4 = false;
    bool v6 = false;
};
constexpr Found both_found{true, true};

class Linter {
  public:
    Linter(DnsCache& dns, SpfLint& lint) : dns_(dns), lint_(lint) {}

    void run(const std::string& domain) {
        lint_.tree.domain = domain;
        read_published_spf(dns_, domain, lint_);
        if (lint_.records.size() == 1) {
            lint_.tree.record = lint_.records.front();
            walk(lint_.tree, {domain}, true);
            judge_spf_networks(lint_);
            judge_voids();
        }
    }

  private:
    void add(Weight weight, std::string_view code, std::string text, std::string remedy = {}) {
        lint_.findings.add(weight, code, std::move(text), std::move(remedy));
        if (depth_ == 0) lint_.findings.items.back().term = top_term_;
    }
    // "in the record of x: " for records other than the domain's own.
    std::string in(const SpfNode& node) const {
        return node.domain == lint_.tree.domain ? std::string() : fmt::format("in the record of {}: ", node.domain);
    }

    // `path`: the domains from the top to this node. `counts`: whether what passes here passes in the end.
    void walk(SpfNode& node, const std::vector<std::string>& path, bool counts) {
        const SpfRecord record = parse_spf_record(node.record);
        if (depth_ == 0) top_term_.clear();
        for (const SpfFault& fault : record.faults) {
            add(Weight::broken, "syntax", fmt::format("{}{}: {}{}", in(node), fault.term, fault.what, hint(fault)));
        }
        fetch_spf_terms(dns_, record, node.domain);
        judge_order(record, node);
        if (record.exp && includes_ == 0) {  // an included one is never shown
            if (depth_ == 0) top_term_ = record.exp->written;
            judge_explanation(*record.exp, node);
        }
        std::set<std::string> written;
        for (const SpfTerm& term : record.mechanisms) {
            if (depth_ == 0) top_term_ = term.written;
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
        if (record.redirect && record.all() == nullptr) {
            if (depth_ == 0) top_term_ = record.redirect->written;
            follow_redirect(*record.redirect, node, path, counts);
        }
        if (depth_ == 0) top_term_.clear();
        if (!record.redirect && record.all() == nullptr && node.term.empty()) {
            add(Weight::weak, "no-all", "the record ends without all, so everyone else is neutral",
                "append ~all, or -all when every sender is listed");
        }
    }

    // What the term was meant to be, where the reader of the record did not say it.
    static std::string hint(const SpfFault& fault) {
        if (fault.what.find("write ") != std::string::npos || fault.what.find("blank") != std::string::npos) return {};
        const auto words = mended_spf_word(fault.term);
        return words ? fmt::format("; write {}", fmt::join(*words, " ")) : std::string();
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
            if (base::iequals(term.written, "v=spf1")) {
                add(Weight::weak, "doubled-version", fmt::format("{}v=spf1 stands there twice; remove one", in(node)));
            }
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
        const auto target = spf_constant_target(term, node.domain);
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

    // `found` of what the term asks; a failed lookup counts as found.
    void count(SpfNode& node, const SpfTerm& term, Found found) {
        ++lookups_;
        ++node.lookups;
        if (!found.v4) voids_v4_.push_back(term.written);
        if (!found.v6) voids_v6_.push_back(term.written);
        if (found.v4 || found.v6) return;
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
            return count(node, term, both_found);
        }
        judge_name(term, node);
        const auto target = spf_constant_target(term, node.domain);
        if (!target) {
            is_takeover(term, spf_constant_tail(*term.domain), node);
            return count(node, term, both_found);
        }
        switch (term.kind) {
            case SpfKind::include:
                return follow_include(term, *target, node, path, counts);
            case SpfKind::a:
                return visit_a(term, *target, node, counts);
            case SpfKind::mx:
                return visit_mx(term, *target, node, counts);
            default: {
                const dns::Answer& answer = dns_.ask(*target, dns::Type::a);
                if (!answer.known()) add_failure(*target, dns::Type::a, answer);
                if (answer.outcome == dns::Outcome::no_name && is_takeover(term, *target, node)) {
                    return count_takeover(node);
                }
                const bool found = !answer.known() || answer.found();
                return count(node, term, {found, found});
            }
        }
    }

    void add_failure(const std::string& name, dns::Type type, const dns::Answer& answer) {
        if (!failed_.insert(name).second) return;
        add(Weight::unseen, "lookup-failed", dns_.failure(name, type, answer).what);
    }

    void add_network(const SpfTerm& term, const SpfNode& node, bool counts) {
        auto& items = lint_.findings.items;
        const std::size_t before = items.size();
        judge_spf_network(term, in(node), lint_.findings);
        for (std::size_t i = before; depth_ == 0 && i < items.size(); ++i) items[i].term = term.written;
        if (counts) add_source(term.network, term, node);
    }

    void add_source(const base::IpNetwork& network, const SpfTerm& term, const SpfNode& node) {
        lint_.sources.push_back({network, term.written, node.domain, top_term_});
        // Receivers that count every host of an mx term as a lookup give up here (RFC 7208 section 4.6.4 says "terms").
        const bool v4 = network.base.is_v4();
        if ((v4 ? host_voids_v4_ : host_voids_v6_) > spf_max_void_lookups && strict_sender_.empty()) {
            strict_sender_ = network.to_string();
        }
    }

    // Adds the addresses of hosts. A host without any is void for that family, as receivers see it.
    Found add_hosts(const std::vector<std::string>& hosts, const SpfTerm& term, const SpfNode& node, bool counts) {
        Found all = both_found;
        Found any;
        for (const std::string& host : hosts) {
            if (!dns::askable(host)) continue;
            for (const dns::Type type : {dns::Type::a, dns::Type::aaaa}) {
                const bool v4 = type == dns::Type::a;
                const dns::Answer& answer = dns_.ask(host, type);
                if (!answer.known()) add_failure(host, type, answer);
                const bool found = !answer.known() || answer.found();
                (v4 ? any.v4 : any.v6) |= found;
                (v4 ? all.v4 : all.v6) &= found;
                if (!found) ++(v4 ? host_voids_v4_ : host_voids_v6_);
                for (const base::IpAddress& address : answer.records.addresses) {
                    const unsigned prefix = address.is_v4() ? term.prefix4 : term.prefix6;
                    if (counts) add_source(base::IpNetwork::of(address, prefix), term, node);
                }
            }
        }
        // With nothing at all the term is void; with something, each family that lacks a host is.
        return any.v4 || any.v6 ? all : Found{};
    }

    void visit_a(const SpfTerm& term, const std::string& target, SpfNode& node, bool counts) {
        const bool gone = dns_.ask(target, dns::Type::a).outcome == dns::Outcome::no_name;
        if (gone && is_takeover(term, target, node)) return count_takeover(node);
        count(node, term, add_hosts({target}, term, node, counts));
    }

    // A name that anyone may register finds nothing today.
    void count_takeover(SpfNode& node) {
        ++lookups_;
        ++node.lookups;
        ++node.void_lookups;
    }

    void visit_mx(const SpfTerm& term, const std::string& target, SpfNode& node, bool counts) {
        const dns::Answer& answer = dns_.ask(target, dns::Type::mx);
        if (!answer.known()) {
            add_failure(target, dns::Type::mx, answer);
            return count(node, term, both_found);
        }
        if (answer.outcome == dns::Outcome::no_name && is_takeover(term, target, node)) return count_takeover(node);
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
        const Found found = add_hosts(hosts, term, node, counts);
        count(node, term, found);
        for (const std::string& host : hosts) {
            const std::size_t addresses = dns_.ask(host, dns::Type::a).records.addresses.size();
            if (addresses > spf_max_mx_hosts) {
                add(Weight::note, "many-addresses",
                    fmt::format("{}{}: {} has {} addresses; some receivers look at {} only", in(node), term.written,
                                host, addresses, spf_max_mx_hosts));
            }
            if (dns_.ask(host, dns::Type::a).outcome == dns::Outcome::no_name) is_takeover(term, host, node);
        }
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
        } else if (!dns::is_host_name(target)) {
            add(Weight::broken, "no-host-name",
                fmt::format("{}{}: {} is no domain name, so every receiver sees an error{}", in(node), term.written,
                            target, name_hint(term)));
        } else if (answer.outcome != dns::Outcome::no_name || !is_takeover(term, target, node)) {
            add(Weight::broken, "dangling",
                fmt::format("{}{}: {} {}, so every receiver sees an error; remove the term", in(node), term.written,
                            target, answer.outcome == dns::Outcome::no_name ? "does not exist" : "has no SPF record"));
        }
        return std::nullopt;
    }

    static std::string name_hint(const SpfTerm& term) {
        const auto words = mended_spf_word(term.written);
        if (words) return fmt::format("; write {}", fmt::join(*words, " "));
        return "; write the domain that has the record, which is no mail address";
    }

    // A value that stands for nothing a receiver can ask for.
    void judge_name(const SpfTerm& term, const SpfNode& node) {
        const auto words = mended_spf_word(term.written);
        // Judged where its record is looked for.
        const bool followed = term.kind == SpfKind::include && spf_constant_target(term, node.domain);
        if (!term.domain || followed || !words || (words->size() == 1 && words->front() == term.written)) return;
        add(Weight::weak, "no-host-name",
            fmt::format("{}{} is not what was meant; write {}", in(node), term.written, fmt::join(*words, " ")));
    }

    // Whether nobody has registered the domain that a name belongs to. Says so.
    bool is_takeover(const SpfTerm& term, const std::string& target, const SpfNode& node) {
        if (!dns::is_host_name(target) || !is_unregistered(dns_, target)) return false;
        add(Weight::broken, "takeover",
            fmt::format("{}{}: {} is not registered: whoever registers it may send as you; remove the term at once",
                        in(node), term.written, registrable_domain(target)));
        return true;
    }

    void descend(SpfNode& child, SpfNode& node, std::vector<std::string> path, bool counts) {
        if (std::ranges::find(path, child.domain) != path.end()) {
            add(Weight::broken, "loop", fmt::format("{}{} leads back to itself", in(node), child.term));
            return;
        }
        path.push_back(child.domain);
        ++depth_;
        walk(child, path, counts);
        --depth_;
        node.lookups += child.lookups;
        node.void_lookups += child.void_lookups;
    }

    void follow_include(const SpfTerm& term, const std::string& target, SpfNode& node,
                        const std::vector<std::string>& path, bool counts) {
        auto record = record_of(target, term, node);
        count(node, term, both_found);
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
        count(node, term, both_found);
        const auto target = spf_constant_target(term, node.domain);
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

    // An IPv4-only host is void for an IPv6 sender and the other way round: too many of them before the term that has
    // the sender's address, and it does not pass (RFC 7208 section 4.6.4).
    void judge_voids() {
        if (!failed_.empty()) return;
        for (const bool v4 : {false, true}) {
            const std::vector<std::string>& voids = v4 ? voids_v4_ : voids_v6_;
            if (voids.size() <= spf_max_void_lookups || lint_.tree.void_lookups > spf_max_void_lookups) continue;
            const auto sender = sender_that_errs(v4);
            if (!sender) continue;
            add(Weight::broken, v4 ? "void-ipv4" : "void-ipv6",
                fmt::format(
                    "{} terms find no IPv{} address ({}), and receivers stop after {}: senders such as {} get a "
                    "permanent error",
                    voids.size(), v4 ? 4 : 6, fmt::join(voids, ", "), spf_max_void_lookups, *sender),
                fmt::format("put the terms with ip{}: first", v4 ? 4 : 6));
        }
        if (strict_sender_.empty() || lint_.findings.has("void-ipv6") || lint_.findings.has("void-ipv4")) return;
        if (lint_.tree.void_lookups > spf_max_void_lookups) return;
        add(Weight::weak, "void-mx-hosts",
            fmt::format("receivers that count each host without an address of the sender's family (pyspf) give {} a "
                        "permanent error",
                        strict_sender_),
            "put the terms with ip4: and ip6: first");
    }

    std::optional<std::string> sender_that_errs(bool v4) {
        std::size_t evaluated = 0;
        for (const SpfSource& source : lint_.sources) {
            if (source.network.base.is_v4() != v4 || ++evaluated > max_evaluated_senders) continue;
            const SpfIdentity identity{lint_.tree.domain, source.network.base, "postmaster@" + lint_.tree.domain,
                                       lint_.tree.domain};
            if (spf_check_host(dns_, identity, 0).result == SpfResult::permerror)
                return source.network.base.to_string();
        }
        return std::nullopt;
    }

    DnsCache& dns_;
    SpfLint& lint_;
    std::map<std::string, unsigned> included_;
    std::set<std::string> failed_;
    unsigned lookups_ = 0;
    unsigned includes_ = 0;  // around the record that is being read
    unsigned depth_ = 0;     // records around it, redirects too; 0: the domain's own
    std::string top_term_;   // of the domain's own record, that is being followed
    // Terms void for senders of a family, and hosts one by one as some receivers count them.
    std::vector<std::string> voids_v4_;
    std::vector<std::string> voids_v6_;
    unsigned host_voids_v4_ = 0;
    unsigned host_voids_v6_ = 0;
    std::string strict_sender_;
};

}  // namespace

SpfLint lint_spf(DnsCache& dns, const std::string& domain) {
    SpfLint lint;
    Linter(dns, lint).run(domain);
    return lint;
}

}  // namespace mtawatch::auth
