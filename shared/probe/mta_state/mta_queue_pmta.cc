// The PowerMTA part of the queue probe.
#include <algorithm>

#include "shared/base/text.h"
#include "shared/probe/mta_state/mta_queue_parts.h"
#include "shared/probe/mta_state/pmta_source.h"

namespace mtawatch::probe::mta_state {

namespace {

using base::fail;
using base::Fault;
using base::Result;

void store_status(const mta::documents::PmtaStatus& status, MtaQueueObservation& into) {
    double kilobytes = 0;
    bool all_sizes = !status.queues.empty();
    for (const auto& kind : status.queues) {
        if (kind.recipients) into.queues.push_back({kind.name, *kind.recipients, {}});
        all_sizes = all_sizes && kind.kilobytes.has_value();
        kilobytes += kind.kilobytes.value_or(0);
    }
    if (all_sizes) into.bytes = static_cast<std::int64_t>(kilobytes * 1000);
    if (status.spool_recipients && status.spool_max_recipients && *status.spool_max_recipients > 0) {
        into.spool_percent =
            100.0 * static_cast<double>(*status.spool_recipients) / static_cast<double>(*status.spool_max_recipients);
    }
    into.left_last_minute = status.last_minute.out.recipients;
    into.left_last_hour = status.last_hour.out.recipients;
    into.pmta = status;
}

// "domain/vmta": neither holds a slash.
HeldQueue held(const mta::documents::PmtaEntry& entry) {
    const auto slash = entry.name.rfind('/');
    HeldQueue queue;
    queue.domain = entry.name.substr(0, slash);
    if (slash != std::string::npos) queue.vmta = entry.name.substr(slash + 1);
    queue.recipients = entry.recipients;
    queue.reason = entry.backoff_reason.empty() ? entry.last_error : entry.backoff_reason;
    return queue;
}

// The queues of a listing that are held: every one when PowerMTA filtered, else those that say so. A queue that does
// not tell its mode cannot be judged.
Result<HeldQueues> held_queues(const mta::documents::PmtaListing& listing, bool backoff) {
    HeldQueues found;
    for (const auto& entry : listing.entries) {
        if (backoff ? entry.mode.empty() : !entry.paused.has_value()) {
            return fail(Fault::malformed,
                        "PowerMTA's list of queues does not tell {}; ask its program (--pmta-program)",
                        backoff ? "the mode" : "which are paused");
        }
        if (backoff ? entry.mode == "normal" : !*entry.paused) continue;
        found.queues.push_back(held(entry));
        found.recipients += entry.recipients;
    }
    found.complete = listing.complete().value_or(false);
    std::ranges::sort(found.queues, [](const HeldQueue& a, const HeldQueue& b) {
        return a.recipients != b.recipients ? a.recipients > b.recipients
                                            : std::tie(a.domain, a.vmta) < std::tie(b.domain, b.vmta);
    });
    return found;
}

// An answer that cannot be used is told with what was asked.
template <class Read>
Result<Read> from(const PmtaSource& source, Result<Read> read) {
    if (!read) return fail(read.error().at(source.asked()));
    return read;
}

Result<mta::documents::PmtaListing> list(PmtaSource& source, const std::string& what, const std::string& filter,
                                         const base::Deadline& deadline) {
    auto bytes = source.listing(what, filter, deadline);
    if (!bytes) return fail(bytes.error());
    return from(source, mta::documents::read_pmta_listing(std::move(*bytes), what));
}

void read_held(PmtaSource& source, bool backoff, const base::Deadline& deadline, MtaQueueObservation& into) {
    auto listing = list(source, "queue", backoff ? "--mode=backoff" : "--paused=yes", deadline);
    auto found = listing ? held_queues(*listing, backoff) : Result<HeldQueues>(fail(listing.error()));
    if (!found) {
        into.unseen.push_back({backoff ? "queues in backoff" : "paused queues", found.error()});
    } else {
        (backoff ? into.backoff : into.paused) = std::move(*found);
    }
}

// Whether every group of that kind was shown; nothing was added when they could not be seen.
bool read_groups(PmtaSource& source, QueueGroup group, const base::Deadline& deadline, MtaQueueObservation& seen,
                 std::vector<QueueCount>& into) {
    auto listing = list(source, std::string(name(group)), "", deadline);
    if (!listing) {
        seen.unseen.push_back({fmt::format("the queue by {}", name(group)), listing.error()});
        return false;
    }
    for (const auto& entry : listing->entries) into.push_back({entry.name, entry.recipients, {}});
    return listing->complete().value_or(false);
}

Result<mta::documents::PmtaMessages> messages_over(PmtaSource& source, std::chrono::seconds age,
                                                   const base::Deadline& deadline) {
    auto bytes = source.older_than(age, deadline);
    if (!bytes) return fail(bytes.error());
    auto found = from(source, mta::documents::read_pmta_messages(std::move(*bytes)));
    if (found && found->messages.empty() && !found->remark.empty()) {
        return fail(Fault::io, "PowerMTA could not list everything: {}", found->remark);
    }
    return found;
}

void store_oldest(const mta::documents::PmtaMessages& found, base::WallTime now, MtaQueueObservation& into) {
    const mta::documents::PmtaMessage* oldest = nullptr;
    for (const auto& message : found.messages) {
        if (message.queued && (oldest == nullptr || *message.queued < *oldest->queued)) oldest = &message;
    }
    // timeQueued and timeNow are the same host's local time, so their difference needs no zone.
    if (oldest == nullptr || !into.pmta->now) return;
    into.oldest = OldestMessage{now - (*into.pmta->now - *oldest->queued), oldest->queue, ""};
}

void read_age(PmtaSource& source, std::vector<std::chrono::seconds> ages, const base::Deadline& deadline,
              world::World& world, MtaQueueObservation& into) {
    std::sort(ages.rbegin(), ages.rend());
    AgeAnswer answer;
    for (const auto age : ages) {
        auto found = messages_over(source, age, deadline);
        if (!found) {
            into.unseen.push_back({"the age of messages", found.error()});
            return;
        }
        if (found->messages.empty()) continue;
        answer.exceeded = age;
        store_oldest(*found, world.clock->wall(), into);
        break;
    }
    into.age = answer;
}

void read_licence(PmtaSource& source, const base::Deadline& deadline, MtaQueueObservation& into) {
    auto bytes = source.licence(deadline);
    auto licence = bytes ? from(source, mta::documents::read_pmta_licence(std::move(*bytes)))
                         : Result<mta::documents::PmtaLicence>(fail(bytes.error()));
    if (!licence) {
        into.unseen.push_back({"the licence", licence.error()});
    } else if (licence->expires) {
        into.licence_expires = base::WallTime(licence->expires->time_since_epoch());
    }
}

}  // namespace

base::Result<MtaQueueObservation> pmta_queue(PmtaSource& source, const MtaQueueQuery& query,
                                             const base::Deadline& deadline, world::World& world) {
    auto bytes = source.status(deadline);
    if (!bytes) return fail(bytes.error());
    auto status = from(source, mta::documents::read_pmta_status(std::move(*bytes)));
    if (!status) return fail(status.error());
    const auto queued = status->queued_recipients();
    if (!queued) return fail(Fault::malformed, "{}: PowerMTA's status names no queue", source.asked());
    MtaQueueObservation seen;
    seen.queued = *queued;
    store_status(*status, seen);
    if (query.held_queues) {
        read_held(source, true, deadline, seen);
        read_held(source, false, deadline, seen);
    }
    if (query.group != QueueGroup::none) {
        seen.groups_complete = read_groups(source, query.group, deadline, seen, seen.groups);
        keep_largest(seen, query.max_groups);
    }
    if (query.vmtas) static_cast<void>(read_groups(source, QueueGroup::vmta, deadline, seen, seen.vmtas));
    if (!query.older_than.empty()) read_age(source, query.older_than, deadline, world, seen);
    if (query.licence) read_licence(source, deadline, seen);
    return seen;
}

}  // namespace mtawatch::probe::mta_state
