// Settings of a Follower: which files it follows, and how often it looks.
#pragma once

#include <chrono>
#include <cstddef>
#include <string>
#include <vector>

namespace mtawatch::exporter::files {

struct FollowSettings {
    // Files to follow, as glob(7) patterns; the same names with ".gz" behind them are followed too. "-" is stdin (with
    // run_once only).
    std::vector<std::string> globs;
    // Folders to which PowerMTA moves finished files (move-to): files there whose name a glob's last part matches are
    // followed too.
    std::vector<std::string> moved_to;
    // How often the globs are matched anew; changes in between come by inotify.
    std::chrono::milliseconds rescan_interval{5'000};
    // A renamed or moved file that has not grown for so long is finished: a last line without newline counts then.
    std::chrono::milliseconds finished_after{60'000};
    // Files that are read at once keep their descriptor, so that a rename or removal loses nothing that was written
    // before; idle ones beyond so many are closed.
    std::size_t open_files = 64;
};

// In which order files that have something to read are handed out: independent of each other, or strictly the oldest
// first because lines depend on earlier lines. The second kind has the names that logrotate gives.
enum class ReadingOrder : unsigned char { independent, oldest_first };

}  // namespace mtawatch::exporter::files
