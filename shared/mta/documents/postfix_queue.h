// Streaming parser of `postqueue -j` (postqueue(1), JSON OBJECT FORMAT), in constant memory.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "shared/base/result.h"
#include "shared/mta/documents/space_saving.h"

namespace mtawatch::mta::documents {

struct PostfixQueue {
    std::string name;  // active, deferred, incoming, hold, maildrop, corrupt
    std::uint64_t messages = 0;
    std::uint64_t recipients = 0;
    std::uint64_t bytes = 0;
    std::optional<std::int64_t> oldest_arrival;  // seconds since 1970
    std::string oldest_id;
};

struct PostfixListing {
    std::vector<PostfixQueue> queues;         // in order of appearance; a queue without mail is not there
    std::vector<SpaceSaving::Entry> domains;  // recipients by destination domain, largest first
    std::uint64_t domain_error = 0;           // a domain that is not listed has at most this many; 0: all are exact

    [[nodiscard]] std::uint64_t messages() const;
    [[nodiscard]] std::uint64_t bytes() const;
    [[nodiscard]] const PostfixQueue* oldest() const;  // the queue with the oldest message, null without mail
};

inline constexpr std::size_t max_postfix_line = 8U << 20U;  // one message with some 40 000 recipients
inline constexpr std::size_t max_postfix_domains = 10'000;  // counted apart; beyond them Space-Saving
inline constexpr std::size_t max_postfix_queues = 64;       // Postfix has six

// Feed the output of one or several runs of postqueue, then take the sums.
class PostfixQueueReader {
  public:
    PostfixQueueReader();
    ~PostfixQueueReader();
    PostfixQueueReader(const PostfixQueueReader&) = delete;
    PostfixQueueReader& operator=(const PostfixQueueReader&) = delete;

    // Faults: malformed (a line that is no message; the text names the line), limit (a line over max_postfix_line; the
    // text names the queue id). After a failure nothing more is read.
    [[nodiscard]] base::Result<void> push(std::string_view piece);
    // The end of one run: malformed when it came in the middle of a line.
    [[nodiscard]] base::Result<void> end_of_run();
    // Everything read so far; at most `domains` of them.
    [[nodiscard]] PostfixListing take(std::size_t domains) const;
    [[nodiscard]] std::uint64_t messages() const;

  private:
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace mtawatch::mta::documents
