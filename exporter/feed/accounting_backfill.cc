// --backfill: merges the accounting files by record time and writes OpenMetrics text with time stamps.
#include <algorithm>
#include <cstdio>
#include <memory>
#include <optional>

#include "exporter/feed/accounting.h"
#include "exporter/feed/file_reader.h"
#include "exporter/feed/type_filter.h"
#include "exporter/files/file_listing.h"
#include "exporter/files/open_file.h"
#include "exporter/series/record_counter.h"
#include "exporter/series/series_render.h"
#include "exporter/series/series_store.h"
#include "shared/io/byte_source.h"

namespace mtawatch::exporter::feed {
namespace {

using base::fail;
using base::Fault;
using base::Result;

// Longer than any history.
constexpr std::chrono::hours never{24 * 365 * 200};

// Files of several record types cover the same hours: their records are merged by time. A file is opened when the
// merge has reached its first record, so few are open at a time.
class MergedFile {
  public:
    MergedFile(std::string path, std::int64_t first_time, TypeMask types)
        : path_(std::move(path)), first_time_(first_time), types_(types) {}

    [[nodiscard]] std::int64_t first_time() const { return first_time_; }
    [[nodiscard]] const std::string& path() const { return path_; }
    [[nodiscard]] TypeMask types() const { return types_; }
    [[nodiscard]] bool active() const { return scanner_ != nullptr; }

    Result<void> open(const mta::logs::ScannerOptions& options) {
        auto source = io::open_source(path_);
        if (!source) return fail(source.error());
        source_ = std::move(*source);
        scanner_ = std::make_unique<mta::logs::AccountingScanner>(options);
        return more();
    }
    // The records not taken yet; empty at the end of the file.
    [[nodiscard]] std::span<const mta::logs::Record> records() const { return records_; }
    // When the next record was written; the time of the one before where it says none.
    [[nodiscard]] std::int64_t next_time() {
        const std::int64_t time = records_.front().time;
        if (time != mta::logs::no_time) last_time_ = time;
        return last_time_;
    }
    Result<void> take(std::size_t count) {
        records_ = records_.subspan(count);
        return records_.empty() ? more() : Result<void>();
    }
    void close() {
        scanner_.reset();
        source_.reset();
    }

  private:
    Result<void> more() {
        for (records_ = scanner_->next(); records_.empty() && !ended_; records_ = scanner_->next()) {
            const auto got = source_->read(scanner_->space());
            if (!got) return fail(got.error());
            scanner_->commit(*got);
            if (*got != 0) continue;
            scanner_->finish();
            ended_ = true;
        }
        return {};
    }

    std::string path_;
    std::int64_t first_time_;
    TypeMask types_;
    std::unique_ptr<io::ByteSource> source_;
    std::unique_ptr<mta::logs::AccountingScanner> scanner_;
    std::span<const mta::logs::Record> records_;
    std::int64_t last_time_ = 0;
    bool ended_ = false;
};

// The samples of one family, kept on disk until all are there: in OpenMetrics a family's lines follow each other, and
// within it the samples of each series.
class SampleSpool {
  public:
    SampleSpool() : file_(std::tmpfile(), &std::fclose) {}

    // Appends the rows as they are at `unix_seconds`.
    bool add(std::int64_t unix_seconds, std::span<const std::uint64_t> counts, std::size_t width) {
        if (file_ == nullptr) return false;
        const auto rows = static_cast<std::uint64_t>(counts.size() / width);
        const std::array<std::uint64_t, 2> head{static_cast<std::uint64_t>(unix_seconds), rows};
        return std::fwrite(head.data(), sizeof head, 1, file_.get()) == 1 &&
               (rows == 0 || std::fwrite(counts.data(), counts.size_bytes(), 1, file_.get()) == 1);
    }
    struct Step {
        std::int64_t time = 0;
        std::vector<std::uint64_t> counts;
    };
    bool read_all(std::size_t width, std::vector<Step>& steps) {
        if (file_ == nullptr || std::fflush(file_.get()) != 0) return false;
        std::rewind(file_.get());
        std::array<std::uint64_t, 2> head{};
        while (std::fread(head.data(), sizeof head, 1, file_.get()) == 1) {
            Step step{static_cast<std::int64_t>(head[0]), std::vector<std::uint64_t>(head[1] * width)};
            if (!step.counts.empty() && std::fread(step.counts.data(), step.counts.size() * 8, 1, file_.get()) != 1) {
                return false;
            }
            steps.push_back(std::move(step));
        }
        return std::ferror(file_.get()) == 0;
    }

