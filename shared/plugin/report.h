// Result of a check: state, summary line, details, figures and the observation, as text or JSON.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "shared/plugin/perfdata.h"
#include "shared/plugin/state.h"

namespace mtawatch::plugin {

// One judged thing in words: what, where, since when, what to do.
struct Detail {
    State state = State::ok;
    std::string text;
    int level = 0;  // the -v from which the line is shown: 0 always (an OK one from -v on)
};

// The state is the worst of the details, so whatever was judged must be added; no detail at all is UNKNOWN
// ("nothing was checked").
struct Report {
    std::string summary;  // the first line's text; empty: the worst detail, with a count of the others as bad as it
    std::vector<Detail> details;
    std::vector<Figure> figures;
    std::string observation;  // a JSON object (base::JsonWriter::take()); empty is null

    Report& add(State state, std::string text) { return add(Detail{state, std::move(text)}); }
    Report& add(Detail detail);
    // A line for -v (level 1) to -vvv (level 3) that judges nothing.
    Report& note(int level, std::string text) { return add(Detail{State::ok, std::move(text), level}); }
    // An absent value is left out.
    Report& figure(std::string_view label, std::optional<double> value, Unit unit = Unit::none, Thresholds limits = {},
                   std::optional<double> min = {}, std::optional<double> max = {});
    [[nodiscard]] State state() const;
};

struct Rendering {
    std::string_view plugin;   // "check_dnsbl"
    std::string_view version;  // "0.1.0"
    int verbosity = 0;
};

// First line "DNSBL CRITICAL - text | perfdata"; further lines "CRITICAL: text", worst first, capped with a count of
// the rest. '|' becomes '!', CR and other control characters blanks, so no text can pass for perfdata.
[[nodiscard]] std::string as_text(const Report& report, const Rendering& how);
// The object of docs/plugins.md on one line.
[[nodiscard]] std::string as_json(const Report& report, const Rendering& how);

inline constexpr std::size_t max_line_bytes = 1000;  // a pager cannot show more; a hostile answer could send it
inline constexpr std::size_t max_details[] = {10, 100, 1000, 10000};  // by -v; Nagios keeps 8 KiB of an answer

}  // namespace mtawatch::plugin
