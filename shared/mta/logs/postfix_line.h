// Parser of one line of a Postfix log, in the forms of syslog, of journalctl and of Postfix's own log file.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "shared/base/clock.h"
#include "shared/mta/logs/timestamps.h"

namespace mtawatch::mta::logs {

// starts_with() and == whose length the compiler knows: asked several times a line.
template <std::size_t Size>
[[nodiscard]] bool begins(std::string_view text, const char (&start)[Size]) {
    return text.size() >= Size - 1 && std::memcmp(text.data(), start, Size - 1) == 0;
}
template <std::size_t Size>
[[nodiscard]] bool same(std::string_view text, const char (&other)[Size]) {
    return text.size() == Size - 1 && std::memcmp(text.data(), other, Size - 1) == 0;
}

// Views of the line that was read.
struct PostfixLine {
    std::string_view stamp;     // as LogTimes reads it
    std::string_view host;      // as the line names it; may be empty
    std::string_view instance;  // "postfix" of postfix/smtp, postfix/relay/smtp and postfix/submission/smtpd
    std::string_view daemon;    // "smtp" of these
    std::string_view process;   // the process id, in digits
    std::string_view message;
};

// Whether the line is one of a Postfix program (its tag has a "/"). Forms: RFC 3164 ("Nov 21 03:05:00 host tag[pid]:
// …", which postlogd's maillog_file and `journalctl -o short` have too), the same with an RFC 3339 stamp (rsyslog's
// file format, `journalctl -o short-iso`), both with a leading "<22>", and RFC 5424.
[[nodiscard]] bool read_syslog_line(std::string_view line, PostfixLine& into);

// The same, faster, for a line that begins like the one before it did: neighbours share the stamp's length, the host
// and the instance, so that most of a line is found at fixed places.
class SyslogLines {
  public:
    [[nodiscard]] bool read(std::string_view line, PostfixLine& into);
    // Of the host and the instance of the last line that read() took: queue ids are unique within them.
    [[nodiscard]] std::uint64_t instance_hash() const { return hash_; }

  private:
    [[nodiscard]] bool read_alike(std::string_view line, PostfixLine& into) const;

    std::size_t stamp_size_ = 0;  // of the last line, 0: there is none that can be taken as an example
    std::string behind_stamp_;    // " mx1 postfix/"
    std::size_t host_size_ = 0;
    std::uint64_t hash_ = 0;
};
[[nodiscard]] std::uint64_t instance_hash(const PostfixLine& line);

// The same of a line of `journalctl -o json`. Keeps the texts that `into` views until the next call. Nothing when the
// line is no JSON object; false when it is one of another program.
class JournalLines {
  public:
    JournalLines();
    JournalLines(JournalLines&&) noexcept;
    JournalLines& operator=(JournalLines&&) noexcept;
    ~JournalLines();
    // `padding`: bytes behind the line that may be looked at.
    [[nodiscard]] std::optional<bool> read(std::string_view line, std::size_t padding, PostfixLine& into);

  private:
    struct State;
    std::unique_ptr<State> state_;
};

// Now, in seconds since 1970.
using Now = std::function<std::int64_t()>;
[[nodiscard]] inline std::int64_t system_now() { return base::unix_seconds(base::SystemClock().wall()); }

// Stamps of PostfixLine in seconds since 1970: those of TimestampParser, microseconds since 1970 (the journal's), and
// "Nov 21 03:05:00", which has no year and no offset: it is in `zone`, and of the last year in which it lies at most
// yearless_ahead after now, which is asked once a day of stamps. So a log of up to eleven months is read right, across
// New Year too.
inline constexpr std::int64_t yearless_ahead = std::int64_t{31} * 86400;
class LogTimes {
  public:
    LogTimes(Zone zone, Now now) : now_(std::move(now)), parser_(std::move(zone)) {}
    [[nodiscard]] std::optional<std::int64_t> parse(std::string_view stamp);
    // Of the stamp that a line of any program begins with.
    [[nodiscard]] std::optional<std::int64_t> of_line(std::string_view line);

  private:
    [[nodiscard]] std::optional<std::int64_t> yearless(std::string_view stamp);
    [[nodiscard]] std::optional<std::int64_t> with_year(int year, std::string_view stamp);

    Now now_;
    TimestampParser parser_;
    std::string last_;  // the last stamp, without its fraction of a second
    std::int64_t last_seconds_ = 0;
    std::array<char, 6> day_{};  // "Nov 21" of year_
    int year_ = 0;
};

// "to=<a@b.example>, relay=…, status=sent (…)": one recipient's status.
struct PostfixDelivery {
    std::string_view to;
    std::string_view orig_to;  // empty when it is the same
    std::string_view relay;    // "mx.example.net[192.0.2.1]:25", "none", "local" …
    std::string_view delay;    // seconds, with a fraction
    std::string_view dsn;
    std::string_view status;
    std::string_view text;  // without the parentheses
    bool whole = false;     // the closing one stood there
};
// `rest` begins with "to=<". False when what every such line has is missing.
[[nodiscard]] bool read_delivery(std::string_view rest, PostfixDelivery& into);

// "Trusted TLS connection established to mx.example.net[192.0.2.1]:25: TLSv1.3 with cipher …", also "reused to".
struct PostfixTls {
    std::string_view relay;
    std::string_view protocol;
    std::string_view cipher;
};
[[nodiscard]] bool read_tls(std::string_view message, PostfixTls& into);

// "from=<a@b.example>, size=1047, nrcpt=1 (queue active)" and "from=<a@b.example>, status=expired, returned to sender".
struct PostfixSender {
    std::string_view sender;
    std::optional<std::uint64_t> size;
    bool expired = false;
};
// `rest` begins with "from=<".
[[nodiscard]] bool read_sender(std::string_view rest, PostfixSender& into);

// "3Zp7Qk1Y9Gz4xyz" or "4F3A21C0E5" before ": " at the front of a message; empty when there is none.
[[nodiscard]] std::string_view queue_id(std::string_view message);

}  // namespace mtawatch::mta::logs
