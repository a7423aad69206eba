// Files of a machine that is reached by its programs alone: lists them with `find` and reads any part of them with
// `dd`, so that of a large log only what is needed travels.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "shared/base/deadline.h"
#include "shared/base/result.h"
#include "shared/probe/world/machine.h"

namespace mtawatch::probe::world {

struct RemoteFile {
    std::string path;
    std::uint64_t bytes = 0;
    std::uint64_t inode = 0;
    std::int64_t modified = 0;  // seconds since 1970, by that machine's clock
};

// What `find -printf '%T@ %s %i %p\n'` prints. Fault::malformed names the line.
[[nodiscard]] base::Result<std::vector<RemoteFile>> read_find(std::string_view text);

// The regular files that a pattern matches, in no order; none is an empty vector, as is a folder that is not there.
// `glob` is an absolute path whose last part may hold * ? [, as in glob(7). Faults beside those of Commands: usage
// (another pattern), permission, malformed.
[[nodiscard]] base::Result<std::vector<RemoteFile>> list_files(const Machine& machine, const std::string& glob,
                                                               const base::Deadline& deadline);

// One file, read at any place. Who reads on where the last read ended gets pieces from an ever larger part that was
// fetched ahead, so that a log of 100 MB takes 30 commands and not 1600.
class RemoteReader {
  public:
    static constexpr std::size_t first_fetch = 64U << 10U;  // what looking for a place fetches each time
    static constexpr std::size_t largest_fetch = 4U << 20U;

    // Machine and deadline must live as long as this.
    RemoteReader(const Machine& machine, std::string path, const base::Deadline& deadline)
        : machine_(&machine), path_(std::move(path)), deadline_(&deadline) {}

    // Fills `into`, or less at the end of the file. Faults: deadline, permission, those of Commands; the message names
    // path and machine.
    [[nodiscard]] base::Result<std::size_t> read(std::uint64_t at, std::span<char> into);

  private:
    [[nodiscard]] base::Result<void> fetch(std::uint64_t at, std::size_t wanted);

    const Machine* machine_;
    std::string path_;
    const base::Deadline* deadline_;
    std::string held_;  // bytes of the file from held_at_ on
    std::uint64_t held_at_ = 0;
    std::uint64_t fetched_ = 0;  // in all, for the message at the deadline
    std::size_t size_ = 0;       // of the last fetch, as it was asked for
};

}  // namespace mtawatch::probe::world
