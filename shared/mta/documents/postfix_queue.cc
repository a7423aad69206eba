#include "shared/mta/documents/postfix_queue.h"

#include <simdjson.h>

#include <algorithm>
#include <array>
#include <cstring>

#include "shared/base/text.h"

namespace mtawatch::mta::documents {

namespace {

using base::fail;
using base::Fault;
using base::Result;
namespace ondemand = simdjson::ondemand;

// A pipe carries 64 KiB at once. Lines are parsed where they lie, so the buffer ends in simdjson's padding.
constexpr std::size_t first_buffer = 256U << 10U;
constexpr std::size_t max_domain = 255;  // RFC 1035; a longer "domain" is cut, it cannot be one

struct Message {
    std::string_view queue;
    std::string_view id;
    std::int64_t arrival = -1;
    std::int64_t bytes = -1;
    std::uint64_t recipients = 0;
};

// " (queue id …)" of a line that cannot be parsed, for the message; empty when not found.
std::string id_in(std::string_view line) {
    const std::string_view key = "\"queue_id\": \"";
    const auto at = line.substr(0, 4096).find(key);
    if (at == std::string_view::npos) return {};
    const auto id = line.substr(at + key.size(), 64);
    return " (queue id " + base::one_line(id.substr(0, id.find('"')), 64) + ")";
}

}  // namespace

struct PostfixQueueReader::State {
    std::vector<char> buffer;
    std::size_t used = 0;     // bytes in the buffer
    std::size_t scanned = 0;  // of these, known to hold no newline
    std::uint64_t lines = 0;
    ondemand::parser parser;
    SpaceSaving domains{max_postfix_domains};
    std::vector<PostfixQueue> queues;
    std::uint64_t messages = 0;
    std::array<char, max_domain> domain{};

    State() : buffer(first_buffer + simdjson::SIMDJSON_PADDING) {}

    [[nodiscard]] std::size_t room() const { return buffer.size() - simdjson::SIMDJSON_PADDING - used; }

    void add_domain(std::string_view address) {
        const auto at = address.rfind('@');
        // An address without '@' is a local user.
        const auto name = at == std::string_view::npos ? std::string_view("(local)") : address.substr(at + 1);
        const std::size_t length = std::min(name.size(), max_domain);
        for (std::size_t i = 0; i < length; ++i) domain[i] = base::lower(name[i]);
        domains.add({domain.data(), length});
    }

    simdjson::error_code read_recipients(ondemand::value value, Message& message) {
        ondemand::array recipients;
        if (const auto error = value.get_array().get(recipients); error) return error;
        for (auto one : recipients) {
            ondemand::object recipient;
            if (const auto error = one.get_object().get(recipient); error) return error;
            std::string_view address;
            if (const auto error = recipient["address"].get_string().get(address); error) return error;
            add_domain(address);
            ++message.recipients;
        }
        return simdjson::SUCCESS;
    }

    simdjson::error_code read_field(ondemand::field& field, Message& message) {
        const ondemand::raw_json_string key = field.key();
        if (key == "queue_name") return field.value().get_string().get(message.queue);
        if (key == "queue_id") return field.value().get_string().get(message.id);
        if (key == "arrival_time") return field.value().get_int64().get(message.arrival);
        if (key == "message_size") return field.value().get_int64().get(message.bytes);
        if (key == "recipients") return read_recipients(field.value(), message);
        return simdjson::SUCCESS;
    }

    simdjson::error_code read_message(simdjson::padded_string_view line, Message& message) {
        ondemand::document document;
        if (const auto error = parser.iterate(line).get(document); error) return error;
        ondemand::object object;
        if (const auto error = document.get_object().get(object); error) return error;
        for (auto next : object) {
            ondemand::field field;
            if (const auto error = std::move(next).get(field); error) return error;
            if (const auto error = read_field(field, message); error) return error;
        }
        // Only at the end is there no current location.
        return document.current_location().error() ? simdjson::SUCCESS : simdjson::TRAILING_CONTENT;
    }

    [[nodiscard]] base::Failure bad_line(std::string_view line, std::string_view why) const {
        return fail(Fault::malformed, "line {} of postqueue -j is no message{}: {}: '{}'", lines, id_in(line), why,
                    base::one_line(line, 80));
    }

    Result<void> count(const Message& message, std::string_view line) {
        if (message.queue.empty() || message.id.empty() || message.arrival < 0 || message.bytes < 0) {
            return bad_line(line, "queue_name, queue_id, arrival_time or message_size is missing");
        }
        auto queue =
            std::ranges::find_if(queues, [&](const PostfixQueue& known) { return known.name == message.queue; });
        if (queue == queues.end()) {
            if (queues.size() >= max_postfix_queues) return bad_line(line, "more queues than Postfix has");
            queue = queues.insert(queues.end(), PostfixQueue{std::string(message.queue), 0, 0, 0, {}, {}});
        }
        ++messages;
        ++queue->messages;
        queue->recipients += message.recipients;
        queue->bytes += static_cast<std::uint64_t>(message.bytes);
        if (!queue->oldest_arrival || message.arrival < *queue->oldest_arrival) {
            queue->oldest_arrival = message.arrival;
            queue->oldest_id = std::string(message.id);
        }
        return {};
    }

