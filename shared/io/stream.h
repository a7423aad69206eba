// A connection that carries bytes both ways under a deadline: TCP, TLS over a Stream, or a script in a test.
#pragma once

#include <cstddef>
#include <span>
#include <string_view>

#include "shared/base/deadline.h"
#include "shared/base/result.h"

namespace mtawatch::io {

// Blocking, for one thread. Destroying it closes it. Faults: timeout (deadline passed: the peer did not answer),
// refused (peer reset the connection), io (a failure of this machine).
class Stream {
  public:
    Stream() = default;
    Stream(const Stream&) = delete;
    Stream& operator=(const Stream&) = delete;
    virtual ~Stream() = default;

    // Waits for at least one byte; 0 means that the peer closed its side.
    [[nodiscard]] virtual base::Result<std::size_t> read_some(std::span<char> into, const base::Deadline& deadline) = 0;
    // Writes everything.
    [[nodiscard]] virtual base::Result<void> write(std::string_view bytes, const base::Deadline& deadline) = 0;
};

}  // namespace mtawatch::io
