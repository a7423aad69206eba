// Streaming gzip decompressor in constant memory, which also says whether the file was complete.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>

#include "shared/base/result.h"

namespace mtawatch::io {

// Fills a piece of memory with compressed bytes and says how many; 0 at the end.
using ReadBytes = std::function<base::Result<std::size_t>(std::span<char> into)>;

// RFC 1952: members one after the other are one text; zero bytes behind the last one are padding. For one thread.
class GzipReader {
  public:
    explicit GzipReader(ReadBytes source);
    GzipReader(GzipReader&&) noexcept;
    GzipReader& operator=(GzipReader&&) noexcept;
    ~GzipReader();

    // The next bytes of the text, at least one; 0 when the source has no more. Faults: malformed (no gzip file, damaged
    // data, a wrong checksum or length), and whatever the source fails with. What was handed out before stays right.
    [[nodiscard]] base::Result<std::size_t> read(std::span<char> into);
    // Whether the source ended behind a member's trailer. After a read of 0: false means that the file is cut off or
    // still being written.
    [[nodiscard]] bool complete() const;
    // Bytes of text handed out so far.
    [[nodiscard]] std::uint64_t position() const;

  private:
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace mtawatch::io
