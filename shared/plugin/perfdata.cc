#include "shared/plugin/perfdata.h"

#include <cmath>

#include "shared/base/text.h"

namespace mtawatch::plugin {

std::string_view symbol(Unit unit) {
    switch (unit) {
        case Unit::none:
            return "";
        case Unit::seconds:
            return "s";
        case Unit::percent:
            return "%";
        case Unit::bytes:
            return "B";
        case Unit::counter:
            return "c";
    }
    return "";
}

std::string clean_label(std::string_view label) {
    std::string result(label);
    for (char& c : result) {
        const bool allowed = base::is_alpha(c) || base::is_digit(c) || c == '_' || c == '.' || c == '-';
        if (!allowed) c = '_';
    }
    return result.empty() ? "value" : result;
}

namespace {

std::string item(const Figure& figure) {
    std::string fields[4];
    if (figure.limits.warning) fields[0] = figure.limits.warning->canonical();
    if (figure.limits.critical) fields[1] = figure.limits.critical->canonical();
    if (figure.min && std::isfinite(*figure.min)) fields[2] = base::plain(*figure.min);
    if (figure.max && std::isfinite(*figure.max)) fields[3] = base::plain(*figure.max);
    std::string text = clean_label(figure.label) + "=" + base::plain(figure.value);
    text += symbol(figure.unit);
    for (const std::string& field : fields) text += ";" + field;
    text.erase(text.find_last_not_of(';') + 1);
    return text;
}

}  // namespace

std::string perfdata(const std::vector<Figure>& figures) {
    std::string text;
    for (const Figure& figure : figures) {
        if (!std::isfinite(figure.value)) continue;
        if (!text.empty()) text += ' ';
        text += item(figure);
    }
    return text;
}

}  // namespace mtawatch::plugin
