// Parser and checks of DKIM key records. RFC 6376 section 3.6.1, RFC 8301, RFC 8463.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "shared/auth/finding.h"
#include "shared/tls/key.h"

namespace mtawatch::auth {

struct DkimKey {
    std::string type = "rsa";           // k=, as written in lower case
    std::optional<tls::PublicKey> key;  // absent when there is none that can be used
    int bits = 0;                       // RSA modulus; 256 for Ed25519; 0 without a key
    bool revoked = false;               // p= is empty
    bool testing = false;               // t=y
    bool strict_domain = false;         // t=s: i= must be exactly d=
    bool takes_email = true;            // s= names email or *
    bool takes_sha256 = true;           // h= is absent or names sha256
    Findings findings;                  // without the key's size, which is for the reader to judge
    // Whether a signature may be verified with it at all.
    [[nodiscard]] bool usable() const { return key.has_value() && !findings.has(Weight::broken); }
};

// Verifiers must not take less (RFC 8301 section 3.2), need not take more.
inline constexpr int dkim_min_rsa_bits = 1024;
inline constexpr int dkim_max_rsa_bits = 4096;

[[nodiscard]] DkimKey parse_dkim_key(std::string_view text);

// What to publish for a key: "v=DKIM1; k=rsa; p=…" (Ed25519: the 32 raw bytes). Nothing for other kinds of key.
[[nodiscard]] std::optional<std::string> dkim_key_record(const tls::PublicKey& key);

// The key of a record, written as receivers read it: quotation marks, backslashes, PEM armour and wrong separators of
// an editor gone, h=, s= and g= left out, an Ed25519 key bare and an RSA key in SubjectPublicKeyInfo. t= is kept.
// Nothing when the text holds no key that can be read.
[[nodiscard]] std::optional<std::string> mended_dkim_record(std::string_view text);

}  // namespace mtawatch::auth
