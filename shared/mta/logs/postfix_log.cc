#include "shared/mta/logs/postfix_log.h"

#include <algorithm>
#include <charconv>
#include <cstring>

#include "shared/base/hash.h"
#include "shared/base/text.h"

namespace mtawatch::mta::logs {
namespace {

// A line's cells, with the relay's host in two of them, and the sender of up to TextHeap::longest.
constexpr std::size_t record_room = 3 * max_log_line + (8U << 10U);
constexpr std::string_view memory_mark = "mtawatch-postfix-1";
constexpr char separator = '\n';  // between the texts that are remembered of a recipient; no line has it

constexpr std::array cells{Column::rcpt,
                           Column::orcpt,
                           Column::orig,
                           Column::dsn_status,
                           Column::dsn_diag,
                           Column::dsn_mta,
                           Column::bounce_cat,
                           Column::dlv_type,
                           Column::vmta,
                           Column::dlv_destination_ip,
                           Column::dlv_size,
                           Column::total_seconds_queued,
                           Column::dlv_tls_protocol,
                           Column::dlv_tls_cipher};
constexpr std::size_t tls_cells = 2;  // the last ones

constexpr ColumnMap plain_map = column_map(cells, cells.size() - tls_cells);
constexpr ColumnMap tls_map = column_map(cells, cells.size());

// "mx.example.net[192.0.2.1]:25".
struct Relay {
    std::string_view host;
    std::string_view address;  // of a UNIX socket its path; empty when there is none
};
Relay relay_of(std::string_view text) {
    if (text == "none") return {};
    const std::size_t open = text.find('[');
    if (open == std::string_view::npos) return {text, {}};
    const std::size_t close = std::min(text.find(']', open), text.size());
    return {text.substr(0, open), text.substr(open + 1, close - open - 1)};
}

// The part of what a remote server said, of the reasons that Postfix writes.
struct Reason {
    std::string_view text;
    bool of_server = false;
    bool suspended = false;
};
Reason reason_of(std::string_view text, bool sent) {
    Reason reason{text, sent, false};
    constexpr std::string_view suspended = "delivery temporarily suspended: ";
    if (reason.text.starts_with(suspended)) {
        reason.text.remove_prefix(suspended.size());
        reason.suspended = true;
    }
    if (reason.text.starts_with("host ")) {
        for (const std::string_view verb : {"] said: ", "] refused to talk to me: "}) {
            const std::size_t at = reason.text.find(verb);
            if (at == std::string_view::npos) continue;
            reason.text.remove_prefix(at + verb.size());
            reason.of_server = true;
            break;
        }
    }
    const std::size_t reply_to = reason.text.rfind(" (in reply to ");
    if (reason.of_server && reply_to != std::string_view::npos) reason.text = reason.text.substr(0, reply_to);
    return reason;
}

bool is_loopback(std::string_view address) { return address.starts_with("127.") || address == "::1"; }

// What decided over this recipient: "smtp" for a remote server, see the class.
std::string_view delivery_type(std::string_view daemon, const Relay& relay, const Reason& reason) {
    const bool network = same(daemon, "smtp") || same(daemon, "lmtp");
    if (!network && !reason.suspended) return daemon;
    std::string_view address = relay.address;
    if (relay.host.empty()) {
        // "connect to mx.example.net[192.0.2.1]:25: Connection refused"
        const std::size_t open = reason.text.find('[');
        if (open != std::string_view::npos) {
            address = reason.text.substr(open + 1, reason.text.find(']', open) - open - 1);
        }
    }
    if (is_loopback(address)) return "loopback";
    const bool socket = !address.empty() && (address.front() == '/' || address.starts_with("private/"));
    if (socket || (daemon == "lmtp" && relay.host.empty() && address.empty())) return "lmtp";
    return "smtp";
}

template <std::size_t Size>
std::string_view text_of(const std::array<char, Size>& text) {
    return {text.data(), strnlen(text.data(), Size)};
}
template <std::size_t Size>
void set_text(std::array<char, Size>& into, std::string_view text) {
    into.fill('\0');
    std::copy_n(text.begin(), std::min(text.size(), Size), into.begin());
}

}  // namespace

PostfixLogReader::PostfixLogReader(PostfixLogOptions options)
    : options_(std::move(options)),
      times_(options_.zone, options_.now),
      messages_(options_.memory),
      tls_(tls_processes),
      lines_(max_log_line),
      batch_(cells.size(), record_room) {
    reset();
}

void PostfixLogReader::resume(std::string_view /*header*/, std::uint64_t offset) {
    lines_.resume(offset);
    expiring_ = no_entry;
    batch_.clear();
}

std::span<char> PostfixLogReader::space() {
    batch_.clear();
    return lines_.space();
}

std::span<const Record> PostfixLogReader::next() {
    batch_.clear();
    constexpr std::int64_t day = 86400;
    latest_ = options_.now() + day;
    if (expiring_ != no_entry) emit_expired();
    std::string_view line;
    while (!batch_.full()) {
        const LogLines::Step step = lines_.next(line);
        if (step == LogLines::Step::none) break;
        if (step == LogLines::Step::oversized) {
            fail(ScanError::oversized);
        } else {
            handle_line(line, step == LogLines::Step::last_line);
        }
    }
    return batch_.records();
}

void PostfixLogReader::handle_line(std::string_view line, bool last) {
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (line.empty()) return;
    PostfixLine parts;
    if (line.front() == '{') {
        const auto own = journal_.read(line, LogLines::padding, parts);
        if (!own) return fail(last ? ScanError::cut_off : ScanError::columns);
        if (!*own) return;
        instance_ = instance_hash(parts);
    } else if (syslog_.read(line, parts)) {
        instance_ = syslog_.instance_hash();
    } else {
        return;
    }
    if (!options_.instance.empty() && parts.instance != options_.instance) return;
    ++own_lines_;
    handle_message(parts, last);
}

void PostfixLogReader::handle_message(const PostfixLine& line, bool last) {
    // The greater part of a log, which says nothing of this kind.
    if (same(line.daemon, "smtpd")) return;
    const std::string_view message = line.message;
    const std::string_view id = queue_id(message);
    if (id.empty()) {
        // Servers of ours say "established from".
        if (same(line.daemon, "smtp") || same(line.daemon, "lmtp")) handle_tls(line);
        return;
    }
    const std::string_view rest = message.substr(id.size() + 2);
    // "message-id=<" is what most of them say.
    if (rest.empty() || (rest[0] != 't' && rest[0] != 'f' && rest[0] != 'r')) return;
    const bool to = begins(rest, "to=<");
    const bool from = !to && begins(rest, "from=<");
    const bool removed = !to && !from && same(rest, "removed");
    if (!to && !from && !removed) return;
    const std::uint64_t key = base::hash_bytes(id, instance_);
    if (to) return handle_delivery(line, rest, key, last);
    if (removed) return messages_.forget(key);
    if (line.daemon.ends_with("qmgr")) handle_sender(line, rest, key);
}

std::uint64_t PostfixLogReader::process_hash(const PostfixLine& line) const {
    return base::hash_bytes(line.process, instance_);
}

std::int64_t PostfixLogReader::time_of(const PostfixLine& line) { return times_.parse(line.stamp).value_or(no_time); }

// The time that goes into the memory: one wrong time stamp in the future must not make every other message look old.
std::int64_t PostfixLogReader::memory_time(std::int64_t time) const {
    return time == no_time ? messages_.newest() : std::min(time, latest_);
}

void PostfixLogReader::handle_sender(const PostfixLine& line, std::string_view rest, std::uint64_t key) {
    PostfixSender sender;
    if (!read_sender(rest, sender)) return;
    const std::int64_t time = time_of(line);
    if (!sender.expired) {
        messages_.set_sender(messages_.touch(key, memory_time(time)), sender.sender, *sender.size);
        return;
    }
    if (time == no_time) return fail(ScanError::timestamp);
    const bool unknown = messages_.find(key) == no_entry;
    const std::uint32_t message = messages_.touch(key, memory_time(time));
    expiring_time_ = time;
    if (unknown || !messages_.has_recipients(message)) return add_unseen_expiry(message, sender.sender);
    expiring_ = message;
    expiring_at_ = no_entry;
    emit_expired();
}

// A message expired of which no delivery was read: the number of its recipients is unknown, so it counts as one.
void PostfixLogReader::add_unseen_expiry(std::uint32_t message, std::string_view sender) {
    if (!messages_.finish(message, 0)) return;
    add_expired({}, sender, message);
}

void PostfixLogReader::handle_delivery(const PostfixLine& line, std::string_view rest, std::uint64_t key, bool last) {
    PostfixDelivery delivery;
    if (!read_delivery(rest, delivery) || (last && !delivery.whole)) {
        return fail(last ? ScanError::cut_off : ScanError::columns);
    }
    const bool sent = same(delivery.status, "sent");
    const bool bounced = same(delivery.status, "bounced");
    // With soft_bounce = yes, what would bounce is tried again.
    const bool deferred = same(delivery.status, "deferred") || delivery.status == "SOFTBOUNCE";
    if (!sent && !bounced && !deferred) {
        if (delivery.status != "deliverable" && delivery.status != "undeliverable") fail(ScanError::type);
        return;
    }
    const std::int64_t time = time_of(line);
    if (time == no_time) return fail(ScanError::timestamp);
    const std::uint32_t message = messages_.touch(key, memory_time(time));
    const std::uint64_t recipient = base::hash_bytes(delivery.orig_to, base::hash_bytes(delivery.to));
    if (!deferred && !messages_.finish(message, recipient)) return;

    const Relay relay = relay_of(delivery.relay);
    const Reason reason = reason_of(delivery.text, sent);
    const std::string_view type = delivery_type(line.daemon, relay, reason);
    const bool remote = same(type, "smtp");
    const TlsOfProcess* tls = remote ? tls_of(line, delivery.relay) : nullptr;
    batch_.cell(delivery.to);
    batch_.cell(delivery.orig_to);
    batch_.cell(messages_.sender(message));
    batch_.cell(delivery.dsn);
    batch_.cell(reason.of_server && remote ? "smtp;" : "", reason.text);
    batch_.cell(relay.host);
    batch_.cell({});
    batch_.cell(type);
    batch_.lower_cell(relay.host);
    batch_.cell(remote ? relay.address : std::string_view());
    size_cell(message);
    batch_.cell(delivery.delay);
    if (tls != nullptr) {
        batch_.cell(text_of(tls->protocol));
        batch_.cell(text_of(tls->cipher));
    }
    add_record(sent ? RecordType::d : bounced ? RecordType::b : RecordType::t, time, tls ? tls_map : plain_map);
    if (deferred) {
        messages_.defer(message, recipient,
                        fmt::format("{}{}{}{}{}{}{}", delivery.to, separator, delivery.orig_to, separator, relay.host,
                                    separator, type));
    }
}

// As many of the recipients that expire as fit into the batch.
void PostfixLogReader::emit_expired() {
    while (!batch_.full()) {
        const auto text = messages_.pop_outstanding(expiring_, expiring_at_);
        if (!text) {
            expiring_ = no_entry;
            return;
        }
        add_expired(*text, messages_.sender(expiring_), expiring_);
    }
}

void PostfixLogReader::add_expired(std::string_view recipient, std::string_view sender, std::uint32_t message) {
    const auto parts = base::split(recipient, separator);
    const auto part = [&](std::size_t i) { return i < parts.size() ? parts[i] : std::string_view(); };
    batch_.cell(part(0));
    batch_.cell(part(1));
    batch_.cell(sender);
    batch_.cell("4.4.7");  // RFC 3463: delivery time expired
    batch_.cell("delivery time expired");
    batch_.cell(part(2));
    batch_.cell("message-expired");
    batch_.cell(part(3));
    batch_.lower_cell(part(2));
    batch_.cell({});
    size_cell(message);
    batch_.cell({});
    add_record(RecordType::b, expiring_time_, plain_map);
}

void PostfixLogReader::handle_tls(const PostfixLine& line) {
    PostfixTls tls;
    if (!read_tls(line.message, tls)) return;
    const std::uint64_t process = process_hash(line);
    TlsOfProcess& known = tls_[process % tls_processes];
    known.process = process;
    known.relay = base::hash_bytes(tls.relay);
    set_text(known.protocol, tls.protocol);
    set_text(known.cipher, tls.cipher);
}

const PostfixLogReader::TlsOfProcess* PostfixLogReader::tls_of(const PostfixLine& line, std::string_view relay) {
    const std::uint64_t process = process_hash(line);
    const TlsOfProcess& known = tls_[process % tls_processes];
    return known.process == process && known.relay == base::hash_bytes(relay) ? &known : nullptr;
}

void PostfixLogReader::size_cell(std::uint32_t message) {
    if (const auto size = messages_.size(message)) return batch_.number_cell(*size);
    batch_.cell({});
}

void PostfixLogReader::add_record(RecordType type, std::int64_t time, const ColumnMap& map) {
    batch_.add(type, time, map);
    ++counts_.parsed;
}

// The mark, a hash of what follows, the messages, and the processes with TLS.
std::string PostfixLogReader::memory() const {
    std::string bytes;
    messages_.save(bytes);
    for (const TlsOfProcess& known : tls_) {
        if (known.process == 0) continue;
        bytes += fmt::format("{:016x}{:016x}", known.process, known.relay);
        bytes.append(known.protocol.data(), known.protocol.size());
        bytes.append(known.cipher.data(), known.cipher.size());
    }
    return fmt::format("{}{:016x}", memory_mark, base::hash_bytes(bytes)) + bytes;
}

base::Result<void> PostfixLogReader::recall(std::string_view memory) {
    messages_.clear();
    std::ranges::fill(tls_, TlsOfProcess{});
    if (memory.empty()) return {};
    constexpr std::size_t hash_size = 16;
    const auto damaged = [&] {
        messages_.clear();
        std::ranges::fill(tls_, TlsOfProcess{});
        return base::fail(base::Fault::malformed,
                          "the remembered Postfix messages ({} bytes) are damaged or of another version",
                          memory.size());
    };
    const std::string_view bytes = memory.substr(std::min(memory.size(), memory_mark.size() + hash_size));
    if (!memory.starts_with(fmt::format("{}{:016x}", memory_mark, base::hash_bytes(bytes)))) return damaged();
    base::ByteReader from(bytes);
    if (!messages_.load(from)) return damaged();
    const auto hex = [&] {
        std::uint64_t value = 0;
        const std::string_view digits = from.take(hash_size);
        std::from_chars(digits.data(), digits.data() + digits.size(), value, 16);
        return value;
    };
    while (from.remaining() > 0) {
        TlsOfProcess known;
        known.process = hex();
        known.relay = hex();
        set_text(known.protocol, from.take(known.protocol.size()));
        set_text(known.cipher, from.take(known.cipher.size()));
        if (!from.ok()) return damaged();
        tls_[known.process % tls_processes] = known;
    }
    return {};
}

}  // namespace mtawatch::mta::logs
