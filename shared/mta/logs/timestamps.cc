#include "shared/mta/logs/timestamps.h"

#include <array>
#include <bit>
#include <cstring>
#include <ctime>

#include "shared/base/hash.h"
#include "shared/base/text.h"

namespace mtawatch::mta::logs {
namespace {

constexpr std::int64_t day_seconds = 86400;

// Days since 1970-01-01 in the proleptic Gregorian calendar (the era formula: 400 years repeat exactly).
std::int64_t days_of(std::int64_t year, std::int64_t month, std::int64_t day) {
    year -= month <= 2 ? 1 : 0;
    const std::int64_t era = year / 400;
    const std::int64_t year_of_era = year - era * 400;
    const std::int64_t day_of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
    return era * 146097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719468;
}

std::int64_t days_in(std::int64_t year, std::int64_t month) {
    if (month == 2) return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) ? 29 : 28;
    return month == 4 || month == 6 || month == 9 || month == 11 ? 30 : 31;
}

// The digits at text[at], text[at + 1], …; -1 when one of them is none.
std::int64_t digits(std::string_view text, std::size_t at, std::size_t count) {
    std::int64_t value = 0;
    for (std::size_t i = at; i < at + count; ++i) {
        if (i >= text.size() || !base::is_digit(text[i])) return -1;
        value = value * 10 + (text[i] - '0');
    }
    return value;
}

// Seconds of "YYYY-MM-DD" at the front of text, or nothing.
std::optional<std::int64_t> date(std::string_view text) {
    if (text.size() < 10 || text[4] != '-' || text[7] != '-') return std::nullopt;
    const std::int64_t year = digits(text, 0, 4);
    const std::int64_t month = digits(text, 5, 2);
    const std::int64_t day = digits(text, 8, 2);
    if (year < 1970 || month < 1 || month > 12 || day < 1 || day > days_in(year, month)) return std::nullopt;
    return days_of(year, month, day) * day_seconds;
}

// Seconds of "HH:MM:SS" at `at`, or nothing; a leap second (60) counts as the next second. All eight bytes are looked
// at as one word, because every record has such a text twice.
std::optional<std::int64_t> time_of_day(std::string_view text, std::size_t at) {
    if (text.size() < at + 8) return std::nullopt;
    std::uint64_t word = 0;
    std::memcpy(&word, text.data() + at, sizeof word);
    if constexpr (std::endian::native == std::endian::big) word = __builtin_bswap64(word);
    // What is left of each digit; in the place of a colon 0. A byte that was something else shows in its high half,
    // at once or after 6 is added.
    constexpr std::uint64_t form = 0x30303a30303a3030U;
    constexpr std::uint64_t six = 0x0606000606000606U;
    constexpr std::uint64_t high = 0xf0f0fff0f0fff0f0U;
    word ^= form;
    if (((word | (word + six)) & high) != 0) return std::nullopt;
    const auto two = [&](unsigned shift) {
        return static_cast<std::int64_t>((word >> shift & 0xfU) * 10 + (word >> (shift + 8) & 0xfU));
    };
    const std::int64_t hours = two(0);
    const std::int64_t minutes = two(24);
    const std::int64_t seconds = two(48);
    if (hours > 23 || minutes > 59 || seconds > 60) return std::nullopt;
    return hours * 3600 + minutes * 60 + seconds;
}

// Seconds east of UTC of "+HHMM", "-HH:MM" or "+HH" (PostgreSQL's), the whole text, or nothing.
std::optional<std::int64_t> offset(std::string_view text) {
    const bool hours_only = text.size() == 3;
    if (!hours_only && text.size() != 5 && !(text.size() == 6 && text[3] == ':')) return std::nullopt;
    if (text[0] != '+' && text[0] != '-') return std::nullopt;
    const std::int64_t hours = digits(text, 1, 2);
    const std::int64_t minutes = hours_only ? 0 : digits(text, text.size() - 2, 2);
    if (hours < 0 || hours > 15 || minutes < 0 || minutes > 59) return std::nullopt;
    const std::int64_t seconds = hours * 3600 + minutes * 60;
    return text[0] == '-' ? -seconds : seconds;
}

struct Parsed {
    std::int64_t seconds = 0;
    bool local = false;  // without an offset: seconds as if it were UTC
};

std::optional<Parsed> parse_any(std::string_view text) {
    constexpr std::size_t longest_epoch = 11;
    if (!text.empty() && text.size() <= longest_epoch && digits(text, 0, text.size()) >= 0) {
        return Parsed{digits(text, 0, text.size()), false};
    }
    const auto day = date(text);
    if (!day || text.size() < 19 || (text[10] != ' ' && text[10] != 'T')) return std::nullopt;
    const auto time = time_of_day(text, 11);
    if (!time) return std::nullopt;
    const std::int64_t local = *day + *time;
    std::string_view rest = text.substr(19);
    if (!rest.empty() && rest.front() == '.') {
        std::size_t end = 1;
        while (end < rest.size() && base::is_digit(rest[end])) ++end;
        if (end == 1) return std::nullopt;
        rest.remove_prefix(end);
    }
    if (rest.empty()) return Parsed{local, true};
    if (rest == "Z") return Parsed{local, false};
    const auto east = offset(rest);
    if (!east) return std::nullopt;
    return Parsed{local - *east, false};
}

std::int64_t machine_to_utc(const Zone& /*zone*/, std::int64_t local_seconds) {
    std::tm parts{};
    const std::time_t as_if_utc = local_seconds;
    if (gmtime_r(&as_if_utc, &parts) == nullptr) return local_seconds;
    parts.tm_isdst = -1;
    // -1 is also the last second of 1969, which is before every stamp that parse_any takes, but for the hours that a
    // zone east of Greenwich puts there.
    const std::time_t seconds = std::mktime(&parts);
    return seconds;
}

}  // namespace

