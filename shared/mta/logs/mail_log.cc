#include "shared/mta/logs/mail_log.h"

#include <algorithm>

#include "shared/base/text.h"
#include "shared/mta/logs/postfix_log.h"

namespace mtawatch::mta::logs {

MailLogReader::MailLogReader(std::optional<MachineTime> now, std::chrono::seconds window) {
    if (!now) return;
    times_.emplace(Zone::fixed(now->offset), [seconds = now->seconds] { return seconds; });
    window_begin_ = now->seconds - window.count();
}

bool MailLogReader::in_window(std::string_view line) {
    // journalctl's own remarks: "-- No entries --", "-- Boot … --".
    if (!times_) return !line.starts_with("-- ");
    const auto time = times_->of_line(line);
    const bool inside = time && *time > window_begin_;
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
