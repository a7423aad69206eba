#include "shared/plugin/report.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <iterator>

#include "shared/base/json.h"
#include "shared/base/text.h"

namespace mtawatch::plugin {

namespace {

constexpr std::string_view nothing_checked = "nothing was checked";

bool judges(const Detail& detail) { return detail.level == 0; }

std::string upper_name(std::string_view plugin) {
    constexpr std::string_view prefix = "check_";
    if (plugin.substr(0, prefix.size()) == prefix) plugin.remove_prefix(prefix.size());
    std::string result(plugin);
    for (char& c : result) {
        if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 32);
    }
    return result;
}

// Text that can neither begin a line nor pass for perfdata.
std::string safe(std::string_view text) {
    std::string result = base::one_line(text, max_line_bytes);
    std::ranges::replace(result, '|', '!');
    if (text.size() > max_line_bytes) result += " ...";
    return std::string(base::trim(result));
}

// Worst first, otherwise in the order in which they were added.
std::vector<const Detail*> sorted(const Report& report) {
    std::vector<const Detail*> details;
    for (const Detail& detail : report.details) details.push_back(&detail);
    std::ranges::stable_sort(details, [](const Detail* a, const Detail* b) {
        if (judges(*a) != judges(*b)) return judges(*a);
        return severity(a->state) > severity(b->state);
    });
    return details;
}

// The first line's text, and whether it is that of the worst detail, which then needs no line of its own.
struct Headline {
    std::string text;
    bool is_worst_detail = false;
};

Headline headline(const Report& report, const std::vector<const Detail*>& details) {
    if (!report.summary.empty()) return {report.summary, false};
    if (details.empty() || !judges(*details.front())) return {std::string(nothing_checked), false};
    const auto others = std::count_if(details.begin() + 1, details.end(), [&](const Detail* detail) {
        return judges(*detail) && (detail->state != State::ok || details.front()->state == State::ok);
    });
    std::string text = details.front()->text;
    if (others > 0) text += fmt::format(" (and {} more)", others);
    return {std::move(text), true};
}

int clamped(int verbosity) { return std::clamp(verbosity, 0, static_cast<int>(std::size(max_details)) - 1); }

bool is_shown(const Detail& detail, int verbosity) {
    if (detail.level > 0) return detail.level <= verbosity;
    return detail.state != State::ok || verbosity > 0;
}

void write_figure(base::JsonWriter& json, const Figure& figure) {
    const auto range = [](const std::optional<Range>& limit) -> std::optional<std::string> {
        if (!limit) return std::nullopt;
        return limit->canonical();
    };
    json.object().member("label", clean_label(figure.label)).member("value", figure.value);
    json.member("unit", symbol(figure.unit));
    json.member("warning", range(figure.limits.warning)).member("critical", range(figure.limits.critical));
    json.member("min", figure.min).member("max", figure.max).end();
}

}  // namespace

Report& Report::add(Detail detail) {
    details.push_back(std::move(detail));
    return *this;
}

Report& Report::figure(std::string_view label, std::optional<double> value, Unit unit, Thresholds limits,
                       std::optional<double> min, std::optional<double> max) {
    if (value) figures.push_back({std::string(label), *value, unit, std::move(limits), min, max});
    return *this;
}

State Report::state() const {
    std::optional<State> worst;
    for (const Detail& detail : details) {
        if (judges(detail)) worst = worst ? worse(*worst, detail.state) : detail.state;
    }
    return worst.value_or(State::unknown);
}

std::string as_text(const Report& report, const Rendering& how) {
    const std::vector<const Detail*> details = sorted(report);
    const Headline first = headline(report, details);
    const int verbosity = clamped(how.verbosity);

    std::string text = fmt::format("{} {} - {}", upper_name(how.plugin), name(report.state()), safe(first.text));
    const std::string figures = perfdata(report.figures);
    if (!figures.empty()) text += " | " + figures;
    text += '\n';

    std::size_t shown = 0;
    std::size_t left_out = 0;
    for (const Detail* detail : details) {
        if (first.is_worst_detail && detail == details.front()) continue;
        if (!is_shown(*detail, verbosity)) continue;
        if (shown == max_details[verbosity]) {
            ++left_out;
            continue;
        }
        ++shown;
        if (judges(*detail)) text += fmt::format("{}: ", name(detail->state));
        text += safe(detail->text) + "\n";
    }
    if (left_out > 0) {
        text += fmt::format("and {} more{}\n", left_out,
                            verbosity + 1 < static_cast<int>(std::size(max_details)) ? "; -v shows more lines" : "");
    }
    return text;
}

std::string as_json(const Report& report, const Rendering& how) {
    const std::vector<const Detail*> details = sorted(report);
    const int verbosity = clamped(how.verbosity);
    base::JsonWriter json;
    json.object().member("plugin", how.plugin).member("version", how.version);
    json.member("state", name(report.state())).member("summary", safe(headline(report, details).text));

    json.key("details").array();
    std::size_t shown = 0;
    for (const Detail* detail : details) {
        if (detail->level > verbosity || shown++ >= max_details[std::size(max_details) - 1]) continue;
        json.object().member("state", name(detail->state)).member("text", safe(detail->text)).end();
    }
    json.end();

    json.key("perfdata").array();
    for (const Figure& figure : report.figures) {
        if (std::isfinite(figure.value)) write_figure(json, figure);
    }
    json.end();
    json.key("observation").raw(report.observation.empty() ? "null" : report.observation).end();

    // '|' can only stand inside a string here; escaped, it cannot split the answer in two.
    std::string text;
    for (const char c : json.take()) {
        if (c == '|') {
            text += "\\u007c";
        } else {
            text += c;
        }
    }
    return text + "\n";
}

}  // namespace mtawatch::plugin
