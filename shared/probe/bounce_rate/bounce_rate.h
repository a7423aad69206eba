// Probe: how much mail was delivered, bounced, deferred and complained about in a window of time. From PowerMTA's
// accounting files, a Postfix log or KumoMTA's, of which only the part is read that the window needs.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "shared/base/clock.h"
#include "shared/base/deadline.h"
#include "shared/base/result.h"
#include "shared/probe/world/machine.h"
#include "shared/probe/world/world.h"

namespace mtawatch::probe::bounce_rate {

enum class LogFormat : std::uint8_t { pmta, postfix, kumomta };
[[nodiscard]] std::optional<LogFormat> log_format_of_name(std::string_view name);
[[nodiscard]] std::string_view name(LogFormat format);

// `relay` is Postfix's word for vmta: the host that took the mail.
// `reason`, `code` (enhanced, else SMTP) and `reply` (reason and template) are of a receiver's reply.
enum class MailKey {
    none,
    vmta,
    pool,
    provider,
    sender_domain,
    recipient_domain,
    job,
    source_ip,
    category,
    relay,
    reason,
    code,
    reply
};
// Whether the format's records say it.
[[nodiscard]] bool knows_key(LogFormat format, MailKey key);
// "vmta", "sender-domain" …; nothing for other words.
[[nodiscard]] std::optional<MailKey> mail_key_of_name(std::string_view name);
[[nodiscard]] std::string_view name(MailKey key);
inline constexpr std::string_view mail_key_names =
    "vmta|relay|pool|provider|sender-domain|recipient-domain|job|source-ip|category|reason|code|reply";
// Whether only mail that failed says it: its groups are parts of all mail, not mail of their own.
[[nodiscard]] bool is_of_failures(MailKey key);

// Each is a share of mail: the part that it counts of the whole that it could have been.
enum class MailMetric : std::uint8_t { bounce, hard, soft, block, deferral, complaint, delivery };
[[nodiscard]] std::optional<MailMetric> mail_metric_of_name(std::string_view name);
[[nodiscard]] std::string_view name(MailMetric metric);  // "bounce", "hard" …

// The record types that a figure stands on.
struct NeededTypes {
    bool deliveries = true;
    bool deferrals = false;
    bool complaints = false;
};

struct BounceRateQuery {
    LogFormat format = LogFormat::pmta;
    std::vector<std::string> globs;  // glob(7) patterns; "-" is standard input
    std::string journal;             // a unit whose journal is read (postfix); "" is none
    std::string table;               // "timeLogged=created_at,…": the columns of a table (pmta); "" is none
    std::string types;               // "sent=d,…": what the values of its type column mean
    std::chrono::seconds window{3600};
    std::optional<base::WallTime> end;    // absent: now, by the clock of the machine that wrote the log
    std::optional<world::SshTarget> ssh;  // the files or the journal of that host; absent: of this machine
    MailMetric metric = MailMetric::bounce;
    MailKey by = MailKey::none;
    // How long before the window it is looked which of the groups were met then too; 0: it is not. Needs a key of a
    // reply.
    std::chrono::seconds since{0};
    // All of them must hold, without regard to case. A category narrows the bounces alone: deliveries have none.
    std::vector<std::pair<MailKey, std::string>> only;
    NeededTypes needed;        // for these the probe looks beyond the window whether they are logged at all
    std::string classes_file;  // the exporter's configuration; "" is none
};

// Mail over SMTP in the window; local deliveries and bounces that no receiver decided are apart.
struct MailCounts {
    std::uint64_t delivered = 0;
    std::uint64_t hard = 0;
    std::uint64_t soft = 0;
    std::uint64_t block = 0;
    std::uint64_t other = 0;  // bounces of no known class
    std::uint64_t deferred = 0;
    std::uint64_t complaints = 0;
    std::uint64_t local_delivered = 0;
    std::uint64_t local_bounced = 0;
    [[nodiscard]] std::uint64_t bounced() const { return hard + soft + block + other; }
};

[[nodiscard]] std::uint64_t part(MailMetric metric, const MailCounts& counts);
[[nodiscard]] std::uint64_t whole(MailMetric metric, const MailCounts& counts);
// With four decimals; absent where the whole is 0.
[[nodiscard]] std::optional<double> percent(MailMetric metric, const MailCounts& counts);

struct LogSource {
    std::string path;
    std::string problem;  // why it could not be read, or not to its end; "" when it was
    std::uint64_t bytes_read = 0;
    std::uint64_t search_reads = 0;  // reads made to find the window
    std::uint64_t malformed = 0;     // lines that are no records, in what was read
    bool growing = false;            // a compressed file without its end: it is still being written
    bool skipped = false;            // finished long before the window begins
};

// Which record types were met anywhere in what was read, or shown to be logged by the header's columns.
struct LoggedTypes {
    bool deliveries = false;
    bool bounces = false;
    bool deferrals = false;
    bool complaints = false;
};

struct BounceRateObservation {
    // As the query had them.
    LogFormat format = LogFormat::pmta;
    bool table = false;  // the files are a table with columns or types of its own
    MailMetric metric = MailMetric::bounce;
    MailKey by = MailKey::none;

    std::int64_t begin = 0;     // seconds since 1970, inclusive
    std::int64_t end = 0;       // exclusive
    std::uint64_t records = 0;  // of any type in the window, before `only`
    MailCounts total;
    std::map<std::string, MailCounts> groups;  // by the key; a record without it is under "none"
    // With BounceRateQuery::since, the groups that were met in the time before the window, and how many records of any
    // kind were: none at all tell nothing.
    std::set<std::string, std::less<>> groups_before;
    std::uint64_t records_before = 0;
    std::chrono::seconds since{0};
    bool groups_folded = false;  // more than max_mail_groups: the rest is under "other"
    LoggedTypes logged;
    std::optional<std::int64_t> newest;  // of the records that are not after `end`
    std::vector<LogSource> sources;
    bool queue_times = false;  // a file has no timeLogged: timeQueued was used
    // Of a table: values of its type column that nothing was said about, and how often they stood there.
    std::map<std::string, std::uint64_t> unknown_types;
    // Categories that no table explains, and how many bounces had them: the reply decided about those.
    std::map<std::string, std::uint64_t, std::less<>> unknown_categories;
    std::chrono::nanoseconds took{0};
};

inline constexpr std::size_t max_unknown_types = 8;      // as many are named
inline constexpr std::size_t max_mail_groups = 100'000;  // more distinct values than an operator can have meant

// Over SSH a file is read by `dd` in parts: its beginning, the places of the bisection, and the window. A pattern may
// then hold * ? [ in its last part only, files that were finished a day before the window are not opened but for the
// newest, and one that was rotated meanwhile is a LogSource::problem.
// Faults: those of Machine::open, usage (no glob, a table that cannot be read), not_found (no file matches),
// configuration (classes file, bounce patterns), deadline (it passed; the message names how far it came), and when no
// source at all could be read that of the first: permission, malformed (no header, no time column) …. One source of
// several that cannot be read is a LogSource::problem.
[[nodiscard]] base::Result<BounceRateObservation> bounce_rate(const BounceRateQuery& query,
                                                              const base::Deadline& deadline, world::World& world);

// The counts that a group's share is computed from. A bounce category's share is of all mail: deliveries have none.
[[nodiscard]] MailCounts counts_of_group(const BounceRateObservation& seen, const MailCounts& group);
// docs/bounce-rate.md names the fields.
[[nodiscard]] std::string to_json(const BounceRateObservation& observation);

}  // namespace mtawatch::probe::bounce_rate
