#include "shared/probe/mail_auth/dkim.h"

#include <fmt/core.h>

#include <algorithm>

#include "shared/auth/dmarc_walk.h"
#include "shared/auth/spf_record.h"
#include "shared/base/json.h"
#include "shared/base/text.h"
#include "shared/dns/names.h"
#include "shared/io/files.h"

namespace mtawatch::probe::mail_auth {

namespace {

using base::fail;
using base::Result;

// The largest RSA keys in use have 12 KiB as PEM; anything larger is another file.
constexpr std::size_t max_key_bytes = 64U << 10U;
constexpr std::uint32_t readable_by_others = 077;
constexpr std::size_t small_record_bytes = 450;  // with its question and header it still fits 512 bytes
constexpr std::uint32_t long_ttl = 86'400;

std::string key_name(const std::string& domain, const std::string& selector) {
    return selector + "._domainkey." + domain;
}

std::string missing_text(const dns::Answer& answer) {
    const bool no_name = answer.outcome == dns::Outcome::no_name;
    if (answer.chain.empty()) return no_name ? "there is no key: the name does not exist" : "there is no TXT record";
    return fmt::format("the CNAME leads to {}, which {}", answer.chain.back(),
                       no_name ? "does not exist" : "has no TXT record");
}

// The record that receivers would use; with several, the first one that holds a key.
std::string pick_record(const std::vector<std::string>& texts, Findings& findings) {
    if (texts.size() == 1) return texts.front();
    findings.add(Weight::broken, "several-records",
                 fmt::format("{} TXT records, so receivers may take any of them; keep the key alone", texts.size()));
    const auto good =
        std::ranges::find_if(texts, [](const std::string& text) { return auth::parse_dkim_key(text).usable(); });
    return good == texts.end() ? texts.front() : *good;
}

// Where the key has to come from, when nobody here knows it.
std::string missing_remedy(const dns::Answer& answer) {
    if (answer.chain.empty()) {
        return "publish the public key that the signer has for this selector (--private-key FILE shows the line)";
    }
    std::string text =
        fmt::format("the key is for {} to publish: ask its owner, or remove the CNAME", answer.chain.back());
    if (base::iends_with(answer.chain.back(), ".onmicrosoft.com")) {
        text += "; Microsoft 365 publishes the second selector at the first rotation of the keys";
    }
    return text;
}

// What can be published for the key: the own one, else the published one spelled rightly.
std::vector<Remedy<DkimKeyLook>> remedies_of(const DkimKeyLook& look, auth::DnsCache& dns,
                                             const std::optional<tls::PublicKey>& own_key) {
    std::vector<Remedy<DkimKeyLook>> remedies;
    const std::string name = key_name(look.domain, look.selector);
    if (look.findings.has(Weight::unseen) || auth::cannot_publish(dns, name)) return remedies;
    const std::vector<std::string> texts = dns.ask(name, dns::Type::txt).records.texts;
    std::vector<std::string> attempts;
    if (own_key && !look.matches.value_or(false) && !look.key.revoked) {
        if (auto record = auth::dkim_key_record(*own_key)) attempts.push_back(std::move(*record));
    }
    // One key that an editor cut into several records: the piece with p= first.
    std::vector<std::string> pieces = texts;
    std::ranges::stable_partition(pieces, [](const std::string& text) { return base::icontains(text, "p="); });
    const std::string joined = base::join(pieces, "");
    for (const std::string* text : {&look.record, &joined}) {
        if (own_key && !look.matches.value_or(false)) break;  // the published one is not the signer's
        if (auto record = auth::mended_dkim_record(*text)) attempts.push_back(std::move(*record));
    }
    for (const std::string& record : attempts) {
        if (!auth::parse_dkim_key(record).usable() || (texts.size() == 1 && texts.front() == record)) continue;
        auth::DnsCache view(dns);
        auth::publish(view, {name, dns::Type::txt, record}, texts);
        auto after = std::make_shared<DkimKeyLook>(observe_dkim_key(look.domain, look.selector, view, own_key));
        remedies.push_back({{{name, dns::Type::txt, record}}, std::move(after)});
    }
    return remedies;
}

struct PrivateKey {
    std::optional<tls::PublicKey> key;
    Findings findings;
};

Result<PrivateKey> read_private_key(const std::string& path, const io::Files& files) {
    PrivateKey out;
    auto pem = files.read(path, max_key_bytes);
    if (!pem) return fail(pem.error());
    auto key = tls::PublicKey::from_private_pem(*pem);
    std::fill(pem->begin(), pem->end(), '\0');  // the secret is not needed any longer
    if (!key) return fail(key.error().at(path));
    out.key = std::move(*key);
    if (const auto info = files.info(path); info && (info->mode & readable_by_others) != 0) {
        out.findings.add(
            Weight::weak, "key-file-mode",
            fmt::format("{} can be read by others (mode {:04o}); chmod 600 it", path, info->mode & 07777U));
    }
    return out;
}

Coverage coverage_of(const std::string& field, const auth::Message& message,
                     const std::vector<auth::DkimVerification>& signatures) {
    if (message.count(field) == 0) return Coverage::not_there;
    Coverage coverage = Coverage::not_signed;
    for (const auth::DkimVerification& one : signatures) {
        if (!auth::covers_field(one, message, field)) continue;
        if (one.result == auth::DkimResult::pass) return Coverage::covered;
        const bool unseen = one.result == auth::DkimResult::temperror || coverage == Coverage::unseen;
        coverage = unseen ? Coverage::unseen : Coverage::not_passing;
    }
    return coverage;
}

std::optional<bool> alignment_of(const DkimMessageLook& look, auth::DnsCache& dns) {
    if (look.from_domain.empty()) return std::nullopt;
    const auto author = dns::ascii_name(look.from_domain);
    if (!author) return std::nullopt;
    std::optional<bool> aligned;
    bool unseen = false;
    for (const auth::DkimVerification& one : look.signatures) {
        if (one.result != auth::DkimResult::pass) continue;
        const auto walk = auth::walk_dmarc(dns, *author);
        const auto decision = auth::decide_dmarc(dns, *author, walk);
        const bool strict = decision.record && decision.record->strict_dkim;
        const auto fits = auth::dmarc_aligned(dns, *author, one.domain, strict);
        if (fits.value_or(false)) return true;
        unseen = unseen || !fits || !decision.failure.empty();
        aligned = false;
    }
    return unseen ? std::nullopt : aligned;
}

Result<DkimMessageLook> verify_message(const DkimQuery& query, auth::DnsCache& dns, const world::World& world) {
    const bool from_stdin = query.message_file == "-";
    dns.deadline().doing("reading " + (from_stdin ? std::string("standard input") : query.message_file));
    const auto bytes = from_stdin ? io::Files::read_standard_input(auth::max_message_bytes)
                                  : world.files->read(query.message_file, auth::max_message_bytes);
    if (!bytes) return fail(bytes.error());
    const auto message = auth::parse_message(*bytes);
    if (!message) return fail(message.error().at(from_stdin ? "standard input" : query.message_file));
    DkimMessageLook look;
    look.from_domain = auth::from_domain(*message);
    look.from_fields = message->count("From");
    look.bare_lf = message->bare_lf;
    look.signatures = auth::verify_dkim(dns, *message, base::unix_seconds(world.clock->wall()));
    look.one_click = auth::one_click_unsubscribe(*message, look.signatures);
    for (const std::string& field : query.require_signed) {
        look.required.emplace_back(field, coverage_of(field, *message, look.signatures));
    }
    look.aligned = alignment_of(look, dns);
    return look;
}

void write_key(base::JsonWriter& json, const DkimKeyLook& look) {
    json.object().member("domain", look.domain).member("selector", look.selector).member("type", look.key.type);
    json.member("bits", look.key.bits).member("testing", look.key.testing).member("revoked", look.key.revoked);
    json.member("record", look.record).member("cnames", look.cnames).member("ttl", look.ttl);
    json.member("authenticated", look.authenticated);
    json.member("matches_private_key", look.matches);
    write_findings(json, look.findings);
    json.end();
}

void write_message(base::JsonWriter& json, const DkimMessageLook& look) {
    json.object().member("from_domain", look.from_domain).key("signatures").array();
    for (const auth::DkimVerification& one : look.signatures) {
        json.object().member("domain", one.domain).member("selector", one.selector).member("algorithm", one.algorithm);
        json.member("result", auth::name(one.result)).member("reason", one.reason).member("key_bits", one.key_bits);
        json.member("signed_fields", one.signed_fields);
        write_findings(json, one.findings);
        json.end();
    }
    json.end().key("required").array();
    for (const auto& [field, coverage] : look.required) {
        json.object().member("field", field).member("coverage", name(coverage)).end();
    }
    json.end().member("one_click_unsubscribe", auth::name(look.one_click)).member("aligned", look.aligned).end();
}

}  // namespace

DkimKeyLook observe_dkim_key(const std::string& domain, const std::string& selector, auth::DnsCache& dns,
                             const std::optional<tls::PublicKey>& own_key) {
    DkimKeyLook look;
    look.domain = domain;
    look.selector = selector;
    const std::string name = key_name(domain, selector);
    const dns::Answer& answer = dns.ask(name, dns::Type::txt);
    look.cnames = answer.chain;
    look.authenticated = answer.authenticated;
    if (!answer.known()) {
        look.findings.add(Weight::unseen, "lookup-failed", dns.failure(name, dns::Type::txt, answer).what);
        return look;
    }
    if (!answer.found()) {
        look.findings.add(Weight::absent, "absent", missing_text(answer), missing_remedy(answer));
        return look;
    }
    look.ttl = answer.records.ttl;
    look.record = pick_record(answer.records.texts, look.findings);
    if (auth::is_spf_record(look.record)) {
        look.findings.add(Weight::absent, "absent",
                          "there is no key: the name answers with an SPF record, as of a wildcard",
                          missing_remedy(answer));
        return look;
    }
    look.key = auth::parse_dkim_key(look.record);
    look.findings.add(look.key.findings);
    if (!answer.chain.empty()) {
        look.findings.add(Weight::note, "cname", fmt::format("the key is published at {}", answer.chain.back()));
    }
    if (look.record.size() > small_record_bytes) {
        look.findings.add(Weight::note, "large-answer",
                          fmt::format("the record has {} bytes: receivers without EDNS have to ask again over TCP",
                                      look.record.size()));
    }
    if (look.ttl > long_ttl) {
        look.findings.add(Weight::note, "long-ttl",
                          fmt::format("TTL {} s: a new key is not seen for more than a day", look.ttl));
    }
    if (own_key && look.key.key) {
        look.matches = *own_key == *look.key.key;
        if (!*look.matches) {
            look.findings.add(Weight::broken, "mismatch", "the private key is another one, so nothing verifies",
                              "publish the key that the signer has, or sign with the one that is published");
        }
    }
    return look;
}

Result<std::string> checked_name(std::string_view text) { return dns::ascii_name(text); }

void fetch_domain(auth::DnsCache& dns, const std::string& domain, const std::vector<std::string>& selectors) {
    std::vector<dns::Question> questions{{.name = domain, .type = dns::Type::txt},
                                         {.name = domain, .type = dns::Type::mx}};
    for (const char* prefix : {"_dmarc.", "_mta-sts.", "_smtp._tls."}) {
        questions.push_back({.name = prefix + domain, .type = dns::Type::txt});
    }
    for (const std::string& selector : selectors) {
        questions.push_back({.name = key_name(domain, selector), .type = dns::Type::txt});
    }
    std::erase_if(questions, [](const dns::Question& one) { return !dns::askable(one.name); });
    dns.fetch(questions);
}

Result<DkimObservation> dkim(const DkimQuery& query, const base::Deadline& deadline, world::World& world) {
    DkimObservation out;
    if (!query.domain.empty()) {
        auto domain = dns::ascii_name(query.domain);
        if (!domain) return fail(domain.error());
        out.domain = std::move(*domain);
    }
    PrivateKey own;
    if (!query.private_key_file.empty()) {
        auto read = read_private_key(query.private_key_file, *world.files);
        if (!read) return fail(read.error());
        own = std::move(*read);
        out.private_key = own.findings;
    }
    auto transport = world::open_resolver(world, query.resolver);
    if (!transport) return fail(transport.error());
    auth::DnsCache dns(**transport, deadline);
    std::vector<dns::Question> questions;
    std::vector<std::string> selectors;
    for (const std::string& given : query.selectors) {
        auto selector = dns::ascii_name(given);
        if (!selector) return fail(selector.error().at("--selector"));
        const std::string name = key_name(out.domain, *selector);
        if (!dns::askable(name)) return fail(base::Fault::usage, "{} is too long for a DNS name", name);
        questions.push_back({.name = name, .type = dns::Type::txt, .dnssec = true});
        selectors.push_back(std::move(*selector));
    }
    dns.fetch(questions);
    for (const std::string& selector : selectors) {
        out.keys.push_back(observe_dkim_key(out.domain, selector, dns, own.key));
        DkimKeyLook& look = out.keys.back();
        if (query.advise) look.remedies = remedies_of(look, dns, own.key);
        if (look.record.empty() || look.authenticated) continue;
        look.findings.add(Weight::note, "not-secure",
                          "the key is not secure: no DNSSEC proof came with it from a resolver on this machine");
    }
    if (!query.message_file.empty()) {
        auto message = verify_message(query, dns, world);
        if (!message) return fail(message.error());
        out.message = std::move(*message);
    }
    return out;
}

std::string_view name(Coverage coverage) {
    switch (coverage) {
        case Coverage::covered:
            return "covered";
        case Coverage::not_signed:
            return "not signed";
        case Coverage::not_passing:
            return "not passing";
        case Coverage::unseen:
            return "unseen";
        case Coverage::not_there:
            return "not there";
    }
    return "not there";
}

std::string to_json(const DkimObservation& observation) {
    base::JsonWriter json;
    json.object().member("domain", observation.domain).key("keys").array();
    for (const DkimKeyLook& look : observation.keys) write_key(json, look);
    json.end().key("private_key").object();
    write_findings(json, observation.private_key);
    json.end().key("message");
    if (observation.message) {
        write_message(json, *observation.message);
    } else {
        json.null();
    }
    json.end();
    return json.take();
}

}  // namespace mtawatch::probe::mail_auth
