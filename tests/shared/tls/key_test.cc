// Keys in every encoding that DKIM and key files use, signatures good and broken, SHA-256.
#include "shared/tls/key.h"

#include <boost/test/unit_test.hpp>

#include "shared/base/base64.h"
#include "tests/support/certificate_maker.h"

namespace mtawatch::tls {
namespace {

using test::KeyKind;

std::string bytes_of_hex(std::string_view text) {
    std::string bytes;
    for (std::size_t i = 0; i < text.size(); i += 2) {
        bytes += static_cast<char>(std::stoi(std::string(text.substr(i, 2)), nullptr, 16));
    }
    return bytes;
}

BOOST_AUTO_TEST_CASE(one_rsa_key_reads_the_same_in_every_encoding) {
    const auto made = test::make_certificate({.common_name = "a", .key = KeyKind::rsa_1024});
    const auto spki = PublicKey::from_subject_public_key_info(made.public_key_der());
    const auto bare = PublicKey::from_rsa_public_key(made.bare_public_key());
    const auto pkcs8 = PublicKey::from_private_pem(made.key_pem());
    const auto pkcs1 = PublicKey::from_private_pem("leading text\n" + made.traditional_key_pem());
    BOOST_REQUIRE(spki.has_value());
    BOOST_REQUIRE(bare.has_value());
    BOOST_REQUIRE(pkcs8.has_value());
    BOOST_REQUIRE(pkcs1.has_value());
    BOOST_TEST((*spki == *bare && *spki == *pkcs8 && *spki == *pkcs1));
    BOOST_TEST((spki->type() == KeyType::rsa));
    BOOST_TEST(spki->bits() == 1024);
    BOOST_TEST(bare->subject_public_key_info() == made.public_key_der());
    BOOST_TEST(!spki->ed25519_raw().has_value());
    const auto other = test::make_certificate({.common_name = "b", .key = KeyKind::rsa_1024});
    BOOST_TEST(!(*spki == PublicKey::from_private_pem(other.key_pem()).value()));
}

BOOST_AUTO_TEST_CASE(an_ed25519_key_is_32_raw_bytes) {
    const auto made = test::make_certificate({.common_name = "a", .key = KeyKind::ed25519});
    const auto raw = PublicKey::from_ed25519(made.bare_public_key());
    BOOST_REQUIRE(raw.has_value());
    BOOST_TEST((*raw == PublicKey::from_private_pem(made.key_pem()).value()));
    BOOST_TEST((*raw == PublicKey::from_subject_public_key_info(made.public_key_der()).value()));
    BOOST_TEST(raw->ed25519_raw().value() == made.bare_public_key());
    BOOST_TEST(raw->bits() == 256);
    BOOST_TEST(name(raw->type()) == "Ed25519");
    BOOST_TEST(PublicKey::from_ed25519("short").error().what == "an Ed25519 public key is 32 bytes, this one is 5");
}

BOOST_AUTO_TEST_CASE(signatures_verify_and_a_changed_bit_does_not) {
    const std::string message = "from:joe@football.example.com\r\n";
    for (const KeyKind kind : {KeyKind::rsa_1024, KeyKind::ed25519}) {
        const auto made = test::make_certificate({.common_name = "a", .key = kind});
        const auto key = PublicKey::from_subject_public_key_info(made.public_key_der()).value();
        std::string signature = made.sign(message);
        const bool rsa = kind == KeyKind::rsa_1024;
        BOOST_TEST(key.verifies_rsa_sha256(message, signature) == rsa);
        BOOST_TEST(key.verifies_ed25519(message, signature) == !rsa);
        BOOST_TEST(!key.verifies_rsa_sha256(message + "x", signature));
        BOOST_TEST(!key.verifies_ed25519(message + "x", signature));
        signature.back() = static_cast<char>(signature.back() ^ 1);
        BOOST_TEST(!key.verifies_rsa_sha256(message, signature));
        BOOST_TEST(!key.verifies_ed25519(message, signature));
        BOOST_TEST(!key.verifies_rsa_sha256(message, ""));
        BOOST_TEST(!key.verifies_ed25519(message, ""));
    }
}

// RFC 8032 section 7.1, test 2: an implementation that agrees with itself alone would not notice.
BOOST_AUTO_TEST_CASE(the_rfc_8032_vector_verifies) {
    const auto key =
        PublicKey::from_ed25519(bytes_of_hex("3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c"));
    const std::string signature = bytes_of_hex(
        "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da"
        "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00");
    BOOST_TEST(key.value().verifies_ed25519("\x72", signature));
}

BOOST_AUTO_TEST_CASE(broken_keys_are_malformed_and_say_why) {
    const auto made = test::make_certificate({.common_name = "a", .key = KeyKind::rsa_512});
    const std::string der = made.public_key_der();
    BOOST_TEST(PublicKey::from_subject_public_key_info(der + "x").error().what == "bytes follow the public key");
    BOOST_TEST(PublicKey::from_rsa_public_key(made.bare_public_key() + "x").error().what ==
               "bytes follow the RSA public key");
    for (std::size_t cut = 0; cut < der.size(); ++cut) {
        BOOST_TEST(!PublicKey::from_subject_public_key_info(der.substr(0, cut)).has_value());
    }
    BOOST_TEST(PublicKey::from_subject_public_key_info(made.bare_public_key()).error().what ==
               "not a SubjectPublicKeyInfo structure");
    BOOST_TEST(PublicKey::from_rsa_public_key(der).error().what == "not an RSAPublicKey structure");
    BOOST_TEST(!PublicKey::from_subject_public_key_info(std::string(100'000, 'x')).has_value());
}

BOOST_AUTO_TEST_CASE(private_key_files_that_cannot_be_used) {
    const auto made = test::make_certificate({.common_name = "a", .key = KeyKind::ec_p256});
    const auto encrypted = PublicKey::from_private_pem(made.encrypted_key_pem());
    BOOST_TEST((encrypted.error().fault == base::Fault::usage));
    BOOST_TEST(encrypted.error().what.find("is encrypted") != std::string::npos);
    BOOST_TEST(PublicKey::from_private_pem(made.pem()).error().what == "no readable PEM private key in it");
    BOOST_TEST(!PublicKey::from_private_pem("").has_value());
    BOOST_TEST((PublicKey::from_private_pem(made.traditional_key_pem()).value().type() == KeyType::ec));
}

BOOST_AUTO_TEST_CASE(sha256_in_pieces_is_sha256_at_once) {
    // FIPS 180-4 example: "abc".
    BOOST_TEST(hex(sha256("abc")) == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    Sha256 digest;
    digest.update("a");
    digest.update("");
    digest.update("bc");
    BOOST_TEST(digest.finish() == sha256("abc"));
    BOOST_TEST(hex(digest.finish()) == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
}

}  // namespace
}  // namespace mtawatch::tls
