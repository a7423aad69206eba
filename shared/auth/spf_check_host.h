// SPF evaluation: check_host() of RFC 7208 section 4, with every limit of section 4.6.4.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "shared/auth/dns_cache.h"
#include "shared/base/ip.h"

namespace mtawatch::auth {

enum class SpfResult { none, neutral, pass, fail, softfail, temperror, permerror };
[[nodiscard]] std::string_view name(SpfResult result);

// RFC 7208 section 4.6.4.
inline constexpr unsigned spf_max_lookups = 10;       // terms that query; the next one is permerror
inline constexpr unsigned spf_max_void_lookups = 2;   // terms whose queries found nothing; the next one is permerror
inline constexpr std::size_t spf_max_mx_hosts = 10;   // more is permerror
inline constexpr std::size_t spf_max_ptr_names = 10;  // more are not looked at

struct SpfIdentity {
    std::string domain;  // as given; a malformed one gives the result none
    base::IpAddress ip;
    std::string sender;  // as given; empty is the null sender: postmaster@helo (section 2.4)
    std::string helo;
};

struct SpfEvaluation {
    SpfResult result = SpfResult::none;
    // Only with fail, and only if the domain's exp= gives a text (section 6.2).
    std::optional<std::string> explanation;
    // The terms that decided, outermost first ("include:_spf.example.net", "ip4:192.0.2.0/24"); empty: nothing matched
    // and the default applied, or it did not come to that.
    std::vector<std::string> terms;
    std::string record_domain;  // whose record decided last, after redirects and includes
    unsigned lookups = 0;       // terms that queried
    unsigned void_lookups = 0;  // of those, how many found nothing
    std::string reason;         // none, temperror, permerror: why, in words
};

// `now` is what %{t} stands for, seconds since 1970. Always gives a result: when the DNS does not answer or the cache's
// deadline passes, temperror.
[[nodiscard]] SpfEvaluation spf_check_host(DnsCache& dns, const SpfIdentity& identity, std::int64_t now);

}  // namespace mtawatch::auth
