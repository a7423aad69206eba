// PowerMTA's `show status`, listings, messages and licence as plain structs, from any of its output forms and of the
// versions 4.0 to 5.0r5.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "shared/base/result.h"

namespace mtawatch::mta::documents {

// Times are the host's local time without a zone: only differences between two of one answer mean anything.
struct PmtaTraffic {
    std::optional<std::int64_t> recipients;
    std::optional<std::int64_t> messages;
    std::optional<double> kilobytes;  // assumed to be 1000 bytes each
};

struct PmtaFlow {
    PmtaTraffic in;
    PmtaTraffic out;
};

struct PmtaConnections {
    std::optional<std::int64_t> current;
    std::optional<std::int64_t> maximum;
    std::optional<std::int64_t> top;
};

struct PmtaQueueKind {
    std::string name;  // smtp, pipe, file, discard … as PowerMTA writes it; the text form knows smtp and other
    std::optional<std::int64_t> recipients;
    std::optional<std::int64_t> domains;
    std::optional<double> kilobytes;
};

// What the answer does not hold is absent, never 0.
struct PmtaStatus {
    std::string version;
    std::string platform;  // "Linux 3.10.0-862.3.2.el7.x86_64"
    std::string host;
    std::string state;  // "running"
    std::optional<bool> shutting_down;
    std::optional<std::chrono::local_seconds> now;
    std::optional<std::chrono::local_seconds> started;
    std::optional<std::chrono::seconds> uptime;
    PmtaFlow total;  // since the start or `pmta reset counters`
    PmtaFlow last_hour;
    PmtaFlow last_minute;
    PmtaConnections connections_in;
    PmtaConnections connections_out;
    std::optional<std::int64_t> names_cached;
    std::optional<std::int64_t> queries_pending;
    std::vector<PmtaQueueKind> queues;
    std::optional<double> spool_initialized_percent;
    std::optional<std::int64_t> spool_recipients;
    std::optional<std::int64_t> spool_max_recipients;  // spool-max-recipients; at it PowerMTA takes no more mail

    // All kinds together; absent when the answer names no queue.
    [[nodiscard]] std::optional<std::int64_t> queued_recipients() const;
};

// Fault::malformed when status.status is missing: PowerMTA writes it last, so the answer is cut short or another one.
[[nodiscard]] base::Result<PmtaStatus> read_pmta_status(std::string bytes);

// One line of `show queues|domains|vmtas|jobs`.
struct PmtaEntry {
    std::string name;  // "example.com/vmta1" for queues
    std::int64_t recipients = 0;
    std::optional<double> kilobytes;
    std::optional<std::int64_t> connections;
    std::optional<std::int64_t> domains;  // of a vmta
    std::optional<bool> paused;           // absent in the text form, whose state letters are not documented
    std::string mode;                     // "normal", "backoff"; empty when not told
    std::string retry_time;
    std::string last_error;
    std::string backoff_reason;
};

// The largest of a listing are kept, the others are missing as if PowerMTA had not shown them.
inline constexpr std::size_t max_pmta_entries = 10'000;

struct PmtaListing {
    std::vector<PmtaEntry> entries;                // at most max_pmta_entries, then largest first
    bool left_out = false;                         // there were more
    std::optional<std::int64_t> total_recipients;  // of all entries that matched, also those not shown
    std::optional<std::int64_t> total_entries;
    // PowerMTA shows 10 (web) or 20 (program) entries unless asked for more. False when its own totals say that entries
    // are missing, or when some were left out; true when they agree; absent when the answer has no total to hold
    // against it.
    [[nodiscard]] std::optional<bool> complete() const;

    void add(PmtaEntry entry);
    void keep_largest();  // max_pmta_entries of them
};

// `what` is the singular: "queue", "domain", "vmta" or "job". Fault::malformed when the answer is another one.
[[nodiscard]] base::Result<PmtaListing> read_pmta_listing(std::string bytes, std::string_view what);

// One message of `list` or /listqueue.
struct PmtaMessage {
    std::string queue;
    std::string recipient;
    std::optional<std::chrono::local_seconds> queued;
};

struct PmtaMessages {
    std::vector<PmtaMessage> messages;
    std::string remark;  // "1 queue busy while listing; …": messages may be missing
};

[[nodiscard]] base::Result<PmtaMessages> read_pmta_messages(std::string bytes);

struct PmtaLicence {
    std::string product;
    std::string version;
    std::string licensee;
    std::optional<std::chrono::sys_days> expires;  // absent for a licence without an end
};

// The text form ("expires: 2100-03-20"); the other forms are not published and are tried by the same names.
[[nodiscard]] base::Result<PmtaLicence> read_pmta_licence(std::string bytes);

}  // namespace mtawatch::mta::documents
