#include "exporter/web/basic_auth.h"

#include <crypt.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>

#include <memory>
#include <optional>
#include <stdexcept>
#include <utility>

#include "shared/base/base64.h"
#include "shared/base/text.h"

namespace mtawatch::exporter::web {
namespace {

// Far above the users of a real file; when it is reached everybody is checked anew.
constexpr std::size_t max_known = 1000;
// A header of this length holds no password that a person or a secret store made.
constexpr std::size_t max_credentials = 4096;
constexpr std::size_t bcrypt_length = 60;

struct Credentials {
    std::string user;
    std::string password;
};

// RFC 7617: "Basic " and base64 of user:password; the user has no colon.
std::optional<Credentials> credentials_of(std::string_view authorization) {
    constexpr std::string_view scheme = "Basic ";
    if (authorization.size() <= scheme.size() || authorization.size() > max_credentials) return std::nullopt;
    if (!base::iequals(authorization.substr(0, scheme.size()), scheme)) return std::nullopt;
    const auto decoded =
        base::decode_base64(base::trim(authorization.substr(scheme.size())), base::Base64Reading::strict);
    if (!decoded) return std::nullopt;
    const std::size_t colon = decoded->find(':');
    // libcrypt reads a C string: a NUL would make "secret" and "secret\0…" the same password.
    if (colon == std::string::npos || decoded->find('\0') != std::string::npos) return std::nullopt;
    return Credentials{decoded->substr(0, colon), decoded->substr(colon + 1)};
}

bool matches(const std::string& password, const std::string& hash) {
    const auto work = std::make_unique<crypt_data>();
    const char* answer = ::crypt_r(password.c_str(), hash.c_str(), work.get());
    if (answer == nullptr) return false;
    const std::string_view given(answer);
    return given.size() == hash.size() && CRYPTO_memcmp(given.data(), hash.data(), hash.size()) == 0;
}

}  // namespace

bool is_bcrypt_hash(std::string_view text) {
    if (text.size() != bcrypt_length || !text.starts_with("$2") || text[3] != '$') return false;
    return ::crypt_checksalt(std::string(text).c_str()) == CRYPT_SALT_OK;
}

std::string user_of(std::string_view authorization) {
    auto given = credentials_of(authorization);
    return given ? std::move(given->user) : std::string();
}

BasicAuth::BasicAuth() {
    if (RAND_bytes(key_.data(), static_cast<int>(key_.size())) != 1) {
        throw std::runtime_error("OpenSSL has no random numbers");
    }
}

BasicAuth::Mark BasicAuth::mark_of(std::string_view user, std::string_view hash, std::string_view password) const {
    std::string text(user);
    text += '\0';
    text += hash;
    text += '\0';
    text += password;
    Mark mark{};
    unsigned length = 0;
    HMAC(EVP_sha256(), key_.data(), static_cast<int>(key_.size()), reinterpret_cast<const unsigned char*>(text.data()),
         text.size(), mark.data(), &length);
    OPENSSL_cleanse(text.data(), text.size());
    return mark;
}

bool BasicAuth::known(std::string_view authorization, const Users& users) const {
    const auto given = credentials_of(authorization);
    if (!given) return false;
    const auto user = users.find(given->user);
    if (user == users.end()) return false;
    const Mark mark = mark_of(user->first, user->second, given->password);
    const std::lock_guard lock(mutex_);
    return known_.contains(mark);
}

bool BasicAuth::verify(std::string_view authorization, const Users& users) {
    const auto given = credentials_of(authorization);
    if (!given || users.empty()) return false;
    const auto user = users.find(given->user);
    // An unknown user is checked against another one's hash, so it takes as long.
    const auto& [name, hash] = user != users.end() ? *user : *users.begin();
    const bool right = matches(given->password, hash) && user != users.end();
    if (!right) return false;
    const Mark mark = mark_of(name, hash, given->password);
    const std::lock_guard lock(mutex_);
    if (known_.size() >= max_known) known_.clear();
    known_.insert(mark);
    return true;
}

}  // namespace mtawatch::exporter::web
