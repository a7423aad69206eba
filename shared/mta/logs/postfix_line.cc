#include "shared/mta/logs/postfix_line.h"

#include <simdjson.h>

#include <cstring>

#include "shared/base/hash.h"
#include "shared/base/text.h"

namespace mtawatch::mta::logs {
namespace {

constexpr std::size_t yearless_size = 15;  // "Nov 21 03:05:00"
constexpr std::size_t longest_tag = 128;
constexpr std::size_t longest_stamp = 40;
// Short ids are a few hexadecimal digits, long ones about 15 letters and digits.
constexpr std::size_t shortest_id = 5;
constexpr std::size_t longest_id = 24;

// The part of `text` before `end`, which is taken off with it; all of it when `end` does not occur.
std::string_view pop_until(std::string_view& text, char end) {
    const std::size_t at = std::min(text.find(end), text.size());
    const std::string_view part = text.substr(0, at);
    text.remove_prefix(std::min(at + 1, text.size()));
    return part;
}

bool all_digits(std::string_view text) {
    for (const char c : text) {
        if (!base::is_digit(c)) return false;
    }
    return !text.empty();
}

// Long ids have no vowels, short ones A and E: "warning" and "fatal" are none.
constexpr std::array<bool, 256> id_bytes = [] {
    std::array<bool, 256> bytes{};
    for (const char c : std::string_view("0123456789ABCDEFGHJKLMNPQRSTVWXYZbcdfghjklmnpqrstvwxyz")) {
        bytes[static_cast<unsigned char>(c)] = true;
    }
    return bytes;
}();
bool is_id_byte(char c) { return id_bytes[static_cast<unsigned char>(c)]; }

// "postfix/relay/smtp" into instance and daemon.
bool read_tag(std::string_view tag, PostfixLine& into) {
    const std::size_t first = tag.find('/');
    if (first == std::string_view::npos || first == 0) return false;
    into.instance = tag.substr(0, first);
    into.daemon = tag.substr(tag.rfind('/') + 1);
    return !into.daemon.empty();
}

// "tag[pid]: message".
bool read_tagged(std::string_view rest, PostfixLine& into) {
    const std::size_t open = rest.substr(0, longest_tag).find('[');
    if (open == std::string_view::npos || !read_tag(rest.substr(0, open), into)) return false;
    rest.remove_prefix(open + 1);
    const std::size_t close = rest.substr(0, longest_tag).find(']');
    if (close == std::string_view::npos || close + 1 >= rest.size() || rest[close + 1] != ':') return false;
    into.process = rest.substr(0, close);
    if (!all_digits(into.process) || into.daemon.find(' ') != std::string_view::npos) return false;
    rest.remove_prefix(close + 2);
    if (!rest.empty() && rest.front() == ' ') rest.remove_prefix(1);
    into.message = rest;
    return true;
}

// RFC 5424 section 6.3: "-" or elements in brackets, whose values may hold escaped ones.
bool skip_structured_data(std::string_view& rest) {
    if (rest.empty()) return false;
    if (rest.front() == '-') {
        rest.remove_prefix(1);
    } else {
        while (!rest.empty() && rest.front() == '[') {
            std::size_t at = 1;
            for (bool quoted = false; at < rest.size() && (quoted || rest[at] != ']'); ++at) {
                if (rest[at] == '\\') {
                    ++at;
                } else if (rest[at] == '"') {
                    quoted = !quoted;
                }
            }
            if (at >= rest.size()) return false;
            rest.remove_prefix(at + 1);
        }
    }
    if (!rest.empty() && rest.front() != ' ') return false;
    if (!rest.empty()) rest.remove_prefix(1);
    return true;
}

// Behind "<22>1 ": STAMP HOST APP PROCID MSGID SD MSG.
bool read_rfc5424(std::string_view rest, PostfixLine& into) {
    into.stamp = pop_until(rest, ' ');
    into.host = pop_until(rest, ' ');
    const std::string_view tag = pop_until(rest, ' ');
    into.process = pop_until(rest, ' ');
    pop_until(rest, ' ');
    if (!read_tag(tag, into) || !skip_structured_data(rest)) return false;
    constexpr std::string_view byte_order_mark = "\xef\xbb\xbf";
    if (rest.starts_with(byte_order_mark)) rest.remove_prefix(byte_order_mark.size());
    into.message = rest;
    return true;
}

// "+01:00" of ".123456+01:00".
std::string_view offset_of(std::string_view behind_seconds) {
    const std::size_t sign = behind_seconds.find_last_of("+-Z");
    return sign == std::string_view::npos ? std::string_view() : behind_seconds.substr(sign);
}

}  // namespace

bool read_syslog_line(std::string_view line, PostfixLine& into) {
    if (!line.empty() && line.front() == '<') {
        const std::size_t close = line.substr(0, 6).find('>');
        if (close == std::string_view::npos) return false;
        line.remove_prefix(close + 1);
        if (line.starts_with("1 ")) return read_rfc5424(line.substr(2), into);
    }
    if (line.size() <= yearless_size) return false;
    if (base::is_digit(line.front())) {
        const std::size_t end = line.substr(0, longest_stamp).find(' ');
        if (end == std::string_view::npos) return false;
        into.stamp = line.substr(0, end);
        line.remove_prefix(end + 1);
    } else {
        if (line[3] != ' ' || line[6] != ' ' || line[9] != ':' || line[yearless_size] != ' ') return false;
        into.stamp = line.substr(0, yearless_size);
        line.remove_prefix(yearless_size + 1);
    }
    into.host = pop_until(line, ' ');
    return read_tagged(line, into);
}

std::uint64_t instance_hash(const PostfixLine& line) {
    return base::hash_bytes(line.instance, base::hash_bytes(line.host));
}

bool SyslogLines::read(std::string_view line, PostfixLine& into) {
    if (stamp_size_ != 0 && read_alike(line, into)) return true;
    if (!read_syslog_line(line, into)) return false;
    hash_ = mta::logs::instance_hash(into);
    // Only where the stamp stands at the very front, and the tag has a process id.
    const bool example = into.stamp.data() == line.data() && into.host.data() == line.data() + into.stamp.size() + 1;
    stamp_size_ = example ? into.stamp.size() : 0;
    if (!example) return true;
    host_size_ = into.host.size();
    behind_stamp_ = line.substr(stamp_size_, host_size_ + into.instance.size() + 3);
    return true;
}

// Answers as read_syslog_line() does, or not at all.
bool SyslogLines::read_alike(std::string_view line, PostfixLine& into) const {
    const std::size_t tag = stamp_size_ + behind_stamp_.size();
    if (line.size() < tag + 8) return false;
    const char* const text = line.data();
    if (!base::same_bytes(text + stamp_size_, behind_stamp_.data(), behind_stamp_.size())) return false;
    if (base::is_digit(text[0])) {
        if (std::memchr(text, ' ', stamp_size_) != nullptr) return false;
    } else if (stamp_size_ != yearless_size || text[0] == '<' || text[3] != ' ' || text[6] != ' ' || text[9] != ':') {
        return false;
    }
    std::size_t daemon = tag;
    std::size_t at = tag;
    const std::size_t limit = std::min(line.size(), tag + 48);
    for (; at < limit && text[at] != '['; ++at) {
        if (text[at] == '/') daemon = at + 1;
        if (text[at] == ' ') return false;
    }
    const std::size_t process = at + 1;
    if (at == daemon || process >= limit) return false;
    for (at = process; at < limit && base::is_digit(text[at]); ++at) {
    }
    if (at == process || at + 3 > line.size() || text[at] != ']' || text[at + 1] != ':' || text[at + 2] != ' ') {
        return false;
    }
    into.stamp = {text, stamp_size_};
    into.host = {text + stamp_size_ + 1, host_size_};
    into.instance = {text + stamp_size_ + host_size_ + 2, behind_stamp_.size() - host_size_ - 3};
    into.daemon = {text + daemon, process - 1 - daemon};
    into.process = {text + process, at - process};
    into.message = line.substr(at + 3);
    return true;
}

struct JournalLines::State {
    simdjson::ondemand::parser parser;
    std::string clean;
    std::string message;  // of bytes, as the journal gives what is no UTF-8
    std::string_view identifier;
    bool bad = false;

