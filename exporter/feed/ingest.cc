#include "exporter/feed/ingest.h"

#include <algorithm>

#include "shared/base/text.h"
#include "shared/io/byte_source.h"

namespace mtawatch::exporter::feed {
namespace {

using base::fail;

// pmta.log is read at least this often, also when no accounting record comes.
constexpr std::chrono::milliseconds log_interval{2'000};
// How often in a row files are searched for that were renamed before they were opened. Rotation takes moments; a file
// that keeps changing must not block the others for ever.
constexpr int max_rounds_waited = 50;

}  // namespace

Ingest::Ingest(FeedSettings settings, const base::Clock& clock, base::Log log, bool finished_files)
    : settings_(std::move(settings)),
      clock_(clock),
      log_(std::move(log)),
      finished_files_(finished_files),
      store_(settings_.count),
      reader_(settings_, clock_, store_, lock_, finished_files),
      follower_(
          settings_.follow, clock_, lock_, reading_order(settings_.count.format),
          [this](const std::string& path) { return reader_.head(path); }, log_, finished_files),
      log_follower_(settings_, clock_, lock_, marks_.log_events, log_),
      sources_(no_sources()),
      scrapers_(std::make_shared<series::Scrapers>(clock_, !settings_.state_file.empty())) {
    set_baseline(Baseline::reading);
}

// One for each glob, with nothing known of it.
std::vector<Ingest::SourceStatus> Ingest::no_sources() const {
    std::vector<SourceStatus> sources;
    for (const std::string& glob : settings_.follow.globs) sources.push_back({glob, 0, 0, 0});
    return sources;
}

base::Result<void> Ingest::restore(std::string_view document) {
    auto restored = decode_checkpoint(document, store_);
    if (!restored) return fail(restored.error());
    if (auto done = reader_.recall(restored->memory); !done) return done;
    marks_ = restored->marks;
    set_baseline(marks_.baseline);
    scrapers_->restore(restored->scrapers);
    behind_pages_ = !restored->final;
    follower_.restore(restored->files);
    log_follower_.restore(restored->log_files);
    for (const std::string& family : restored->restarted) {
        log_.info(family + ": its labels or its budget changed, so it starts anew");
    }
    return {};
}

void Ingest::continue_from(const Ingest& before) {
    scrapers_ = before.scrapers_;
    behind_pages_ = before.behind_pages_;
}

void Ingest::state_was_lost() { set_baseline(Baseline::after_loss); }

void Ingest::set_baseline(Baseline baseline) {
    marks_.baseline = baseline;
    store_.set_baseline(baseline != Baseline::done);
}

void Ingest::catch_up(const AfterChunk& after_chunk) {
    {
        const base::WriterTurn turn(lock_);
        store_.add_expected_zeros(settings_.count.expected_types);
    }
    Round round = Round::incomplete;
    for (int rounds = 0; round == Round::incomplete && rounds <= max_rounds_waited; ++rounds) {
        follower_.rescan();
        round = read_dirty(after_chunk);
    }
    if (round == Round::incomplete) {
        log_.warn("files change faster than they can be read; not all is read");
    }
    log_follower_.read_new();
    publish();
    if (round == Round::complete) end_backlog();
}

// A first start that cannot read any file has no baseline: a 0 would be untrue, and the backlog would be a spike in a
// graph once it is read.
void Ingest::end_backlog() {
    if (nothing_readable()) return;
    const base::WriterTurn turn(lock_);
    catching_up_ = false;
    behind_pages_ = false;
    if (marks_.baseline == Baseline::after_loss) {
        store_.forget_counts();
        marks_.log_events = {};
    }
    set_baseline(Baseline::done);
    marks_.backlog_end = base::unix_seconds(clock_.wall());
}

void Ingest::follow(int wake_fd, const AfterChunk& after_chunk) {
    const bool at_once = follower_.any_dirty() && !must_wait_for_older();
    follower_.wait(wake_fd, at_once ? std::chrono::milliseconds(0) : log_interval);
    const Round round = must_wait_for_older() ? Round::incomplete : read_dirty(after_chunk);
    log_follower_.read_new();
    publish();
    if (round == Round::complete && catching_up_) end_backlog();
}

void Ingest::read_stream(int fd, const AfterChunk& after_chunk) {
    streamed_ = true;
    reader_.read_stream(fd, after_chunk);
    publish();
}

// Where lines depend on earlier lines, no file is read beyond the size that it had before the older ones were read to
// their end: so sizes are taken from the newest file to the oldest.
std::vector<files::TrackedFile*> Ingest::files_to_read() {
    if (!remembers_lines(settings_.count.format)) return follower_.dirty();
    std::vector<files::TrackedFile*> files = follower_.dirty_and_older();
    for (auto file = files.rbegin(); file != files.rend(); ++file) reader_.limit_to_present_size(**file);
    return files;
}

// Where lines depend on earlier lines, nothing is read while the present name of an older file is unknown.
bool Ingest::must_wait_for_older() const {
    return remembers_lines(settings_.count.format) && follower_.location_unknown() && rounds_waited_ > 0;
}

Ingest::Round Ingest::read_dirty(const AfterChunk& after_chunk) {
    const auto progress = [&] {
        const base::WriterTurn turn(lock_);
        marks_.last_read = base::unix_seconds(clock_.wall());
        return true;
    };
    bool changed = false;
    std::size_t read = 0;
    for (files::TrackedFile* file : files_to_read()) {
        // Thousands may have grown at once, and each that is read stays open.
        if (++read % std::max<std::size_t>(settings_.follow.open_files, 1) == 0) follower_.close_idle();
        const std::uint64_t offset = file->offset;
        const FileReader::Outcome outcome = reader_.read(*file, after_chunk);
        if (file->offset != offset) progress();
        if (outcome == FileReader::Outcome::interrupted) return Round::interrupted;
        if (outcome == FileReader::Outcome::changed) {
            follower_.content_changed(*file);
            changed = true;
            // Its lines have to be read before those of the newer files: first find it again.
            if (remembers_lines(settings_.count.format) && rounds_waited_ < max_rounds_waited) break;
        }
        if (outcome == FileReader::Outcome::unreadable && reported_.insert(reader_.problem()).second) {
            log_.warn(reader_.problem());
        }
    }
    rounds_waited_ = changed && rounds_waited_ < max_rounds_waited ? rounds_waited_ + 1 : 0;
    follower_.close_idle();
    return changed ? Round::incomplete : Round::complete;
}

void Ingest::publish() {
    report_problems();
    std::vector<SourceStatus> sources = no_sources();
    Amount amount;
    for (const files::ListingProblem& problem : follower_.problems()) {
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
        const std::uint64_t read = file->packing != io::Compression::none ? file->disk_read : file->offset;
        source.lag_bytes += file->size - std::min(read, file->size);
    }
    const files::FileEvents events = follower_.pop_events();
    const std::size_t unwatched = follower_.unwatched_folders() + log_follower_.unwatched_folders();
    const base::WriterTurn turn(lock_);
    unwatched_folders_ = unwatched;
    store_.totals.rotations += events.rotations;
    store_.totals.truncations += events.truncations;
    amount.records = store_.totals.lines_parsed;
    sources_ = std::move(sources);
    amount_ = amount;
}

// Logs each problem once, and again when it returns after it was gone.
void Ingest::report_problems() {
    std::set<std::string> present;
    for (const auto* problems : {&follower_.problems(), &log_follower_.problems()}) {
        for (const files::ListingProblem& problem : *problems) {
            present.insert(problem.text);
            if (reported_.insert(problem.text).second) log_.warn(problem.text);
        }
    }
    const bool any_unreadable =
        std::ranges::any_of(follower_.files(), [](const auto& file) { return file->unreadable; });
    if (!any_unreadable) std::erase_if(reported_, [&](const std::string& text) { return !present.contains(text); });
}

std::string Ingest::checkpoint(bool final) const {
    CheckpointCopy copy;
    StoreSizes sizes;
    {
        const base::ReaderTurn turn(lock_);
        sizes = sizes_of(store_);
    }
    reserve_copy(sizes, store_, copy);
    {
        const base::ReaderTurn turn(lock_);
        store_.enter_reader();
        copy.scrapers = scrapers_->marks(store_.next_page());
        copy.final = final;
        copy_store(store_, copy);
        copy.files.reserve(follower_.files().size());
        for (const auto& file : follower_.files()) copy.files.push_back(*file);
        for (const auto& file : log_follower_.files()) copy.log_files.push_back(*file);
        copy.marks = marks_;
        copy.memory = reader_.memory();
    }
    std::string document = encode_checkpoint(copy, store_);
    store_.leave_reader();
    return document;
}

bool Ingest::ready() const {
    const base::ReaderTurn turn(lock_);
    return marks_.baseline == Baseline::done;
}

bool Ingest::shows_counts() const {
    const base::ReaderTurn turn(lock_);
    return marks_.baseline == Baseline::done && (!behind_pages_ || finished_files_);
}

bool Ingest::nothing_readable() const {
    const base::ReaderTurn turn(lock_);
    return marks_.baseline != Baseline::done && amount_.files == 0 && amount_.unreadable > 0;
}

Ingest::Amount Ingest::amount() const {
    const base::ReaderTurn turn(lock_);
    return amount_;
}

std::uint32_t Ingest::write(exposition::ExpositionWriter& writer, std::uint32_t seen) const {
    std::uint32_t page = 0;
    const bool shown = shows_counts();
    // With pmta.log alone no accounting file is followed, so there is no count that could be 0.
    if (shown && (!settings_.follow.globs.empty() || streamed_)) {
        page = series::render_store(writer, store_, lock_, seen);
    }
    write_log_events(writer);
    return page;
}

std::vector<std::string> Ingest::source_addresses() const {
    std::vector<std::string> addresses;
    if (!ready() || !store_.enabled(series::Family::source_ip_deliveries)) return addresses;
    const base::ReaderTurn turn(lock_);
    for (const series::ValueTable::Entry& entry : store_.values(series::Kind::source_ip).places()) {
        if (entry.text == series::no_text || entry.text == series::other_text ||
            store_.texts().text(entry.text).empty()) {
            continue;
        }
        addresses.emplace_back(store_.texts().text(entry.text));
    }
    return addresses;
}

// Absent until a log was found: what was never looked at is not 0.
void Ingest::write_log_events(exposition::ExpositionWriter& writer) const {
    std::array<std::uint64_t, log_event_count> counts{};
    bool found = false;
    {
        const base::ReaderTurn turn(lock_);
        counts = marks_.log_events;
        found = !log_follower_.files().empty() && !behind_pages_ && marks_.baseline != Baseline::after_loss;
    }
    if (!found || settings_.log_globs.empty()) return;
    std::vector<std::pair<std::string_view, std::uint64_t>> values;
    for (std::size_t i = 0; i < log_event_count; ++i) values.emplace_back(name(static_cast<LogEvent>(i)), counts[i]);
    exposition::write_by_label(writer, "pmta_log_events_total", "event", values);
}

Ingest::Reading Ingest::reading() const {
    const base::ReaderTurn turn(lock_);
    return {store_.totals, marks_, catching_up_, behind_pages_, unwatched_folders_};
}

std::vector<Ingest::SourceStatus> Ingest::sources() const {
    const base::ReaderTurn turn(lock_);
    return sources_;
}

}  // namespace mtawatch::exporter::feed
