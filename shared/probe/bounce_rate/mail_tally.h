// Counts the records of a window by kind, in all and by group. Fed with batches of a log reader.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "shared/mta/classes/classes_config.h"
#include "shared/mta/classes/reply_class.h"
#include "shared/mta/logs/record.h"
#include "shared/probe/bounce_rate/bounce_rate.h"

namespace mtawatch::probe::bounce_rate {

class MailTally {
  public:
    // `observation` has begin and end set; it and `classes` outlive the tally.
    MailTally(const BounceRateQuery& query, const mta::classes::Classes& classes,
              std::optional<mta::classes::BouncePatterns> patterns, BounceRateObservation& observation);

    // Counts the records that lie in the window and notes what all of them show: types that are logged, newest record.
    void add(std::span<const mta::logs::Record> records);
    // Notes the same and counts nothing: for what was read to find the window.
    void observe(std::span<const mta::logs::Record> records);
    // Gives complaints without a vmta or pool those of the deliveries from the same source address.
    void finish();

  private:
    void count(const mta::logs::Record& record);
    void count_bounce(const mta::logs::Record& record, bool narrowed);
    void count_complaint(const mta::logs::Record& record);
    [[nodiscard]] std::string_view key_of(MailKey key, const mta::logs::Record& record);
    [[nodiscard]] std::string_view provider_of(const mta::logs::Record& record);
    [[nodiscard]] std::string_view category_of(const mta::logs::Record& record);
    [[nodiscard]] bool passes(const mta::logs::Record& record);
    [[nodiscard]] MailCounts* group(std::string_view key);
    [[nodiscard]] MailCounts* group_of(const mta::logs::Record& record);
    [[nodiscard]] const mta::classes::ReplyClassifier& replies();
    void see(mta::logs::RecordType type) { seen_ |= 1U << static_cast<unsigned>(type); }
    void publish_types();

    const BounceRateQuery& query_;
    const mta::classes::Classes& classes_;
    std::optional<mta::classes::BouncePatterns> patterns_;
    BounceRateObservation& observation_;
    std::unique_ptr<const mta::classes::ReplyClassifier> replies_;  // made when the first bounce needs it
    std::uint32_t seen_ = 0;
    std::int64_t newest_ = mta::logs::no_time;
    std::string scratch_;
    struct Hash {
        using is_transparent = void;
        std::size_t operator()(std::string_view text) const { return std::hash<std::string_view>{}(text); }
    };
    std::unordered_map<std::string, MailCounts*, Hash, std::equal_to<>> groups_;
    std::unordered_map<std::string, std::string, Hash, std::equal_to<>> providers_;
    std::unordered_map<std::string, std::string, Hash, std::equal_to<>> sources_;  // source address to vmta or pool
    std::vector<std::pair<std::string, std::uint64_t>> unplaced_;                  // complaints by source address
};

}  // namespace mtawatch::probe::bounce_rate
