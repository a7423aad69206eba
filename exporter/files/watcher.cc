#include "exporter/files/watcher.h"

#include <fmt/format.h>
#include <poll.h>
#include <sys/inotify.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <string_view>
#include <system_error>

namespace mtawatch::exporter::files {
namespace {

constexpr std::uint32_t grown_events = IN_MODIFY | IN_CLOSE_WRITE;
constexpr std::uint32_t moved_events =
    IN_CREATE | IN_MOVED_FROM | IN_MOVED_TO | IN_DELETE | IN_DELETE_SELF | IN_MOVE_SELF;
// Room for some hundred events; the kernel queues the rest.
constexpr std::size_t event_bytes = 32U << 10U;

std::string why_not(int error, std::string_view setting) {
    return fmt::format("inotify: {}; raise the sysctl {}", std::generic_category().message(error), setting);
}

}  // namespace

void Watcher::forget_others(const std::set<std::string>& folders) {
    for (auto at = watches_.begin(); at != watches_.end();) {
        if (folders.contains(at->first)) {
            ++at;
            continue;
        }
        ::inotify_rm_watch(inotify_.get(), at->second);
        folders_.erase(at->second);
        at = watches_.erase(at);
    }
}

void Watcher::watch(const std::set<std::string>& folders) {
    unwatched_ = {};
    if (!inotify_) inotify_ = io::Descriptor(::inotify_init1(IN_NONBLOCK | IN_CLOEXEC));
    if (!inotify_) {
        unwatched_ = {folders.size(), why_not(errno, "fs.inotify.max_user_instances")};
        return;
    }
    forget_others(folders);
    for (const std::string& folder : folders) {
        // Adding a watch again is cheap and finds a folder that was replaced under its name.
        const int watch = ::inotify_add_watch(inotify_.get(), folder.c_str(), grown_events | moved_events | IN_ONLYDIR);
        if (watch < 0) {
            if (errno != ENOSPC && errno != ENOMEM) continue;
            ++unwatched_.folders;
            unwatched_.why = why_not(errno, "fs.inotify.max_user_watches");
            continue;
        }
        const auto known = watches_.find(folder);
        if (known != watches_.end() && known->second != watch) folders_.erase(known->second);
        watches_[folder] = watch;
        folders_[watch] = folder;
    }
}

Watcher::Changes Watcher::wait(std::chrono::milliseconds timeout, int wake_fd) {
    std::array<pollfd, 2> waits{pollfd{wake_fd, POLLIN, 0}, pollfd{inotify_.get(), POLLIN, 0}};
    Changes changes;
    if (::poll(waits.data(), waits.size(), static_cast<int>(timeout.count())) > 0 && (waits[1].revents & POLLIN) != 0) {
        read_events(changes);
    }
    return changes;
}

void Watcher::read_events(Changes& changes) {
    alignas(inotify_event) std::array<char, event_bytes> bytes;
    for (;;) {
        const ssize_t size = ::read(inotify_.get(), bytes.data(), bytes.size());
        if (size <= 0) return;
        for (std::size_t at = 0; at < static_cast<std::size_t>(size);) {
            inotify_event event{};
            std::memcpy(&event, bytes.data() + at, sizeof event);
            const char* name = bytes.data() + at + sizeof event;
            at += sizeof event + event.len;
            if ((event.mask & (moved_events | IN_Q_OVERFLOW)) != 0) changes.moved = true;
            const auto folder = folders_.find(event.wd);
            if (folder == folders_.end() || event.len == 0 || (event.mask & grown_events) == 0) continue;
            changes.grown.insert(folder->second + "/" + name);
        }
    }
}

}  // namespace mtawatch::exporter::files
