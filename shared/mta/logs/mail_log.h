// Counter of errors and deliveries in a Postfix mail log, from journalctl or a log file.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "shared/mta/logs/postfix_line.h"
#include "shared/mta/logs/timestamps.h"

namespace mtawatch::mta::logs {

struct MailLogCounts {
    std::uint64_t lines = 0;    // in the window
    std::uint64_t errors = 0;   // "error:", "fatal:" and "panic:" of a program
    std::uint64_t rejects = 0;  // mail that was refused on purpose, which is no error
    std::uint64_t sent = 0;     // status=sent, per recipient
    std::uint64_t bounced = 0;
    std::uint64_t deferred = 0;
    std::string last_error;  // one line, cleaned
    // A file that begins inside the window may have a predecessor that holds the rest.
    bool begins_in_window = false;
};

// Lines longer than max_log_line are cut there.
class MailLogReader {
  public:
    // Without `now` every line counts (journalctl has chosen them). With it those of the last hour: a line begins with
    // "Nov 21 03:05:00 " in local time (RFC 3164) or with an RFC 3339 time, see LogTimes; others belong to no window.
    explicit MailLogReader(std::optional<MachineTime> now = {}, std::chrono::seconds window = std::chrono::hours(1));
    void push(std::string_view piece);
    // The last line, also without a newline.
    [[nodiscard]] MailLogCounts finish();

  private:
    void read_line(std::string_view line);
    [[nodiscard]] bool in_window(std::string_view line);

    std::optional<LogTimes> times_;  // none: every line counts
    std::int64_t window_begin_ = 0;  // a line of this second is outside
    std::string rest_;
    bool first_ = true;
    MailLogCounts counts_;
};

}  // namespace mtawatch::mta::logs
