#include "shared/options/values.h"

#include <algorithm>
#include <optional>

#include "shared/base/duration.h"
#include "shared/base/target_text.h"
#include "shared/base/text.h"

namespace mtawatch::options {

namespace {

using base::fail;
using base::Fault;

constexpr std::size_t longest_quote = 100;  // of a bad value in a message

base::Result<void> within(const Option& option, std::string_view text, double value) {
    if (value >= option.least && value <= option.most) return {};
    return fail(Fault::usage, "{} is out of range; write a number from {} to {}", quoted(text),
                base::plain(option.least), base::plain(option.most));
}

// Two digits at `at` within [least, most], or nothing.
std::optional<int> digits(std::string_view text, std::size_t at, std::size_t count, int least, int most) {
    const auto value = base::to_number<int>(text.substr(std::min(at, text.size()), count));
    if (!value || text.size() < at + count || text[at] == '-' || *value < least || *value > most) return std::nullopt;
    return value;
}

// Seconds east of UTC from "Z", "z" or "+hh:mm", or nothing.
std::optional<int> offset_seconds(std::string_view text) {
    if (text == "Z" || text == "z") return 0;
    if (text.size() != 6 || (text[0] != '+' && text[0] != '-') || text[3] != ':') return std::nullopt;
    const auto hours = digits(text, 1, 2, 0, 23);
    const auto minutes = digits(text, 4, 2, 0, 59);
    if (!hours || !minutes) return std::nullopt;
    const int seconds = *hours * 3600 + *minutes * 60;
    return text[0] == '-' ? -seconds : seconds;
}

// ".123456" as microseconds; further digits are read and dropped. `used` is how much of the text it took.
std::optional<std::chrono::microseconds> fraction(std::string_view text, std::size_t& used) {
    used = 0;
    if (text.empty() || text[0] != '.') return std::chrono::microseconds(0);
    std::int64_t micros = 0;
    std::size_t count = 0;
    for (used = 1; used < text.size() && base::is_digit(text[used]); ++used, ++count) {
        if (count < 6) micros = micros * 10 + (text[used] - '0');
    }
    if (count == 0) return std::nullopt;
    for (; count < 6; ++count) micros *= 10;
    return std::chrono::microseconds(micros);
}

std::optional<base::WallTime> time_of(std::string_view text) {
    const auto year = digits(text, 0, 4, 1970, 9999);
    const auto month = digits(text, 5, 2, 1, 12);
    const auto day = digits(text, 8, 2, 1, 31);
    const auto hour = digits(text, 11, 2, 0, 23);
    const auto minute = digits(text, 14, 2, 0, 59);
    const auto second = digits(text, 17, 2, 0, 60);
    if (!year || !month || !day || !hour || !minute || !second) return std::nullopt;
    const bool marks = text[4] == '-' && text[7] == '-' && text[13] == ':' && text[16] == ':' &&
                       (text[10] == 'T' || text[10] == 't' || text[10] == ' ');
    const std::chrono::year_month_day date{std::chrono::year(*year), std::chrono::month(static_cast<unsigned>(*month)),
                                           std::chrono::day(static_cast<unsigned>(*day))};
    if (!marks || !date.ok()) return std::nullopt;
    std::size_t used = 0;
    const auto micros = fraction(text.substr(19), used);
    const auto offset = offset_seconds(text.substr(19 + used));
    if (!micros || !offset) return std::nullopt;
    const auto local = std::chrono::sys_days(date) + std::chrono::hours(*hour) + std::chrono::minutes(*minute) +
                       std::chrono::seconds(*second);
    return base::WallTime(local - std::chrono::seconds(*offset) + *micros);
}

base::Result<void> accept_choice(const Option& option, std::string_view text) {
    const std::vector<std::string_view> words = base::split(option.metavar, '|');
    if (std::ranges::find(words, text) != words.end()) return {};
    std::string list;
    for (const std::string_view word : words) {
        if (!list.empty()) list += word == words.back() ? " or " : ", ";
        list += word;
    }
    return fail(Fault::usage, "{} is not known here; write {}", quoted(text), list);
}

base::Result<void> accept_text(const Option& option, std::string_view text) {
    if (text.empty() && !option.may_be_empty) {
        return fail(Fault::usage, "\"\" is empty; give a value or leave the option out");
    }
    if (text.find('\0') != std::string_view::npos) return fail(Fault::usage, "{} holds a NUL byte", quoted(text));
    return {};
}

base::Result<void> accept_integer(const Option& option, std::string_view text) {
    return without_value(read_integer(option, text));
}

base::Result<void> accept_number(const Option& option, std::string_view text) {
    return without_value(read_number(option, text));
}

base::Result<void> accept_duration(const Option&, std::string_view text) {
    return without_value(base::parse_duration(text));
}

base::Result<void> accept_endpoint(const Option&, std::string_view text) {
    return without_value(io::parse_endpoint(text, 0));
}

base::Result<void> accept_time(const Option&, std::string_view text) { return without_value(read_time(text)); }

template <base::TargetKind kind>
base::Result<void> accept_target(const Option& option, std::string_view text) {
    if (text.empty() && option.may_be_empty) return {};
    return base::expect_target(text, kind);
}

}  // namespace

constinit const Kind Kind::flag{"flag", "", nullptr};
constinit const Kind Kind::text{"text", "TEXT", accept_text};
constinit const Kind Kind::integer{"integer", "N", accept_integer};
constinit const Kind Kind::number{"number", "NUMBER", accept_number};
constinit const Kind Kind::duration{"duration", "DURATION", accept_duration};
constinit const Kind Kind::choice{"choice", "WORD", accept_choice};
constinit const Kind Kind::endpoint{"endpoint", "IP[:PORT]", accept_endpoint};
constinit const Kind Kind::time{"time", "TIME", accept_time};
constinit const Kind Kind::domain{"domain", "DOMAIN", accept_target<base::TargetKind::domain>};
constinit const Kind Kind::name{"name", "NAME", accept_target<base::TargetKind::name>};
constinit const Kind Kind::host{"host", "HOST", accept_target<base::TargetKind::host>};
constinit const Kind Kind::address{"address", "IP", accept_target<base::TargetKind::address>};
constinit const Kind Kind::network{"network", "IP", accept_target<base::TargetKind::network>};
constinit const Kind Kind::target{"target", "IP|NETWORK|NAME", accept_target<base::TargetKind::target>};
constinit const Kind Kind::url{"url", "URL", accept_target<base::TargetKind::url>};
constinit const Kind Kind::mailbox{"mailbox", "ADDRESS", accept_target<base::TargetKind::mailbox>};

std::string quoted(std::string_view text) { return "\"" + base::one_line(text, longest_quote) + "\""; }

std::string_view metavar(const Option& option) { return option.metavar.empty() ? option.kind.metavar : option.metavar; }

base::Result<std::int64_t> read_integer(const Option& option, std::string_view text) {
    const auto value = base::to_number<std::int64_t>(text);
    if (!value) return fail(Fault::usage, "{} is no whole number", quoted(text));
    if (auto done = within(option, text, static_cast<double>(*value)); !done) return fail(done.error());
    return *value;
}

base::Result<double> read_number(const Option& option, std::string_view text) {
    const auto value = base::to_double(text);
    if (!value) return fail(Fault::usage, "{} is no number", quoted(text));
    if (auto done = within(option, text, *value); !done) return fail(done.error());
    return *value;
}

base::Result<base::WallTime> read_time(std::string_view text) {
    const auto time = time_of(text);
    if (!time) {
        return fail(Fault::usage, "{} is no time; write it like 2026-11-21T14:00:00Z or 2026-11-21T15:00:00+01:00",
                    quoted(text));
    }
    return *time;
}

}  // namespace mtawatch::options
