#include "shared/smtp/lines.h"

#include <array>

namespace mtawatch::smtp {

using base::fail;
using base::Fault;
using base::Result;

// False when the peer has closed.
Result<bool> LineReader::receive(const base::Deadline& deadline) {
    std::array<char, 4096> piece{};
    const auto count = stream_.read_some(piece, deadline);
    if (!count) return fail(count.error());
    received_ += *count;
    if (received_ > max_dialogue_bytes) {
        return fail(Fault::limit, "the server says more than {} bytes", max_dialogue_bytes);
    }
    held_.append(piece.data(), *count);
    return *count > 0;
}

Result<std::optional<std::string>> LineReader::line(const base::Deadline& deadline) {
    std::size_t searched = 0;
    for (;;) {
        const auto end = held_.find('\n', searched);
        if (end > max_line_bytes && held_.size() > max_line_bytes) {
            return fail(Fault::limit, "the server says a line of more than {} bytes", max_line_bytes);
        }
        if (end != std::string::npos) {
            std::string found = held_.substr(0, end);
            held_.erase(0, end + 1);
            if (found.ends_with('\r')) found.pop_back();
            return found;
        }
        searched = held_.size();
        const auto more = receive(deadline);
        if (!more) return fail(more.error());
        if (!*more) return std::nullopt;
    }
}

Result<std::optional<std::string>> LineReader::bytes(std::size_t count, const base::Deadline& deadline) {
    if (count > max_dialogue_bytes) {
        return fail(Fault::limit, "the server announces {} bytes in one piece, more than {}", count,
                    max_dialogue_bytes);
    }
    while (held_.size() < count) {
        const auto more = receive(deadline);
        if (!more) return fail(more.error());
        if (!*more) return std::nullopt;
    }
    std::string found = held_.substr(0, count);
    held_.erase(0, count);
    return found;
}

}  // namespace mtawatch::smtp
