#include "shared/smtp/sasl.h"

#include <fmt/format.h>

#include <algorithm>

#include "shared/base/base64.h"
#include "shared/base/text.h"
#include "shared/tls/key.h"
#include "shared/tls/mac.h"

namespace mtawatch::smtp {
namespace {

using base::Base64Reading;
using base::fail;
using base::Fault;
using base::Result;

constexpr std::string_view no_channel_binding = "n,,";  // gs2-header of RFC 5802 section 7

char upper(char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c; }

// RFC 5802 section 5.1: "=" and "," of a user name.
std::string scram_name(std::string_view user) {
    std::string escaped;
    for (const char c : user) {
        if (c == '=') {
            escaped += "=3D";
        } else if (c == ',') {
            escaped += "=2C";
        } else {
            escaped += c;
        }
    }
    return escaped;
}

// The value of "r=…" at the front of what is left, which is moved behind it; nothing where another attribute stands.
std::optional<std::string_view> pop_attribute(std::string_view& rest, char name) {
    if (rest.size() < 2 || rest[0] != name || rest[1] != '=') return std::nullopt;
    const auto end = std::min(rest.find(','), rest.size());
    const std::string_view value = rest.substr(2, end - 2);
    rest.remove_prefix(std::min(end + 1, rest.size()));
    return value;
}

std::string exclusive_or(std::string_view a, std::string_view b) {
    std::string mixed(a);
    for (std::size_t i = 0; i < mixed.size(); ++i) mixed[i] = static_cast<char>(mixed[i] ^ b[i]);
    return mixed;
}

}  // namespace

std::string_view name(Mechanism mechanism) {
    switch (mechanism) {
        case Mechanism::scram_sha_256:
            return "SCRAM-SHA-256";
        case Mechanism::cram_md5:
            return "CRAM-MD5";
        case Mechanism::plain:
            return "PLAIN";
        case Mechanism::login:
            return "LOGIN";
        case Mechanism::xoauth2:
            break;
    }
    return "XOAUTH2";
}

std::optional<Mechanism> mechanism_named(std::string_view text) {
    const auto* found =
        std::ranges::find_if(all_mechanisms, [&](Mechanism one) { return base::iequals(name(one), text); });
    if (found == all_mechanisms.end()) return std::nullopt;
    return *found;
}

std::vector<std::string> offered_mechanisms(const std::vector<std::string>& keywords) {
    std::vector<std::string> offered;
    for (const std::string& keyword : keywords) {
        const auto end = keyword.find_first_of(" =");
        if (end == std::string::npos || !base::iequals(std::string_view(keyword).substr(0, end), "AUTH")) continue;
        for (const auto word : base::words(std::string_view(keyword).substr(end + 1))) {
            std::string one(word);
            std::ranges::transform(one, one.begin(), upper);
            if (std::ranges::find(offered, one) == offered.end()) offered.push_back(std::move(one));
        }
    }
    return offered;
}

bool fits(Mechanism mechanism, const Credentials& credentials) {
    if (mechanism == Mechanism::xoauth2) return !credentials.token.empty();
    if (credentials.password.empty()) return false;
    const auto is_ascii = [](std::string_view text) {
        return std::ranges::all_of(text, [](char c) { return static_cast<unsigned char>(c) < 0x80; });
    };
    return mechanism != Mechanism::scram_sha_256 || (is_ascii(credentials.password) && is_ascii(credentials.user));
}

std::optional<Mechanism> strongest(const std::vector<std::string>& offered, const Credentials& credentials) {
    for (const Mechanism one : all_mechanisms) {
        if (fits(one, credentials) && std::ranges::find(offered, name(one)) != offered.end()) return one;
    }
    return std::nullopt;
}

SaslClient::SaslClient(Mechanism mechanism, Credentials credentials, std::string nonce)
    : mechanism_(mechanism), credentials_(std::move(credentials)), nonce_(std::move(nonce)) {}

std::optional<std::string> SaslClient::initial() {
    switch (mechanism_) {
        case Mechanism::scram_sha_256:
            client_first_bare_ = "n=" + scram_name(credentials_.user) + ",r=" + nonce_;
            return std::string(no_channel_binding) + client_first_bare_;
        case Mechanism::plain:
            return std::string(1, '\0') + credentials_.user + std::string(1, '\0') + credentials_.password;
        case Mechanism::xoauth2:
            return "user=" + credentials_.user + "\x01" + "auth=Bearer " + credentials_.token + "\x01\x01";
        case Mechanism::cram_md5:
        case Mechanism::login:
            break;
    }
    return std::nullopt;
}

Result<std::string> SaslClient::answer(std::string_view challenge) {
    const int turn = answers_++;
    switch (mechanism_) {
        case Mechanism::scram_sha_256:
            if (turn == 0) return scram_proof(challenge);
            if (turn == 1) return scram_verify(challenge);
            break;
        case Mechanism::cram_md5:
            if (turn == 0) return credentials_.user + " " + tls::hex(tls::hmac_md5(credentials_.password, challenge));
            break;
        case Mechanism::login:
            // By their order: servers disagree about the words of the prompts.
            if (turn == 0) return credentials_.user;
            if (turn == 1) return credentials_.password;
            break;
        case Mechanism::xoauth2:
            // Not a challenge but why the token is refused; the refusal itself comes after an empty answer.
            if (turn == 0) {
                complaint_ = challenge;
                return std::string();
            }
            break;
        case Mechanism::plain:
            break;
    }
    return fail(Fault::malformed, "the server asks for more than {} has to say", name(mechanism_));
}

Result<std::string> SaslClient::scram_proof(std::string_view server_first) {
    std::string_view rest = server_first;
    const auto nonce = pop_attribute(rest, 'r');
    const auto salt64 = pop_attribute(rest, 's');
    const auto rounds = pop_attribute(rest, 'i');
    if (!nonce || !salt64 || !rounds) {
        return fail(Fault::malformed, "the server's first message of SCRAM is not nonce, salt and iteration count");
    }
    // Somebody else's answer, or one that is played back.
    if (!nonce->starts_with(nonce_) || nonce->size() == nonce_.size()) {
        return fail(Fault::malformed, "the server's nonce does not continue ours");
    }
    const auto salt = base::decode_base64(*salt64, Base64Reading::strict);
    const auto iterations = base::to_number<std::uint32_t>(*rounds);
    if (!salt || salt->empty()) return fail(Fault::malformed, "the server's salt is not base64");
    if (!iterations || *iterations == 0 || *iterations > max_iterations) {
        return fail(Fault::malformed, "the server's iteration count is not a number from 1 to {}", max_iterations);
    }

    const std::string salted = tls::pbkdf2_sha256(credentials_.password, *salt, *iterations);
    const std::string client_key = tls::hmac_sha256(salted, "Client Key");
    const std::string without_proof = "c=" + base::encode_base64(no_channel_binding) + ",r=" + std::string(*nonce);
    const std::string signed_text = client_first_bare_ + "," + std::string(server_first) + "," + without_proof;
    const std::string proof = exclusive_or(client_key, tls::hmac_sha256(tls::sha256(client_key), signed_text));
    server_signature_ = tls::hmac_sha256(tls::hmac_sha256(salted, "Server Key"), signed_text);
    return without_proof + ",p=" + base::encode_base64(proof);
}

Result<std::string> SaslClient::scram_verify(std::string_view server_final) {
    std::string_view rest = server_final;
    if (const auto error = pop_attribute(rest, 'e')) {
        complaint_ = *error;
        return std::string();
    }
    const auto signature = pop_attribute(rest, 'v');
    proved_ = signature && base::decode_base64(*signature, Base64Reading::strict) == server_signature_;
    if (!proved_) return fail(Fault::malformed, "the server does not know the password: its signature is wrong");
    return std::string();
}

}  // namespace mtawatch::smtp
