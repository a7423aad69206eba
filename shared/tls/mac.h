// HMAC and PBKDF2 for SASL mechanisms that do not send the password, and random bytes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace mtawatch::tls {

// RFC 2104; raw bytes: 16 for MD5, 32 for SHA-256. MD5 is for CRAM-MD5 alone.
[[nodiscard]] std::string hmac_md5(std::string_view key, std::string_view message);
[[nodiscard]] std::string hmac_sha256(std::string_view key, std::string_view message);

// PBKDF2 with HMAC-SHA-256 and 32 bytes of output (RFC 8018 section 5.2): Hi() of RFC 5802. Takes about a
// microsecond an iteration, so whoever takes the count from outside limits it.
[[nodiscard]] std::string pbkdf2_sha256(std::string_view password, std::string_view salt, std::uint32_t iterations);

// From OpenSSL's generator for what must not be guessed.
[[nodiscard]] std::string random_bytes(std::size_t count);

}  // namespace mtawatch::tls