  private:
    std::unique_ptr<std::FILE, int (*)(std::FILE*)> file_;
};

class Backfill {
  public:
    Backfill(const FeedSettings& settings, std::chrono::seconds step, const base::Clock& clock)
        : step_(step.count()),
          clock_(clock),
          store_(settings.count),
          counter_(settings.count, store_),
          spools_(series::family_count + 1) {}

    bool count(std::span<const mta::logs::Record> records, TypeMask types) {
        const std::int64_t now = base::unix_seconds(clock_.wall());
        for (const mta::logs::Record& record : records) {
            if ((types & mask_of(record.type)) == 0) continue;
            const bool usable = record.time != mta::logs::no_time && record.time <= now + series::future_slack_seconds;
            if (usable && record.time >= next_sample_ && !sample_until(record.time)) return false;
            counter_.count({&record, 1}, now);
        }
        return true;
    }
    bool finish() { return next_sample_ == 0 || sample(next_sample_); }
    bool write(const std::function<void(std::string_view)>& sink);
    [[nodiscard]] std::uint64_t records() const {
        std::uint64_t sum = 0;
        for (const std::uint64_t count : store_.totals.records) sum += count;
        return sum;
    }

  private:
    bool sample_until(std::int64_t time) {
        if (next_sample_ == 0) {
            // Everything was 0 one step before: without that sample no increase could be seen in the first one.
            next_sample_ = time - time % step_ + step_;
            return true;
        }
        while (next_sample_ <= time) {
            if (!sample(next_sample_)) return false;
            next_sample_ += step_;
        }
        return true;
    }
    bool sample(std::int64_t time) {
        for (std::size_t i = 0; i < series::family_count; ++i) {
            const series::SeriesTable& table = store_.table(static_cast<series::Family>(i));
            if (!spools_[i].add(time, table.counts(), table.width())) return false;
        }
        return spools_[series::family_count].add(time, {store_.totals.records.data(), series::counted_types},
                                                 series::counted_types);
    }
    bool write_family(series::Family family, bool bytes, const std::function<void(std::string_view)>& sink);
    bool write_records(const std::function<void(std::string_view)>& sink);

