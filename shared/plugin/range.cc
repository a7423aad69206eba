#include "shared/plugin/range.h"

#include <cmath>
#include <limits>
#include <optional>

#include "shared/base/text.h"

namespace mtawatch::plugin {

using base::fail;

namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();
constexpr std::size_t longest_quote = 60;  // of a bad text in a message

// [+-]?(digits[.digits]|.digits)([eE][+-]?digits)?%? and finite. from_chars reads no '+', and "inf" and "nan" are
// refused by the shape.
std::optional<double> number(std::string_view text) {
    if (!text.empty() && text.back() == '%') text.remove_suffix(1);
    if (!text.empty() && text.front() == '+') {
        text.remove_prefix(1);
        if (!text.empty() && text.front() == '-') return std::nullopt;
    }
    const std::string_view digits = !text.empty() && text.front() == '-' ? text.substr(1) : text;
    if (digits.empty() || (!base::is_digit(digits.front()) && digits.front() != '.')) return std::nullopt;
    return base::to_double(text);
}

base::Failure refuse(std::string_view text, std::string_view why) {
    return fail(base::Fault::usage,
                "\"{}\" {}; write a range such as 10 (alert above 10), 10: (below 10), 5:10 (outside) or @5:10 "
                "(inside)",
                base::one_line(text, longest_quote), why);
}

}  // namespace

base::Result<Range> Range::parse(std::string_view text) {
    Range range;
    range.text_ = text;
    std::string_view rest = text;
    if (!rest.empty() && rest.front() == '@') {
        range.inside_ = true;
        rest.remove_prefix(1);
    }
    const std::size_t colon = rest.find(':');
    const std::string_view start = colon == std::string_view::npos ? "" : rest.substr(0, colon);
    const std::string_view end = colon == std::string_view::npos ? rest : rest.substr(colon + 1);
    if (start.empty() && end.empty()) return refuse(text, text.empty() ? "is no range" : "has no bound");

    range.bare_ = colon == std::string_view::npos && !range.inside_;
    if (start == "~") {
        range.start_ = -infinity;
    } else if (!start.empty()) {
        const std::optional<double> value = number(start);
        if (!value) return refuse(text, "is no range");
        range.start_ = *value;
    }
    if (end.empty()) {
        range.end_ = infinity;
    } else {
        const std::optional<double> value = number(end);
        if (!value) return refuse(text, "is no range");
        range.end_ = *value;
    }
    if (range.start_ > range.end_) return refuse(text, "starts above its end");
    return range;
}

bool Range::alerts(double value) const {
    const bool within = value >= start_ && value <= end_;
    return within == inside_;
}

bool Range::alerts_beyond(const Range& other) const {
    const bool same = start_ == other.start_ && end_ == other.end_ && inside_ == other.inside_;
    if (same) return false;
    if (!other.inside_) {  // it alerts below its start and above its end
        const bool never = other.start_ == -infinity && other.end_ == infinity;
        return !never && !inside_ && start_ >= other.start_ && end_ <= other.end_;
    }
    return inside_ ? start_ <= other.start_ && other.end_ <= end_ : other.end_ < start_ || other.start_ > end_;
}

std::string Range::reason(double value) const {
    if (inside_) return "inside " + text_.substr(1);
    return value < start_ ? "below " + base::plain(start_) : "above " + base::plain(end_);
}

std::string Range::canonical() const {
    std::string result = inside_ ? "@" : "";
    if (start_ == -infinity) {
        result += "~:";
    } else if (start_ != 0 || end_ == infinity) {
        result += base::plain(start_) + ":";
    }
    if (end_ != infinity) result += base::plain(end_);
    return result;
}

base::Result<void> refuse_bare_value(const Range& range, std::string_view option, std::string_view what) {
    if (!range.is_bare()) return {};
    const std::string_view verb = option.find("critical") != std::string_view::npos ? "alarmed" : "warned";
    return fail(base::Fault::usage, "{} alone would alert above {}; write {}: to be {} below {} {}", range.text(),
                range.text(), range.text(), verb, range.text(), what);
}

base::Result<void> refuse_bare(const Range& range, std::string_view option, std::string_view what) {
    if (auto done = refuse_bare_value(range, option, what); !done) return fail(done.error().at(option));
    return {};
}

}  // namespace mtawatch::plugin
