#include "shared/auth/message.h"

#include <algorithm>

#include "shared/base/text.h"
#include "shared/dns/names.h"

namespace mtawatch::auth {

namespace {

using base::fail;
using base::Fault;
using base::Result;

// Bare LF becomes CRLF; CRLF stays.
std::string with_crlf(std::string_view bytes, bool& changed) {
    std::string out;
    out.reserve(bytes.size() + bytes.size() / 32);
    for (std::size_t i = 0; i < bytes.size(); ++i) {
        if (bytes[i] == '\n' && (i == 0 || bytes[i - 1] != '\r')) {
            out += '\r';
            changed = true;
        }
        out += bytes[i];
    }
    return out;
}

// RFC 5322 section 2.2: printable US-ASCII without blanks and colons. Anything else is no mail, however many colons
// are in it.
bool is_field_name(std::string_view name) {
    return !name.empty() && std::ranges::all_of(name, [](char c) { return c > ' ' && c < '\x7f'; });
}

Result<void> add_line(std::string_view line, std::size_t number, Message& message) {
    if (line.front() == ' ' || line.front() == '\t') {
        if (message.fields.empty()) {
            return fail(Fault::malformed, "header line {} continues a field that is not there", number);
        }
        HeaderField& field = message.fields.back();
        field.value += "\r\n";
        field.value += line;
        field.raw += "\r\n";
        field.raw += line;
        return {};
    }
    const std::size_t colon = line.find(':');
    const std::string_view name = base::trim(line.substr(0, colon));
    if (colon == std::string_view::npos || !is_field_name(name)) {
        return fail(Fault::malformed, "header line {} is no field (Name: value): {}", number, base::one_line(line, 60));
    }
    if (message.fields.size() == max_header_fields) {
        return fail(Fault::limit, "the message has more than {} header fields", max_header_fields);
    }
    message.fields.push_back({std::string(name), std::string(line.substr(colon + 1)), std::string(line)});
    return {};
}

// Without quoted strings and comments, so that '@', ',' and '<' mean what they say.
std::string bare_structure(std::string_view value) {
    std::string out;
    bool quoted = false;
    unsigned depth = 0;
    for (std::size_t i = 0; i < value.size(); ++i) {
        const char c = value[i];
        if (c == '\\' && (quoted || depth > 0)) {
            ++i;
        } else if (depth == 0 && c == '"') {
            quoted = !quoted;
            out += 'q';  // a quoted local part stays a word
        } else if (!quoted && c == '(') {
            ++depth;
        } else if (!quoted && c == ')' && depth > 0) {
            --depth;
        } else if (!quoted && depth == 0) {
            out += c;
        }
    }
    return out;
}

}  // namespace

std::size_t Message::count(std::string_view name) const {
    return static_cast<std::size_t>(
        std::ranges::count_if(fields, [name](const HeaderField& field) { return base::iequals(field.name, name); }));
}

const HeaderField* Message::find(std::string_view name) const {
    const auto found =
        std::ranges::find_if(fields, [name](const HeaderField& field) { return base::iequals(field.name, name); });
    return found == fields.end() ? nullptr : &*found;
}

Result<Message> parse_message(std::string_view bytes) {
    if (bytes.size() > max_message_bytes) {
        return fail(Fault::limit, "the message is larger than {} MiB", max_message_bytes >> 20U);
    }
    Message message;
    const std::string text = with_crlf(bytes, message.bare_lf);
    std::size_t at = 0;
    for (std::size_t number = 1; at < text.size(); ++number) {
        const std::size_t end = std::min(text.find("\r\n", at), text.size());
        const std::string_view line = std::string_view(text).substr(at, end - at);
        at = std::min(end + 2, text.size());
        if (line.empty()) break;
        if (number == 1 && line.starts_with("From ")) continue;
        if (auto done = add_line(line, number, message); !done) return fail(done.error());
    }
    message.body = text.substr(at);
    if (message.fields.empty()) return fail(Fault::malformed, "this is no mail message: it has no header fields");
    return message;
}

std::string unfolded(std::string_view value) {
    std::string out;
    for (const char c : value) {
        if (c != '\r' && c != '\n') out += c;
    }
    return std::string(base::trim(out));
}

std::string from_domain(const Message& message) {
    if (message.count("From") != 1) return {};
    const std::string value = bare_structure(unfolded(message.find("From")->value));
    std::string_view rest = value;
    if (const std::size_t open = rest.find('<'); open != std::string_view::npos) {
        if (rest.find('<', open + 1) != std::string_view::npos) return {};
        rest = rest.substr(open + 1);
        rest = rest.substr(0, rest.find('>'));
    }
    const std::size_t at = rest.find('@');
    if (at == std::string_view::npos || rest.find('@', at + 1) != std::string_view::npos) return {};
    const auto ascii = dns::ascii_name(base::trim(rest.substr(at + 1)));
    return ascii ? *ascii : std::string();
}

}  // namespace mtawatch::auth
