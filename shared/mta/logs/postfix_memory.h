// State of Postfix queue ids between log lines: sender, size and recipients of each message, kept until the id is
// removed.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "shared/base/bytes.h"
#include "shared/mta/logs/keyed_pool.h"
#include "shared/mta/logs/text_heap.h"

namespace mtawatch::mta::logs {

// Postfix gives a message up after maximal_queue_lifetime, five days unless it is configured otherwise; an id of which
// the log has said nothing for as long was removed while nobody looked.
inline constexpr std::int64_t forget_seconds = std::int64_t{5} * 86400;

// Compact and bounded: when a limit is reached, the id that was silent for the longest time is forgotten and counted.
class PostfixMemory {
  public:
    struct Limits {
        std::size_t messages = std::size_t{1} << 18U;    // 32 bytes each and 8 for finding it: 10 MiB
        std::size_t recipients = std::size_t{1} << 19U;  // 16 bytes each and 8 for finding it: 12 MiB
        std::size_t text_bytes = std::size_t{16} << 20U;
    };
    PostfixMemory() : PostfixMemory(Limits{}) {}
    explicit PostfixMemory(const Limits& limits);

    // The message with this key, made if it is new. Ids that were silent for forget_seconds before `time` (seconds
    // since 1970) are forgotten. Valid until the next touch(), forget() or load().
    [[nodiscard]] std::uint32_t touch(std::uint64_t key, std::int64_t time);
    [[nodiscard]] std::uint32_t find(std::uint64_t key) const { return messages_.find(key); }
    void forget(std::uint64_t key);

    // A message that comes back with another sender or size is another one under the same id: its recipients are
    // forgotten.
    void set_sender(std::uint32_t message, std::string_view sender, std::uint64_t size);
    [[nodiscard]] std::string_view sender(std::uint32_t message) const;  // empty: the null sender, or not known
    [[nodiscard]] std::optional<std::uint32_t> size(std::uint32_t message) const;

    [[nodiscard]] bool has_recipients(std::uint32_t message) const { return messages_[message].first != no_entry; }
    // The recipient has got its last status. False when it had one already.
    [[nodiscard]] bool finish(std::uint32_t message, std::uint64_t recipient);
    // The recipient is tried again later; `text` is what pop_outstanding() shall give.
    void defer(std::uint32_t message, std::uint64_t recipient, std::string_view text);
    // The next recipient without a last status, which it gets by this. `cursor` begins as no_entry.
    [[nodiscard]] std::optional<std::string> pop_outstanding(std::uint32_t message, std::uint32_t& cursor);

    // When the message that was heard of last was heard of; 0 without any.
    [[nodiscard]] std::int64_t newest() const { return youngest_ == no_entry ? 0 : messages_[youngest_].seen; }
    [[nodiscard]] std::size_t messages() const { return messages_.size(); }
    [[nodiscard]] std::size_t recipients() const { return recipients_.size(); }
    // Messages and recipients that were forgotten for want of room.
    [[nodiscard]] std::uint64_t overflowed() const { return overflowed_; }

    void clear();
    void save(std::string& into) const;
    // False, with the memory empty, for bytes that save() has not written.
    [[nodiscard]] bool load(base::ByteReader& from);

  private:
    static constexpr std::uint32_t no_size = std::numeric_limits<std::uint32_t>::max();
    static constexpr std::uint32_t final = std::numeric_limits<std::uint32_t>::max();
    struct Message {
        std::uint64_t key = 0;
        std::uint32_t next = no_entry;  // the one that was heard of next
        std::uint32_t older = no_entry;
        std::uint32_t seen = 0;  // seconds since 1970
        std::uint32_t size = no_size;
        std::uint32_t sender = TextHeap::none;
        std::uint32_t first = no_entry;  // recipient
    };
    struct Recipient {
        std::uint64_t key = 0;
        std::uint32_t next = no_entry;        // of the same message
        std::uint32_t text = TextHeap::none;  // final: has its last status
    };

    [[nodiscard]] static std::uint64_t recipient_key(const Message& message, std::uint64_t recipient);
    [[nodiscard]] std::uint32_t add_recipient(std::uint32_t message, std::uint64_t key);
    [[nodiscard]] std::uint32_t store(std::uint32_t message, std::string_view text);
    void pack_texts();
    [[nodiscard]] bool evict_for(std::uint32_t message);
    [[nodiscard]] bool load_message(base::ByteReader& from);
    void release_recipients(Message& message);
    void remove(std::uint32_t message);
    void unlink(std::uint32_t message);
    void link_youngest(std::uint32_t message);

    KeyedPool<Message> messages_;
    KeyedPool<Recipient> recipients_;
    TextHeap texts_;
    std::uint32_t oldest_ = no_entry;
    std::uint32_t youngest_ = no_entry;
    std::uint64_t overflowed_ = 0;
};

}  // namespace mtawatch::mta::logs
