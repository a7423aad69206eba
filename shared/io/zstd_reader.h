// Streaming zstd decompressor, and a reader that detects a file's compression by its first bytes: KumoMTA's log
// segments are zstd without a file name that says so.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <variant>

#include "shared/base/result.h"
#include "shared/io/inflate.h"

namespace mtawatch::io {

// RFC 8878: frames one after the other are one text; skippable ones are skipped. For one thread.
class ZstdReader {
  public:
    explicit ZstdReader(ByteSource source);
    ZstdReader(ZstdReader&&) noexcept;
    ZstdReader& operator=(ZstdReader&&) noexcept;
    ~ZstdReader();

    // As GzipReader::read: what a frame without its end holds so far is handed out. Faults: malformed (no zstd data,
    // damaged, a wrong checksum), and whatever the source fails with.
    [[nodiscard]] base::Result<std::size_t> read(std::span<char> into);
    // Whether the source ended behind a frame. After a read of 0: false means that the file is cut off or still being
    // written.
    [[nodiscard]] bool complete() const;
    [[nodiscard]] std::uint64_t position() const;

  private:
    struct State;
    std::unique_ptr<State> state_;
};

enum class Compression : std::uint8_t { none, gzip, zstd };
// By the first four bytes of a file; none for fewer.
[[nodiscard]] Compression compression_of(std::string_view first_bytes);

// The text of a file, whatever its compression; chosen by its first bytes. For one thread.
class AnyReader {
  public:
    explicit AnyReader(ByteSource source);

    // Fills `into` with at least one byte; 0 at the end. Faults: those of the source and of the compression.
    [[nodiscard]] base::Result<std::size_t> read(std::span<char> into);
    // none until the first read.
    [[nodiscard]] Compression compression() const { return compression_; }
    // Plain files are always complete.
    [[nodiscard]] bool complete() const;

  private:
    [[nodiscard]] base::Result<void> choose();

    ByteSource source_;
    bool chosen_ = false;
    Compression compression_ = Compression::none;
    std::variant<std::monostate, GzipReader, ZstdReader> reader_;
};

}  // namespace mtawatch::io
