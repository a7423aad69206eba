#include "shared/auth/dkim_key.h"

#include <fmt/core.h>

#include <algorithm>

#include "shared/auth/record_text.h"
#include "shared/auth/tag_list.h"
#include "shared/base/base64.h"
#include "shared/base/text.h"

namespace mtawatch::auth {

namespace {

constexpr std::size_t ed25519_bytes = 32;

bool holds(const std::vector<std::string>& words, std::string_view word) {
    return std::ranges::any_of(words, [word](const std::string& one) { return base::iequals(one, word); });
}

void check_version(const TagList& list, Findings& findings) {
    const std::string* version = list.find("v");
    if (version == nullptr) {
        findings.add(Weight::note, "no-version", "v= is missing; begin the record with v=DKIM1");
        return;
    }
    if (list.tags.front().name != "v") {
        findings.add(Weight::weak, "version-not-first",
                     "v=DKIM1 is not the first tag, as RFC 6376 3.6.1 wants it: strict receivers ignore this key");
    }
    if (*version != "DKIM1") {
        findings.add(Weight::broken, "bad-version",
                     fmt::format("v={}: receivers must ignore this key; write v=DKIM1", *version));
    }
}

void check_restrictions(const TagList& list, DkimKey& key) {
    if (const std::string* hashes = list.find("h"); hashes != nullptr && !holds(words_of(*hashes, ':'), "sha256")) {
        key.takes_sha256 = false;
        key.findings.add(
            Weight::broken, "no-sha256",
            fmt::format("h={} does not allow sha256, the only hash still taken (RFC 8301); remove h=", *hashes));
    }
    if (const std::string* services = list.find("s"); services != nullptr) {
        const auto words = words_of(*services, ':');
        if (!holds(words, "*") && !holds(words, "email")) {
            key.takes_email = false;
            key.findings.add(Weight::broken, "not-for-email",
                             fmt::format("s={} does not name email or *: not valid for mail; remove s=", *services));
        }
    }
    if (const std::string* flags = list.find("t"); flags != nullptr) {
        const auto words = words_of(*flags, ':');
        key.testing = holds(words, "y");
        key.strict_domain = holds(words, "s");
        if (key.testing) {
            key.findings.add(Weight::weak, "testing",
                             "t=y says testing: receivers treat the mail as unsigned; remove t=y");
        }
        if (key.strict_domain) {
            key.findings.add(Weight::note, "strict-domain",
                             "t=s: signatures with an i= below the domain do not verify");
        }
    }
    if (const std::string* granularity = list.find("g"); granularity != nullptr) {
        key.findings.add(Weight::weak, "obsolete-g",
                         fmt::format("g={} is obsolete and may fail at old receivers; remove g=", *granularity));
    }
    for (const Tag& tag : list.tags) {
        constexpr std::string_view known = " v k p h s t n g ";
        if (known.find(fmt::format(" {} ", tag.name)) != std::string_view::npos) continue;
        key.findings.add(Weight::note, "unknown-tag", fmt::format("{}= is no tag of a key record", tag.name));
    }
}

void read_ed25519(std::string_view bytes, DkimKey& key) {
    if (bytes.size() == ed25519_bytes) {
        if (auto read = tls::PublicKey::from_ed25519(bytes)) key.key = std::move(*read);
        return;
    }
    const auto wrapped = tls::PublicKey::from_subject_public_key_info(bytes);
    if (wrapped && wrapped->ed25519_raw()) {
        key.findings.add(Weight::broken, "wrapped-ed25519",
                         "p= wraps the Ed25519 key in SubjectPublicKeyInfo, which no receiver reads",
                         "publish the 32 bytes of the key alone");
        return;
    }
    key.findings.add(Weight::broken, "bad-key",
                     fmt::format("p= holds {} bytes; an Ed25519 key has {} (RFC 8463)", bytes.size(), ed25519_bytes));
}

void read_rsa(std::string_view bytes, DkimKey& key) {
    auto read = tls::PublicKey::from_subject_public_key_info(bytes);
    if (!read) {
        auto bare = tls::PublicKey::from_rsa_public_key(bytes);
        if (!bare && bytes.size() == ed25519_bytes) {
            key.findings.add(Weight::broken, "bad-key", "p= holds 32 bytes, an Ed25519 key: k=ed25519 is missing");
            return;
        }
        if (!bare) {
            key.findings.add(
                Weight::broken, "bad-key",
                fmt::format("p= is no RSA public key: {}; the record may be cut short", read.error().what));
            return;
        }
        key.findings.add(Weight::weak, "bare-rsa-key",
                         "p= is a bare RSAPublicKey, which OpenDKIM and others cannot read",
                         "publish it as SubjectPublicKeyInfo");
        read = std::move(bare);
    }
    if (read->type() != tls::KeyType::rsa) {
        key.findings.add(Weight::broken, "bad-key",
                         fmt::format("p= holds a key of the kind {}, but k=rsa is said", tls::name(read->type())));
        return;
    }
    if (read->bits() > dkim_max_rsa_bits) {
        key.findings.add(Weight::weak, "long-key",
                         fmt::format("{} bits: receivers need not take more than {}", read->bits(), dkim_max_rsa_bits));
    }
    key.key = std::move(*read);
}

void read_key(const std::string& value, DkimKey& key) {
    const auto bytes = base::decode_base64(value, base::Base64Reading::lenient);
    if (!bytes) {
        key.findings.add(Weight::broken, "bad-base64", "p= is not base64; the key was damaged when it was published");
        return;
    }
    if (key.type == "ed25519") {
        read_ed25519(*bytes, key);
    } else if (key.type == "rsa") {
        read_rsa(*bytes, key);
    }
    if (key.key) key.bits = key.key->bits();
}

// The tags of a text whose separators, quotation marks or armour of a PEM file came along: name and value, blanks left
// out of the key.
TagList spelled_tags(std::string_view given) {
    std::string text = plain_record_text(given);
    for (const std::string_view armour : {"-----BEGIN PUBLIC KEY-----", "-----END PUBLIC KEY-----"}) {
        if (const std::size_t at = text.find(armour); at != std::string::npos) text.erase(at, armour.size());
    }
    std::ranges::replace(text, ',', ';');
    std::erase(text, '\'');
    TagList list;
    for (const std::string_view piece : base::split(text, ';')) {
        for (const std::string_view word : base::words(piece)) {
            const std::size_t equals = word.find('=');
            constexpr std::string_view known = " v k p h s t n g ";
            const bool begins =
                equals != std::string_view::npos &&
                known.find(fmt::format(" {} ", base::to_lower(word.substr(0, equals)))) != std::string_view::npos;
            if (begins) {
                list.tags.push_back({base::to_lower(word.substr(0, equals)), std::string(word.substr(equals + 1))});
            } else if (word == "=") {
                continue;
            } else if (known.find(fmt::format(" {} ", base::to_lower(word))) != std::string_view::npos) {
                list.tags.push_back({base::to_lower(word), ""});  // "p = …"
            } else if (!list.tags.empty()) {
                list.tags.back().value += word;
            }
        }
    }
    return list;
}

}  // namespace

std::optional<std::string> mended_dkim_record(std::string_view text) {
    const TagList list = spelled_tags(text);
    const std::string* value = list.find("p");
    if (value == nullptr || value->empty()) return std::nullopt;
    std::string base64 = *value;
    std::ranges::replace(base64, '-', '+');
    std::ranges::replace(base64, '_', '/');
    const auto bytes = base::decode_base64(base64, base::Base64Reading::lenient);
    if (!bytes) return std::nullopt;
    auto key = bytes->size() == ed25519_bytes ? tls::PublicKey::from_ed25519(*bytes)
                                              : tls::PublicKey::from_subject_public_key_info(*bytes);
    if (!key) key = tls::PublicKey::from_rsa_public_key(*bytes);
    if (!key) return std::nullopt;
    auto record = dkim_key_record(*key);
    const std::string* flags = list.find("t");
    if (record && flags != nullptr && !flags->empty()) *record += "; t=" + *flags;
    return record;
}

DkimKey parse_dkim_key(std::string_view text) {
    DkimKey key;
    const TagList list = parse_tag_list(text);
    key.findings = list.findings;
    if (list.tags.empty()) {
        key.findings.add(Weight::broken, "no-key", "this is no key record: p= is missing");
        return key;
    }
    check_version(list, key.findings);
    if (const std::string* type = list.find("k")) key.type = base::to_lower(*type);
    if (key.type != "rsa" && key.type != "ed25519") {
        key.findings.add(Weight::broken, "unknown-key-type",
                         fmt::format("k={} is no key type; write k=rsa or k=ed25519", key.type));
    }
    check_restrictions(list, key);
    const std::string* value = list.find("p");
    if (value == nullptr) {
        key.findings.add(Weight::broken, "no-key", "p= is missing: there is no key in this record");
    } else if (value->empty()) {
        key.revoked = true;
        key.findings.add(Weight::broken, "revoked", "p= is empty: the key is revoked, no signature verifies");
    } else {
        read_key(*value, key);
    }
    return key;
}

std::optional<std::string> dkim_key_record(const tls::PublicKey& key) {
    if (const auto raw = key.ed25519_raw()) return "v=DKIM1; k=ed25519; p=" + base::encode_base64(*raw);
    if (key.type() != tls::KeyType::rsa) return std::nullopt;
    return "v=DKIM1; k=rsa; p=" + base::encode_base64(key.subject_public_key_info());
}

}  // namespace mtawatch::auth
