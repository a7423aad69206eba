// Line reader for the text protocols of mail servers, with limits on a line and a dialogue.
#pragma once

#include <cstddef>
#include <optional>
#include <string>

#include "shared/base/deadline.h"
#include "shared/base/result.h"
#include "shared/io/stream.h"

namespace mtawatch::smtp {

// RFC 5321 allows 512 bytes, real servers send longer capability lines; IMAP ones can reach a few KiB.
inline constexpr std::size_t max_line_bytes = 16U << 10U;
// Of one whole dialogue: a server that never stops talking is Fault::limit.
inline constexpr std::size_t max_dialogue_bytes = 256U << 10U;

// For one dialogue over one stream, which it does not own.
class LineReader {
  public:
    explicit LineReader(io::Stream& stream) : stream_(stream) {}
    // The next line without its CRLF (a bare LF ends a line too). Nothing when the peer closed before a whole line.
    // Faults: those of the stream; limit.
    [[nodiscard]] base::Result<std::optional<std::string>> line(const base::Deadline& deadline);
    // Exactly `count` bytes (a literal of RFC 5804); nothing when the peer closed before.
    [[nodiscard]] base::Result<std::optional<std::string>> bytes(std::size_t count, const base::Deadline& deadline);
    // What has been received beyond the last line.
    [[nodiscard]] const std::string& unread() const { return held_; }

  private:
    [[nodiscard]] base::Result<bool> receive(const base::Deadline& deadline);
    io::Stream& stream_;
    std::string held_;
    std::size_t received_ = 0;
};

}  // namespace mtawatch::smtp
