#include "shared/auth/spf_published.h"

#include <fmt/format.h>

#include "shared/auth/dmarc_walk.h"
#include "shared/auth/mail_provider.h"
#include "shared/auth/spf_mend.h"
#include "shared/base/text.h"

namespace mtawatch::auth {

namespace {

constexpr std::size_t long_record_bytes = 450;  // with its question and header it still fits 512 bytes
// What resolvers take over UDP (DNS flag day 2020), less 80 bytes for question, header and a few records' own.
constexpr std::size_t large_answer_bytes = 1232 - 80;
constexpr std::uint32_t short_ttl = 300;
constexpr std::uint32_t long_ttl = 86'400;

// Receivers discard them (RFC 7208 section 4.5): beside one record they cost nothing.
void judge_near_misses(SpfLint& lint) {
    for (const std::string& text : lint.near_misses) {
        const std::string shown = base::one_line(text, 60);
        if (lint.records.size() == 1) {
            lint.findings.add(
                Weight::note, "stray",
                fmt::format("\"{}\" beside the record is no SPF record, so receivers skip it; remove it", shown));
        } else {
            lint.findings.add(
                Weight::broken, "near-miss",
                fmt::format("\"{}\" is no SPF record: it must begin with exactly v=spf1 and a blank", shown));
        }
    }
}

// What a domain sends from cannot be seen in the DNS; only where its mail is hosted.
std::string what_to_publish(DnsCache& dns, const std::string& domain, const SpfLint& lint) {
    if (!lint.near_misses.empty()) return {};  // it has a record, badly written
    if (is_unregistered(dns, domain)) return fmt::format("is {} spelled right?", registrable_domain(domain));
    if (const MailProvider* provider = mail_provider_of(dns, domain)) {
        return fmt::format(
            "its mail is hosted by {}, which sends with include:{}: publish that with ip4:ADDRESS of "
            "every other sender in front, and ~all at the end",
            provider->name, provider->include);
    }
    return "publish one that lists your sending addresses: \"v=spf1 ip4:ADDRESS ~all\"; \"v=spf1 -all\" only if the "
           "domain sends nothing";
}

void judge_form(SpfLint& lint) {
    Findings& findings = lint.findings;
    if (lint.records.size() > 1) {
        findings.add(Weight::broken, "several-records",
                     fmt::format("{} SPF records, so every receiver sees an error", lint.records.size()),
                     "replace them by one record that has the terms of all");
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
        } else if (is_spf_near_miss(text)) {
            lint.near_misses.push_back(text);
        } else if (text.starts_with("spf2.0/")) {
            lint.findings.add(Weight::note, "sender-id", "a Sender ID record (spf2.0) is obsolete; remove it");
        }
    }
    judge_near_misses(lint);
    if (lint.records.empty()) {
        const bool no_name = answer.outcome == dns::Outcome::no_name;
        lint.findings.add(Weight::absent, "absent", no_name ? "there is no such domain" : "there is no SPF record",
                          what_to_publish(dns, domain, lint));
        return;
    }
    lint.ttl = answer.records.ttl;
    judge_form(lint);
}

}  // namespace mtawatch::auth
