// Reads any bytes as a configuration file: an answer or an error, never a crash.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "shared/config/ini.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    const auto result = mtawatch::config::parse_ini(text, "fuzz");
    if (!result && result.error().what.empty()) __builtin_trap();
    return 0;
}
