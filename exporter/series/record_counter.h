// Turns records into counts in the series store, with caches for lookups that repeat. What a record is counted under
// is decided by shared/mta/classes/attribution.h.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "exporter/series/count_settings.h"
#include "exporter/series/series_store.h"
#include "shared/mta/classes/attribution.h"
#include "shared/mta/classes/bounce_patterns.h"
#include "shared/mta/classes/reply_class.h"
#include "shared/mta/logs/record.h"
#include "shared/mta/logs/timestamps.h"

namespace mtawatch::exporter::series {

// A stamp more than this ahead of the clock is a mistake of a clock: it must not move "newest record" into the future.
inline constexpr std::int64_t future_slack_seconds = 86'400;

// The scanner options that go with the settings: job columns become custom columns.
[[nodiscard]] mta::logs::ScannerOptions scanner_options(const CountSettings& settings);

// Refers to the store and the settings, which outlive it. One thread. Allocates only for new series and values.
class RecordCounter {
  public:
    RecordCounter(const CountSettings& settings, SeriesStore& store);

    // `now` is the wall clock in Unix seconds.
    void count(std::span<const mta::logs::Record> records, std::int64_t now);

  private:
    using Cell = mta::logs::Column;
    // Where a record went out: three cells that come together again and again, known by their joint hash.
    struct Route {
        std::uint64_t hash = 0;
        TextId vmta = no_text;
        TextId pool = no_text;
        TextId source = no_text;
        std::uint32_t source_place = no_text;  // in the source addresses' table, which notes when each was last seen
    };
    // What most records have in common, looked up once.
    struct Common {
        TextId vmta;
        TextId pool;
        TextId source;
        TextId provider;
        std::string_view rcpt_domain;
    };

    [[nodiscard]] std::int64_t advance_time(const mta::logs::Record& record, std::int64_t now);
    // The key that a record's provider is looked up with. Made for several records before the first of them is counted,
    // so that the table's cache lines are prefetched meanwhile.
    struct ProviderKey {
        mta::classes::RecipientNames names;
        std::uint64_t hash = 0;
    };
    static constexpr std::size_t ahead = 16;
    [[nodiscard]] ProviderKey provider_key(const mta::logs::Record& record) const;
    [[nodiscard]] TextId provider(const ProviderKey& key, const mta::logs::Record& record);
    void fetch_recipients(std::span<const ProviderKey> keys);
    void count_one(const mta::logs::Record& record, const ProviderKey& key, std::int64_t now);
    [[nodiscard]] Common common(const mta::logs::Record& record, const ProviderKey& key);
    [[nodiscard]] Route route(const mta::logs::Record& record);
    struct ReplyAnswer {
        std::uint64_t hash = 0;
        mta::classes::ReplyClass reason = mta::classes::ReplyClass::other;
        mta::classes::BounceClass bounce_class = mta::classes::BounceClass::other;
    };
    [[nodiscard]] ReplyAnswer verdict(const mta::logs::Record& record);
    [[nodiscard]] TextId sender(const mta::logs::Record& record);
    [[nodiscard]] TextId job(const mta::logs::Record& record);
    struct BounceWords {
        TextId category;
        TextId bounce_class;
    };
    [[nodiscard]] BounceWords bounce_words(const mta::logs::Record& record, const ReplyAnswer& answer);
    void delivery(const mta::logs::Record& record, const ProviderKey& key, std::int64_t time);
    // From queueing to delivery: whole seconds, and the rest in tenths.
    struct Delay {
        std::int64_t seconds = 0;
        std::int64_t tenths = 0;
    };
    [[nodiscard]] std::optional<Delay> delay_of(const mta::logs::Record& record, std::int64_t time);
    void bounce(const mta::logs::Record& record, const ProviderKey& key);
    void transient(const mta::logs::Record& record, const ProviderKey& key);
    void queue_transient(const mta::logs::Record& record, const ProviderKey& key);
    void receipt(const mta::logs::Record& record);
    void remote_bounce(const mta::logs::Record& record, const ProviderKey& key);
    void complaint(const mta::logs::Record& record);
    void diagnostic(const mta::logs::Record& record, const ProviderKey& key);
    void reply(const mta::logs::Record& record, TextId provider);
    [[nodiscard]] std::uint32_t reply_row(const mta::classes::ReplyCodes& codes, TextId provider, bool& folded);

    template <class... Ids>
    std::uint64_t* row(Family family, Ids... ids) {
        std::array<TextId, sizeof...(Ids)> key{ids...};
        return store_.row(family, key.data());
    }

    // Caches by hash of the cells, of fixed size: a new entry overwrites the one in its slot. A provider's entry is one
    // word, two of them a slot: the hash without its low bits, which chose the slot, then the id.
    using ProviderAnswers = std::array<std::uint64_t, 2>;
    static constexpr std::uint64_t provider_id_bits = 0xffffU;
    static_assert(sizeof(mta::classes::ProviderId) == 2);
    // Row numbers of combinations that come again and again, until a sweep takes rows out. Each is its key, then rows.
    // Keys are words, not arrays of ids: those would be compared by a call of memcmp.
    static constexpr std::uint64_t no_key = ~std::uint64_t{0};
    struct DeliveryRows {
        std::uint64_t vmta_pool = no_key;
        TextId provider = no_text;
        std::uint32_t deliveries = 0;
        std::uint32_t delay = SeriesTable::none;  // until a record says its delay: a histogram of none is no series
        std::uint32_t newest = 0;
    };
    struct SenderRows {
        std::uint64_t sender_provider = no_key;
        std::uint32_t deliveries = 0;
        std::uint32_t lifetime = 0;
    };
    struct SourceRows {
        TextId source = no_text;
        std::uint32_t deliveries = 0;
        std::uint32_t origin = 0;
    };
    // Known by the front of the reply's text, where that decided, and the status; `row` by those and the provider.
    struct ReplyRow {
        std::array<std::uint64_t, 2> front{};
        std::uint64_t status_hash = 0;
        TextId provider = no_text;
        std::uint32_t row = 0;
    };
    [[nodiscard]] static std::uint64_t pair(TextId first, TextId second) {
        return std::uint64_t{first} << 32U | second;
    }
    [[nodiscard]] DeliveryRows delivery_rows(const Common& c, bool with_delay);
    [[nodiscard]] SenderRows sender_rows(TextId from, TextId provider);
    [[nodiscard]] SourceRows source_rows(TextId source);
    void forget_rows();
    static constexpr std::size_t row_memos = 1U << 10U;
    static constexpr std::size_t provider_places = 1U << 14U;
    static constexpr std::size_t reply_answers = 1U << 12U;

    const CountSettings& settings_;
    SeriesStore& store_;
    const mta::classes::ReplyClassifier classifier_;
    std::optional<mta::classes::BouncePatterns> patterns_;
    mta::logs::TimestampParser queued_times_;
    const std::vector<Cell> job_cells_;
    std::vector<TextId> provider_words_;
    std::array<TextId, mta::classes::bounce_class_count> bounce_words_{};
    std::array<TextId, mta::classes::reply_classes> reply_words_{};
    std::array<TextId, 600> code_words_{};
    std::vector<ProviderAnswers> providers_;
    std::vector<ReplyAnswer> replies_;
    std::vector<DeliveryRows> delivery_rows_;
    std::vector<SenderRows> sender_rows_;
    std::vector<SourceRows> source_rows_;
    std::vector<ReplyRow> reply_rows_;
    std::vector<Route> routes_;
    std::uint32_t generation_ = 0;  // of the store, for which the rows above hold
};

}  // namespace mtawatch::exporter::series
