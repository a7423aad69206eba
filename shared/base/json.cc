#include "shared/base/json.h"

#include <fmt/format.h>

#include <cmath>
#include <stdexcept>

#include "shared/base/text.h"

namespace mtawatch::base {

namespace {

// The control characters that stand there raw, from U+0000 to U+009F: RFC 8259 wants only those below U+0020 escaped,
// but a terminal that shows the rest obeys them.
bool is_control(unsigned code) { return code < 0x20 || (code >= 0x7F && code < 0xA0); }

void append_quoted(std::string& out, std::string_view text) {
    out += '"';
    const std::string clean = clean_utf8(text, std::string_view::npos);
    for (std::size_t i = 0; i < clean.size(); ++i) {
        const char c = clean[i];
        const bool two_bytes = static_cast<unsigned char>(c) == 0xC2;  // U+0080 to U+00BF, the second byte is the code
        const unsigned code = static_cast<unsigned char>(two_bytes ? clean[i + 1] : c);
        switch (c) {
            case '"':
                out += "\\\"";
                break;
            case '\\':
                out += "\\\\";
                break;
            case '\n':
                out += "\\n";
                break;
            case '\r':
                out += "\\r";
                break;
            case '\t':
                out += "\\t";
                break;
            default:
                if ((two_bytes || code < 0x80) && is_control(code)) {
                    out += fmt::format("\\u{:04x}", code);
                    if (two_bytes) ++i;
                } else {
                    out += c;
                }
        }
    }
    out += '"';
}

}  // namespace

void JsonWriter::before_value() {
    const bool in_object = !closing_.empty() && closing_.back() == '}';
    if (in_object != keyed_ || (closing_.empty() && !text_.empty())) {
        throw std::logic_error("JsonWriter: a value where none may stand");
    }
    if (!in_object && !first_) text_ += ',';
    first_ = false;
    keyed_ = false;
}

JsonWriter& JsonWriter::open(char opening, char closing) {
    before_value();
    text_ += opening;
    closing_ += closing;
    first_ = true;
    return *this;
}

JsonWriter& JsonWriter::object() { return open('{', '}'); }
JsonWriter& JsonWriter::array() { return open('[', ']'); }

JsonWriter& JsonWriter::end() {
    if (closing_.empty() || keyed_) throw std::logic_error("JsonWriter: nothing to end");
    text_ += closing_.back();
    closing_.pop_back();
    first_ = false;
    return *this;
}

JsonWriter& JsonWriter::key(std::string_view name) {
    if (closing_.empty() || closing_.back() != '}' || keyed_) throw std::logic_error("JsonWriter: a key outside");
    if (!first_) text_ += ',';
    append_quoted(text_, name);
    text_ += ':';
    keyed_ = true;
    return *this;
}

JsonWriter& JsonWriter::null() { return raw("null"); }

JsonWriter& JsonWriter::value(std::string_view text) {
    before_value();
    append_quoted(text_, text);
    return *this;
}

JsonWriter& JsonWriter::value(bool truth) { return raw(truth ? "true" : "false"); }
JsonWriter& JsonWriter::value(double number) { return raw(std::isfinite(number) ? plain(number) : "null"); }
JsonWriter& JsonWriter::signed_value(std::int64_t number) { return raw(fmt::format("{}", number)); }
JsonWriter& JsonWriter::unsigned_value(std::uint64_t number) { return raw(fmt::format("{}", number)); }

JsonWriter& JsonWriter::raw(std::string_view json) {
    before_value();
    text_ += json;
    return *this;
}

std::string JsonWriter::take() {
    if (!closing_.empty()) throw std::logic_error("JsonWriter: an object or array was not ended");
    std::string result;
    result.swap(text_);
    first_ = true;
    return result;
}

}  // namespace mtawatch::base