    void read_field(simdjson::ondemand::field& field, PostfixLine& into);
    void read_bytes(simdjson::ondemand::value value, PostfixLine& into);
    [[nodiscard]] std::optional<bool> read(simdjson::padded_string_view line, PostfixLine& into);
};

JournalLines::JournalLines() : state_(std::make_unique<State>()) {}
JournalLines::JournalLines(JournalLines&&) noexcept = default;
JournalLines& JournalLines::operator=(JournalLines&&) noexcept = default;
JournalLines::~JournalLines() = default;

void JournalLines::State::read_bytes(simdjson::ondemand::value value, PostfixLine& into) {
    simdjson::ondemand::array bytes;
    if (value.get_array().get(bytes)) return;
    message.clear();
    for (auto one : bytes) {
        std::uint64_t byte = 0;
        if (one.get_uint64().get(byte) || byte > 255) return;
        message.push_back(static_cast<char>(byte));
    }
    into.message = message;
}

void JournalLines::State::read_field(simdjson::ondemand::field& field, PostfixLine& into) {
    const simdjson::ondemand::raw_json_string key = field.key();
    const auto text = [&](std::string_view& target) {
        if (field.value().get_string().get(target)) target = {};
    };
    if (key == "MESSAGE") {
        simdjson::ondemand::json_type type{};
        if (field.value().type().get(type)) return;
        if (type == simdjson::ondemand::json_type::array) return read_bytes(field.value(), into);
        return text(into.message);
    }
    if (key == "SYSLOG_IDENTIFIER") return text(identifier);
    if (key == "__REALTIME_TIMESTAMP") return text(into.stamp);
    if (key == "_HOSTNAME") return text(into.host);
    if (key == "_PID") return text(into.process);
}

std::optional<bool> JournalLines::State::read(simdjson::padded_string_view line, PostfixLine& into) {
    into = {};
    identifier = {};
    simdjson::ondemand::document document;
    simdjson::ondemand::object object;
    if (parser.iterate(line).get(document) || document.get_object().get(object)) return std::nullopt;
    for (auto next : object) {
        simdjson::ondemand::field field;
        if (std::move(next).get(field)) return std::nullopt;
        read_field(field, into);
    }
    if (!document.current_location().error()) return std::nullopt;  // something stands behind the object
    return read_tag(identifier, into);
}

std::optional<bool> JournalLines::read(std::string_view line, std::size_t padding, PostfixLine& into) {
    if (padding >= simdjson::SIMDJSON_PADDING) {
        return state_->read(simdjson::padded_string_view(line.data(), line.size(), line.size() + padding), into);
    }
    state_->clean.assign(line);
    state_->clean.resize(line.size() + simdjson::SIMDJSON_PADDING);
    return state_->read(simdjson::padded_string_view(state_->clean.data(), line.size(), state_->clean.size()), into);
}

std::optional<std::int64_t> LogTimes::parse(std::string_view stamp) {
    // What differs from the last one between the seconds and the offset is a fraction.
    constexpr std::size_t seconds_end = 19;
    const bool same =
        stamp.size() == last_.size() && stamp.size() > seconds_end
            ? std::memcmp(stamp.data(), last_.data(), seconds_end) == 0 &&
                  offset_of(stamp.substr(seconds_end)) == offset_of(std::string_view(last_).substr(seconds_end))
            : stamp == last_ && !stamp.empty();
    if (same) return last_seconds_;
    std::optional<std::int64_t> seconds;
    constexpr std::size_t least_microseconds = 12;  // eleven digits are seconds
    if (stamp.size() >= least_microseconds && stamp.size() < seconds_end && all_digits(stamp)) {
        seconds = base::to_number<std::int64_t>(stamp.substr(0, stamp.size() - 6));
    } else if (stamp.size() == yearless_size && base::is_alpha(stamp.front())) {
        seconds = yearless(stamp);
    } else {
        seconds = parser_.parse(stamp);
    }
    if (seconds) {
        last_.assign(stamp);
        last_seconds_ = *seconds;
    }
    return seconds;
}

std::optional<std::int64_t> LogTimes::of_line(std::string_view line) {
    PostfixLine parts;
    if (read_syslog_line(line, parts)) return parse(parts.stamp);
    if (const auto seconds = parse(line.substr(0, yearless_size))) return seconds;
    return parse(line.substr(0, line.find(' ')));
}

std::optional<std::int64_t> LogTimes::with_year(int year, std::string_view stamp) {
    static constexpr std::string_view months = "JanFebMarAprMayJunJulAugSepOctNovDec";
    const std::size_t month = months.find(stamp.substr(0, 3));
    if (month == std::string_view::npos || month % 3 != 0) return std::nullopt;
    std::string text = fmt::format("{:04}-{:02}-{} {}", year, month / 3 + 1, stamp.substr(4, 2), stamp.substr(7));
    if (text[8] == ' ') text[8] = '0';
    return parser_.parse(text);
}

std::optional<std::int64_t> LogTimes::yearless(std::string_view stamp) {
    if (year_ != 0 && stamp.starts_with(std::string_view(day_.data(), day_.size()))) return with_year(year_, stamp);
    const std::int64_t now = now_();
    const auto date = std::chrono::year_month_day(
        std::chrono::floor<std::chrono::days>(std::chrono::sys_seconds(std::chrono::seconds(now))));
    const int this_year = static_cast<int>(date.year());
    // February 29 may be that of up to eight years ago.
    for (int year = this_year + 1; year >= this_year - 8; --year) {
        const auto seconds = with_year(year, stamp);
        if (!seconds || *seconds > now + yearless_ahead) continue;
        std::memcpy(day_.data(), stamp.data(), day_.size());
        year_ = year;
        return seconds;
    }
    return std::nullopt;
}

bool read_delivery(std::string_view rest, PostfixDelivery& into) {
    into = {};
    // Behind the address comes one of two words: an address may itself hold ">, ".
    const auto pop_address = [&rest](std::string_view& address) {
        for (std::size_t at = rest.find('>'); at != std::string_view::npos; at = rest.find('>', at + 1)) {
            const std::string_view behind = rest.substr(at + 1);
            if (!begins(behind, ", relay=") && !begins(behind, ", orig_to=<")) continue;
            address = rest.substr(0, at);
            rest = behind.substr(2);
            return true;
        }
        return false;
    };
    rest.remove_prefix(4);
    if (!pop_address(into.to)) return false;
    if (begins(rest, "orig_to=<")) {
        rest.remove_prefix(9);
        if (!pop_address(into.orig_to)) return false;
    }
    while (!begins(rest, "status=")) {
        std::size_t end = rest.find(',');
        while (end != std::string_view::npos && !begins(rest.substr(end), ", ")) end = rest.find(',', end + 1);
        if (end == std::string_view::npos) return false;
        const std::string_view field = rest.substr(0, end);
        if (begins(field, "relay=")) into.relay = field.substr(6);
        if (begins(field, "delay=")) into.delay = field.substr(6);
        if (begins(field, "dsn=")) into.dsn = field.substr(4);
        rest.remove_prefix(end + 2);
    }
    rest.remove_prefix(7);
    into.status = pop_until(rest, ' ');
    into.whole = rest.ends_with(')');
    if (into.whole) rest.remove_suffix(1);
    if (rest.starts_with('(')) rest.remove_prefix(1);
    into.text = rest;
    return !into.relay.empty() && !into.status.empty();
}

bool read_tls(std::string_view message, PostfixTls& into) {
    const std::size_t word = message.substr(0, longest_id).find(' ');
    if (word == std::string_view::npos) return false;
    message.remove_prefix(word + 1);
    for (const std::string_view begin : {"TLS connection established to ", "TLS connection reused to "}) {
        if (!message.starts_with(begin)) continue;
        message.remove_prefix(begin.size());
        const std::size_t end = message.find(": ");
        constexpr std::string_view with = " with cipher ";
        const std::size_t cipher = message.find(with, end);
        if (end == std::string_view::npos || cipher == std::string_view::npos) return false;
        into.relay = message.substr(0, end);
        into.protocol = message.substr(end + 2, cipher - end - 2);
        std::string_view behind = message.substr(cipher + with.size());
        into.cipher = pop_until(behind, ' ');
        return !into.protocol.empty() && !into.cipher.empty();
    }
    return false;
}

bool read_sender(std::string_view rest, PostfixSender& into) {
    into = {};
    rest.remove_prefix(6);
    for (std::size_t at = rest.find(">, "); at != std::string_view::npos; at = rest.find(">, ", at + 1)) {
        std::string_view behind = rest.substr(at + 3);
        into.sender = rest.substr(0, at);
        if (behind.starts_with("status=expired") || behind.starts_with("status=force-expired")) {
            into.expired = true;
            return true;
        }
        if (!behind.starts_with("size=")) continue;
        behind.remove_prefix(5);
        into.size = base::to_number<std::uint64_t>(pop_until(behind, ','));
        return into.size.has_value();
    }
    return false;
}

std::string_view queue_id(std::string_view message) {
    std::size_t end = 0;
    const std::size_t limit = std::min(message.size(), longest_id + 1);
    while (end < limit && is_id_byte(message[end])) ++end;
    if (end < shortest_id || end > longest_id || message.substr(end, 2) != ": ") return {};
    return message.substr(0, end);
}

}  // namespace mtawatch::mta::logs
