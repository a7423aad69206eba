#include "shared/auth/mta_sts.h"

#include <fmt/core.h>

#include <algorithm>
#include <set>

#include "shared/auth/tag_list.h"
#include "shared/base/ip.h"
#include "shared/base/text.h"
#include "shared/dns/names.h"

namespace mtawatch::auth {

namespace {

constexpr std::string_view version = "v=STSv1";
constexpr std::uint64_t one_day = 86'400;

bool is_id(std::string_view id) {
    return !id.empty() && id.size() <= 32 &&
           std::ranges::all_of(id, [](char c) { return base::is_alpha(c) || base::is_digit(c); });
}

void read_mx(std::string_view value, StsPolicy& policy) {
    const std::string_view host = value.starts_with("*.") ? value.substr(2) : value;
    const bool is_name = dns::is_host_name(host.ends_with('.') ? host.substr(0, host.size() - 1) : host);
    if (base::IpAddress::parse(host)) {
        policy.findings.add(Weight::broken, "bad-mx",
                            fmt::format("\"mx: {}\" is an address, which covers no mail host; write its name", value));
        return;
    }
    if (!is_name) {
        policy.findings.add(Weight::broken, "bad-mx",
                            fmt::format("\"mx: {}\" is no host name and no *.DOMAIN", base::one_line(value, 60)));
        return;
    }
    if (host.ends_with('.')) {
        policy.findings.add(Weight::weak, "mx-dot",
                            fmt::format("\"mx: {}\" ends in a dot, which RFC 8461 3.2 does not have: some senders "
                                        "match no host with it; remove the dot",
                                        value));
    }
    policy.mx.push_back(base::to_lower(value));
}

void read_max_age(std::string_view value, StsPolicy& policy) {
    const auto seconds = base::to_number<std::uint64_t>(value);
    if (!seconds || value.size() > 10) {
        policy.findings.add(Weight::broken, "bad-max-age",
                            fmt::format("\"max_age: {}\" is no number of seconds", value));
        return;
    }
    policy.max_age = *seconds;
    if (*seconds > sts_longest_max_age) {
        policy.findings.add(Weight::broken, "long-max-age",
                            fmt::format("max_age: {} is more than the {} allowed", *seconds, sts_longest_max_age));
    } else if (*seconds < one_day) {
        policy.findings.add(Weight::weak, "short-max-age",
                            fmt::format("max_age: {} protects for less than a day; write max_age: 604800", *seconds));
    }
}

void read_mode(std::string_view value, StsPolicy& policy) {
    for (const StsMode mode : {StsMode::none, StsMode::testing, StsMode::enforce}) {
        if (value == name(mode)) policy.mode = mode;
    }
    if (!policy.mode) {
        policy.findings.add(Weight::broken, "bad-mode",
                            fmt::format("\"mode: {}\" is none of enforce, testing, none", value));
    }
}

bool is_key(std::string_view key) {
    return !key.empty() && std::ranges::all_of(key, [](char c) {
        return base::is_alpha(c) || base::is_digit(c) || c == '_' || c == '-' || c == '.';
    });
}

void require_keys(const std::set<std::string>& seen, StsPolicy& policy) {
    for (const char* key : {"version", "mode", "max_age"}) {
        if (!seen.contains(key)) {
            policy.findings.add(Weight::broken, "missing-key", fmt::format("\"{}:\" is missing", key));
        }
    }
    if (policy.mx.empty() && policy.mode != StsMode::none && !policy.findings.has("bad-mx")) {
        policy.findings.add(Weight::broken, "missing-key", "\"mx:\" is missing");
    }
}

}  // namespace

bool is_sts_record(std::string_view text) {
    if (!text.starts_with(version)) return false;
    const std::string_view rest = base::trim(text.substr(version.size()));
    return rest.empty() || rest.front() == ';';
}

StsRecord parse_sts_record(std::string_view text) {
    StsRecord record;
    const TagList list = parse_tag_list(text);
    record.findings = list.findings;
    const std::string* id = list.find("id");
    if (id == nullptr) {
        record.findings.add(Weight::broken, "no-id", "id= is missing");
    } else if (!is_id(*id)) {
        record.findings.add(Weight::broken, "bad-id",
                            fmt::format("id={} is not 1 to 32 letters and digits", base::one_line(*id, 60)));
    } else {
        record.id = *id;
    }
    return record;
}

std::string_view name(StsMode mode) {
    switch (mode) {
        case StsMode::none:
            return "none";
        case StsMode::testing:
            return "testing";
        case StsMode::enforce:
            return "enforce";
    }
    return "none";
}

StsPolicy parse_sts_policy(std::string_view text) {
    StsPolicy policy;
    std::set<std::string> seen;
    constexpr std::string_view byte_order_mark = "\xef\xbb\xbf";
    if (text.starts_with(byte_order_mark)) {
        text.remove_prefix(byte_order_mark.size());
        policy.findings.add(Weight::broken, "byte-order-mark",
                            "the file begins with a byte order mark, so senders cannot read its first line; save it "
                            "as UTF-8 without one");
    }
    for (std::string_view line : base::split(text, '\n')) {
        line = base::trim(line);
        if (line.empty()) continue;
        const std::size_t colon = line.find(':');
        const std::string key(base::trim(line.substr(0, colon)));
        if (colon == std::string_view::npos || !is_key(key)) {
            policy.findings.add(Weight::broken, "bad-line",
                                fmt::format("\"{}\" is no line of a policy", base::one_line(line, 60)));
            continue;
        }
        const std::string_view value = base::trim(line.substr(colon + 1));
        const bool repeated = !seen.insert(key).second && key != "mx";
        if (repeated) {
            policy.findings.add(Weight::weak, "duplicate-key",
                                fmt::format("\"{}:\" stands there twice; only the first one counts", key));
            continue;
        }
        if (key == "version" && value != "STSv1") {
            policy.findings.add(Weight::broken, "bad-version", fmt::format("\"version: {}\" is not STSv1", value));
        }
        if (key == "mode") read_mode(value, policy);
        if (key == "max_age") read_max_age(value, policy);
        if (key == "mx") read_mx(value, policy);
    }
    require_keys(seen, policy);
    return policy;
}

bool sts_covers(std::string_view pattern, std::string_view host) {
    if (pattern.ends_with('.')) pattern.remove_suffix(1);
    if (!pattern.starts_with("*.")) return base::iequals(pattern, host);
    const std::size_t dot = host.find('.');
    return dot != std::string_view::npos && dot > 0 && base::iequals(pattern.substr(2), host.substr(dot + 1));
}

}  // namespace mtawatch::auth
