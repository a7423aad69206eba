// Has something changed in these folders? inotify, one watch for each folder.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "exporter/accounting/unique_fd.h"

namespace mtawatch::exporter {

class Watcher {
  public:
    Watcher();

    // Watches exactly these folders from now on. Those that cannot be watched (no such folder, no permission, out of
    // watches) are left to the periodic rescan.
    void watch(const std::set<std::string>& folders);

    struct Changes {
        std::set<std::string> grown;  // paths whose content changed
        bool moved = false;           // something appeared, went or was renamed: match the globs anew
    };
    // Waits until something changes, `wake_fd` becomes readable or the time is over; nothing changed is an empty
    // answer.
    [[nodiscard]] Changes wait(std::chrono::milliseconds timeout, int wake_fd);

  private:
    void read_events(Changes& changes);

    UniqueFd inotify_;
    std::map<std::string, int> watches_;
    std::map<int, std::string> folders_;
};

}  // namespace mtawatch::exporter
