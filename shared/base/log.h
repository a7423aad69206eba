// Log of the exporter: one line per event on stderr, as logfmt or JSON.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "shared/base/clock.h"

namespace mtawatch::base {

enum class LogLevel { debug, info, warn, error };
enum class LogFormat { logfmt, json };

// "debug", "info", "warn", "error"; nothing for another word.
[[nodiscard]] std::optional<LogLevel> log_level_of(std::string_view word);
[[nodiscard]] std::string_view name(LogLevel level);

// Safe from any thread: a line is handed to the sink whole. A line never contains a newline of its own, whatever the
// values hold; secrets are never given to it.
class Log {
  public:
    using Fields = std::vector<std::pair<std::string_view, std::string>>;
    using Sink = std::function<void(std::string_view line)>;  // with its newline

    Log(LogLevel least, LogFormat format, const base::Clock& clock, Sink sink)
        : least_(least), format_(format), clock_(&clock), sink_(std::move(sink)) {}

    // The same log, whose lines end with that field.
    [[nodiscard]] Log with(std::string_view key, std::string value) const;

    // time, level, msg, then the fields in their order.
    void write(LogLevel level, std::string_view message, const Fields& fields = {}) const;
    void debug(std::string_view message, const Fields& fields = {}) const { write(LogLevel::debug, message, fields); }
    void info(std::string_view message, const Fields& fields = {}) const { write(LogLevel::info, message, fields); }
    void warn(std::string_view message, const Fields& fields = {}) const { write(LogLevel::warn, message, fields); }
    void error(std::string_view message, const Fields& fields = {}) const { write(LogLevel::error, message, fields); }

  private:
    LogLevel least_;
    LogFormat format_;
    const base::Clock* clock_;
    Sink sink_;
    Fields fixed_;  // of every line
};

// One write(2) to stderr per line, so that lines of several threads never mix.
void write_to_stderr(std::string_view line);

}  // namespace mtawatch::base
