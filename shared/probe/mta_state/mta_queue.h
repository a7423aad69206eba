// Probe of mail queues: how much mail waits, how old it is, and where to. PowerMTA, Postfix and KumoMTA; this machine,
// SSH or HTTP.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "shared/base/clock.h"
#include "shared/base/deadline.h"
#include "shared/base/result.h"
#include "shared/mta/documents/pmta_status.h"
#include "shared/probe/world/machine.h"
#include "shared/probe/world/web_source.h"
#include "shared/probe/world/world.h"

namespace mtawatch::probe::mta_state {

enum class Mta { postfix, pmta, kumomta };
[[nodiscard]] std::string_view name(Mta mta);       // "postfix", "pmta", "kumomta"
[[nodiscard]] std::string_view full_name(Mta mta);  // "Postfix", "PowerMTA", "KumoMTA"
// The MTA of that name(). Fault::usage for another word.
[[nodiscard]] base::Result<Mta> mta_named(std::string_view word);
// What it counts in its queue: "messages"; PowerMTA "recipients".
[[nodiscard]] std::string_view counted_unit(Mta mta);

enum class QueueGroup { none, domain, vmta, queue, provider };
[[nodiscard]] std::string_view name(QueueGroup group);

struct MtaQueueQuery {
    Mta mta = Mta::postfix;
    std::optional<world::SshTarget> ssh;
    std::optional<world::WebSource> web;   // PowerMTA's monitor or KumoMTA; absent: a program is run
    bool sudo = false;                     // PowerMTA's program through `sudo -n`
    std::vector<std::string> config_dirs;  // Postfix instances; empty: the default one
    QueueGroup group = QueueGroup::none;   // also count by
    std::size_t max_groups = 1000;         // largest kept
    bool vmtas = false;                    // PowerMTA: count by VMTA beside `group`
    bool held_queues = false;              // PowerMTA: queues in backoff and paused ones
    bool licence = false;                  // PowerMTA: when it ends
    // PowerMTA: is any message older than one of these? Asked from the longest on, until one is found (expensive).
    std::vector<std::chrono::seconds> older_than;
};

struct QueueCount {
    std::string name;
    std::int64_t count = 0;  // messages; PowerMTA: recipients
    std::optional<std::int64_t> bytes;
};

struct OldestMessage {
    base::WallTime arrival;
    std::string queue;
    std::string id;  // empty where the MTA does not tell
};

// The longest of the ages asked for that some message exceeds; absent: none does.
struct AgeAnswer {
    std::optional<std::chrono::seconds> exceeded;
};

// PowerMTA's queue in backoff or paused.
struct HeldQueue {
    std::string domain;
    std::string vmta;
    std::int64_t recipients = 0;
    std::string reason;
};

struct HeldQueues {
    std::vector<HeldQueue> queues;
    std::int64_t recipients = 0;
    bool complete = true;  // false: there are more than were shown, so the figures are lower bounds
};

struct SuspendedSource {
    std::string source;
    std::string reason;
};

// A wanted part that could not be seen, beside others that could.
struct UnseenPart {
    std::string part;  // "queues in backoff"
    base::Error why;
};

struct MtaQueueObservation {
    Mta mta = Mta::postfix;
    std::string where;        // "on this machine", "on mx1.example.net", "at http://127.0.0.1:8080"
    std::int64_t queued = 0;  // messages; PowerMTA: recipients
    std::optional<std::int64_t> bytes;
    std::vector<QueueCount> queues;  // postfix: active, deferred …; pmta: smtp, pipe …; kumomta: scheduled, ready
    std::vector<QueueCount> groups;  // largest first, by `group` of the query
    bool groups_complete = true;     // false: smaller or unlisted ones are missing
    std::vector<QueueCount> vmtas;   // answer to `vmtas`, largest first
    std::int64_t group_error = 0;    // counts of groups are at most this much too high
    std::optional<OldestMessage> oldest;  // absent: no mail, or the MTA does not tell
    std::optional<AgeAnswer> age;         // answer to older_than
    std::optional<HeldQueues> backoff;
    std::optional<HeldQueues> paused;
    std::optional<double> spool_percent;           // of the most recipients that PowerMTA takes
    std::optional<std::int64_t> left_last_minute;  // recipients that PowerMTA delivered
    std::optional<std::int64_t> left_last_hour;
    std::optional<base::WallTime> licence_expires;  // the day's begin
    std::vector<SuspendedSource> suspended;         // KumoMTA's sources out of use
    std::optional<mta::documents::PmtaStatus> pmta;
    std::vector<UnseenPart> unseen;
    base::Duration took{};
};

// An Error when the queue itself could not be read: never an observation of an empty queue. Faults: usage (a source
// that this MTA does not have), those of Machine, ask_web and the readers of shared/mta.
[[nodiscard]] base::Result<MtaQueueObservation> mta_queue(const MtaQueueQuery& query, const base::Deadline& deadline,
                                                          world::World& world);
// The same through a connection that is open already; for programs only (no query.web).
[[nodiscard]] base::Result<MtaQueueObservation> mta_queue_on(const world::Machine& machine, const MtaQueueQuery& query,
                                                             const base::Deadline& deadline, world::World& world);

// docs/queue.md names the fields.
[[nodiscard]] std::string to_json(const MtaQueueObservation& observation);

}  // namespace mtawatch::probe::mta_state
