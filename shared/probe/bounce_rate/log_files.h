// Where the files of a log lie: on this machine, or on one that is reached by its programs over SSH.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "shared/base/clock.h"
#include "shared/base/deadline.h"
#include "shared/base/result.h"
#include "shared/io/byte_source.h"
#include "shared/io/files.h"
#include "shared/probe/world/machine.h"

namespace mtawatch::probe::bounce_rate {

// One file that can be read at any place. Messages name its path.
class LogFile {
  public:
    LogFile() = default;
    LogFile(const LogFile&) = delete;
    LogFile& operator=(const LogFile&) = delete;
    virtual ~LogFile() = default;

    [[nodiscard]] virtual std::uint64_t size() const = 0;  // when it was opened
    // Fills `into`, or less at the end of the file.
    [[nodiscard]] virtual base::Result<std::size_t> read(std::uint64_t at, std::span<char> into) = 0;
};

struct LogEntry {
    std::string path;
    base::WallTime modified;  // the end of time where it cannot be told
};

class LogFiles {
  public:
    LogFiles() = default;
    LogFiles(const LogFiles&) = delete;
    LogFiles& operator=(const LogFiles&) = delete;
    virtual ~LogFiles() = default;

    // The files that a glob(7) pattern matches, each once in all calls; none is no error.
    [[nodiscard]] virtual base::Result<std::vector<LogEntry>> glob(const std::string& pattern) = 0;
    // Faults: permission, not_found, io (a folder, a pipe), deadline.
    [[nodiscard]] virtual base::Result<std::unique_ptr<LogFile>> open(const std::string& path) = 0;
    // The text of a file from its beginning, decompressed.
    [[nodiscard]] virtual base::Result<std::unique_ptr<io::ByteSource>> open_source(const std::string& path) = 0;
    // Whether to open a file costs much more than to look at its time.
    [[nodiscard]] virtual bool far() const = 0;
    // Why what was read of a file may be a mixture of two, because its path led to another one in between; "" when it
    // is not. Asked once, after all is read.
    [[nodiscard]] virtual base::Result<std::string> exchanged(const std::string& path) = 0;
    // " on mx1.example.net", for messages; "" on this machine.
    [[nodiscard]] virtual std::string where() const = 0;
};

[[nodiscard]] std::unique_ptr<LogFiles> local_log_files(const io::Files& files);
// Machine and deadline must live as long as what is returned.
[[nodiscard]] std::unique_ptr<LogFiles> remote_log_files(const world::Machine& machine, const base::Deadline& deadline);

}  // namespace mtawatch::probe::bounce_rate
