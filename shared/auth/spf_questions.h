// What the terms of an SPF record ask the DNS, as far as it is the same for every message.
#pragma once

#include <optional>
#include <string>

#include "shared/auth/dns_cache.h"
#include "shared/auth/spf_record.h"

namespace mtawatch::auth {

// The name a term asks for, if it is the same for every message and can be asked.
[[nodiscard]] std::optional<std::string> spf_constant_target(const SpfTerm& term, const std::string& domain);

// What stands behind the last macro of a name, from its first whole label on: "_spf.example.com" of
// "%{i}._spf.example.com"; "" when nothing does.
[[nodiscard]] std::string spf_constant_tail(const SpfMacroString& name);

// Everything that the record will ask for, in one go.
void fetch_spf_terms(DnsCache& dns, const SpfRecord& record, const std::string& domain);

}  // namespace mtawatch::auth
