// Any bytes as the file of --private-key: the first byte chooses a PEM label that the rest is the DER of, or that the
// rest is the text of the file. So the stored corpus holds no key that a scanner of secrets would take for one.
#include <array>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "shared/auth/dkim_key.h"
#include "shared/base/base64.h"
#include "shared/tls/key.h"

using namespace mtawatch;

namespace {

constexpr std::array<std::string_view, 6> labels{
    "", "PRIVATE KEY", "RSA PRIVATE KEY", "EC PRIVATE KEY", "ENCRYPTED PRIVATE KEY", "DSA PRIVATE KEY"};
// The last choice: an RSA key encrypted in the manner of before PKCS#8.
constexpr std::uint8_t traditional = labels.size();
constexpr std::string_view encryption =
    "Proc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,00112233445566778899AABBCCDDEEFF\n\n";

std::string pem_of(std::string_view label, std::string_view der, std::string_view headers) {
    constexpr std::size_t line = 64;
    std::string text = "-----BEGIN " + std::string(label) + "-----\n" + std::string(headers);
    const std::string digits = base::encode_base64(der);
    for (std::size_t at = 0; at < digits.size(); at += line) text += digits.substr(at, line) + "\n";
    return text + "-----END " + std::string(label) + "-----\n";
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size == 0) return 0;
    const auto choice = static_cast<std::uint8_t>(data[0] % (labels.size() + 1));
    const std::string_view label = choice == traditional ? labels[2] : labels[choice];
    const std::string_view rest(reinterpret_cast<const char*>(data) + 1, size - 1);
    const auto key = tls::PublicKey::from_private_pem(
        label.empty() ? std::string(rest) : pem_of(label, rest, choice == traditional ? encryption : ""));
    if (choice == traditional && (key || (size > 1 && key.error().fault != base::Fault::usage))) std::abort();
    if (!key) {
        if (key.error().fault != base::Fault::malformed && key.error().fault != base::Fault::usage) std::abort();
        return 0;
    }
    const auto again = tls::PublicKey::from_subject_public_key_info(key->subject_public_key_info());
    if (!again || again->type() != key->type() || again->bits() != key->bits()) std::abort();
    // What can be published as a DKIM key is read as this key by whoever looks it up.
    if (const auto record = auth::dkim_key_record(*key)) {
        const auth::DkimKey published = auth::parse_dkim_key(*record);
        if (published.usable() && !(*published.key == *key)) std::abort();
    }
    return 0;
}
