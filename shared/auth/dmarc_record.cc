#include "shared/auth/dmarc_record.h"

#include <fmt/core.h>

#include <algorithm>
#include <array>

#include "shared/auth/tag_list.h"
#include "shared/base/text.h"

namespace mtawatch::auth {

namespace {

constexpr std::array<std::string_view, 10> known_tags{"v", "p", "sp", "np", "rua", "ruf", "fo", "adkim", "aspf", "psd"};
constexpr std::array<std::string_view, 3> removed_tags{"pct", "rf", "ri"};

std::optional<DmarcPolicy> read_policy(std::string_view word) {
    for (const DmarcPolicy policy : {DmarcPolicy::none, DmarcPolicy::quarantine, DmarcPolicy::reject}) {
        if (base::iequals(word, name(policy))) return policy;
    }
    return std::nullopt;
}

// The tags without regard to case, a broken piece being skipped and not fatal (section 4.7).
TagList read_tags(std::string_view text) {
    TagList list = parse_tag_list(text);
    for (Tag& tag : list.tags) tag.name = base::to_lower(tag.name);
    for (Finding& finding : list.findings.items) {
        finding.weight = Weight::weak;
        finding.text += "; receivers read such a record differently";
    }
    return list;
}

// p, sp and np; false when one that is there is no policy.
bool read_policies(const TagList& list, DmarcRecord& record) {
    bool good = true;
    const auto read = [&](const char* tag, std::optional<DmarcPolicy>& into) {
        const std::string* value = list.find(tag);
        if (value == nullptr) return;
        into = read_policy(*value);
        if (into) return;
        good = false;
        record.findings.add(Weight::broken, "bad-policy",
                            fmt::format("{}={} is no policy; write {}=none, quarantine or reject", tag, *value, tag));
    };
    read("p", record.p);
    read("sp", record.sp);
    read("np", record.np);
    if (list.find("p") == nullptr) {
        good = false;
        record.findings.add(Weight::broken, "no-policy", "p= is missing after v=DMARC1");
    }
    return good;
}

bool is_one_of(std::string_view value, std::string_view letters) {
    return value.size() == 1 && letters.find(base::lower(value[0])) != std::string_view::npos;
}

// A value from a set of letters, or the default with a finding.
char read_letter(const TagList& list, std::string_view tag, std::string_view letters, char fallback,
                 Findings& findings) {
    const std::string* value = list.find(tag);
    if (value == nullptr) return fallback;
    if (is_one_of(*value, letters)) return base::lower((*value)[0]);
    findings.add(Weight::weak, "bad-value",
                 fmt::format("{}={} is ignored; it takes one of the letters {}", tag, *value, letters));
    return fallback;
}

void read_failure_options(const TagList& list, Findings& findings) {
    const std::string* value = list.find("fo");
    if (value == nullptr) return;
    const std::vector<std::string> words = words_of(*value, ':');
    if (!std::ranges::all_of(words, [](const std::string& word) { return is_one_of(word, "01ds"); })) {
        findings.add(Weight::weak, "bad-value", fmt::format("fo={} is ignored; write fo=1", *value));
        return;
    }
    if (std::ranges::count(words, "0") > 0 && std::ranges::count(words, "1") > 0) {
        findings.add(Weight::note, "contradictory-fo", "fo= asks for 0 and for 1, which holds 0 already; write fo=1");
    }
    if (list.find("ruf") == nullptr) {
        findings.add(Weight::note, "unused-fo", "fo= does nothing without ruf=");
    }
}

void check_tags(const TagList& list, Findings& findings) {
    for (const Tag& tag : list.tags) {
        if (std::ranges::find(removed_tags, tag.name) != removed_tags.end()) {
            const bool matters = tag.name == "pct" && tag.value != "100";
            findings.add(
                matters ? Weight::weak : Weight::note, "removed-tag",
                matters ? fmt::format("pct={} was removed by RFC 9989: newer receivers apply the policy to all "
                                      "mail, older ones to a part",
                                      tag.value)
                        : fmt::format("{}= was removed by RFC 9989; remove it", tag.name),
                matters ? "remove pct=, or for a trial write the next weaker policy (t=y is new: most receivers "
                          "do not know it and apply the policy in full)"
                        : "");
        } else if (tag.name != "t" && std::ranges::find(known_tags, tag.name) == known_tags.end()) {
            findings.add(Weight::note, "unknown-tag", fmt::format("{}= is no tag of DMARC; it is ignored", tag.name));
        }
    }
    if (list.tags.size() > 1 && list.tags[1].name != "p" && list.find("p") != nullptr) {
        findings.add(Weight::weak, "policy-not-second",
                     "p= is not right after v=DMARC1, as RFC 7489 receivers want it");
    }
}

void check_addresses(const DmarcRecord& record, Findings& findings) {
    if (record.rua.empty()) {
        findings.add(Weight::weak, "no-rua", "rua= is missing, so nobody tells you what fails",
                     "add rua=mailto:ADDRESS with an address that somebody reads");
    }
    if (record.rua.size() > 2) {
        findings.add(Weight::note, "many-rua",
                     fmt::format("{} rua addresses; receivers may send to two only", record.rua.size()));
    }
    for (const ReportUri& uri : record.rua) {
        if (uri.has_size) {
            findings.add(Weight::note, "obsolete-size",
                         fmt::format("{}: the size limit is obsolete (RFC 9989)", uri.text));
        }
    }
}

bool has_valid(const std::vector<ReportUri>& uris) {
    return std::ranges::any_of(uris, [](const ReportUri& uri) { return uri.valid(); });
}

}  // namespace

std::string_view name(DmarcPolicy policy) {
    switch (policy) {
        case DmarcPolicy::none:
            return "none";
        case DmarcPolicy::quarantine:
            return "quarantine";
        case DmarcPolicy::reject:
            return "reject";
    }
    return "none";
}

DmarcPolicy weakened(DmarcPolicy policy) {
    return policy == DmarcPolicy::reject ? DmarcPolicy::quarantine : DmarcPolicy::none;
}

bool is_dmarc_record(std::string_view text) {
    const std::size_t equals = text.find('=');
    if (equals == std::string_view::npos || text.empty() || base::lower(text[0]) != 'v') return false;
    if (base::trim(text.substr(0, equals)).size() != 1) return false;
    const std::string_view value = text.substr(equals + 1);
    return base::trim(value.substr(0, value.find(';'))) == "DMARC1";
}

DmarcRecord parse_dmarc_record(std::string_view text) {
    DmarcRecord record;
    record.text = text;
    const TagList list = read_tags(text);
    record.findings = list.findings;
    const bool good = read_policies(list, record);
    if (const std::string* value = list.find("rua")) {
        record.rua = parse_report_uris(*value, "rua", false, record.findings);
    }
    if (const std::string* value = list.find("ruf")) {
        record.ruf = parse_report_uris(*value, "ruf", false, record.findings);
    }
    for (Finding& finding : record.findings.items) {
        if (finding.code == "bad-uri") finding.weight = Weight::weak;  // reports are lost, the policy is not
    }
    if (!good) {
        record.applies = has_valid(record.rua);
        record.p = record.sp = record.np = std::nullopt;
        record.findings.add(
            Weight::broken, record.applies ? "counts-as-none" : "not-applied",
            record.applies ? "receivers act as if p=none were said" : "receivers apply no DMARC at all");
    }
    record.test_mode = read_letter(list, "t", "yn", 'n', record.findings) == 'y';
    record.strict_dkim = read_letter(list, "adkim", "rs", 'r', record.findings) == 's';
    record.strict_spf = read_letter(list, "aspf", "rs", 'r', record.findings) == 's';
    const char psd = read_letter(list, "psd", "ynu", 'u', record.findings);
    record.psd = psd == 'y' ? DmarcPsd::yes : psd == 'n' ? DmarcPsd::no : DmarcPsd::unsaid;
    read_failure_options(list, record.findings);
    check_tags(list, record.findings);
    check_addresses(record, record.findings);
    return record;
}

}  // namespace mtawatch::auth
