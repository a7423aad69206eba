// Fake stream: sends given bytes in pieces, takes whatever it is sent, and closes.
#pragma once

#include <algorithm>
#include <string_view>

#include "shared/io/stream.h"

namespace mtawatch::test {

// Does not own the bytes. `piece` of 0 counts as 1.
class ReplayStream final : public io::Stream {
  public:
    ReplayStream(std::string_view bytes, std::size_t piece) : bytes_(bytes), piece_(std::max<std::size_t>(piece, 1)) {}
    base::Result<std::size_t> read_some(std::span<char> into, const base::Deadline& /*deadline*/) override {
        const std::size_t count = std::min({into.size(), bytes_.size(), piece_});
        bytes_.copy(into.data(), count);
        bytes_.remove_prefix(count);
        return count;
    }
    base::Result<void> write(std::string_view /*bytes*/, const base::Deadline& /*deadline*/) override { return {}; }

  private:
    std::string_view bytes_;
    std::size_t piece_;
};

}  // namespace mtawatch::test
