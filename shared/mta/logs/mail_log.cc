#include "shared/mta/logs/mail_log.h"

#include <array>

#include "shared/base/text.h"
#include "shared/mta/logs/timestamps.h"

namespace mtawatch::mta::logs {

namespace {

using std::chrono::local_seconds;

std::optional<unsigned> month_of(std::string_view word) {
    constexpr std::array<std::string_view, 12> names{"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                     "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    for (unsigned i = 0; i < names.size(); ++i) {
        if (names[i] == word) return i + 1;
    }
    return std::nullopt;
}

// "+01:00", "-0530" or "Z".
std::optional<std::chrono::minutes> parse_offset(std::string_view text) {
    if (text == "Z") return std::chrono::minutes(0);
    std::string digits;
    for (const char c : text.substr(std::min<std::size_t>(text.size(), 1))) {
        if (c != ':') digits += c;
    }
    const auto hours = base::to_number<int>(std::string_view(digits).substr(0, 2));
    const auto minutes = digits.size() == 4 ? base::to_number<int>(std::string_view(digits).substr(2)) : std::nullopt;
    if (!hours || !minutes || *hours > 15 || *minutes > 59 || (text[0] != '+' && text[0] != '-')) return std::nullopt;
    const std::chrono::minutes offset(*hours * 60 + *minutes);
    return text[0] == '-' ? -offset : offset;
}

// "2026-11-21T03:05:00.123456+01:00", put into the machine's own local time.
std::optional<local_seconds> rfc3339(std::string_view word, std::chrono::minutes machine_offset) {
    if (word.size() < 20 || word[10] != 'T') return std::nullopt;
    const auto local = parse_local_time(fmt::format("{} {}", word.substr(0, 10), word.substr(11, 8)));
    const auto zone = word.find_first_of("+-Z", 19);
    if (!local || zone == std::string_view::npos) return std::nullopt;
    const auto offset = parse_offset(word.substr(zone));
    if (!offset) return std::nullopt;
    return *local - *offset + machine_offset;
}

// "Nov 21 03:05:00", which has no year: the one that lies nearest to now.
std::optional<local_seconds> rfc3164(std::string_view line, local_seconds now) {
    const auto month = month_of(line.substr(0, 3));
    if (!month || line.size() < 15) return std::nullopt;
    const auto day = base::to_number<unsigned>(base::trim(line.substr(4, 2)));
    if (!day) return std::nullopt;
    const int year = static_cast<int>(std::chrono::year_month_day(std::chrono::floor<std::chrono::days>(now)).year());
    std::optional<local_seconds> best;
    for (const int candidate : {year - 1, year, year + 1}) {
        const auto time =
            parse_local_time(fmt::format("{:04}-{:02}-{:02} {}", candidate, *month, *day, line.substr(7, 8)));
        if (time && (!best || std::chrono::abs(*time - now) < std::chrono::abs(*best - now))) best = time;
    }
    return best;
}

}  // namespace

std::optional<MachineTime> parse_machine_time(std::string_view text) {
    const auto word = base::trim(text);
    if (word.size() != 24 || word[10] != 'T') return std::nullopt;
    const auto local = parse_local_time(fmt::format("{} {}", word.substr(0, 10), word.substr(11, 8)));
    const auto offset = parse_offset(word.substr(19));
    if (!local || !offset) return std::nullopt;
    return MachineTime{*local, *offset};
}

bool MailLogReader::in_window(std::string_view line) {
    // journalctl's own remarks: "-- No entries --", "-- Boot … --".
    if (!now_) return !line.starts_with("-- ");
    const auto word = line.substr(0, line.find(' '));
    auto time = rfc3339(word, now_->offset);
    if (!time) time = rfc3164(line, now_->local);
    const bool inside = time && *time > now_->local - window_;
    // The first line of a part that `tail -c` cut may be half a line: it has no time, and the next one decides.
    if (first_ && time) {
        counts_.begins_in_window = inside;
        first_ = false;
    }
    return inside;
}

void MailLogReader::read_line(std::string_view line) {
    if (base::trim(line).empty() || !in_window(line)) return;
    ++counts_.lines;
    const auto has = [&](std::string_view part) { return line.find(part) != std::string_view::npos; };
    // Deliveries and rejects first: the words of the other side that they quote are no errors of ours.
    if (has("reject: ") || has("milter-reject: ")) {
        ++counts_.rejects;
    } else if (has(" status=sent ")) {
        ++counts_.sent;
    } else if (has(" status=bounced ") || has(" status=expired ")) {
        ++counts_.bounced;
    } else if (has(" status=deferred ")) {
        ++counts_.deferred;
    } else if (has(" fatal: ") || has(" panic: ") || has(" error: ")) {
        ++counts_.errors;
        counts_.last_error = base::one_line(line, 200);
    }
}

void MailLogReader::push(std::string_view piece) {
    while (!piece.empty()) {
        const auto end = piece.find('\n');
        const auto part = piece.substr(0, end);
        rest_ += part.substr(0, max_log_line - std::min(max_log_line, rest_.size()));
        if (end == std::string_view::npos) return;
        read_line(rest_);
        rest_.clear();
        piece.remove_prefix(end + 1);
    }
}

MailLogCounts MailLogReader::finish() {
    read_line(rest_);
    rest_.clear();
    return counts_;
}

}  // namespace mtawatch::mta::logs