    std::int64_t step_;
    const base::Clock& clock_;
    series::SeriesStore store_;
    series::RecordCounter counter_;
    std::vector<SampleSpool> spools_;  // one for each family, then one for the records by type
    std::int64_t next_sample_ = 0;
};

bool Backfill::write_family(series::Family family, bool bytes, const std::function<void(std::string_view)>& sink) {
    const series::SeriesTable& table = store_.table(family);
    if (table.size() == 0) return true;
    std::vector<SampleSpool::Step> steps;
    if (!spools_[series::index_of(family)].read_all(table.width(), steps)) return false;
    std::string text;
    exposition::ExpositionWriter writer(exposition::Format::openmetrics, text);
    writer.begin(bytes ? series::prefixed(store_.format(), series::bytes_metric) : *store_.shape(family).metric);
    const std::size_t arity = table.arity();
    for (std::uint32_t row = 0; row < table.size(); ++row) {
        series::FamilyCopy one;
        one.rows = 1;
        one.keys.assign(table.keys().begin() + static_cast<std::ptrdiff_t>(row * arity),
                        table.keys().begin() + static_cast<std::ptrdiff_t>((row + 1) * arity));
        bool begun = false;
        for (const SampleSpool::Step& step : steps) {
            if (step.counts.size() <= row * table.width()) continue;
            const auto at = step.counts.begin() + static_cast<std::ptrdiff_t>(row * table.width());
            if (!begun && family != series::Family::last_delivery) {
                one.counts.assign(table.width(), 0);
                series::render_family(writer, store_, family, bytes, one, step.time - step_);
            }
            begun = true;
            one.counts.assign(at, at + static_cast<std::ptrdiff_t>(table.width()));
            series::render_family(writer, store_, family, bytes, one, step.time);
        }
        if (text.size() > (1U << 20U)) {
            sink(text);
            text.clear();
        }
    }
    sink(text);
    return true;
}

bool Backfill::write_records(const std::function<void(std::string_view)>& sink) {
    constexpr std::string_view record_total = "pmta_accounting_records_total";
    constexpr std::array<std::string_view, 1> label_names{"record_type"};
    std::vector<SampleSpool::Step> steps;
    if (!spools_[series::family_count].read_all(series::counted_types, steps)) return false;
    std::string text;
    exposition::ExpositionWriter writer(exposition::Format::openmetrics, text);
    writer.begin(exposition::metric(record_total));
    for (std::size_t type = 0; type < series::counted_types; ++type) {
        const std::array<std::string_view, 1> value{name(static_cast<mta::logs::RecordType>(type))};
        const std::string head = exposition::line_head(record_total, label_names, value);
        if (!steps.empty()) writer.sample_at(head, std::uint64_t{0}, steps.front().time - step_);
        for (const SampleSpool::Step& step : steps) writer.sample_at(head, step.counts[type], step.time);
    }
    sink(text);
    return true;
}

bool Backfill::write(const std::function<void(std::string_view)>& sink) {
    bool written = write_records(sink);
    for (std::size_t i = 0; i < series::family_count && written; ++i) {
        const auto family = static_cast<series::Family>(i);
        written = write_family(family, false, sink);
        if (written && family == series::Family::deliveries) written = write_family(family, true, sink);
    }
    sink("# EOF\n");
    return written;
}

std::vector<MergedFile> find_files(const FeedSettings& settings, const base::Clock& clock, const base::Log& log) {
    series::SeriesStore unused(settings.count);
    base::TurnLock lock;
    FileReader reader(settings, clock, unused, lock, true);
    const TypeFilter filter(settings);
    const files::Listing listing = files::list_files(settings.follow.globs, settings.follow.moved_to);
    for (const files::ListingProblem& problem : listing.problems) log.warn(problem.text);
    std::vector<MergedFile> files;
    for (const files::SeenFile& seen : listing.files) {
        const auto head = reader.head(seen.path);
        if (!head) {
            log.warn(head.error().what);
            continue;
        }
        files.emplace_back(seen.path, head->first_time, filter.types_of(seen.path));
    }
    std::ranges::stable_sort(files, {}, &MergedFile::first_time);
    return files;
}

// Counts every record of `files`, oldest first; false when the samples cannot be kept.
bool merge(std::vector<MergedFile>& files, const mta::logs::ScannerOptions& options, Backfill& backfill,
           const base::Log& log, const std::function<void()>& progress) {
    std::size_t opened = 0;
    std::vector<MergedFile*> active;
    const auto drop_ended = [&](Result<void> state, MergedFile* file) {
        if (!state) log.warn(state.error().what);
        if (state && !file->records().empty()) return;
        file->close();
        std::erase(active, file);
    };
    while (opened < files.size() || !active.empty()) {
        std::int64_t limit = INT64_MAX;  // up to which time the oldest file may be read alone
        MergedFile* oldest = nullptr;
        for (MergedFile* file : active) {
            if (oldest == nullptr || file->next_time() < oldest->next_time()) oldest = file;
        }
        for (MergedFile* file : active) {
            if (file != oldest) limit = std::min(limit, file->next_time());
        }
        if (opened < files.size()) {
            MergedFile& next = files[opened];
            if (oldest == nullptr || next.first_time() <= oldest->next_time()) {
                ++opened;
                active.push_back(&next);
                drop_ended(next.open(options), &next);
                continue;
            }
            limit = std::min(limit, next.first_time());
        }
        const auto records = oldest->records();
        std::size_t count = 1;
        while (count < records.size() && (records[count].time == mta::logs::no_time || records[count].time <= limit)) {
            ++count;
        }
        if (!backfill.count(records.first(count), oldest->types())) return false;
        drop_ended(oldest->take(count), oldest);
        progress();
    }
    return true;
}

}  // namespace

Result<void> backfill(FeedSettings settings, std::chrono::seconds step, const base::Clock& clock, const base::Log& log,
                      const Progress& progress, const std::function<void(std::string_view)>& sink) {
    if (auto done = series::check_settings(settings.count); !done) return done;
    if (step.count() < 1) return fail(Fault::usage, "the step must be at least one second");
    // History is not retired: a series keeps its place in every sample.
    settings.count.idle_limit = never;
    std::vector<MergedFile> files = find_files(settings, clock, log);
    if (files.empty()) return fail(Fault::not_found, "no readable accounting file matches");
    Backfill work(settings, step, clock);
    std::uint64_t batches = 0;
    const auto report = [&] {
        if (progress && ++batches % 4096 == 0) progress(0, 0, work.records());
    };
    if (!merge(files, series::scanner_options(settings.count), work, log, report) || !work.finish() ||
        !work.write(sink)) {
        return fail(Fault::io, "the samples need room in the folder for temporary files (TMPDIR or /tmp)");
    }
    return {};
}

}  // namespace mtawatch::exporter::feed
