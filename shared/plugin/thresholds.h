// Thresholds of a figure: a warning and a critical range, either of which may be absent.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "shared/base/result.h"
#include "shared/plugin/range.h"
#include "shared/plugin/state.h"

namespace mtawatch::plugin {

struct Thresholds {
    std::optional<Range> warning;
    std::optional<Range> critical;

    // "100/500": warning, slash, critical; either may be empty ("/500"), not both. One range alone is the warning.
    [[nodiscard]] static base::Result<Thresholds> parse(std::string_view text);

    // Usage error when the critical range alerts wherever the warning one does, and more: they were swapped.
    [[nodiscard]] base::Result<void> refuse_swapped() const;

    // Critical is asked first; no threshold is OK.
    [[nodiscard]] State judge(double value) const;
    // The reason for judge's answer: "above 500"; "" when it is OK.
    [[nodiscard]] std::string reason(double value) const;
    [[nodiscard]] bool any() const { return warning || critical; }
};

}  // namespace mtawatch::plugin
