// Streaming zstd decompressor in constant memory, which also says whether the file was complete.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

#include "shared/base/result.h"
#include "shared/io/inflate.h"

namespace mtawatch::io {

// RFC 8878: frames one after the other are one text; skippable ones are skipped. For one thread.
class ZstdReader {
  public:
    explicit ZstdReader(ReadBytes source);
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

}  // namespace mtawatch::io
