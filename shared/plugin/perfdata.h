// Performance data of a plugin, in the form that both Nagios and Icinga 2 read.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "shared/plugin/thresholds.h"

namespace mtawatch::plugin {

// Base units only: consumers disagree about all others.
enum class Unit { none, seconds, percent, bytes, counter };
[[nodiscard]] std::string_view symbol(Unit unit);  // "", "s", "%", "B", "c"

struct Figure {
    std::string label;  // any text; written with [A-Za-z0-9_.-] alone, every other character becoming '_'
    double value = 0;
    Unit unit = Unit::none;
    Thresholds limits = {};
    std::optional<double> min = {};
    std::optional<double> max = {};
};

// The label as it is written; "value" when nothing is left of it.
[[nodiscard]] std::string clean_label(std::string_view label);

// "messages=12;100;500;0 oldest=3.5s", in the order given. A value that is not finite is left out (Icinga 2 loses 'U').
[[nodiscard]] std::string perfdata(const std::vector<Figure>& figures);

}  // namespace mtawatch::plugin
