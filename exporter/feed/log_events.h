// Counter of events in PowerMTA's own log: follows pmta.log and classifies its errors and warnings.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "exporter/feed/feed_settings.h"
#include "exporter/files/follower.h"
#include "shared/base/clock.h"
#include "shared/base/log.h"

namespace mtawatch::exporter::feed {

enum class LogEvent : std::uint8_t { pipe_failed, startup_error, licence, other };
inline constexpr std::size_t log_event_count = 4;
// The values of the label `event`.
[[nodiscard]] std::string_view name(LogEvent event);

// The event of one line ("2026-11-21 16:17:04 Error writing to …"); nothing for the protocol traces and notices that
// make up most of a log. `other` is an error or warning of no kind of its own.
[[nodiscard]] std::optional<LogEvent> log_event_of(std::string_view line);

class LogFollower {
  public:
    // The counts are changed in a writer's turn of `lock`, together with the files' offsets.
    LogFollower(const FeedSettings& settings, const files::FileSystem& files, const base::Clock& clock,
                base::TurnLock& lock, std::array<std::uint64_t, log_event_count>& counts, base::Log log);

    void restore(const std::vector<files::FileState>& files) { follower_.restore(files); }
    // Reads what is new; never waits.
    void read_new();
    [[nodiscard]] const std::vector<std::unique_ptr<files::TrackedFile>>& files() const { return follower_.files(); }
    [[nodiscard]] const std::set<files::ListingProblem>& problems() const { return follower_.problems(); }
    [[nodiscard]] std::size_t unwatched_folders() const { return follower_.unwatched_folders(); }

  private:
    class LogContents final : public files::Contents {
      public:
        explicit LogContents(const files::FileSystem& files) : files_(files) {}
        [[nodiscard]] base::Result<files::Head> head(const std::string& path) override;
        [[nodiscard]] base::Result<files::Comparison> compare(const files::FileState& known,
                                                              const files::SeenFile& seen,
                                                              io::Compression packing) override;
        [[nodiscard]] base::Result<std::uint64_t> text_length(const files::SeenFile& seen,
                                                              io::Compression /*packing*/) override {
            return seen.size;
        }

      private:
        const files::FileSystem& files_;
    };

    void read(files::TrackedFile& file);
    void count(files::TrackedFile& file, std::string_view bytes);

    files::FollowSettings settings_;
    base::TurnLock& lock_;
    std::array<std::uint64_t, log_event_count>& counts_;
    const files::FileSystem& files_;
    LogContents contents_;
    files::Follower follower_;
};

}  // namespace mtawatch::exporter::feed
