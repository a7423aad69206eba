// Sequential reader of bytes from their beginning, decompressed where they are gzip or zstd; and the detection of a
// compression.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "shared/base/result.h"
#include "shared/io/descriptor.h"
#include "shared/io/inflate.h"

namespace mtawatch::io {

// `unreadable` is a compression that cannot be read: xz or bzip2.
enum class Compression : std::uint8_t { none, gzip, zstd, unreadable };
// By the first bytes of a file (16 are enough), and by a name that ends in ".gz" while there are too few of them.
[[nodiscard]] Compression compression_of(std::string_view first_bytes, std::string_view name = {});

// For one thread.
class ByteSource {
  public:
    ByteSource() = default;
    ByteSource(const ByteSource&) = delete;
    ByteSource& operator=(const ByteSource&) = delete;
    virtual ~ByteSource() = default;

    // Fills `into` with at least one byte of the text; 0 at its present end. Faults: io, malformed (damaged, or a
    // compression that cannot be read), with the name in front.
    [[nodiscard]] virtual base::Result<std::size_t> read(std::span<char> into) = 0;
    // Whether the last read() met an end that is one: a packed file without its trailer is still being written. Plain
    // bytes are always complete.
    [[nodiscard]] virtual bool complete() const = 0;
    // How many bytes were taken in, as they are on the disk or the wire.
    [[nodiscard]] virtual std::uint64_t raw_read() const = 0;
};

// The text behind `raw`; `name` is for messages, and for what it says of the compression. The first read() chooses.
[[nodiscard]] std::unique_ptr<ByteSource> decompressed(ReadBytes raw, std::string name);
// A file's, from its beginning. Faults: not_found, permission, io (a folder, too), malformed (a compression that cannot
// be read); the message names the path.
[[nodiscard]] base::Result<std::unique_ptr<ByteSource>> open_source(const std::string& path);
[[nodiscard]] base::Result<std::unique_ptr<ByteSource>> open_source(Descriptor fd, const std::string& path);
// What comes on standard input.
[[nodiscard]] std::unique_ptr<ByteSource> standard_input();

}  // namespace mtawatch::io
