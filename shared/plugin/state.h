// Plugin states (OK, WARNING, CRITICAL, UNKNOWN), their order of severity, and the state that each Fault becomes.
#pragma once

#include <optional>
#include <string_view>

#include "shared/base/error.h"

namespace mtawatch::plugin {

// The values are the exit codes.
enum class State { ok = 0, warning = 1, critical = 2, unknown = 3 };

[[nodiscard]] constexpr int exit_code(State state) { return static_cast<int>(state); }
// "OK", "WARNING", "CRITICAL", "UNKNOWN".
[[nodiscard]] std::string_view name(State state);
// "ok", "warning", "critical", "unknown" in any case, or the exit code 0 to 3.
[[nodiscard]] std::optional<State> parse_state(std::string_view text);

// The one order of severity: ok < unknown < warning < critical.
[[nodiscard]] int severity(State state);
[[nodiscard]] State worse(State a, State b);

// The target does not answer: CRITICAL. The probe failed: UNKNOWN. Never OK.
[[nodiscard]] State state_of(base::Fault fault);

}  // namespace mtawatch::plugin
