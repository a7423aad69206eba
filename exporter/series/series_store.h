// In-memory store of all counted series of one format: families, their limits, label values and totals.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "exporter/exposition/catalogue.h"
#include "exporter/series/count_settings.h"
#include "exporter/series/families.h"
#include "exporter/series/series_table.h"
#include "exporter/series/text_pool.h"
#include "exporter/series/value_table.h"
#include "shared/base/result.h"
#include "shared/mta/logs/record.h"

namespace mtawatch::exporter::series {

// PowerMTA's eight types and `other`; diagnostic lines are no accounting records.
inline constexpr std::size_t counted_types = 9;

// Everything that is one number. Plain data: copied whole, saved whole.
struct Totals {
    std::array<std::uint64_t, mta::logs::record_type_count> records{};
    std::array<std::int64_t, mta::logs::record_type_count> last_record{};  // 0: none yet
    std::uint64_t lines_parsed = 0;
    std::uint64_t lines_header = 0;
    std::array<std::uint64_t, mta::logs::scan_error_count> scan_errors{};
    std::uint64_t future_stamps = 0;
    std::uint64_t read_bytes = 0;
    std::uint64_t rotations = 0;
    std::uint64_t truncations = 0;
    std::int64_t record_clock = 0;  // the newest time stamp of all
    std::int64_t next_sweep = 0;    // by record time
    bool operator==(const Totals&) const = default;
};

// What is fixed for a family once the settings are known.
struct FamilyShape {
    const exposition::Metric* metric =
        nullptr;  // null: the format cannot feed the family, and nobody sees what is counted in it
    bool enabled = true;
    std::uint32_t limit = 0;              // 0: bounded by its words
    std::vector<Kind> labels;             // of a row's key: the same for every format
    std::vector<std::string_view> names;  // of these labels in the output; "" for one that the format does not have
    std::optional<Kind> retired_by;       // the kind of its first label, where idle values are retired
    std::uint64_t hash = 0;               // of name, labels, buckets and limit: counts are kept while it stays the same
};

// One writer at a time; see Snapshot for readers.
class SeriesStore {
  public:
    // Settings must name known families and groups (check_settings).
    explicit SeriesStore(const CountSettings& settings);

    // The counts of that combination: there, added, or, when the family is full, folded into "other". Never null.
    // `key` has a value for every label of the family, in the catalogue's order; it is changed by folding.
    [[nodiscard]] std::uint64_t* row(Family family, TextId* key) {
        return tables_[index_of(family)].counts(row_number(family, key));
    }
    // The same as a number that holds until generation() changes; a caller may remember it if `key` was not changed
    // (folding counts every record anew).
    [[nodiscard]] std::uint32_t row_number(Family family, TextId* key) {
        const std::uint32_t found = tables_[index_of(family)].find(key);
        return found != SeriesTable::none ? found : add_row(family, key);
    }
    [[nodiscard]] std::uint64_t* counts(Family family, std::uint32_t row) {
        return tables_[index_of(family)].counts(row);
    }
    [[nodiscard]] std::uint32_t generation() const { return generation_; }
    [[nodiscard]] bool enabled(Family family) const { return shapes_[index_of(family)].enabled; }
    // A cell's text as a label value of an open kind, at the present record time.
    [[nodiscard]] TextId value(Kind kind, std::string_view raw) {
        return values_[index_of(kind)].find_or_add(raw, now_);
    }
    // Brings into the cache what value() and row() will look at for cells with these hashes (ValueTable::plain_hash),
    // as the one label of `family`: with more series than the cache holds, each step of each record would wait for
    // memory.
    void fetch(Kind kind, Family family, std::span<const std::uint32_t> hashes) const;
    // The slot of that value, and marking the value in it as seen now: false when another value has the slot.
    [[nodiscard]] std::uint32_t place(Kind kind, std::string_view raw) const {
        return values_[index_of(kind)].place(raw);
    }
    [[nodiscard]] bool touch_value(Kind kind, TextId value, std::uint32_t place) {
        return values_[index_of(kind)].touch(value, place, now_);
    }
    // A word of ours, for the closed kinds.
    [[nodiscard]] TextId word(std::string_view text);
    // The VirtualMTA and pool that last delivered from a source address.
    struct Origin {
        TextId vmta;
        TextId pool;
    };
    void learn_origin(TextId source_ip, Origin origin);
    // The row in which that address' origin is kept; none for addresses that share "other".
    [[nodiscard]] std::uint32_t origin_row(TextId source_ip);
    [[nodiscard]] std::optional<Origin> origin_of(std::string_view source_ip) const;

