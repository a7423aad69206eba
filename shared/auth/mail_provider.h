// Mail providers by the MX hosts that their customers publish, with the SPF include that they tell them to publish.
#pragma once

#include <string>
#include <string_view>

#include "shared/auth/dns_cache.h"

namespace mtawatch::auth {

struct MailProvider {
    std::string_view host;     // the MX host or, with a leading dot, what it ends in
    std::string_view name;     // as people know it
    std::string_view include;  // the domain of its SPF record
};

// The provider that all MX hosts of the domain belong to, or null. Only providers with one include for every customer
// are known.
[[nodiscard]] const MailProvider* mail_provider_of(DnsCache& dns, const std::string& domain);

}  // namespace mtawatch::auth
