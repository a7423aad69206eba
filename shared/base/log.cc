#include "shared/base/log.h"

#include <fmt/format.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <ctime>

#include "shared/base/json.h"
#include "shared/base/text.h"

namespace mtawatch::base {
namespace {

// Longer than any message of ours; a value out of a log record may be anything.
constexpr std::size_t max_value_bytes = 2000;

std::string rfc3339(base::WallTime time) {
    const std::int64_t seconds = base::unix_seconds(time);
    const auto milliseconds =
        std::chrono::floor<std::chrono::milliseconds>(time.time_since_epoch()).count() - seconds * 1000;
    const std::time_t stamp = seconds;
    std::tm parts{};
    ::gmtime_r(&stamp, &parts);
    std::array<char, 32> text{};
    const std::size_t length = std::strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:%S", &parts);
    return fmt::format("{}.{:03}Z", std::string_view(text.data(), length), milliseconds);
}

std::string logfmt_value(std::string_view value) {
    const bool bare = !value.empty() && value.find_first_of(" \"=") == std::string_view::npos;
    if (bare) return std::string(value);
    std::string quoted = "\"";
    for (const char c : value) {
        if (c == '"' || c == '\\') quoted += '\\';
        quoted += c;
    }
    return quoted + '"';
}

}  // namespace

std::optional<LogLevel> log_level_of(std::string_view word) {
    for (const LogLevel level : {LogLevel::debug, LogLevel::info, LogLevel::warn, LogLevel::error}) {
        if (word == name(level)) return level;
    }
    return std::nullopt;
}

std::string_view name(LogLevel level) {
    constexpr std::array<std::string_view, 4> names{"debug", "info", "warn", "error"};
    return names[static_cast<std::size_t>(level)];
}

Log Log::with(std::string_view key, std::string value) const {
    Log log = *this;
    log.fixed_.emplace_back(key, std::move(value));
    return log;
}

void Log::write(LogLevel level, std::string_view message, const Fields& fields) const {
    if (level < least_) return;
    const std::string time = rfc3339(clock_->wall());
    if (format_ == LogFormat::json) {
        base::JsonWriter json;
        json.object().member("time", time).member("level", name(level));
        json.member("msg", base::one_line(message, max_value_bytes));
        for (const Fields* list : {&fields, &fixed_}) {
            for (const auto& [key, value] : *list) json.member(key, base::one_line(value, max_value_bytes));
        }
        return sink_(json.end().take() + "\n");
    }
    std::string line = fmt::format("time={} level={} msg={}", time, name(level),
                                   logfmt_value(base::one_line(message, max_value_bytes)));
    for (const Fields* list : {&fields, &fixed_}) {
        for (const auto& [key, value] : *list) {
            line += fmt::format(" {}={}", key, logfmt_value(base::one_line(value, max_value_bytes)));
        }
    }
    sink_(line + "\n");
}

void write_to_stderr(std::string_view line) {
    // A full disk or a closed pipe behind stderr must not stop the exporter: there is nobody left to tell.
    [[maybe_unused]] const auto written = ::write(STDERR_FILENO, line.data(), line.size());
}

}  // namespace mtawatch::base
