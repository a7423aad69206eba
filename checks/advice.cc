#include "checks/advice.h"

#include <fmt/format.h>

#include <algorithm>

namespace mtawatch::checks {

namespace {

using plugin::Detail;
using plugin::Report;
using plugin::State;

bool alarms(const Detail& detail) { return detail.level == 0 && detail.state != State::ok; }

// Whether the report says the same, or worse.
bool says(const Report& report, const Detail& detail) {
    return std::ranges::any_of(report.details, [&detail](const Detail& other) {
        return alarms(other) && other.text == detail.text &&
               plugin::severity(other.state) >= plugin::severity(detail.state);
    });
}

}  // namespace

bool mends(const Report& before, const Report& after, const std::function<bool(std::string_view)>& allowed) {
    const bool harms = std::ranges::any_of(after.details, [&](const Detail& detail) {
        return alarms(detail) && !says(before, detail) && !allowed(detail.text);
    });
    return !harms && std::ranges::any_of(before.details, [&after](const Detail& detail) {
        return alarms(detail) && !says(after, detail);
    });
}

void say_lines(Report& report, const Report& before, const Report& after, const std::vector<std::string>& lines) {
    Detail* worst = nullptr;
    for (std::size_t i = 0; i < before.details.size() && i < report.details.size(); ++i) {
        if (!alarms(before.details[i]) || says(after, before.details[i])) continue;
        Detail& detail = report.details[i];
        if (worst == nullptr || plugin::severity(detail.state) > plugin::severity(worst->state)) worst = &detail;
    }
    if (worst == nullptr) return;
    const std::string text = fmt::format("; publish: {}", fmt::join(lines, " and "));
    // A line that is cut would be a wrong one.
    if (worst->text.size() + text.size() <= plugin::max_line_bytes) {
        worst->text += text;
    } else {
        worst->text += "; the record to publish is too long for this line: see \"publish\" with -o json";
    }
}

std::vector<std::string> zone_lines(const std::vector<probe::mail_auth::Publication>& records) {
    std::vector<std::string> lines;
    lines.reserve(records.size());
    for (const auto& record : records) lines.push_back(auth::zone_line(record));
    return lines;
}

}  // namespace mtawatch::checks
