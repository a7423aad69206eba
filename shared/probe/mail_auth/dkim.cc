#include "shared/probe/mail_auth/dkim.h"

#include <fmt/core.h>

#include <algorithm>

#include "shared/base/json.h"
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

// What to publish: the own key if there is one to derive it from.
std::string paste(const std::string& name, const std::optional<tls::PublicKey>& own_key) {
    const auto record = own_key ? auth::dkim_key_record(*own_key) : std::nullopt;
    return fmt::format("publish: {}. IN TXT \"{}\"", name, record.value_or("v=DKIM1; k=rsa; p=PUBLIC-KEY"));
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
        Coverage coverage = message->count(field) == 0 ? Coverage::not_there : Coverage::not_signed;
        for (const auth::DkimVerification& one : look.signatures) {
            if (one.result == auth::DkimResult::pass && auth::covers_field(one, *message, field)) {
                coverage = Coverage::covered;
            }
        }
        look.required.emplace_back(field, coverage);
    }
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
    json.end().member("one_click_unsubscribe", auth::name(look.one_click)).end();
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
        look.findings.add(Weight::absent, "absent", fmt::format("{}; {}", missing_text(answer), paste(name, own_key)));
        return look;
    }
    look.ttl = answer.records.ttl;
    look.record = pick_record(answer.records.texts, look.findings);
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
            look.findings.add(
                Weight::broken, "mismatch",
                fmt::format("the private key is another one, so nothing verifies; {}", paste(name, own_key)));
        }
    } else if (own_key && !look.key.revoked) {
        look.findings.add(Weight::note, "publish", paste(name, own_key));
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
