// What following files needs of an operating system: names, facts, bytes and news of changes. The real one, and the
// interface behind which a test simulates one.
#pragma once

#include <chrono>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "shared/base/result.h"

namespace mtawatch::exporter::files {

// Which file it is, whatever its name is by now.
struct FileId {
    std::uint64_t device = 0;
    std::uint64_t inode = 0;
    // clang-tidy 14 takes the 0 with which a defaulted comparison compares for a null pointer.
    auto operator<=>(const FileId&) const = default;  // NOLINT(modernize-use-nullptr)
};

enum class FileKind : std::uint8_t { regular, folder, other };

struct FileFacts {
    FileId id;
    FileKind kind = FileKind::regular;
    std::uint64_t size = 0;
    std::int64_t modified = 0;  // nanoseconds since 1970
};

// A file that was opened to be read: it stays the same file whatever happens to its name.
class OpenFile {
  public:
    OpenFile() = default;
    OpenFile(const OpenFile&) = delete;
    OpenFile& operator=(const OpenFile&) = delete;
    virtual ~OpenFile() = default;

    // Reads at `offset` until `into` is full or the file ends. Safe from several threads. Fault::io, naming the path.
    [[nodiscard]] virtual base::Result<std::size_t> read_at(std::span<char> into, std::uint64_t offset) const = 0;
    // Fault::io, naming the path.
    [[nodiscard]] virtual base::Result<FileFacts> facts() const = 0;
    // The first byte from `offset` on that is not in a hole of a sparse file, or the file's end. Fault::io.
    [[nodiscard]] virtual base::Result<std::uint64_t> data_from(std::uint64_t offset) const = 0;
};

// News of changes in folders. For one thread.
class Watcher {
  public:
    Watcher() = default;
    Watcher(const Watcher&) = delete;
    Watcher& operator=(const Watcher&) = delete;
    virtual ~Watcher() = default;

    // Watches exactly these folders from now on. Those that cannot be watched are left to the periodic rescan.
    virtual void watch(const std::set<std::string>& folders) = 0;

    // Folders that the last watch() could not watch, because the system's limits are reached. Folders that are missing
    // or not readable are not among them: the listing reports those.
    struct Unwatched {
        std::size_t folders = 0;
        std::string why;  // and the setting that makes room
    };
    [[nodiscard]] virtual const Unwatched& unwatched() const = 0;

    struct Changes {
        std::set<std::string> grown;  // paths whose content changed
        bool moved = false;           // something appeared, went or was renamed: match the globs anew
    };
    // Waits until something changes, `wake_fd` becomes readable or the time is over; nothing changed is an empty
    // answer.
    [[nodiscard]] virtual Changes wait(std::chrono::milliseconds timeout, int wake_fd) = 0;
};

// Errors say the reason alone, without the path, where a caller puts it in front.
class FileSystem {
  public:
    FileSystem() = default;
    FileSystem(const FileSystem&) = delete;
    FileSystem& operator=(const FileSystem&) = delete;
    virtual ~FileSystem() = default;

    // The paths that a glob(7) pattern matches, sorted by name.
    [[nodiscard]] virtual std::vector<std::string> matches(const std::string& pattern) const = 0;
    // Of what a path leads to. Faults: not_found (no such name, and nothing else), io; the reason alone.
    [[nodiscard]] virtual base::Result<FileFacts> facts(const std::string& path) const = 0;
    // Whether a folder's names can be listed. Fault::permission; the reason alone.
    [[nodiscard]] virtual base::Result<void> may_list(const std::string& folder) const = 0;
    // Faults: not_found, permission, io; the message names the path and the remedy.
    [[nodiscard]] virtual base::Result<std::unique_ptr<OpenFile>> open(const std::string& path) const = 0;
    [[nodiscard]] virtual std::unique_ptr<Watcher> watcher() const = 0;
};

// The machine's. Safe from several threads.
[[nodiscard]] const FileSystem& real_files();

}  // namespace mtawatch::exporter::files
