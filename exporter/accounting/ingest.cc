#include "exporter/accounting/ingest.h"

#include <algorithm>

#include "shared/base/text.h"

namespace mtawatch::exporter {
namespace {

// pmta.log is looked at this often where no accounting record comes in between.
constexpr std::chrono::milliseconds kLookAtLog{2'000};

void write_one(ExpositionWriter& writer, std::string_view name, std::uint64_t value) {
    writer.begin(metric(name));
    writer.sample(line_head(name, {}, {}), value);
}

void write_time(ExpositionWriter& writer, std::string_view name, std::int64_t unix_seconds) {
    if (unix_seconds != 0) write_one(writer, name, static_cast<std::uint64_t>(unix_seconds));
}

template <class Values>
void write_labelled(ExpositionWriter& writer, std::string_view name, std::string_view label, const Values& values) {
    writer.begin(metric(name));
    const std::array<std::string_view, 1> labels{label};
    for (const auto& [value, count] : values) {
        const std::array<std::string_view, 1> label_values{value};
        writer.sample(line_head(name, labels, label_values), std::uint64_t{count});
    }
}

}  // namespace

Ingest::Ingest(AccountingSettings settings, const base::Clock& clock, LogLine log, bool finished_files)
    : settings_(std::move(settings)),
      clock_(clock),
      log_(std::move(log)),
      finished_files_(finished_files),
      store_(settings_),
      reader_(settings_, clock_, store_, lock_),
      follower_(
          settings_, clock_, lock_, [this](const std::string& path) { return reader_.head(path); }, log_,
          finished_files),
      log_follower_(settings_, clock_, lock_, marks_.log_events, log_),
      sources_(settings_.globs.size()) {}

base::Result<void> Ingest::restore(std::string_view document) {
    auto restored = decode_checkpoint(document, store_);
    if (!restored) return base::fail(restored.error());
    marks_ = restored->marks;
    follower_.restore(restored->files);
    log_follower_.restore(restored->log_files);
    for (const std::string& family : restored->restarted) {
        log_(Severity::info, family + ": its labels or its budget changed, so it starts anew");
    }
    return {};
}

void Ingest::catch_up(const AfterChunk& after_chunk) {
    {
        const WriterTurn turn(lock_);
        store_.begin_expected(settings_.expected_types);
    }
    follower_.rescan();
    const bool all = read_dirty(after_chunk);
    log_follower_.look();
    publish();
    if (!all) return;
    const WriterTurn turn(lock_);
    catching_up_ = false;
    marks_.baseline_done = 1;
    marks_.backlog_end = base::unix_seconds(clock_.wall());
}

void Ingest::follow(int wake_fd, const AfterChunk& after_chunk) {
    follower_.wait(wake_fd, kLookAtLog);
    (void)read_dirty(after_chunk);
    log_follower_.look();
    publish();
}

void Ingest::read_stream(int fd, const AfterChunk& after_chunk) {
    streamed_ = true;
    reader_.read_stream(fd, after_chunk);
    publish();
}

// False when it was interrupted.
bool Ingest::read_dirty(const AfterChunk& after_chunk) {
    const auto progress = [&] {
        const WriterTurn turn(lock_);
        marks_.last_read = base::unix_seconds(clock_.wall());
        return true;
    };
    for (TrackedFile* file : follower_.dirty()) {
        const std::uint64_t offset = file->offset;
        const FileReader::Outcome outcome = reader_.read(*file, after_chunk);
        if (file->offset != offset) progress();
        if (outcome == FileReader::Outcome::interrupted) return false;
        if (outcome == FileReader::Outcome::changed) follower_.content_changed(*file);
        if (outcome == FileReader::Outcome::unreadable && reported_.insert(reader_.problem()).second) {
            log_(Severity::warning, reader_.problem());
        }
    }
    follower_.close_idle();
    return true;
}

void Ingest::publish() {
    report_problems();
    std::vector<SourceStatus> sources(settings_.globs.size());
    Amount amount;
    for (const ListingProblem& problem : follower_.problems()) {
        if (problem.source < sources.size()) ++sources[problem.source].unreadable;
        ++amount.unreadable;
    }
    for (const auto& file : follower_.files()) {
        if (file->vanished_at != 0) continue;
        ++amount.files;
        amount.bytes_total += file->size;
        amount.bytes_read += std::min(file->disk_read, file->size);
        if (file->source >= sources.size()) continue;
        SourceStatus& source = sources[file->source];
        ++source.files;
        if (file->unreadable) ++source.unreadable;
        const std::uint64_t read = is_gzip_name(file->path) ? file->disk_read : file->offset;
        source.lag_bytes += file->size - std::min(read, file->size);
    }
    const FileEvents events = follower_.take_events();
    const WriterTurn turn(lock_);
    store_.totals.rotations += events.rotations;
    store_.totals.truncations += events.truncations;
    amount.records = store_.totals.lines_parsed;
    sources_ = std::move(sources);
    amount_ = amount;
}

// Each trouble is said once, and again when it came back after it was gone.
void Ingest::report_problems() {
    std::set<std::string> present;
    for (const auto* problems : {&follower_.problems(), &log_follower_.problems()}) {
        for (const ListingProblem& problem : *problems) {
            present.insert(problem.text);
            if (reported_.insert(problem.text).second) log_(Severity::warning, problem.text);
        }
    }
    const bool any_unreadable =
        std::ranges::any_of(follower_.files(), [](const auto& file) { return file->unreadable; });
    if (!any_unreadable) std::erase_if(reported_, [&](const std::string& text) { return !present.contains(text); });
}

std::string Ingest::checkpoint() const {
    CheckpointCopy copy;
    StoreSizes sizes;
    {
        const ReaderTurn turn(lock_);
        sizes = sizes_of(store_);
    }
    reserve_copy(sizes, store_, copy);
    {
        const ReaderTurn turn(lock_);
        store_.enter_reader();
        copy_store(store_, copy);
        copy.files.reserve(follower_.files().size());
        for (const auto& file : follower_.files()) copy.files.push_back(*file);
        for (const auto& file : log_follower_.files()) copy.log_files.push_back(*file);
        copy.marks = marks_;
    }
    std::string document = encode_checkpoint(copy, store_);
    store_.leave_reader();
    return document;
}

bool Ingest::ready() const {
    const ReaderTurn turn(lock_);
    return marks_.baseline_done != 0;
}

Ingest::Amount Ingest::amount() const {
    const ReaderTurn turn(lock_);
    return amount_;
}

void Ingest::write(ExpositionWriter& writer) const {
    // With pmta.log alone nothing was ever looked at that could be 0.
    if (ready() && (!settings_.globs.empty() || streamed_)) render_store(writer, store_, lock_);
    write_log_events(writer);
    render_store_health(writer, store_, lock_);
    write_reading(writer);
    write_sources(writer);
}

std::vector<std::string> Ingest::source_addresses() const {
    std::vector<std::string> addresses;
    if (!ready()) return addresses;
    const ReaderTurn turn(lock_);
    for (const ValueTable::Entry& entry : store_.values(Kind::source_ip).places()) {
        if (entry.text != kNoText) addresses.emplace_back(store_.texts().text(entry.text));
    }
    return addresses;
}

// Absent until a log was found: what was never looked at is not 0.
void Ingest::write_log_events(ExpositionWriter& writer) const {
    std::array<std::uint64_t, kLogEvents> counts{};
    bool found = false;
    {
        const ReaderTurn turn(lock_);
        counts = marks_.log_events;
        found = !log_follower_.files().empty();
    }
    if (!found || settings_.log_globs.empty()) return;
    std::vector<std::pair<std::string_view, std::uint64_t>> values;
    for (std::size_t i = 0; i < kLogEvents; ++i) values.emplace_back(name(static_cast<LogEvent>(i)), counts[i]);
    write_labelled(writer, "pmta_log_events_total", "event", values);
}

void Ingest::write_reading(ExpositionWriter& writer) const {
    Totals totals;
    IngestMarks marks;
    bool catching_up = false;
    {
        const ReaderTurn turn(lock_);
        totals = store_.totals;
        marks = marks_;
        catching_up = catching_up_;
    }
    using Named = std::pair<std::string_view, std::uint64_t>;
    std::vector<Named> reasons;
    std::uint64_t malformed = 0;
    for (std::size_t i = 0; i < mta::kScanErrors; ++i) {
        const auto error = static_cast<mta::ScanError>(i);
        reasons.emplace_back(name(error), totals.scan_errors[i]);
        if (error != mta::ScanError::oversized) malformed += totals.scan_errors[i];
    }
    const std::uint64_t oversized = totals.scan_errors[index_of(mta::ScanError::oversized)];
    reasons.emplace_back("future_timestamp", totals.future_stamps);
    write_labelled(writer, "pmta_exporter_lines_total", "status",
                   std::array<Named, 4>{Named{"parsed", totals.lines_parsed}, Named{"malformed", malformed},
                                        Named{"oversized", oversized}, Named{"header", totals.lines_header}});
    write_labelled(writer, "pmta_exporter_parse_errors_total", "reason", reasons);
    write_one(writer, "pmta_exporter_read_bytes_total", totals.read_bytes);
    write_time(writer, "pmta_exporter_last_read_timestamp_seconds", marks.last_read);
    write_one(writer, "pmta_exporter_catching_up", catching_up ? 1 : 0);
    write_time(writer, "pmta_exporter_backlog_end_timestamp_seconds", marks.backlog_end);
    write_one(writer, "pmta_exporter_file_rotations_total", totals.rotations);
    write_one(writer, "pmta_exporter_file_truncations_total", totals.truncations);
}

void Ingest::write_sources(ExpositionWriter& writer) const {
    std::vector<SourceStatus> sources;
    {
        const ReaderTurn turn(lock_);
        sources = sources_;
    }
    const auto each = [&](std::string_view name, auto&& value) {
        std::vector<std::pair<std::string_view, std::uint64_t>> values;
        for (std::size_t i = 0; i < sources.size(); ++i) values.emplace_back(settings_.globs[i], value(sources[i]));
        write_labelled(writer, name, "source", values);
    };
    each("pmta_exporter_read_lag_bytes", [](const SourceStatus& s) { return s.lag_bytes; });
    each("pmta_exporter_source_files", [](const SourceStatus& s) { return s.files; });
    each("pmta_exporter_source_unreadable", [](const SourceStatus& s) { return s.unreadable; });
}

}  // namespace mtawatch::exporter
