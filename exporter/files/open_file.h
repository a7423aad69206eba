// Opening, identity and positioned reading of the files that are followed.
#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

#include "shared/base/result.h"
#include "shared/io/descriptor.h"

namespace mtawatch::exporter::files {

// Which file it is, whatever its name is by now.
struct FileId {
    std::uint64_t device = 0;
    std::uint64_t inode = 0;
    // clang-tidy 14 takes the 0 with which a defaulted comparison compares for a null pointer.
    auto operator<=>(const FileId&) const = default;  // NOLINT(modernize-use-nullptr)
};

// Faults: not_found, permission, io; the message names the path and the remedy.
[[nodiscard]] base::Result<io::Descriptor> open_to_read(const std::string& path);
// Fault::io; `path` is for its message.
[[nodiscard]] base::Result<FileId> id_of(int fd, const std::string& path);
// Reads at `offset` until `into` is full or the file ends. Fault::io.
[[nodiscard]] base::Result<std::size_t> read_at(int fd, std::span<char> into, std::uint64_t offset,
                                                const std::string& path);

}  // namespace mtawatch::exporter::files
