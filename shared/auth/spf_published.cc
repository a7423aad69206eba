#include "shared/auth/spf_published.h"

#include <fmt/format.h>

#include <set>

#include "shared/base/text.h"

namespace mtawatch::auth {

namespace {

constexpr std::size_t long_record_bytes = 450;  // with its question and header it still fits 512 bytes
// What resolvers take over UDP (DNS flag day 2020), less 80 bytes for question, header and a few records' own.
constexpr std::size_t large_answer_bytes = 1232 - 80;
constexpr std::uint32_t short_ttl = 300;
constexpr std::uint32_t long_ttl = 86'400;

bool is_near_miss(std::string_view text) {
    const std::string_view bare = base::trim(text);
    return base::icontains(bare.substr(0, 8), "spf1") || base::iequals(bare.substr(0, 6), "v=spf ");
}

// A domain without mail hosts does not send either, as far as anyone can see.
bool takes_mail(DnsCache& dns, const std::string& domain) {
    const dns::Answer& answer = dns.ask(domain, dns::Type::mx);
    return answer.found() && !answer.records.mx.front().host.empty();
}

// All terms of all records once, the strictest `all` last.
std::string merged(const std::vector<std::string>& records) {
    std::string out = "v=spf1";
    std::set<std::string> seen;
    char all = '+';
    for (const std::string& text : records) {
        const SpfRecord record = parse_spf_record(text);
        for (const SpfTerm& term : record.mechanisms) {
            if (term.kind == SpfKind::all) {
                constexpr std::string_view order = "+?~-";
                if (order.find(term.qualifier) > order.find(all)) all = term.qualifier;
            } else if (seen.insert(term.written).second) {
                out += " " + term.written;
            }
        }
        if (record.redirect && record.redirect->domain) out += " include:" + record.redirect->domain->written;
    }
    return out + (all == '+' ? " -all" : fmt::format(" {}all", all));
}

void judge_form(SpfLint& lint) {
    Findings& findings = lint.findings;
    if (lint.records.size() > 1) {
        findings.add(Weight::broken, "several-records",
                     fmt::format("{} SPF records, so every receiver sees an error; replace them by one: \"{}\"",
                                 lint.records.size(), merged(lint.records)));
    }
    for (const std::string& record : lint.records) {
        if (record.size() > long_record_bytes) {
            findings.add(Weight::note, "long-record",
                         fmt::format("the record has {} bytes; up to {} it fits a small DNS answer", record.size(),
                                     long_record_bytes));
        }
    }
    if (lint.answer_bytes > large_answer_bytes) {
        findings.add(Weight::note, "large-answer",
                     fmt::format("all TXT records of the name have {} bytes, so every receiver asks again over TCP; "
                                 "remove what is no longer needed",
                                 lint.answer_bytes));
    }
    if (lint.ttl < short_ttl) {
        findings.add(Weight::note, "short-ttl",
                     fmt::format("TTL {} s: receivers ask for it again and again", lint.ttl));
    } else if (lint.ttl > long_ttl) {
        findings.add(Weight::note, "long-ttl", fmt::format("TTL {} s: a mistake stays for more than a day", lint.ttl));
    }
}

}  // namespace

void read_published_spf(DnsCache& dns, const std::string& domain, SpfLint& lint) {
    const dns::Answer& answer = dns.ask(domain, dns::Type::txt);
    if (!answer.known()) {
        lint.findings.add(Weight::unseen, "lookup-failed", dns.failure(domain, dns::Type::txt, answer).what);
        return;
    }
    for (const std::string& text : answer.records.texts) {
        lint.answer_bytes += text.size();
        if (is_spf_record(text)) {
            lint.records.push_back(text);
        } else if (is_near_miss(text)) {
            lint.findings.add(Weight::broken, "near-miss",
                              fmt::format("\"{}\" is no SPF record: it must begin with exactly v=spf1 and a blank",
                                          base::one_line(text, 60)));
        } else if (text.starts_with("spf2.0/")) {
            lint.findings.add(Weight::note, "sender-id", "a Sender ID record (spf2.0) is obsolete; remove it");
        }
    }
    if (lint.records.empty()) {
        const bool no_name = answer.outcome == dns::Outcome::no_name;
        lint.findings.add(Weight::absent, "absent",
                          fmt::format("{}; publish: {}. IN TXT \"v=spf1{} -all\"",
                                      no_name ? "there is no such domain" : "there is no SPF record", domain,
                                      takes_mail(dns, domain) ? " mx" : ""));
        return;
    }
    lint.ttl = answer.records.ttl;
    judge_form(lint);
}

}  // namespace mtawatch::auth
