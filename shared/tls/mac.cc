#include "shared/tls/mac.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>

#include <array>
#include <stdexcept>

namespace mtawatch::tls {
namespace {

const unsigned char* bytes_of(std::string_view text) { return reinterpret_cast<const unsigned char*>(text.data()); }

std::string hmac(const EVP_MD* digest, std::string_view key, std::string_view message) {
    std::array<unsigned char, EVP_MAX_MD_SIZE> mac{};
    unsigned size = 0;
    if (HMAC(digest, key.data(), static_cast<int>(key.size()), bytes_of(message), message.size(), mac.data(), &size) ==
        nullptr) {
        throw std::runtime_error("OpenSSL refuses this digest");  // MD5 where a policy forbids it
    }
    return std::string(reinterpret_cast<const char*>(mac.data()), size);
}

}  // namespace

std::string hmac_md5(std::string_view key, std::string_view message) { return hmac(EVP_md5(), key, message); }
std::string hmac_sha256(std::string_view key, std::string_view message) { return hmac(EVP_sha256(), key, message); }

std::string pbkdf2_sha256(std::string_view password, std::string_view salt, std::uint32_t iterations) {
    std::array<unsigned char, 32> key{};
    if (PKCS5_PBKDF2_HMAC(password.data(), static_cast<int>(password.size()), bytes_of(salt),
                          static_cast<int>(salt.size()), static_cast<int>(iterations), EVP_sha256(),
                          static_cast<int>(key.size()), key.data()) != 1) {
        throw std::runtime_error("OpenSSL refuses PBKDF2 with SHA-256");
    }
    return std::string(reinterpret_cast<const char*>(key.data()), key.size());
}

std::string random_bytes(std::size_t count) {
    std::string bytes(count, '\0');
    if (RAND_bytes(reinterpret_cast<unsigned char*>(bytes.data()), static_cast<int>(count)) != 1) {
        throw std::runtime_error("OpenSSL has no random bytes");
    }
    return bytes;
}

}  // namespace mtawatch::tls
