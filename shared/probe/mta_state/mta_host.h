// Probe of a mail host as a whole: services, queue, disks, mail log, certificate and deliveries, through one
// connection.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "shared/probe/mail_server/mail_cert.h"
#include "shared/probe/mta_state/mta_queue.h"
#include "shared/probe/mta_state/mta_service.h"

namespace mtawatch::probe::mta_state {

// Only the parts that are asked for are looked at.
struct MtaHostQuery {
    std::optional<world::SshTarget> ssh;
    std::vector<std::string> units;
    std::optional<MtaQueueQuery> queue;  // its `ssh` is not used: the host's connection is
    std::vector<std::string> disks;      // a path in each file system
    std::string certificate;             // endpoint as in parse_cert_endpoint, looked at from here; "" is none
    bool log = false;                    // errors of the last hour in the mail log
    bool deliveries = false;             // delivered and bounced in the last hour
    // PowerMTA: where they are read from, a glob (over SSH with a pattern in its last part only); "": from the mail log
    // (Postfix).
    std::string accounting;
};

struct DiskFacts {
    std::string path;        // as asked for
    std::string mountpoint;  // as df names it
    std::uint64_t used_kib = 0;
    std::uint64_t available_kib = 0;  // to other users than root
    // Of what is not reserved for root, as df counts it.
    [[nodiscard]] double used_percent() const;
};

struct MailLogFacts {
    std::string source;  // "journal" or the file
    std::int64_t errors = 0;
    std::optional<std::int64_t> rejects;  // absent when only errors were asked for
    std::string last_error;
};

struct DeliveryFacts {
    std::int64_t delivered = 0;
    std::int64_t bounced = 0;
    std::int64_t seconds = 3600;  // of the past that was seen: less where there was too much of it
    // Absent without any.
    [[nodiscard]] std::optional<double> delivered_percent() const;
};

struct MtaHostObservation {
    std::string where;
    std::optional<std::vector<UnitFacts>> units;
    std::optional<MtaQueueObservation> queue;
    std::vector<DiskFacts> disks;
    std::optional<MailLogFacts> log;
    std::optional<DeliveryFacts> deliveries;
    std::optional<mail_server::MailCertObservation> certificate;
    std::vector<UnseenPart> unseen;  // "services", "queue", "disk /x", "mail log", "deliveries", "certificate"
    base::Duration took{};
};

// An Error only when the host itself could not be reached; a part that could not be seen is named in `unseen`.
[[nodiscard]] base::Result<MtaHostObservation> mta_host(const MtaHostQuery& query, const base::Deadline& deadline,
                                                        world::World& world);

// docs/host.md names the fields. `health` is the reader's judgement in one word, which stands beside the facts.
[[nodiscard]] std::string to_json(const MtaHostObservation& observation, std::string_view health);

// What `df -P -k` prints (POSIX). Lines of paths that df could not look at are missing.
[[nodiscard]] base::Result<std::vector<DiskFacts>> read_df(std::string_view text);

}  // namespace mtawatch::probe::mta_state
