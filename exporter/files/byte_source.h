// Sequential reader of one file from its beginning, decompressed where it is gzip or zstd.
#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "shared/base/result.h"
#include "shared/io/descriptor.h"

namespace mtawatch::exporter::files {

class ByteSource {
  public:
    ByteSource() = default;
    ByteSource(const ByteSource&) = delete;
    ByteSource& operator=(const ByteSource&) = delete;
    virtual ~ByteSource() = default;

    // Fills `into` as far as the file goes; 0 at its present end. Faults: io, malformed (damaged compression).
    [[nodiscard]] virtual base::Result<std::size_t> read(std::span<char> into) = 0;
    // Whether the last read() met an end that is one: a packed file without its trailer is still being written.
    [[nodiscard]] virtual bool complete() const = 0;
    // How much of the file on disk was taken in.
    [[nodiscard]] virtual std::uint64_t disk_read() const = 0;
};

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
// From the file's beginning; `path` is for messages, and for what a name says of the compression. Faults: malformed.
[[nodiscard]] base::Result<std::unique_ptr<ByteSource>> open_source(io::Descriptor fd, const std::string& path);
// The same; the faults of open_to_read() too.
[[nodiscard]] base::Result<std::unique_ptr<ByteSource>> open_source(const std::string& path);

// The same bytes, taken from `source` by a thread of its own a few pieces ahead: inflating and counting then use a core
// each. The thread ends with the object.
[[nodiscard]] std::unique_ptr<ByteSource> read_ahead(std::unique_ptr<ByteSource> source);

}  // namespace mtawatch::exporter::files
