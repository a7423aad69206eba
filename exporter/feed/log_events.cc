#include "exporter/feed/log_events.h"

#include <algorithm>

#include "exporter/feed/file_contents.h"
#include "shared/base/text.h"

namespace mtawatch::exporter::feed {
namespace {

using base::fail;
using base::Result;

constexpr std::array<std::string_view, log_event_count> event_names{"pipe_failed", "startup_error", "licence", "other"};
// "YYYY-MM-DD HH:MM:SS " before the text of a line.
constexpr std::size_t stamp_bytes = 20;
// Read at once; a line longer than this is taken in pieces, of which only the first can be an event.
constexpr std::size_t log_chunk = 64U << 10U;

bool begins_with_any(std::string_view text, std::initializer_list<std::string_view> beginnings) {
    return std::ranges::any_of(beginnings,
                               [&](std::string_view b) { return base::iequals(text.substr(0, b.size()), b); });
}

// The log's globs in place of the accounting files', at the same pace.
files::FollowSettings log_settings(const FeedSettings& feed) {
    files::FollowSettings settings = feed.follow;
    settings.globs = feed.log_globs;
    settings.moved_to.clear();
    return settings;
}

}  // namespace

std::string_view name(LogEvent event) { return event_names[static_cast<std::size_t>(event)]; }

std::optional<LogEvent> log_event_of(std::string_view line) {
    if (line.size() <= stamp_bytes || !base::is_digit(line[0]) || line[stamp_bytes - 1] != ' ') return std::nullopt;
    const std::string_view text = line.substr(stamp_bytes);
    if (begins_with_any(text, {"error starting ", "error writing to ", "error executing "})) {
        return LogEvent::pipe_failed;
    }
    if (begins_with_any(text, {"startup error"})) return LogEvent::startup_error;
    // Lines of a protocol trace quote what others said.
    if (begins_with_any(text, {">>>", "<<<", "tls:", "starting ", "connect", "closed ", "done ", "("})) {
        return std::nullopt;
    }
    if (base::icontains(text, "license") || base::icontains(text, "licence") ||
        base::icontains(text, "serial number")) {
        return LogEvent::licence;
    }
    if (begins_with_any(text, {"error", "warning", "unable", "failed", "cannot", "could not", "fatal"})) {
        return LogEvent::other;
    }
    return std::nullopt;
}

Result<files::Head> LogFollower::LogContents::head(const std::string& path) {
    auto opened = files_.open(path);
    if (!opened) return fail(opened.error());
    const std::shared_ptr<const files::OpenFile> file = std::move(*opened);
    const auto facts = file->facts();
    if (!facts) return fail(facts.error());
    const auto source = text_of(file, path);
    files::Head head;
    head.id = facts->id;
    head.bytes.resize(files::max_header_bytes + files::fingerprint_bytes);
    const auto got = source->read(head.bytes);
    if (!got) return fail(got.error());
    head.bytes.resize(*got);
    head.bytes.resize(std::min(head.bytes.size(), files::full_fingerprint_length(head.bytes)));
    head.records_end = head.bytes.rfind('\n') + 1;
    // Every line has its time, and a program that starts says who it is.
    head.identity = head.full() ? files::Identity::certain : files::Identity::likely;
    return head;
}

Result<files::Comparison> LogFollower::LogContents::compare(const files::FileState& known, const files::SeenFile& seen,
                                                            io::Compression packing) {
    if (packing != io::Compression::none) return files::Comparison::same;  // it is not read
    const auto opened = open_listed(files_, seen.path, seen.id);
    if (!opened) return fail(opened.error());
    return compare_plain(known, **opened, seen.size);
}

LogFollower::LogFollower(const FeedSettings& settings, const files::FileSystem& files, const base::Clock& clock,
                         base::TurnLock& lock, std::array<std::uint64_t, log_event_count>& counts, base::Log log)
    : settings_(log_settings(settings)),
      lock_(lock),
      counts_(counts),
      files_(files),
      contents_(files),
      follower_(settings_, files, clock, lock, files::ReadingOrder::independent, contents_, std::move(log), false) {}

void LogFollower::read_new() {
    if (settings_.globs.empty()) return;
    follower_.wait(-1, std::chrono::milliseconds(0));
    for (files::TrackedFile* file : follower_.dirty()) read(*file);
    follower_.close_idle();
}

void LogFollower::read(files::TrackedFile& file) {
    file.dirty = false;
    if (files::is_gzip_name(file.path)) return;  // a rotated log was read before it was compressed
    if (!file.open) {
        auto opened = files_.open(file.path);
        file.unreadable = !opened;
        if (!opened) return;
        file.open = std::move(*opened);
    }
    const auto facts = file.open->facts();
    const auto held = facts ? compare_plain(file, *file.open, facts->size) : fail(facts.error());
    if (!file.detached && held != files::Comparison::same) {
        follower_.content_changed(file);
        return;
    }
    std::string bytes(log_chunk, '\0');
    for (;;) {
        const auto got = file.open->read_at(bytes, file.offset);
        if (!got || *got == 0) break;
        const std::string_view chunk(bytes.data(), *got);
        const std::size_t newline = chunk.rfind('\n');
        if (newline == std::string_view::npos && chunk.size() < log_chunk) break;
        count(file, newline == std::string_view::npos ? chunk : chunk.substr(0, newline + 1));
    }
    if (const auto tail = files::piece_before(*file.open, file.begin, file.offset); tail && tail->end == file.offset) {
        const base::WriterTurn turn(lock_);
        file.tail = *tail;
    }
    file.disk_read = file.size;
}

void LogFollower::count(files::TrackedFile& file, std::string_view bytes) {
    const base::WriterTurn turn(lock_);
    file.offset += bytes.size();
    for (const std::string_view line : base::split(bytes, '\n')) {
        if (const auto event = log_event_of(line)) ++counts_[static_cast<std::size_t>(*event)];
    }
}

}  // namespace mtawatch::exporter::feed
