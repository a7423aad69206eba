// Whatever lies in a list file.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "shared/probe/dnsbl/dnsbl_lists.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const auto catalogue =
        mtawatch::probe::dnsbl::parse_dnsbl_lists({reinterpret_cast<const char*>(data), size}, "lists.yml");
    if (!catalogue) return 0;
    for (const auto& list : catalogue->lists) {
        if (list.name.empty() || list.zone.empty()) std::abort();
    }
    return 0;
}
