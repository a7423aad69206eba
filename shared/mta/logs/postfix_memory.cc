#include "shared/mta/logs/postfix_memory.h"

#include <algorithm>

#include "shared/base/hash.h"

namespace mtawatch::mta::logs {
namespace {

constexpr std::uint16_t final_mark = std::numeric_limits<std::uint16_t>::max();

template <class Number>
void put(std::string& into, Number value) {
    for (std::size_t shift = sizeof(Number) * 8; shift > 0;) {
        shift -= 8;
        into.push_back(static_cast<char>(value >> shift & 0xffU));
    }
}

void put_text(std::string& into, std::string_view text) {
    put(into, static_cast<std::uint16_t>(text.size()));
    into += text;
}

}  // namespace

PostfixMemory::PostfixMemory(const Limits& limits)
    : messages_(limits.messages), recipients_(limits.recipients), texts_(limits.text_bytes) {}

std::uint64_t PostfixMemory::recipient_key(const Message& message, std::uint64_t recipient) {
    return base::mix(message.key ^ base::hash_step, recipient ^ base::hash_seed);
}

void PostfixMemory::unlink(std::uint32_t message) {
    const Message& m = messages_[message];
    (m.older == no_entry ? oldest_ : messages_[m.older].next) = m.next;
    (m.next == no_entry ? youngest_ : messages_[m.next].older) = m.older;
}

void PostfixMemory::link_youngest(std::uint32_t message) {
    Message& m = messages_[message];
    m.next = no_entry;
    m.older = youngest_;
    (youngest_ == no_entry ? oldest_ : messages_[youngest_].next) = message;
    youngest_ = message;
}

std::uint32_t PostfixMemory::touch(std::uint64_t key, std::int64_t time) {
    const auto now = static_cast<std::uint32_t>(std::clamp<std::int64_t>(time, 0, no_size));
    std::uint32_t message = messages_.find(key);
    if (message == no_entry) {
        while (oldest_ != no_entry && std::int64_t{messages_[oldest_].seen} + forget_seconds < time) remove(oldest_);
        if (messages_.full()) {
            ++overflowed_;
            remove(oldest_);
        }
        message = messages_.add(key);
    } else if (message != youngest_) {
        unlink(message);
    }
    if (message != youngest_) link_youngest(message);
    messages_[message].seen = now;
    return message;
}

void PostfixMemory::forget(std::uint64_t key) {
    const std::uint32_t message = messages_.find(key);
    if (message != no_entry) remove(message);
}

void PostfixMemory::release_recipients(Message& message) {
    for (std::uint32_t at = message.first; at != no_entry;) {
        const std::uint32_t next = recipients_[at].next;
        if (recipients_[at].text != final) texts_.release(recipients_[at].text);
        recipients_.remove(at);
        at = next;
    }
    message.first = no_entry;
}

void PostfixMemory::remove(std::uint32_t message) {
    release_recipients(messages_[message]);
    texts_.release(messages_[message].sender);
    unlink(message);
    messages_.remove(message);
}

// Makes room at the cost of the oldest message; false when that is the one that needs the room.
bool PostfixMemory::evict_for(std::uint32_t message) {
    ++overflowed_;
    if (oldest_ == message) return false;
    remove(oldest_);
    return true;
}

// Without this, a memory full of short texts forgot every message for one long text, and had no room for it even then.
void PostfixMemory::pack_texts() {
    TextHeap packed = texts_.empty_one();
    for (std::uint32_t at = oldest_; at != no_entry; at = messages_[at].next) {
        messages_[at].sender = packed.store(texts_.at(messages_[at].sender));
        for (std::uint32_t r = messages_[at].first; r != no_entry; r = recipients_[r].next) {
            if (recipients_[r].text != final) recipients_[r].text = packed.store(texts_.at(recipients_[r].text));
        }
    }
    texts_ = std::move(packed);
}

std::uint32_t PostfixMemory::store(std::uint32_t message, std::string_view text) {
    while (!texts_.has_room(text.size())) {
        if (texts_.scattered()) {
            pack_texts();
            continue;
        }
        if (!evict_for(message)) return TextHeap::none;
    }
    return texts_.store(text);
}

std::uint32_t PostfixMemory::add_recipient(std::uint32_t message, std::uint64_t key) {
    while (recipients_.full()) {
        if (!evict_for(message)) return no_entry;
    }
    const std::uint32_t recipient = recipients_.add(key);
    recipients_[recipient].next = messages_[message].first;
    messages_[message].first = recipient;
    return recipient;
}

void PostfixMemory::set_sender(std::uint32_t message, std::string_view sender, std::uint64_t size) {
    Message& m = messages_[message];
    const auto bytes = static_cast<std::uint32_t>(std::min<std::uint64_t>(size, no_size - 1));
    const std::string_view known = texts_.at(m.sender);
    if (m.size == bytes && known == sender) return;
    // A sender that is not known, for want of room, may be the same.
    if (m.size != no_size && (m.size != bytes || !known.empty())) release_recipients(m);
    texts_.release(m.sender);
    m.sender = TextHeap::none;
    m.size = bytes;
    m.sender = store(message, sender);
}

std::string_view PostfixMemory::sender(std::uint32_t message) const { return texts_.at(messages_[message].sender); }

std::optional<std::uint32_t> PostfixMemory::size(std::uint32_t message) const {
    const std::uint32_t size = messages_[message].size;
    return size == no_size ? std::nullopt : std::optional(size);
}

bool PostfixMemory::finish(std::uint32_t message, std::uint64_t recipient) {
    const std::uint64_t key = recipient_key(messages_[message], recipient);
    std::uint32_t at = recipients_.find(key);
    if (at == no_entry) {
        at = add_recipient(message, key);
        if (at == no_entry) return true;
    } else if (recipients_[at].text == final) {
        return false;
    }
    if (recipients_[at].text != final) texts_.release(recipients_[at].text);
    recipients_[at].text = final;
    return true;
}

void PostfixMemory::defer(std::uint32_t message, std::uint64_t recipient, std::string_view text) {
    const std::uint64_t key = recipient_key(messages_[message], recipient);
    std::uint32_t at = recipients_.find(key);
    if (at == no_entry) {
        at = add_recipient(message, key);
        if (at == no_entry) return;
    } else if (recipients_[at].text == final || texts_.at(recipients_[at].text) == text) {
        return;
    }
    texts_.release(recipients_[at].text);
    recipients_[at].text = TextHeap::none;
    recipients_[at].text = store(message, text);
}

std::optional<std::string> PostfixMemory::pop_outstanding(std::uint32_t message, std::uint32_t& cursor) {
    std::uint32_t at = cursor == no_entry ? messages_[message].first : recipients_[cursor].next;
    for (; at != no_entry; at = recipients_[at].next) {
        cursor = at;
        Recipient& recipient = recipients_[at];
        if (recipient.text == final) continue;
        std::string text(texts_.at(recipient.text));
        texts_.release(recipient.text);
        recipient.text = final;
        // Without its text, for want of room, nobody knows who it was; that was counted then.
        if (!text.empty()) return text;
    }
    return std::nullopt;
}

void PostfixMemory::clear() {
    messages_.clear();
    recipients_.clear();
    texts_.clear();
    oldest_ = youngest_ = no_entry;
}

void PostfixMemory::save(std::string& into) const {
    put(into, static_cast<std::uint32_t>(messages_.size()));
    for (std::uint32_t at = oldest_; at != no_entry; at = messages_[at].next) {
        const Message& message = messages_[at];
        put(into, message.key);
        put(into, message.seen);
        put(into, message.size);
        put_text(into, texts_.at(message.sender));
        std::uint32_t count = 0;
        for (std::uint32_t r = message.first; r != no_entry; r = recipients_[r].next) ++count;
        put(into, count);
        for (std::uint32_t r = message.first; r != no_entry; r = recipients_[r].next) {
            const Recipient& recipient = recipients_[r];
            put(into, recipient.key);
            if (recipient.text == final) {
                put(into, final_mark);
            } else {
                put_text(into, texts_.at(recipient.text));
            }
        }
    }
}

bool PostfixMemory::load_message(base::ByteReader& from) {
    const std::uint64_t key = from.u64();
    if (!from.ok() || messages_.full() || messages_.find(key) != no_entry) return false;
    const std::uint32_t number = messages_.add(key);
    link_youngest(number);
    Message& message = messages_[number];
    message.seen = from.u32();
    message.size = from.u32();
    message.sender = texts_.store(from.take(from.u16()));
    std::uint32_t last = no_entry;
    for (std::uint32_t left = from.u32(); left > 0; --left) {
        const std::uint64_t recipient_key = from.u64();
        const std::uint16_t length = from.u16();
        const std::string_view text = length == final_mark ? std::string_view() : from.take(length);
        if (!from.ok() || recipients_.full() || recipients_.find(recipient_key) != no_entry) return false;
        const std::uint32_t recipient = recipients_.add(recipient_key);
        recipients_[recipient].text = length == final_mark ? final : texts_.store(text);
        (last == no_entry ? message.first : recipients_[last].next) = recipient;
        last = recipient;
    }
    return from.ok();
}

bool PostfixMemory::load(base::ByteReader& from) {
    clear();
    bool fine = true;
    for (std::uint32_t left = from.u32(); fine && left > 0; --left) fine = load_message(from);
    if (fine && from.ok()) return true;
    clear();
    return false;
}

}  // namespace mtawatch::mta::logs
