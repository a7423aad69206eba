// Faulty zones and the questions to put about them, made from a seed.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "shared/base/ip.h"
#include "tests/property/published_zone.h"

namespace mtawatch::test {

enum class AskedPlugin { spf, dmarc, dkim, fcrdns, tls_rpt };

struct AdviceCase {
    AskedPlugin plugin = AskedPlugin::spf;
    GeneratedZone zone;
    std::vector<std::string> arguments;
    std::string domain;                    // of spf, whose senders are looked at
    std::vector<base::IpAddress> senders;  // that might pass
};

// The same case for the same seed, on every machine.
[[nodiscard]] AdviceCase make_advice_case(std::uint64_t seed);

}  // namespace mtawatch::test