Zone Zone::machine() { return Zone(machine_to_utc); }

Zone Zone::utc() {
    return Zone([](const Zone& /*zone*/, std::int64_t local_seconds) { return local_seconds; });
}

Zone Zone::fixed(std::chrono::seconds offset) {
    const auto convert = [](const Zone& zone, std::int64_t local_seconds) {
        return local_seconds - *static_cast<const std::int64_t*>(zone.rules_.get());
    };
    return Zone(convert, std::make_shared<const std::int64_t>(offset.count()));
}

bool is_timestamp(std::string_view text) { return parse_any(text).has_value(); }

std::optional<std::int64_t> TimestampParser::parse(std::string_view text) {
    // "YYYY-MM-DD HH:MM:SS+HHMM", PowerMTA's usual form: what repeats from the last one is not read again.
    constexpr std::size_t usual = 24;
    if (text.size() != usual) return parse_slowly(text);
    const char* const begin = text.data();
    const bool same_form =
        known_ && base::same_bytes(begin, last_.data(), 11) && base::same_bytes(begin + 19, last_.data() + 19, 5);
    if (same_form && base::same_bytes(begin + 11, last_.data() + 11, 8)) {
        had_offset_ = true;
        return last_seconds_;
    }
    if (same_form) {
        const auto time = time_of_day(text, 11);
        if (!time) return std::nullopt;
        last_seconds_ = date_seconds_ + *time - offset_seconds_;
    } else {
        const auto parsed = parse_any(text);
        if (!parsed) return std::nullopt;
        const auto east = offset(text.substr(19));
        if (!east) return parse_slowly(text);  // a fraction of a second makes 24 bytes too
        date_seconds_ = *date(text);
        offset_seconds_ = *east;
        last_seconds_ = parsed->seconds;
    }
    std::memcpy(last_.data(), begin, usual);
    known_ = true;
    had_offset_ = true;
    return last_seconds_;
}

std::optional<std::int64_t> TimestampParser::parse_slowly(std::string_view text) {
    const auto parsed = parse_any(text);
    if (!parsed) return std::nullopt;
    had_offset_ = !parsed->local;
    return parsed->local ? local_to_utc(parsed->seconds) : parsed->seconds;
}

// A zone's difference to UTC changes at whole quarters of an hour, so one answer serves all stamps of a quarter.
std::int64_t TimestampParser::local_to_utc(std::int64_t local) {
    constexpr std::int64_t quarter = 900;
    const std::int64_t number = local / quarter;
    if (number != zone_quarter_) {
        zone_quarter_ = number;
        zone_difference_ = number * quarter - zone_.to_utc(number * quarter);
    }
    return local - zone_difference_;
}

std::optional<std::chrono::sys_days> parse_date(std::string_view text) {
    if (text.size() != 10 || text[4] != '-' || text[7] != '-') return std::nullopt;
    const auto year = base::to_number<int>(text.substr(0, 4));
    const auto month = base::to_number<unsigned>(text.substr(5, 2));
    const auto day = base::to_number<unsigned>(text.substr(8, 2));
    if (!year || !month || !day) return std::nullopt;
    const std::chrono::year_month_day date{std::chrono::year(*year), std::chrono::month(*month),
                                           std::chrono::day(*day)};
    if (!date.ok()) return std::nullopt;
    return std::chrono::sys_days(date);
}

std::optional<std::chrono::local_seconds> parse_local_time(std::string_view text) {
    if (text.size() != 19 || text[10] != ' ' || text[13] != ':' || text[16] != ':') return std::nullopt;
    const auto day = parse_date(text.substr(0, 10));
    const auto hour = base::to_number<unsigned>(text.substr(11, 2));
    const auto minute = base::to_number<unsigned>(text.substr(14, 2));
    const auto second = base::to_number<unsigned>(text.substr(17, 2));
    if (!day || !hour || !minute || !second || *hour > 23 || *minute > 59 || *second > 60) return std::nullopt;
    return std::chrono::local_seconds(day->time_since_epoch() + std::chrono::hours(*hour) +
                                      std::chrono::minutes(*minute) + std::chrono::seconds(*second));
}

std::optional<MachineTime> parse_machine_time(std::string_view text) {
    const auto word = base::trim(text);
    constexpr std::size_t local_bytes = 19;
    if (word.size() != local_bytes + 5 || word[10] != 'T') return std::nullopt;
    TimestampParser times(Zone::utc());
    const auto seconds = times.parse(word);
    if (!seconds || !times.had_offset()) return std::nullopt;
    const auto local = times.parse(word.substr(0, local_bytes));
    return MachineTime{*seconds, std::chrono::seconds(*local - *seconds)};
}

}  // namespace mtawatch::mta::logs
