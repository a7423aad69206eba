#include "shared/auth/dkim_verify.h"

#include <fmt/core.h>

#include <algorithm>
#include <optional>
#include <utility>

#include "shared/base/duration.h"
#include "shared/base/text.h"
#include "shared/dns/names.h"

namespace mtawatch::auth {

namespace {

struct Refusal {
    DkimResult result = DkimResult::permerror;
    std::string reason;
};
using Step = std::optional<Refusal>;  // nothing: go on

// The key record of a signature, or why there is none.
Step find_key(DnsCache& dns, const DkimSignature& signature, DkimKey& key) {
    const std::string name = signature.selector + "._domainkey." + signature.domain;
    if (!dns::askable(name)) return Refusal{DkimResult::permerror, fmt::format("{} is no name to look up", name)};
    const dns::Answer& answer = dns.ask(name, dns::Type::txt);
    if (!answer.known()) return Refusal{DkimResult::temperror, dns.failure(name, dns::Type::txt, answer).what};
    if (!answer.found()) return Refusal{DkimResult::permerror, fmt::format("there is no key at {}", name)};
    if (answer.records.texts.size() > 1) {
        return Refusal{DkimResult::permerror,
                       fmt::format("{} has {} TXT records; keep one", name, answer.records.texts.size())};
    }
    key = parse_dkim_key(answer.records.texts.front());
    for (const Finding& finding : key.findings.items) {
        if (finding.weight != Weight::broken) continue;
        const bool by_policy = finding.code == "no-sha256" || finding.code == "not-for-email";
        return Refusal{by_policy ? DkimResult::policy : DkimResult::permerror,
                       fmt::format("the key at {}: {}", name, finding.text)};
    }
    if (!key.key) return Refusal{DkimResult::permerror, fmt::format("the key at {} cannot be used", name)};
    return std::nullopt;
}

// What must hold before any byte is hashed.
Step check_claims(const DkimSignature& signature, const DkimKey& key, std::int64_t now) {
    if (signature.algorithm == "rsa-sha1") {
        return Refusal{DkimResult::policy, "a=rsa-sha1 must not be used any more (RFC 8301); sign with rsa-sha256"};
    }
    if (signature.algorithm != "rsa-sha256" && signature.algorithm != "ed25519-sha256") {
        return Refusal{DkimResult::permerror, fmt::format("a={} is no known algorithm", signature.algorithm)};
    }
    const bool wants_rsa = signature.algorithm == "rsa-sha256";
    if (wants_rsa != (key.type == "rsa")) {
        return Refusal{DkimResult::permerror,
                       fmt::format("a={} does not fit the published k={} key", signature.algorithm, key.type)};
    }
    if (wants_rsa && key.bits < dkim_min_rsa_bits) {
        return Refusal{DkimResult::policy, fmt::format("the key has {} bits; less than {} must not count (RFC 8301)",
                                                       key.bits, dkim_min_rsa_bits)};
    }
    if (key.strict_domain && signature.identity_domain != signature.domain) {
        return Refusal{DkimResult::permerror,
                       fmt::format("i= is below d={}, which the key forbids (t=s)", signature.domain)};
    }
    if (signature.expiration && *signature.expiration < now) {
        return Refusal{DkimResult::policy,
                       fmt::format("expired {} ago (x=)",
                                   base::human_duration(std::chrono::seconds(now - *signature.expiration)))};
    }
    return std::nullopt;
}

Step check_body(const Message& message, const DkimSignature& signature, Findings& findings) {
    std::string body = canonical_body(message.body, signature.body);
    if (signature.body_length) {
        if (*signature.body_length > body.size()) {
            return Refusal{DkimResult::fail, fmt::format("the body has {} bytes, less than the signed l={}: it was cut",
                                                         body.size(), *signature.body_length)};
        }
        if (*signature.body_length < body.size()) {
            findings.add(Weight::weak, "short-body-length",
                         fmt::format("l={} leaves {} bytes of the body unsigned: anyone can add to it; sign without l=",
                                     *signature.body_length, body.size() - *signature.body_length));
        }
        body.resize(static_cast<std::size_t>(*signature.body_length));
    }
    if (tls::sha256(body) != signature.body_hash) {
        return Refusal{DkimResult::fail, "the body was changed after signing (bh= does not match)"};
    }
    return std::nullopt;
}

std::size_t times_signed(const std::vector<std::string>& names, std::string_view field) {
    return static_cast<std::size_t>(
        std::ranges::count_if(names, [field](const std::string& one) { return base::iequals(one, field); }));
}

void add_weaknesses(const Message& message, const DkimSignature& signature, std::int64_t now, Findings& findings) {
    if (signature.timestamp && *signature.timestamp > now + allowed_clock_skew) {
        findings.add(Weight::weak, "future",
                     fmt::format("t= is {} ahead of this machine's clock",
                                 base::human_duration(std::chrono::seconds(*signature.timestamp - now))));
    }
    const std::size_t from = message.count("From");
    if (times_signed(signature.signed_fields, "From") < from) {
        findings.add(Weight::weak, "unsigned-from", "not every From field is signed");
    } else if (times_signed(signature.signed_fields, "From") == from) {
        findings.add(Weight::note, "not-oversigned", "From is not oversigned (name it once more in h=)");
    }
    for (const char* field : {"Subject", "Date", "To"}) {
        if (message.count(field) > 0 && times_signed(signature.signed_fields, field) == 0) {
            findings.add(Weight::note, "unsigned-field", fmt::format("{} is not signed", field));
        }
    }
}

DkimVerification verify_one(DnsCache& dns, const Message& message, const HeaderField& field, std::int64_t now) {
    DkimVerification out;
    const auto refuse = [&out](Refusal why) {
        out.result = why.result;
        out.reason = std::move(why.reason);
        return out;
    };
    const auto signature = parse_dkim_signature(field.value);
    if (!signature) return refuse({DkimResult::permerror, signature.error().what});
    out.domain = signature->domain;
    out.selector = signature->selector;
    out.algorithm = signature->algorithm;
    out.signed_fields = signature->signed_fields;
    DkimKey key;
    if (auto why = find_key(dns, *signature, key)) return refuse(*why);
    out.key_bits = key.bits;
    out.testing = key.testing;
    if (auto why = check_claims(*signature, key, now)) return refuse(*why);
    if (auto why = check_body(message, *signature, out.findings)) return refuse(*why);
    const std::string bytes = signed_header_bytes(message, field, *signature);
    const bool verifies = key.type == "rsa" ? key.key->verifies_rsa_sha256(bytes, signature->signature)
                                            : key.key->verifies_ed25519(tls::sha256(bytes), signature->signature);
    if (!verifies) {
        return refuse(
            {DkimResult::fail, "a signed header field was changed after signing, or the published key is another one"});
    }
    out.result = DkimResult::pass;
    add_weaknesses(message, *signature, now, out.findings);
    return out;
}

}  // namespace

std::string_view name(DkimResult result) {
    switch (result) {
        case DkimResult::pass:
            return "pass";
        case DkimResult::fail:
            return "fail";
        case DkimResult::policy:
            return "policy";
        case DkimResult::permerror:
            return "permerror";
        case DkimResult::temperror:
            return "temperror";
    }
    return "permerror";
}

std::vector<DkimVerification> verify_dkim(DnsCache& dns, const Message& message, std::int64_t now) {
    std::vector<DkimVerification> out;
    for (const HeaderField& field : message.fields) {
        if (!base::iequals(field.name, "DKIM-Signature")) continue;
        if (out.size() == max_signatures) break;
        out.push_back(verify_one(dns, message, field, now));
    }
    return out;
}

bool covers_field(const DkimVerification& signature, const Message& message, std::string_view field) {
    const std::size_t present = message.count(field);
    return present > 0 && times_signed(signature.signed_fields, field) >= present;
}

std::string_view name(OneClick state) {
    switch (state) {
        case OneClick::not_offered:
            return "not offered";
        case OneClick::offered:
            return "offered";
        case OneClick::not_https:
            return "no https address";
        case OneClick::wrong_value:
            return "wrong value";
        case OneClick::not_signed:
            return "not signed";
    }
    return "not offered";
}

OneClick one_click_unsubscribe(const Message& message, const std::vector<DkimVerification>& signatures) {
    const HeaderField* post = message.find("List-Unsubscribe-Post");
    if (post == nullptr) return OneClick::not_offered;
    const HeaderField* link = message.find("List-Unsubscribe");
    if (!base::iequals(unfolded(post->value), "List-Unsubscribe=One-Click")) return OneClick::wrong_value;
    if (link == nullptr || !base::icontains(unfolded(link->value), "<https://")) return OneClick::not_https;
    const bool covered = std::ranges::any_of(signatures, [&](const DkimVerification& one) {
        return one.result == DkimResult::pass && covers_field(one, message, "List-Unsubscribe") &&
               covers_field(one, message, "List-Unsubscribe-Post");
    });
    return covered ? OneClick::offered : OneClick::not_signed;
}

}  // namespace mtawatch::auth