    // `line` lies in the buffer, which goes on for at least SIMDJSON_PADDING bytes after it.
    Result<void> read_line(char* bytes, std::size_t length) {
        const std::string_view line(bytes, length);
        ++lines;
        if (base::trim(line).empty()) return {};
        const simdjson::padded_string_view padded(line.data(), line.size(), line.size() + simdjson::SIMDJSON_PADDING);
        Message message;
        const auto error = read_message(padded, message);
        if (error == simdjson::UTF8_ERROR) return read_unclean_line(line, bytes);
        if (error) return bad_line(line, simdjson::error_message(error));
        return count(message, line);
    }

    // A sender or a reason may hold bytes that are no UTF-8; that must not hide the whole queue. They are replaced
    // where they lie: a clean copy could be three times as long.
    Result<void> read_unclean_line(std::string_view line, char* bytes) {
        std::ranges::replace_if(
            bytes, bytes + line.size(), [](char c) { return static_cast<unsigned char>(c) >= 0x80; }, '?');
        const simdjson::padded_string_view padded(line.data(), line.size(), line.size() + simdjson::SIMDJSON_PADDING);
        Message message;
        if (const auto error = read_message(padded, message); error) {
            return bad_line(line, simdjson::error_message(error));
        }
        return count(message, line);
    }

    Result<void> read_lines() {
        std::size_t start = 0;
        for (;;) {
            const char* from = buffer.data() + scanned;
            const auto* end = static_cast<const char*>(std::memchr(from, '\n', used - scanned));
            if (end == nullptr) break;
            const auto stop = static_cast<std::size_t>(end - buffer.data());
            if (auto done = read_line(buffer.data() + start, stop - start); !done) return done;
            start = scanned = stop + 1;
        }
        std::memmove(buffer.data(), buffer.data() + start, used - start);
        used -= start;
        scanned = used;
        return {};
    }

    Result<void> grow() {
        if (used >= max_postfix_line) {
            return fail(Fault::limit, "line {} of postqueue -j{} is longer than {} bytes", lines + 1,
                        id_in({buffer.data(), used}), max_postfix_line);
        }
        buffer.resize(std::min(used * 2, max_postfix_line) + simdjson::SIMDJSON_PADDING);
        return {};
    }
};

PostfixQueueReader::PostfixQueueReader() : state_(std::make_unique<State>()) {}
PostfixQueueReader::~PostfixQueueReader() = default;

base::Result<void> PostfixQueueReader::push(std::string_view piece) {
    while (!piece.empty()) {
        if (state_->room() == 0) {
            if (auto done = state_->grow(); !done) return done;
        }
        const std::size_t count = std::min(piece.size(), state_->room());
        std::memcpy(state_->buffer.data() + state_->used, piece.data(), count);
        state_->used += count;
        piece.remove_prefix(count);
        if (auto done = state_->read_lines(); !done) return done;
    }
    return {};
}

base::Result<void> PostfixQueueReader::end_of_run() {
    if (state_->used == 0) return {};
    const std::string_view rest(state_->buffer.data(), state_->used);
    const std::string shown = base::one_line(rest, 80);
    state_->used = state_->scanned = 0;
    return fail(Fault::malformed, "postqueue -j ended in the middle of line {}: '{}'", state_->lines + 1, shown);
}

std::uint64_t PostfixQueueReader::messages() const { return state_->messages; }

PostfixListing PostfixQueueReader::take(std::size_t domains) const {
    PostfixListing listing;
    listing.queues = state_->queues;
    listing.domains = state_->domains.top(domains);
    listing.domain_error = state_->domains.max_error();
    return listing;
}

std::uint64_t PostfixListing::messages() const {
    std::uint64_t sum = 0;
    for (const auto& queue : queues) sum += queue.messages;
    return sum;
}

std::uint64_t PostfixListing::bytes() const {
    std::uint64_t sum = 0;
    for (const auto& queue : queues) sum += queue.bytes;
    return sum;
}

const PostfixQueue* PostfixListing::oldest() const {
    const PostfixQueue* oldest = nullptr;
    for (const auto& queue : queues) {
        if (oldest == nullptr || *queue.oldest_arrival < *oldest->oldest_arrival) oldest = &queue;
    }
    return oldest;
}

}  // namespace mtawatch::mta::documents
