// Parser of the time stamps of accounting files, into seconds since 1970.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>

#include "shared/base/result.h"

namespace mtawatch::mta::logs {

// How a stamp without an offset is read. Copies share what they know; a Zone may be used from several threads.
class Zone {
  public:
    // The machine's own (TZ or /etc/localtime).
    [[nodiscard]] static Zone machine();
    [[nodiscard]] static Zone utc();
    // Always that far from UTC, positive to the east.
    [[nodiscard]] static Zone fixed(std::chrono::seconds offset);
    // A name of the IANA database ("Europe/Berlin", "UTC"); Fault::configuration naming it when it is not known.
    [[nodiscard]] static base::Result<Zone> named(std::string_view name);

    // Seconds since 1970 of a local time given as if it were UTC. In the hour that autumn repeats the first pass
    // is taken where the zone's rules decide, in the hour that spring skips the time after the jump.
    [[nodiscard]] std::int64_t to_utc(std::int64_t local_seconds) const { return convert_(*this, local_seconds); }

  private:
    using Convert = std::int64_t (*)(const Zone&, std::int64_t);
    explicit Zone(Convert convert, std::shared_ptr<const void> rules = {})
        : convert_(convert), rules_(std::move(rules)) {}

    Convert convert_;
    std::shared_ptr<const void> rules_;
};

// "2015-09-01": a date that exists.
[[nodiscard]] std::optional<std::chrono::sys_days> parse_date(std::string_view text);
// "2015-09-01 10:17:50", a time without a zone.
[[nodiscard]] std::optional<std::chrono::local_seconds> parse_local_time(std::string_view text);

// The time of a machine as its `date +%Y-%m-%dT%H:%M:%S%z` prints it: "2026-11-21T03:05:00+0100".
struct MachineTime {
    std::int64_t seconds = 0;  // since 1970
    std::chrono::seconds offset{0};
};
[[nodiscard]] std::optional<MachineTime> parse_machine_time(std::string_view text);

// Whether TimestampParser would read it, without its zone.
[[nodiscard]] bool is_timestamp(std::string_view text);

// Accepted: "YYYY-MM-DD HH:MM:SS" with "T" for the blank, a fraction of a second (dropped), and "+HHMM", "-HH:MM",
// "+HH", "Z" or no offset; or 1 to 11 digits, seconds since 1970. Years 1970 to 9999. Anything else, blanks around it
// too, is nothing. Remembers the last date, offset and stamp, because neighbours in a file repeat them: one for each
// thread.
class TimestampParser {
  public:
    explicit TimestampParser(Zone zone = Zone::machine()) : zone_(std::move(zone)) {}

    [[nodiscard]] std::optional<std::int64_t> parse(std::string_view text);
    // Whether the last parsed stamp carried its own offset (epoch seconds and "Z" do).
    [[nodiscard]] bool had_offset() const { return had_offset_; }

  private:
    [[nodiscard]] std::optional<std::int64_t> parse_slowly(std::string_view text);
    [[nodiscard]] std::int64_t local_to_utc(std::int64_t local);

    Zone zone_;
    bool had_offset_ = true;
    bool known_ = false;           // there is a last stamp
    std::array<char, 24> last_{};  // the last stamp of the usual form, whose seconds are last_seconds_
    std::int64_t last_seconds_ = 0;
    std::int64_t date_seconds_ = 0;    // of the first ten bytes of last_
    std::int64_t offset_seconds_ = 0;  // of the last five bytes of last_
    std::int64_t zone_quarter_ = -1;   // the quarter of an hour, local, whose difference to UTC is zone_difference_
    std::int64_t zone_difference_ = 0;
};

}  // namespace mtawatch::mta::logs
