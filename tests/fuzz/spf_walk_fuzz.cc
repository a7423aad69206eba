// SPF and DMARC where every domain on the way is an attacker's: each line of the input is the TXT record of some of
// them. Whatever they say, the evaluation ends within the limits of RFC 7208 section 4.6.4 and asks few questions.
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "shared/auth/dmarc_walk.h"
#include "shared/auth/spf_check_host.h"
#include "shared/auth/spf_lint.h"
#include "shared/base/text.h"
#include "tests/support/fake_clock.h"
#include "tests/support/hostile_transport.h"

using namespace mtawatch;

namespace {

constexpr std::int64_t now = 1'700'000'000;
constexpr std::string_view domain = "0.example";
// Each term asks for a name itself and at most ten hosts of it, in two families where a lint looks at both.
constexpr std::size_t most_per_term = 1 + 2 * auth::spf_max_mx_hosts;

void check(const auth::SpfEvaluation& seen) {
    if (seen.lookups > auth::spf_max_lookups + 1 || seen.void_lookups > auth::spf_max_void_lookups + 1) std::abort();
    const bool needs_reason = seen.result == auth::SpfResult::none || seen.result == auth::SpfResult::temperror ||
                              seen.result == auth::SpfResult::permerror;
    if (needs_reason && seen.reason.empty()) std::abort();
    if (seen.explanation && seen.result != auth::SpfResult::fail) std::abort();
}

}  // namespace

// The first byte chooses the family of the address.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size == 0) return 0;
    const std::string_view text(reinterpret_cast<const char*>(data) + 1, size - 1);
    const test::FakeClock clock;
    const base::Deadline deadline(clock, std::chrono::seconds(5));
    test::HostileTransport transport(base::split(text, '\n'));
    auth::DnsCache dns(transport, deadline);

    const bool v6 = (data[0] & 1U) != 0;
    const auth::SpfIdentity identity{std::string(domain),
                                     base::IpAddress::parse(v6 ? "2001:db8::cb01" : "192.0.2.3").value(),
                                     "strong-bad+tag@0.example", "mail.example"};
    check(auth::spf_check_host(dns, identity, now));
    // Records of the domains on the way and the explanation beside what the terms ask for.
    if (transport.asked() > (auth::spf_max_lookups + 1) * (1 + most_per_term) + 2) std::abort();

    const auth::SpfLint lint = auth::lint_spf(dns, std::string(domain));
    if (lint.record() == nullptr && lint.findings.items.empty()) std::abort();
    const auto walk = auth::walk_dmarc(dns, std::string(domain));
    if (walk.steps.empty() || walk.steps.size() > auth::dmarc_max_queries + 1) std::abort();
    static_cast<void>(auth::decide_dmarc(dns, std::string(domain), walk));
    if (transport.asked() > (auth::spf_lint_max_lookups + auth::spf_max_lookups + 2) * (1 + most_per_term)) {
        std::abort();
    }
    return 0;
}
