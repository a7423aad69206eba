#include "shared/dns/names.h"

#include <fmt/format.h>
#include <idn2.h>

#include <algorithm>
#include <memory>

#include "shared/base/text.h"

namespace mtawatch::dns {
namespace {

using base::fail;

struct FreeIdn {
    void operator()(void* text) const { idn2_free(text); }
};

bool is_ascii(std::string_view text) {
    return std::ranges::all_of(text, [](char c) { return static_cast<unsigned char>(c) < 0x80; });
}

// Not a blank, control character or NUL, which would end the text for a library of C.
bool is_printable(char c) { return static_cast<unsigned char>(c) > ' ' && c != 0x7f; }

// One label as an A-label in lower case.
base::Result<std::string> ascii_label(std::string_view label) {
    if (!std::ranges::all_of(label, is_printable)) {
        return fail(base::Fault::usage, "a blank or control character");
    }
    if (is_ascii(label)) return base::to_lower(label);
    const std::string terminated(label);
    std::uint8_t* converted = nullptr;
    const int error = idn2_lookup_u8(reinterpret_cast<const std::uint8_t*>(terminated.c_str()), &converted,
                                     IDN2_NFC_INPUT | IDN2_NONTRANSITIONAL);
    const std::unique_ptr<std::uint8_t, FreeIdn> owned(converted);
    if (error != IDN2_OK) return fail(base::Fault::usage, "{}", idn2_strerror(error));
    return std::string(reinterpret_cast<const char*>(owned.get()));
}

}  // namespace

base::Result<std::string> ascii_name(std::string_view text) {
    const auto bad = [text](std::string_view reason) {
        return fail(base::Fault::usage, "\"{}\" is not a domain name: {}", base::one_line(text, 100), reason);
    };
    std::string_view rest = text;
    if (rest.ends_with('.')) rest.remove_suffix(1);
    if (rest.empty()) return bad("it is empty");
    if (text.size() > 4 * max_name_bytes) return bad("it is too long");  // UTF-8 needs 4 bytes a character at most
    std::string ascii;
    for (const std::string_view label : base::split(rest, '.')) {
        if (label.empty()) return bad("it has an empty label");
        const auto converted = ascii_label(label);
        if (!converted) return bad(converted.error().what);
        if (converted->size() > max_label_bytes) {
            return bad(fmt::format("the label {} is longer than {} bytes", *converted, max_label_bytes));
        }
        if (!ascii.empty()) ascii += '.';
        ascii += *converted;
    }
    if (ascii.size() > max_name_bytes) return bad(fmt::format("it is longer than {} bytes", max_name_bytes));
    return ascii;
}

bool askable(std::string_view name) {
    if (name.empty() || name.size() > max_name_bytes) return false;
    const auto pieces = base::split(name, '.');
    return std::ranges::all_of(
        pieces, [](std::string_view label) { return !label.empty() && label.size() <= max_label_bytes; });
}

bool is_host_name(std::string_view name) {
    const auto fits = [](char c) { return base::is_alpha(c) || base::is_digit(c) || c == '-' || c == '_' || c == '.'; };
    return askable(name) && std::ranges::all_of(name, fits);
}

std::string reversed_labels(const base::IpAddress& address) {
    const std::string bytes = address.bytes();
    std::string reversed;
    if (address.is_v4()) {
        for (auto byte = bytes.rbegin(); byte != bytes.rend(); ++byte) {
            if (!reversed.empty()) reversed += '.';
            reversed += fmt::format_int(static_cast<unsigned char>(*byte)).str();
        }
        return reversed;
    }
    constexpr std::string_view digits = "0123456789abcdef";
    for (auto byte = bytes.rbegin(); byte != bytes.rend(); ++byte) {
        const auto value = static_cast<unsigned char>(*byte);
        if (!reversed.empty()) reversed += '.';
        reversed += digits[value & 0xfU];
        reversed += '.';
        reversed += digits[value >> 4U];
    }
    return reversed;
}

std::string reverse_name(const base::IpAddress& address) {
    return reversed_labels(address) + (address.is_v4() ? ".in-addr.arpa" : ".ip6.arpa");
}

std::vector<std::string_view> labels(std::string_view name) {
    if (name.empty()) return {};
    return base::split(name, '.');
}

std::string_view parent(std::string_view name) {
    const std::size_t dot = name.find('.');
    return dot == std::string_view::npos ? std::string_view() : name.substr(dot + 1);
}

bool is_within(std::string_view name, std::string_view ancestor) {
    if (base::iequals(name, ancestor)) return true;
    return name.size() > ancestor.size() + 1 && base::iends_with(name, ancestor) &&
           name[name.size() - ancestor.size() - 1] == '.';
}

}  // namespace mtawatch::dns