    // Adds a series with 0 under `other` to the families of the record types that the configuration names: they are
    // logged, so 0 is true. Types that were never named and never seen stay absent.
    void add_expected_zeros(const std::set<mta::logs::RecordType>& types);

    // Numbers the pages, so that a row that was born after a reader's last page is known. Under the lock: the page that
    // begins now has all rows that are there, and those added later are born after it.
    std::uint32_t begin_page() const { return next_page_++; }
    [[nodiscard]] std::uint32_t next_page() const { return next_page_; }
    // Continues the numbers of a checkpoint, where `next` came next.
    void restore_pages(std::uint32_t next) {
        next_page_ = next + pages_after_copy;
        youngest_ = next;
    }
    // No row's birth is later, from any thread.
    [[nodiscard]] std::uint32_t youngest() const { return youngest_.load(std::memory_order_relaxed); }
    // While it is on, rows are born as if they had always been there.
    void set_baseline(bool on) { baseline_ = on; }
    // Every count is 0 from now on, and the series stay: what was read was counted before, by a state that is lost.
    // Sender lifetimes and time stamps are levels, which stay true.
    void forget_counts();

    // Advances record time, and retires idle values each time enough of it has passed.
    void advance(std::int64_t time) {
        if (time <= totals.record_clock) return;
        totals.record_clock = time;
        now_ = static_cast<std::uint32_t>(time);
        if (time >= totals.next_sweep) sweep();
    }

    Totals totals;

    [[nodiscard]] RecordFormat format() const { return format_; }
    [[nodiscard]] const FamilyShape& shape(Family family) const { return shapes_[index_of(family)]; }
    [[nodiscard]] const SeriesTable& table(Family family) const { return tables_[index_of(family)]; }
    [[nodiscard]] SeriesTable& table(Family family) { return tables_[index_of(family)]; }
    [[nodiscard]] const ValueTable& values(Kind kind) const { return values_[index_of(kind)]; }
    [[nodiscard]] ValueTable& values(Kind kind) { return values_[index_of(kind)]; }
    [[nodiscard]] const SeriesTable& origins() const { return origins_; }
    [[nodiscard]] SeriesTable& origins() { return origins_; }
    [[nodiscard]] const TextPool& texts() const { return texts_; }
    using FoldedCounts = std::array<std::array<std::uint64_t, max_labels>, family_count>;
    using RetiredCounts = std::array<std::uint64_t, family_count>;
    FoldedCounts folded{};
    RetiredCounts retired{};
    // After totals were replaced (a restored state).
    void clock_restored() { now_ = static_cast<std::uint32_t>(totals.record_clock); }

    // A reader that goes on using text ids after it gave the lock back announces itself under the lock: until it
    // has left, no id is given to another text.
    void enter_reader() const { readers_.fetch_add(1); }
    void leave_reader() const { readers_.fetch_sub(1); }

  private:
    void sweep();
    void retire_kind(Kind kind, std::uint32_t idle_before);
    [[nodiscard]] std::uint32_t add_row(Family family, TextId* key);

    RecordFormat format_;
    std::chrono::seconds idle_limit_;
    std::uint32_t now_ = 0;
    // Pages that were begun between a checkpoint's copy and the end of what was copied have numbers below this.
    static constexpr std::uint32_t pages_after_copy = 1000;
    mutable std::uint32_t next_page_ = 1;
    std::atomic<std::uint32_t> youngest_{0};
    bool baseline_ = false;
    std::uint32_t generation_ = 0;  // counts the sweeps that took rows out
    TextPool texts_;
    std::vector<FamilyShape> shapes_;
    std::vector<ValueTable> values_;
    std::vector<SeriesTable> tables_;
    SeriesTable origins_{1, 2};
    std::vector<std::pair<std::string, TextId>> words_;
    std::vector<TextId> waiting_release_;
    mutable std::atomic<int> readers_{0};
};

// Fault::configuration naming a budget's or a group's name that the catalogue does not have for the format.
[[nodiscard]] base::Result<void> check_settings(const CountSettings& settings);

}  // namespace mtawatch::exporter::series
