// HTTP basic authentication against bcrypt hashes, with a cache of logins that were right before, so that nobody can
// slow a scrape.
#pragma once

#include <array>
#include <cstddef>
#include <map>
#include <mutex>
#include <set>
#include <string>
#include <string_view>

namespace mtawatch::exporter::web {

// User name to bcrypt hash ("$2y$10$…").
using Users = std::map<std::string, std::string, std::less<>>;

// Whether the text is a bcrypt hash that libcrypt can check ($2a$, $2b$ or $2y$, cost 4 to 31).
[[nodiscard]] bool is_bcrypt_hash(std::string_view text);

// The user that an Authorization header names, whether or not the password is right; "" where it names none.
[[nodiscard]] std::string user_of(std::string_view authorization);

// Safe from several threads.
class BasicAuth {
  public:
    BasicAuth();

    // Whether this Authorization header was found right before with the same hash: no bcrypt, no waiting. What is kept
    // of a password is a SHA-256 HMAC under a key that this process made at its start.
    [[nodiscard]] bool known(std::string_view authorization, const Users& users) const;

    // The full check, which takes 50 to 200 ms by design: never on the I/O thread. An unknown user costs as much as a
    // wrong password, so the time tells nothing.
    [[nodiscard]] bool verify(std::string_view authorization, const Users& users);

  private:
    using Mark = std::array<unsigned char, 32>;
    [[nodiscard]] Mark mark_of(std::string_view user, std::string_view hash, std::string_view password) const;

    Mark key_{};
    mutable std::mutex mutex_;
    std::set<Mark> known_;
};

}  // namespace mtawatch::exporter::web
