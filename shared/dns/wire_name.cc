#include "shared/dns/wire_name.h"

#include <fmt/format.h>

#include "shared/base/text.h"

namespace mtawatch::dns {

std::string wire_name(std::string_view name) {
    std::string wire;
    wire.reserve(name.size() + 2);
    std::size_t start = 0;
    while (start <= name.size() && !name.empty()) {
        const std::size_t end = std::min(name.find('.', start), name.size());
        wire += static_cast<char>(end - start);
        for (std::size_t i = start; i < end; ++i) wire += base::lower(name[i]);
        start = end + 1;
    }
    wire += '\0';
    return wire;
}

std::string text_name(std::string_view wire) {
    std::string text;
    std::size_t at = 0;
    while (at < wire.size() && wire[at] != 0) {
        const auto length = static_cast<unsigned char>(wire[at]);
        if (length > 63 || at + 1 + length > wire.size()) return {};
        if (!text.empty()) text += '.';
        for (const char c : wire.substr(at + 1, length)) {
            if (c == '.' || c == '\\') {
                text += '\\';
                text += c;
            } else if (c <= ' ' || c == 0x7f || static_cast<unsigned char>(c) >= 0x80) {
                text += fmt::format("\\{:03}", static_cast<unsigned char>(c));
            } else {
                text += base::lower(c);
            }
        }
        at += 1U + length;
    }
    return text;
}

}  // namespace mtawatch::dns
