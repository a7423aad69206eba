// Lines to publish in the answer of a check: each one is judged by the check itself before it is said.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "shared/plugin/report.h"
#include "shared/probe/mail_auth/remedy.h"

namespace mtawatch::checks {

// What a check advises about one observation.
template <class Observation>
struct Advice {
    const Observation* after = nullptr;  // what would be seen with it; null without advice
    std::vector<std::string> lines;      // of a zone file, published together
};

// Whether a detail that alarms today would be gone, and nothing would alarm that does not do so today. `allowed` names
// texts that may be new.
[[nodiscard]] bool mends(const plugin::Report& before, const plugin::Report& after,
                         const std::function<bool(std::string_view)>& allowed);

// Appends "; publish: …" to the worst detail that the lines mend. `report` has the details of `before`, in its order.
void say_lines(plugin::Report& report, const plugin::Report& before, const plugin::Report& after,
               const std::vector<std::string>& lines);

[[nodiscard]] std::vector<std::string> zone_lines(const std::vector<probe::mail_auth::Publication>& records);

// The judgement of an observation, with the first of its remedies that passes it. `judge(observation, advice)` gives
// the report; it has the same details in the same order with and without advice, only that what the advice mends needs
// no words about what to do.
template <class Observation, class Judge>
plugin::Report with_advice(
    const Observation& seen, const std::vector<probe::mail_auth::Remedy<Observation>>& remedies, Judge judge,
    const std::function<bool(std::string_view)>& allowed = [](std::string_view) { return false; }) {
    plugin::Report plain = judge(seen, Advice<Observation>{});
    for (const auto& remedy : remedies) {
        const plugin::Report after = judge(*remedy.after, Advice<Observation>{});
        if (!mends(plain, after, allowed)) continue;
        const Advice<Observation> advice{remedy.after.get(), zone_lines(remedy.lines)};
        plugin::Report advised = judge(seen, advice);
        say_lines(advised, plain, after, advice.lines);
        return advised;
    }
    return plain;
}

}  // namespace mtawatch::checks
