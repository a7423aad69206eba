// DKIM verification of a message's signatures, with the reason where one does not pass. RFC 6376 section 6, RFC 8301,
// RFC 8463.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "shared/auth/dkim_key.h"
#include "shared/auth/dkim_signature.h"
#include "shared/auth/dns_cache.h"
#include "shared/auth/finding.h"
#include "shared/auth/message.h"

namespace mtawatch::auth {

enum class DkimResult {
    pass,
    fail,       // body or header was changed, or the signature is another key's
    policy,     // it would verify, but must not count: key too short, sha1, expired, not for mail
    permerror,  // the signature or its key record cannot be used
    temperror,  // the key could not be looked up
};
[[nodiscard]] std::string_view name(DkimResult result);

struct DkimVerification {
    DkimResult result = DkimResult::permerror;
    std::string reason;                      // why it does not pass; "" with pass
    std::string domain;                      // d=; "" when it cannot be read
    std::string selector;                    // s=
    std::string algorithm;                   // a=
    std::vector<std::string> signed_fields;  // h=
    int key_bits = 0;
    bool testing = false;  // the key says t=y
    Findings findings;     // about a signature that is otherwise fine: l= short of the body, not oversigned, …
};

// A message of more signatures than this is not verified beyond them: each costs a lookup.
inline constexpr std::size_t max_signatures = 20;
// Clocks differ; a t= further ahead than this is worth a word.
inline constexpr std::int64_t allowed_clock_skew = 300;

// Every signature, in the order of the header. `now` in seconds since 1970.
[[nodiscard]] std::vector<DkimVerification> verify_dkim(DnsCache& dns, const Message& message, std::int64_t now);

// Whether a signature covers a field in a way that nobody can change or add it: every field of that name is signed.
[[nodiscard]] bool covers_field(const DkimVerification& signature, const Message& message, std::string_view field);

// What RFC 8058 asks of mail with a one-click unsubscribe button.
enum class OneClick {
    not_offered,  // no List-Unsubscribe-Post field
    offered,      // both fields are right, and a passing signature covers both
    not_https,    // List-Unsubscribe names no https address
    wrong_value,  // List-Unsubscribe-Post is not List-Unsubscribe=One-Click
    not_signed,   // no passing signature covers both fields
};
[[nodiscard]] std::string_view name(OneClick state);
[[nodiscard]] OneClick one_click_unsubscribe(const Message& message, const std::vector<DkimVerification>& signatures);

}  // namespace mtawatch::auth
