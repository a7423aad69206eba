// Alert range of the monitoring plugins ([@]start:end), read strictly.
#pragma once

#include <string>
#include <string_view>

#include "shared/base/result.h"

namespace mtawatch::plugin {

// [@]start:end, both ends inside. Alerts outside; with '@' inside. "10" is 0:10, "10:" has no upper end, "~:10" no
// lower one. Strict: ASCII, the whole text, at least one bound, start <= end, no inf, nan, hex, comma or blank; an
// exponent and one '%' after a number are read ("95%:" is "95:").
class Range {
  public:
    // Usage error that names the text and says what to write.
    [[nodiscard]] static base::Result<Range> parse(std::string_view text);

    [[nodiscard]] bool alerts(double value) const;
    // Why `value` alerts, to go on from the figure: "above 10", "below 30", "inside 5:7".
    [[nodiscard]] std::string reason(double value) const;
    // Whether it alerts for every value that `other` alerts for, and for more.
    [[nodiscard]] bool alerts_beyond(const Range& other) const;
    // As it was written.
    [[nodiscard]] const std::string& text() const { return text_; }
    // The same range in the shortest plain form, for perfdata: "0:1e3%" is "1000".
    [[nodiscard]] std::string canonical() const;
    // One number alone, such as "30": 0 to 30. Meant the other way round by whoever watches a figure that must not
    // become low.
    [[nodiscard]] bool is_bare() const { return bare_; }
    [[nodiscard]] double start() const { return start_; }  // -infinity for '~'
    [[nodiscard]] double end() const { return end_; }      // +infinity when left out

  private:
    Range() = default;
    double start_ = 0;
    double end_ = 0;
    bool inside_ = false;
    bool bare_ = false;
    std::string text_;
};

// A usage error for a bare range on a figure where low is bad, else nothing to complain about. `option` as the user
// wrote it ("--warning"), `what` the figure's unit: 30 and "days" give "write 30: to be warned below 30 days".
[[nodiscard]] base::Result<void> refuse_bare(const Range& range, std::string_view option, std::string_view what);
// The same without the option's name in front.
[[nodiscard]] base::Result<void> refuse_bare_value(const Range& range, std::string_view option, std::string_view what);

}  // namespace mtawatch::plugin
