// Change notification for folders: inotify, one watch for each folder.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "shared/io/descriptor.h"

namespace mtawatch::exporter::files {

class Watcher {
  public:
    // Watches exactly these folders from now on. Those that cannot be watched are left to the periodic rescan.
    void watch(const std::set<std::string>& folders);

    // Folders that the last watch() could not watch, because inotify's limits are reached. Folders that are missing or
    // not readable are not among them: the listing reports those.
    struct Unwatched {
        std::size_t folders = 0;
        std::string why;  // and the setting that makes room
    };
    [[nodiscard]] const Unwatched& unwatched() const { return unwatched_; }

    struct Changes {
        std::set<std::string> grown;  // paths whose content changed
        bool moved = false;           // something appeared, went or was renamed: match the globs anew
    };
    // Waits until something changes, `wake_fd` becomes readable or the time is over; nothing changed is an empty
    // answer.
    [[nodiscard]] Changes wait(std::chrono::milliseconds timeout, int wake_fd);

  private:
    void forget_others(const std::set<std::string>& folders);
    void read_events(Changes& changes);

    io::Descriptor inotify_;
    std::map<std::string, int> watches_;
    std::map<int, std::string> folders_;
    Unwatched unwatched_;
};

}  // namespace mtawatch::exporter::files
