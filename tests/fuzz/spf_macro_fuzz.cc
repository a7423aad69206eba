// Feeds any bytes to the macro reader and expands them; the result is never longer than the values can make it.
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "shared/auth/spf_macro.h"

using namespace mtawatch;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size == 0) return 0;
    const std::string_view text(reinterpret_cast<const char*>(data) + 1, size - 1);
    auth::SpfMacroValues values;
    values.sender = "strong-bad+tag@email.example.com";
    values.domain = "email.example.com";
    values.helo = "[192.0.2.1]";
    values.ip =
        (data[0] & 1U) != 0 ? base::IpAddress::parse("2001:db8::cb01").value() : base::IpAddress::v4(192, 0, 2, 3);
    values.validated = [] { return std::string("mx.example.org"); };
    const auto place = (data[0] & 2U) != 0 ? auth::SpfMacroPlace::term : auth::SpfMacroPlace::explanation;
    const auto parsed = auth::parse_spf_macro_string(text, place);
    if (!parsed) return 0;
    const std::string expanded = auth::expand_spf_macros(*parsed, values);
    constexpr std::size_t longest_value = 200;  // 32 nibbles, or the sender, with every byte URL-escaped
    if (expanded.size() > text.size() * longest_value) std::abort();
    if (auth::spf_target_name(expanded).size() > expanded.size()) std::abort();
    return 0;
}
