#include "shared/base/json.h"

#include <fmt/format.h>

#include <cmath>
#include <stdexcept>

#include "shared/base/text.h"

namespace mtawatch::base {

namespace {

void append_quoted(std::string& out, std::string_view text) {
    out += '"';
    for (const char c : clean_utf8(text, std::string_view::npos)) {
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
                if (static_cast<unsigned char>(c) < 0x20) {
                    out += fmt::format("\\u{:04x}", static_cast<unsigned>(c));
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
