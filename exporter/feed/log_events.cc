#include "exporter/feed/log_events.h"

#include <unistd.h>

#include <algorithm>

#include "exporter/files/open_file.h"
#include "shared/base/text.h"
#include "shared/io/byte_source.h"

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

Result<files::Head> log_head(const std::string& path) {
    auto fd = files::open_to_read(path);
    if (!fd) return fail(fd.error());
    const auto id = files::id_of(fd->get(), path);
    if (!id) return fail(id.error());
    auto source = io::open_source(std::move(*fd), path);
    if (!source) return fail(source.error());
    files::Head head;
    head.id = *id;
    head.bytes.resize(files::max_header_bytes + files::fingerprint_bytes);
    const auto got = (*source)->read(head.bytes);
    if (!got) return fail(got.error());
    head.bytes.resize(*got);
    head.bytes.resize(std::min(head.bytes.size(), files::full_fingerprint_length(head.bytes)));
    head.records_end = head.bytes.rfind('\n') + 1;
    return head;
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

LogFollower::LogFollower(const FeedSettings& settings, const base::Clock& clock, base::TurnLock& lock,
                         std::array<std::uint64_t, log_event_count>& counts, base::Log log)
    : settings_(log_settings(settings)),
      lock_(lock),
      counts_(counts),
      follower_(settings_, clock, lock, files::ReadingOrder::independent, log_head, std::move(log), false) {}

void LogFollower::read_new() {
    if (settings_.globs.empty()) return;
    follower_.wait(-1, std::chrono::milliseconds(0));
    for (files::TrackedFile* file : follower_.dirty()) read(*file);
    follower_.close_idle();
}

void LogFollower::read(files::TrackedFile& file) {
    file.dirty = false;
    if (files::is_gzip_name(file.path)) return;  // a rotated log was read before it was compressed
    if (!file.fd) {
        auto fd = files::open_to_read(file.path);
        file.unreadable = !fd;
        if (!fd) return;
        file.fd = std::move(*fd);
    }
    std::string bytes(file.fingerprint.length, '\0');
    const ssize_t begin = ::pread(file.fd.get(), bytes.data(), bytes.size(), 0);
    if (!file.detached && (begin != static_cast<ssize_t>(bytes.size()) ||
                           files::fingerprint_of(bytes, bytes.size()) != file.fingerprint)) {
        follower_.content_changed(file);
        return;
    }
    bytes.resize(log_chunk);
    for (;;) {
        const ssize_t got = ::pread(file.fd.get(), bytes.data(), log_chunk, static_cast<off_t>(file.offset));
        if (got <= 0) break;
        const std::string_view chunk(bytes.data(), static_cast<std::size_t>(got));
        const std::size_t newline = chunk.rfind('\n');
        if (newline == std::string_view::npos && chunk.size() < log_chunk) break;
        count(file, newline == std::string_view::npos ? chunk : chunk.substr(0, newline + 1));
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
