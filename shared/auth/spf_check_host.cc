#include "shared/auth/spf_check_host.h"

#include <algorithm>
#include <tl/expected.hpp>
#include <utility>

#include "shared/auth/spf_macro.h"
#include "shared/auth/spf_record.h"
#include "shared/base/text.h"
#include "shared/dns/names.h"

namespace mtawatch::auth {

namespace {

// A result that ends the whole evaluation.
struct Stop {
    SpfResult result = SpfResult::permerror;
    std::string reason;
};
template <class T>
using Step = tl::expected<T, Stop>;

tl::unexpected<Stop> stop(SpfResult result, std::string reason) {
    return tl::unexpected<Stop>(Stop{result, std::move(reason)});
}

// What one record said.
struct Verdict {
    SpfResult result = SpfResult::neutral;
    std::string reason;
    std::vector<std::string> terms;
    std::string domain;                   // whose record it was
    std::optional<SpfMacroString> exp{};  // that record's exp=
};

SpfResult result_of(char qualifier) {
    switch (qualifier) {
        case '-':
            return SpfResult::fail;
        case '~':
            return SpfResult::softfail;
        case '?':
            return SpfResult::neutral;
        default:
            return SpfResult::pass;
    }
}

bool is_ascii(std::string_view text) {
    return std::ranges::all_of(text, [](char c) { return static_cast<unsigned char>(c) < 0x80; });
}

// A name that can be asked at all. Non-ASCII can only come from a sender's local part, which matches nothing
// (RFC 8616 section 4).
bool usable(std::string_view name) { return !name.empty() && is_ascii(name) && dns::askable(name); }

// Section 4.3: well-formed, more than one label, no domain literal.
bool is_checkable_domain(std::string_view name) {
    return usable(name) && name.find('.') != std::string_view::npos && name.front() != '[';
}

// The part after the last '@' as A-labels, the rest untouched; text that IDNA refuses stays as it is.
std::string with_ascii_domain(std::string_view text) {
    if (is_ascii(text)) return std::string(text);
    const std::size_t at = text.rfind('@');
    const std::size_t start = at == std::string_view::npos ? 0 : at + 1;
    const auto ascii = dns::ascii_name(text.substr(start));
    return ascii ? std::string(text.substr(0, start)) + *ascii : std::string(text);
}

class Evaluator {
  public:
    Evaluator(DnsCache& dns, const SpfIdentity& identity, std::int64_t now) : dns_(dns) {
        values_.ip = identity.ip.unmapped();
        values_.helo = with_ascii_domain(identity.helo);
        values_.now = now;
        values_.sender = with_ascii_domain(identity.sender);
        if (values_.sender.empty()) values_.sender = values_.helo;
        if (values_.sender.find('@') == std::string::npos) values_.sender.insert(0, "@");
        if (values_.sender.front() == '@') values_.sender.insert(0, "postmaster");
        values_.validated = [this] { return validated_name(); };
    }

    SpfEvaluation run(const std::string& given) {
        std::string domain = with_ascii_domain(given);
        if (domain.ends_with('.')) domain.pop_back();
        SpfEvaluation out;
        auto verdict = check_host(domain);
        if (!verdict) verdict = Verdict{verdict.error().result, verdict.error().reason, {}, domain};
        if (verdict->result == SpfResult::fail && verdict->exp) out.explanation = explain(*verdict);
        out.result = verdict->result;
        out.terms = std::move(verdict->terms);
        out.record_domain = std::move(verdict->domain);
        out.reason = std::move(verdict->reason);
        out.lookups = lookups_;
        out.void_lookups = void_lookups_;
        return out;
    }

  private:
    // Sections 4.3 to 4.7. An included record's temperror and permerror come back as a Verdict, too.
    Step<Verdict> check_host(const std::string& domain) {
        if (!is_checkable_domain(domain)) {
            return Verdict{
                SpfResult::none, fmt::format("\"{}\" is no domain name with at least two labels", domain), {}, domain};
        }
        const dns::Answer& answer = dns_.ask(domain, dns::Type::txt);
        if (!answer.known()) {
            return stop(SpfResult::temperror, dns_.failure(domain, dns::Type::txt, answer).what);
        }
        if (!answer.found()) found_nothing_ = true;
        const std::vector<std::string>& texts = answer.records.texts;
        const auto first = std::ranges::find_if(texts, is_spf_record);
        if (first == texts.end()) {
            const char* why = answer.outcome == dns::Outcome::no_name ? "does not exist" : "has no SPF record";
            return Verdict{SpfResult::none, fmt::format("{} {}", domain, why), {}, domain};
        }
        if (std::find_if(first + 1, texts.end(), is_spf_record) != texts.end()) {
            return stop(SpfResult::permerror, fmt::format("{} has more than one SPF record", domain));
        }
        const SpfRecord record = parse_spf_record(*first);
        if (!record.valid()) {
            const SpfFault& fault = record.faults.front();
            return stop(SpfResult::permerror,
                        fmt::format("syntax error in the record of {}: {}: {}", domain, fault.term, fault.what));
        }
        return evaluate(record, domain);
    }

