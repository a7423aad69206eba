#include "shared/plugin/thresholds.h"

#include "shared/base/text.h"

namespace mtawatch::plugin {

using base::fail;

base::Result<Thresholds> Thresholds::parse(std::string_view text) {
    const std::size_t slash = text.find('/');
    if (text.empty() || text == "/") {
        return fail(base::Fault::usage,
                    "\"{}\" holds no range; write the warning one or a pair, such as 80, 80/90 or /90", text);
    }
    Thresholds pair;
    const auto read = [](std::string_view piece, std::optional<Range>& into) -> base::Result<void> {
        if (piece.empty()) return {};
        base::Result<Range> range = Range::parse(piece);
        if (!range) return fail(range.error());
        into = std::move(*range);
        return {};
    };
    if (auto done = read(text.substr(0, slash), pair.warning); !done) return fail(done.error());
    if (slash == std::string_view::npos) return pair;
    if (auto done = read(text.substr(slash + 1), pair.critical); !done) return fail(done.error());
    return pair;
}

base::Result<void> Thresholds::refuse_swapped() const {
    if (!warning || !critical || !critical->alerts_beyond(*warning)) return {};
    return fail(base::Fault::usage,
                "by the warning range {} and the critical range {} WARNING can never appear: the critical one alerts "
                "wherever the warning one does; swap them",
                warning->text(), critical->text());
}

State Thresholds::judge(double value) const {
    if (critical && critical->alerts(value)) return State::critical;
    if (warning && warning->alerts(value)) return State::warning;
    return State::ok;
}

std::string Thresholds::reason(double value) const {
    if (critical && critical->alerts(value)) return critical->reason(value);
    if (warning && warning->alerts(value)) return warning->reason(value);
    return {};
}

}  // namespace mtawatch::plugin
