// Counts the records of a window by kind, in all and by group. Fed with batches of a log reader. What a record is
// counted under is decided by shared/mta/classes/attribution.h.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "shared/base/hash.h"
#include "shared/mta/classes/attribution.h"
#include "shared/mta/classes/classes_config.h"
#include "shared/mta/classes/reply_class.h"
#include "shared/mta/logs/record.h"
#include "shared/probe/bounce_rate/bounce_rate.h"

namespace mtawatch::probe::bounce_rate {

class MailTally {
  public:
    // `observation` has begin and end set; it and `classes` outlive the tally. `job_cells` are those of the reader's
    // job_columns().
    MailTally(const BounceRateQuery& query, const mta::classes::Classes& classes,
              std::optional<mta::classes::BouncePatterns> patterns, std::vector<mta::logs::Column> job_cells,
              BounceRateObservation& observation);

    // Counts the records that lie in the window and notes what all of them show: types that are logged, newest record.
    void add(std::span<const mta::logs::Record> records);
    // Notes the same and counts nothing: for what was read to find the window.
    void observe(std::span<const mta::logs::Record> records);
    // Counts the complaints that do not name their vmta and whose source address had no delivery before them: under
    // the vmta of the last delivery from it, where there was one after all.
    void finish();

  private:
    // Where mail went out: of a complaint that does not say it, that of the delivery before it from its source address.
    struct Origin {
        std::string vmta;
        std::string pool;
        [[nodiscard]] std::string_view of(MailKey key) const { return key == MailKey::vmta ? vmta : pool; }
    };
    // One that does not name its vmta.
    struct Complaint {
        std::string source;
        std::string pool;  // its own
        std::string key;   // of query.by, where that is neither vmta nor pool
    };

    void count(const mta::logs::Record& record);
    void count_bounce(const mta::logs::Record& record);
    void learn_origin(const mta::logs::Record& delivery);
    void count_complaint(const mta::logs::Record& record);
    void add_complaint(std::string_view key);
    void place(const Complaint& complaint);
    [[nodiscard]] std::string_view key_of(MailKey key, const mta::logs::Record& record);
    [[nodiscard]] std::string_view provider_of(const mta::logs::Record& record);
    [[nodiscard]] std::string_view category_of(const mta::logs::Record& record);
    [[nodiscard]] mta::classes::BounceClass bounce_class_of(const mta::logs::Record& record);
    enum class Asked { all, but_origin };
    [[nodiscard]] bool passes(const mta::logs::Record& record, Asked asked = Asked::all);
    [[nodiscard]] MailCounts* group(std::string_view key);
    [[nodiscard]] MailCounts* group_of(const mta::logs::Record& record);
    [[nodiscard]] const mta::classes::ReplyClassifier& replies();
    [[nodiscard]] const mta::classes::ReplyVerdict& verdict_of(const mta::logs::Record& record);
    void note_category(std::string_view category);
    [[nodiscard]] bool has_failed(const mta::logs::Record& record) const;
    void note_before(const mta::logs::Record& record);
    [[nodiscard]] std::string label_of(std::string_view key) const;
    [[nodiscard]] std::string_view code_of(const mta::logs::Record& record);
    [[nodiscard]] std::string_view reply_of(const mta::logs::Record& record);
    void see(mta::logs::RecordType type) { seen_ |= 1U << static_cast<unsigned>(type); }
    void publish_types();

    const BounceRateQuery& query_;
    const mta::classes::Classes& classes_;
    std::optional<mta::classes::BouncePatterns> patterns_;
    const std::vector<mta::logs::Column> job_cells_;
    const bool origin_asked_;  // vmta or pool is a key of the query
    BounceRateObservation& observation_;
    std::unique_ptr<const mta::classes::ReplyClassifier> replies_;  // made when the first bounce needs it
    static constexpr std::size_t verdict_places = 1U << 10U;
    // Verdicts by hash of the whole reply; a new one takes the place of an old one.
    std::vector<std::pair<std::uint64_t, mta::classes::ReplyVerdict>> verdicts_{verdict_places};
    std::uint32_t seen_ = 0;
    std::int64_t newest_ = mta::logs::no_time;
    std::string scratch_;
    std::string reply_scratch_;
    struct Hash {
        using is_transparent = void;
        std::size_t operator()(std::string_view text) const { return base::hash_bytes(text); }
    };
    std::unordered_map<std::string, MailCounts*, Hash, std::equal_to<>> groups_;
    std::unordered_map<std::string, mta::classes::ProviderId, Hash, std::equal_to<>> providers_;  // "domain\nmx"
    std::unordered_map<std::string, Origin, Hash, std::equal_to<>> sources_;
    std::vector<Complaint> unplaced_;
};

}  // namespace mtawatch::probe::bounce_rate