    Step<Verdict> evaluate(const SpfRecord& record, const std::string& domain) {
        Verdict out;
        out.domain = domain;
        if (record.exp) out.exp = record.exp->domain;
        for (const SpfTerm& term : record.mechanisms) {
            values_.domain = domain;
            via_ = {};
            auto matched = counted(term, [&] { return matches(term, domain); });
            if (!matched) return tl::unexpected<Stop>(matched.error());
            if (!*matched) continue;
            out.result = result_of(term.qualifier);
            out.terms = {term.written};
            out.terms.insert(out.terms.end(), via_.terms.begin(), via_.terms.end());
            if (!via_.domain.empty()) out.domain = via_.domain;
            return out;
        }
        if (!record.redirect) return out;
        values_.domain = domain;
        std::string target;
        auto redirected = counted(*record.redirect, [&]() -> Step<Verdict> {
            target = target_of(*record.redirect, domain);
            return check_host(target);
        });
        if (!redirected) return redirected;
        if (redirected->result == SpfResult::none) {
            return stop(SpfResult::permerror, fmt::format("{} in the record of {}: {}", record.redirect->written,
                                                          domain, redirected->reason));
        }
        redirected->terms.insert(redirected->terms.begin(), record.redirect->written);
        return redirected;
    }

    // Runs one term under the limits of section 4.6.4: ten terms that query, two that find nothing.
    template <class Function>
    auto counted(const SpfTerm& term, Function run) -> decltype(run()) {
        if (!term.queries()) return run();
        if (lookups_ == spf_max_lookups) {
            return stop(SpfResult::permerror,
                        fmt::format("more than {} terms that need DNS lookups, at {}", spf_max_lookups, term.written));
        }
        ++lookups_;
        const bool outer = std::exchange(found_nothing_, false);  // an include is a term around terms
        auto result = run();
        if (!std::exchange(found_nothing_, outer)) return result;
        ++void_lookups_;
        if (result && void_lookups_ > spf_max_void_lookups) {
            return stop(SpfResult::permerror, fmt::format("more than {} lookups that find nothing, at {}",
                                                          spf_max_void_lookups, term.written));
        }
        return result;
    }

    Step<bool> matches(const SpfTerm& term, const std::string& domain) {
        switch (term.kind) {
            case SpfKind::all:
                return true;
            case SpfKind::ip4:
            case SpfKind::ip6:
                return term.network.contains(values_.ip);
            case SpfKind::include:
                return include(term, domain);
            case SpfKind::a:
                return host_matches(target_of(term, domain), term);
            case SpfKind::mx:
                return mx(term, domain);
            case SpfKind::ptr:
                return ptr(target_of(term, domain));
            default:
                return exists(target_of(term, domain));
        }
    }

    std::string target_of(const SpfTerm& term, const std::string& domain) {
        return term.domain ? spf_target_name(expand_spf_macros(*term.domain, values_)) : domain;
    }

    // A failed lookup stops everything; one that finds nothing is remembered for the term's void count.
    Step<const dns::Answer*> ask(const std::string& name, dns::Type type) {
        const dns::Answer& answer = dns_.ask(name, type);
        if (!answer.known()) return stop(SpfResult::temperror, dns_.failure(name, type, answer).what);
        if (!answer.found()) found_nothing_ = true;
        return &answer;
    }

    dns::Type address_type() const { return values_.ip.is_v4() ? dns::Type::a : dns::Type::aaaa; }

    Step<bool> host_matches(const std::string& host, const SpfTerm& term) {
        if (!usable(host)) return false;
        const auto answer = ask(host, address_type());
        if (!answer) return tl::unexpected<Stop>(answer.error());
        const unsigned prefix = values_.ip.is_v4() ? term.prefix4 : term.prefix6;
        const auto& addresses = (*answer)->records.addresses;
        return std::ranges::any_of(addresses, [&](const base::IpAddress& address) {
            return base::IpNetwork::of(address, prefix).contains(values_.ip);
        });
    }

