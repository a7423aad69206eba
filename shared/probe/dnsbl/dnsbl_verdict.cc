#include "shared/probe/dnsbl/dnsbl_verdict.h"

#include <algorithm>

#include "shared/base/text.h"

namespace mtawatch::probe::dnsbl {
namespace {

// What a single A record is, before the list's own codes are looked at.
enum class RecordKind { code, foreign, blocked };

RecordKind kind_of(const DnsblList& list, const base::IpAddress& answer) {
    const std::uint32_t value = answer.v4_value();
    if (value >> 24U != 127) return RecordKind::foreign;
    if (value >> 8U == 0x7fffffU) return RecordKind::blocked;
    if (value == 0x7f000001U) {  // "you may not ask", but for a list that documents it
        const bool own = std::ranges::any_of(list.codes, [value](const ListCode& code) {
            return code.mask == 0 && code.first == value && code.last == value;
        });
        return own ? RecordKind::code : RecordKind::blocked;
    }
    const bool error =
        std::ranges::any_of(list.error_codes, [&answer](const ListCode& code) { return code.matches(answer); });
    return error ? RecordKind::blocked : RecordKind::code;
}

// Codes that more than one list uses for "you may not ask".
std::string blocked_text(const base::IpAddress& answer) {
    const std::string text = answer.to_string();
    if (text == "127.255.255.252") return text + ": the zone is written wrongly";
    if (text == "127.255.255.254") return text + ": it refuses public and open resolvers";
    if (text == "127.255.255.255") return text + ": too many queries, or the resolver is not registered";
    return text + ": it refuses this resolver";
}

std::string failed_text(const dns::Answer& answer) {
    switch (answer.failure) {
        case dns::Failure::timeout:
            return "no answer in time";
        case dns::Failure::deadline:
            return "the time of the run was over";
        default:
            return dns::failure_text(answer);
    }
}

void add_meaning(DnsblResult& result, const std::string& meaning) {
    if (meaning.empty() || result.meaning.find(meaning) != std::string::npos) return;
    if (!result.meaning.empty()) result.meaning += "; ";
    result.meaning += meaning;
}

// Takes one record in 127.0.0.0/8 that is no error code. What a list's own codes do not explain is far more likely a
// new kind of listing than an error, which have numbers of their own.
void apply_code(const DnsblList& list, const base::IpAddress& answer, DnsblResult& result) {
    const auto listing = [&result](ListSeverity severity, const std::string& meaning) {
        result.verdict = Verdict::listed;
        result.severity = std::max(result.severity, severity);
        add_meaning(result, meaning);
    };
    if (list.codes.empty()) {
        listing(list.severity, "");
        return;
    }
    bool explained = false;
    for (const ListCode& code : list.codes) {
        if (!code.matches(answer)) continue;
        explained = true;
        if (code.severity != ListSeverity::none) listing(code.severity, code.meaning);
    }
    if (!explained) listing(ListSeverity::advisory, answer.to_string() + " is a code that is not known here");
}

DnsblListState health_of_failure(const dns::Answer& answer) {
    const std::string what = "its test entry could not be looked up: " + failed_text(answer);
    switch (answer.failure) {
        case dns::Failure::refused:
            return {ListHealth::refused, "the resolver answers REFUSED for it"};
        case dns::Failure::timeout:
        case dns::Failure::deadline:
            return {ListHealth::timeout, "it does not answer"};
        default:
            return {ListHealth::untested, what};
    }
}

DnsblListState health_of_listed(const DnsblList& list, const dns::Answer& answer) {
    if (!answer.known()) return health_of_failure(answer);
    if (!answer.found()) return {ListHealth::dead, "it does not list its own test entry: emptied or shut down"};
    for (const auto& record : answer.records.addresses) {
        if (kind_of(list, record) == RecordKind::code) return {ListHealth::ok, ""};
    }
    const auto& first = answer.records.addresses.front();
    if (kind_of(list, first) == RecordKind::blocked) return {ListHealth::refused, blocked_text(first)};
    return {ListHealth::dead, fmt::format("it answers {} for its test entry: a parked domain", first.to_string())};
}

DnsblListState health_of_clean(const DnsblList& list, const dns::Answer& answer) {
    if (!answer.known()) return health_of_failure(answer);
    if (!answer.found()) return {ListHealth::ok, ""};
    const auto& records = answer.records.addresses;
    for (const auto& record : records) {
        if (kind_of(list, record) == RecordKind::blocked && record.to_string() != "127.0.0.1") {
            return {ListHealth::refused, blocked_text(record)};
        }
    }
    return {ListHealth::dead, fmt::format("it answers {} for an entry that must not be listed: it lists everything",
                                          records.front().to_string())};
}

}  // namespace

DnsblResult dnsbl_verdict(const DnsblList& list, const dns::Answer& answer) {
    DnsblResult result;
    if (!answer.known()) {
        result.refused = answer.failure == dns::Failure::refused;
        result.why = failed_text(answer);
        return result;
    }
    if (!answer.found()) {
        result.verdict = Verdict::clean;
        return result;
    }
    bool all_explained = true;
    for (const auto& record : answer.records.addresses) {
        result.codes.push_back(record.to_string());
        switch (kind_of(list, record)) {
            case RecordKind::foreign:
                result.why = fmt::format("it answers {}, outside 127.0.0.0/8: a parked domain or a rewriting resolver",
                                         record.to_string());
                all_explained = false;
                break;
            case RecordKind::blocked:
                result.why = "it answers " + blocked_text(record);
                result.refused = true;
                all_explained = false;
                break;
            case RecordKind::code:
                apply_code(list, record, result);
                break;
        }
    }
    if (result.verdict == Verdict::listed) {
        result.why.clear();
        result.refused = false;
        if (list.kind == ListKind::allow) result.severity = ListSeverity::none;
    } else if (all_explained) {
        result.verdict = Verdict::clean;
    }
    return result;
}

DnsblListState dnsbl_health(const DnsblList& list, const TestAnswers& answers) {
    for (const dns::Answer& answer : answers.listed) {
        if (auto state = health_of_listed(list, answer); state.health != ListHealth::ok) return state;
    }
    for (const dns::Answer& answer : answers.clean) {
        if (auto state = health_of_clean(list, answer); state.health != ListHealth::ok) return state;
    }
    return {ListHealth::ok, ""};
}

}  // namespace mtawatch::probe::dnsbl
