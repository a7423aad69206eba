// Log that keeps the messages that were written to it, for tests of what an operator is told.
#pragma once

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include "shared/base/log.h"

namespace mtawatch::test {

// The "msg" of one line in logfmt, as it was handed to the log.
inline std::string message_of(std::string_view line) {
    constexpr std::string_view key = " msg=";
    std::string_view rest = line.substr(line.find(key) + key.size());
    if (!rest.starts_with('"')) return std::string(rest.substr(0, rest.find_first_of(" \n")));
    std::string message;
    for (rest.remove_prefix(1); !rest.empty() && rest.front() != '"'; rest.remove_prefix(1)) {
        if (rest.front() == '\\') rest.remove_prefix(1);
        message += rest.front();
    }
    return message;
}

// Outlives the Log that it gave. What an operator sees by default, in its order.
struct LogCapture {
    std::vector<std::string> messages;

    [[nodiscard]] base::Log log(const base::Clock& clock) {
        return {base::LogLevel::info, base::LogFormat::logfmt, clock,
                [this](std::string_view line) { messages.push_back(message_of(line)); }};
    }
    [[nodiscard]] bool holds(std::string_view text) const {
        return std::ranges::any_of(messages,
                                   [&](const std::string& message) { return message.find(text) != std::string::npos; });
    }
};

// A log that nobody reads.
inline base::Log quiet_log(const base::Clock& clock) {
    return {base::LogLevel::error, base::LogFormat::logfmt, clock, [](std::string_view) {}};
}

}  // namespace mtawatch::test
