// SASL client (RFC 4422): the initial response of a mechanism and its answer to each challenge.
#pragma once

#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "shared/base/result.h"

namespace mtawatch::smtp {

// Those with which the password never travels first.
enum class Mechanism {
    scram_sha_256,  // RFC 5802, RFC 7677; without channel binding
    cram_md5,       // RFC 2195
    plain,          // RFC 4616
    login,          // draft-murchison-sasl-login: two prompts
    xoauth2,        // the bearer tokens of Google and Microsoft
};
inline constexpr std::array all_mechanisms{Mechanism::scram_sha_256, Mechanism::cram_md5, Mechanism::plain,
                                           Mechanism::login, Mechanism::xoauth2};
[[nodiscard]] std::string_view name(Mechanism mechanism);  // "SCRAM-SHA-256"
// In any case; nothing for one that is not among them.
[[nodiscard]] std::optional<Mechanism> mechanism_named(std::string_view text);

// One of password and token is empty.
struct Credentials {
    std::string user;
    std::string password;
    std::string token;  // OAuth 2.0 access token
};

// The words of the keyword AUTH (RFC 4954 section 3) of an EHLO reply, each once, in capitals; old servers write
// "AUTH=LOGIN PLAIN" too. Empty: no login is offered.
[[nodiscard]] std::vector<std::string> offered_mechanisms(const std::vector<std::string>& keywords);

// Whether the mechanism can be used with what is there: a token needs XOAUTH2 and the others a password. SCRAM
// compares passwords in a normal form (RFC 4013) that only ASCII has by itself, so it takes no others here.
[[nodiscard]] bool fits(Mechanism mechanism, const Credentials& credentials);
// The first of all_mechanisms that is offered and fits.
[[nodiscard]] std::optional<Mechanism> strongest(const std::vector<std::string>& offered,
                                                 const Credentials& credentials);

// One login. All texts are decoded; base64 is the work of the protocol that carries them.
class SaslClient {
  public:
    // `nonce`: printable, without a comma, never the same twice; SCRAM alone uses it. User, password and token hold no
    // control characters.
    SaslClient(Mechanism mechanism, Credentials credentials, std::string nonce);

    [[nodiscard]] Mechanism mechanism() const { return mechanism_; }
    // What goes along with AUTH (RFC 4954 section 4); nothing where the server speaks first. Called once, before all
    // else.
    [[nodiscard]] std::optional<std::string> initial();
    // The answer to the server's next challenge. Fault::malformed: no such challenge belongs there, and the text says
    // why without quoting anything secret.
    [[nodiscard]] base::Result<std::string> answer(std::string_view challenge);
    // SCRAM: the server has proved that it knows the password too. The others have no such proof: always true.
    [[nodiscard]] bool server_proved() const { return mechanism_ != Mechanism::scram_sha_256 || proved_; }
    // XOAUTH2: what the server said about the token before it refused it, JSON as a rule; empty otherwise.
    [[nodiscard]] const std::string& complaint() const { return complaint_; }

    // A server could ask for so many rounds that the password costs minutes; real ones ask for 4 096 to 600 000.
    static constexpr std::uint32_t max_iterations = 2'000'000;

  private:
    [[nodiscard]] base::Result<std::string> scram_proof(std::string_view server_first);
    [[nodiscard]] base::Result<std::string> scram_verify(std::string_view server_final);

    Mechanism mechanism_;
    Credentials credentials_;
    std::string nonce_;
    int answers_ = 0;
    bool proved_ = false;
    std::string complaint_;
    std::string client_first_bare_;
    std::string server_signature_;
};

}  // namespace mtawatch::smtp
