// Parser of DKIM-Signature fields, and canonicalization of what they sign. RFC 6376 sections 3.4, 3.5 and 3.7.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "shared/auth/message.h"
#include "shared/base/result.h"

namespace mtawatch::auth {

enum class Canonicalization { simple, relaxed };

struct DkimSignature {
    std::string algorithm;  // a=, lower case: "rsa-sha256"
    std::string signature;  // b=, the bytes
    std::string body_hash;  // bh=, the bytes
    Canonicalization header = Canonicalization::simple;
    Canonicalization body = Canonicalization::simple;
    std::string domain;                        // d=, as A-labels
    std::string selector;                      // s=
    std::string identity_domain;               // of i=, as A-labels; d= without i=
    std::vector<std::string> signed_fields;    // h=, in order, as written
    std::optional<std::uint64_t> body_length;  // l=
    std::optional<std::int64_t> timestamp;     // t=
    std::optional<std::int64_t> expiration;    // x=
};

// The value of a DKIM-Signature field. Fault::malformed with the tag that is missing or wrong: such a signature is a
// permanent error.
[[nodiscard]] base::Result<DkimSignature> parse_dkim_signature(std::string_view value);

// The body as it is hashed (sections 3.4.3, 3.4.4), l= not yet taken into account.
[[nodiscard]] std::string canonical_body(std::string_view body, Canonicalization how);
// One header field as it is hashed (sections 3.4.1, 3.4.2), with its CRLF.
[[nodiscard]] std::string canonical_field(const HeaderField& field, Canonicalization how);
// The bytes that b= signs (section 3.7): the named fields from the last one upwards, absent ones as nothing, then the
// signature field itself without the value of its b= and without CRLF.
[[nodiscard]] std::string signed_header_bytes(const Message& message, const HeaderField& field,
                                              const DkimSignature& signature);

}  // namespace mtawatch::auth
