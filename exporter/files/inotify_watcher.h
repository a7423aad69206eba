// Change notification by inotify, one watch for each folder.
#pragma once

#include <chrono>
#include <map>
#include <set>
#include <string>

#include "exporter/files/file_system.h"
#include "shared/io/descriptor.h"

namespace mtawatch::exporter::files {

class InotifyWatcher final : public Watcher {
  public:
    void watch(const std::set<std::string>& folders) override;
    [[nodiscard]] const Unwatched& unwatched() const override { return unwatched_; }
    [[nodiscard]] Changes wait(std::chrono::milliseconds timeout, int wake_fd) override;

  private:
    void forget_others(const std::set<std::string>& folders);
    void read_events(Changes& changes);

    io::Descriptor inotify_;
    std::map<std::string, int> watches_;
    std::map<int, std::string> folders_;
    Unwatched unwatched_;
};

}  // namespace mtawatch::exporter::files
