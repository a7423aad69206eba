// ListSeverity names and ListCode::matches.
#include "shared/probe/dnsbl/dnsbl_lists.h"

namespace mtawatch::probe::dnsbl {

std::string_view name(ListSeverity severity) {
    switch (severity) {
        case ListSeverity::none:
            return "none";
        case ListSeverity::advisory:
            return "advisory";
        case ListSeverity::critical:
            return "critical";
    }
    return "none";
}

bool ListCode::matches(const base::IpAddress& answer) const {
    const std::uint32_t value = answer.v4_value();
    if (mask != 0) return (value & mask) != 0 && value >> 8U == 0x7f0000U;
    return value >= first && value <= last;
}

}  // namespace mtawatch::probe::dnsbl
