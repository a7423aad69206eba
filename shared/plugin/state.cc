#include "shared/plugin/state.h"

#include "shared/base/text.h"

namespace mtawatch::plugin {

std::string_view name(State state) {
    switch (state) {
        case State::ok:
            return "OK";
        case State::warning:
            return "WARNING";
        case State::critical:
            return "CRITICAL";
        case State::unknown:
            return "UNKNOWN";
    }
    return "UNKNOWN";
}

std::optional<State> parse_state(std::string_view text) {
    for (const State state : {State::ok, State::warning, State::critical, State::unknown}) {
        if (base::iequals(text, name(state)) || base::to_number<int>(text) == exit_code(state)) return state;
    }
    return std::nullopt;
}

int severity(State state) {
    switch (state) {
        case State::ok:
            return 0;
        case State::unknown:
            return 1;
        case State::warning:
            return 2;
        case State::critical:
            return 3;
    }
    return 1;
}

State worse(State a, State b) { return severity(a) >= severity(b) ? a : b; }

State state_of(base::Fault fault) {
    const bool target_is_at_fault = fault == base::Fault::timeout || fault == base::Fault::refused;
    return target_is_at_fault ? State::critical : State::unknown;
}

}  // namespace mtawatch::plugin