    Step<bool> mx(const SpfTerm& term, const std::string& domain) {
        const std::string target = target_of(term, domain);
        if (!usable(target)) return false;
        const auto answer = ask(target, dns::Type::mx);
        if (!answer) return tl::unexpected<Stop>(answer.error());
        const auto& hosts = (*answer)->records.mx;
        if (hosts.size() > spf_max_mx_hosts) {
            return stop(SpfResult::permerror, fmt::format("{} has {} MX records, more than the {} that {} may look at",
                                                          target, hosts.size(), spf_max_mx_hosts, term.written));
        }
        // Side by side, and both families: the linter of the same run asks for the other one.
        std::vector<dns::Question> questions;
        for (const dns::Mx& host : hosts) {
            if (!usable(host.host)) continue;
            for (const dns::Type type : {dns::Type::a, dns::Type::aaaa}) {
                questions.push_back({.name = host.host, .type = type});
            }
        }
        dns_.fetch(questions);
        for (const dns::Mx& host : hosts) {
            auto matched = host_matches(host.host, term);
            if (!matched || *matched) return matched;
        }
        return false;
    }

    Step<bool> exists(const std::string& target) {
        if (!usable(target)) return false;
        const auto answer = ask(target, dns::Type::a);  // A whatever the client's family is (section 5.7)
        if (!answer) return tl::unexpected<Stop>(answer.error());
        return (*answer)->found();
    }

    Step<bool> ptr(const std::string& target) {
        for (const std::string& name : reverse_names()) {
            if (dns::is_within(name, target) && is_validated(name)) return true;
        }
        return false;
    }

    // Section 5.2: what the included record says becomes a match, no match or an error.
    Step<bool> include(const SpfTerm& term, const std::string& domain) {
        auto inner = check_host(target_of(term, domain));
        if (!inner) return tl::unexpected<Stop>(inner.error());
        if (inner->result == SpfResult::none) {
            return stop(SpfResult::permerror,
                        fmt::format("{} in the record of {}: {}", term.written, domain, inner->reason));
        }
        if (inner->result != SpfResult::pass) return false;
        via_ = std::move(*inner);
        return true;
    }

    // The first names of the client's address; none when the lookup fails (section 5.5).
    std::vector<std::string> reverse_names() {
        const dns::Answer& answer = dns_.ask(dns::reverse_name(values_.ip), dns::Type::ptr);
        if (answer.known() && !answer.found()) found_nothing_ = true;
        std::vector<std::string> names = answer.records.names;
        if (names.size() > spf_max_ptr_names) names.resize(spf_max_ptr_names);
        return names;
    }

    bool is_validated(const std::string& name) {
        if (!usable(name)) return false;
        const auto& addresses = dns_.ask(name, address_type()).records.addresses;
        return std::ranges::find(addresses, values_.ip) != addresses.end();
    }

    // %{p}: the domain itself, else a name below it, else any validated name (section 7.3).
    std::string validated_name() {
        const std::vector<std::string> names = reverse_names();
        const std::string domain = values_.domain;
        const auto pick = [&](auto accept) -> std::string {
            for (const std::string& name : names) {
                if (accept(name) && is_validated(name)) return name;
            }
            return {};
        };
        std::string found = pick([&](const std::string& name) { return base::iequals(name, domain); });
        if (found.empty()) found = pick([&](const std::string& name) { return dns::is_within(name, domain); });
        if (found.empty()) found = pick([](const std::string&) { return true; });
        return found.empty() ? "unknown" : found;
    }

    // Section 6.2: any trouble on the way means no explanation; none of its lookups count.
    std::optional<std::string> explain(const Verdict& verdict) {
        values_.domain = verdict.domain;
        const std::string target = spf_target_name(expand_spf_macros(*verdict.exp, values_));
        if (!usable(target)) return std::nullopt;
        const dns::Answer& answer = dns_.ask(target, dns::Type::txt);
        if (answer.records.texts.size() != 1) return std::nullopt;
        const auto text = parse_spf_macro_string(answer.records.texts.front(), SpfMacroPlace::explanation);
        if (!text) return std::nullopt;
        return expand_spf_macros(*text, values_);
    }

    DnsCache& dns_;
    SpfMacroValues values_;
    Verdict via_;  // of the include that matched last
    bool found_nothing_ = false;
    unsigned lookups_ = 0;
    unsigned void_lookups_ = 0;
};

}  // namespace

std::string_view name(SpfResult result) {
    switch (result) {
        case SpfResult::none:
            return "none";
        case SpfResult::neutral:
            return "neutral";
        case SpfResult::pass:
            return "pass";
        case SpfResult::fail:
            return "fail";
        case SpfResult::softfail:
            return "softfail";
        case SpfResult::temperror:
            return "temperror";
        case SpfResult::permerror:
            return "permerror";
    }
    return "permerror";
}

SpfEvaluation spf_check_host(DnsCache& dns, const SpfIdentity& identity, std::int64_t now) {
    return Evaluator(dns, identity, now).run(identity.domain);
}

}  // namespace mtawatch::auth
