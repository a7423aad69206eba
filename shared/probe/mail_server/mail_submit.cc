#include "shared/probe/mail_server/mail_submit.h"

#include <algorithm>

#include "shared/base/text.h"
#include "shared/io/files.h"
#include "shared/probe/mail_server/mail_submit_dialogue.h"
#include "shared/probe/world/secret_file.h"
#include "shared/probe/world/trust.h"

namespace mtawatch::probe::mail_server {
namespace {

using base::fail;
using base::Fault;
using base::Result;

constexpr std::size_t max_address_bytes = 254;  // RFC 5321 section 4.5.3.1.3
constexpr std::uint32_t readable_by_all = 0004;

constexpr std::array<std::string_view, submit_steps> step_names{"resolve", "connect", "tls",  "greeting", "hello",
                                                                "auth",    "mail",    "rcpt", "reset"};

bool all_printable(std::string_view text) {
    return std::ranges::all_of(text, [](char c) { return c > ' ' && c < 0x7f; });
}

// Written into a command as it stands, so nothing that could end it or add a parameter.
Result<void> check_address(std::string_view address, std::string_view role) {
    const auto at = address.rfind('@');
    const bool whole = at != std::string_view::npos && at > 0 && at + 1 < address.size();
    const bool plain = all_printable(address) && address.find_first_of("<>") == std::string_view::npos;
    if (whole && plain && address.size() <= max_address_bytes) return {};
    return fail(Fault::usage, "{} \"{}\" is no address; write it as user@example.com, in ASCII", role,
                base::one_line(address, max_address_bytes));
}

Result<void> check_login(const MailSubmitQuery& query) {
    const bool secret = !query.password_file.empty() || !query.token_file.empty();
    if (query.user.empty() && secret) return fail(Fault::usage, "the secret is given, and no user it belongs to");
    if (query.user.empty() && query.mechanism) {
        return fail(Fault::usage, "a mechanism is given, and no user to log in as");
    }
    if (query.user.empty()) return {};
    if (!query.password_file.empty() && !query.token_file.empty()) {
        return fail(Fault::usage, "give a password file or a token file, not both");
    }
    if (!secret) return fail(Fault::usage, "the user \"{}\" needs a password file or a token file", query.user);
    for (const char c : query.user) {
        if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) {
            return fail(Fault::usage, "the user name has a control character or line break in it");
        }
    }
    if (query.mechanism && (*query.mechanism == smtp::Mechanism::xoauth2) != !query.token_file.empty()) {
        return fail(Fault::usage, "{} needs a {} file", smtp::name(*query.mechanism),
                    *query.mechanism == smtp::Mechanism::xoauth2 ? "token" : "password");
    }
    if (query.tls == SubmitTls::none && !query.allow_plaintext) {
        return fail(Fault::usage,
                    "without TLS anybody on the way can read the login: use TLS, or allow this expressly "
                    "(--allow-plaintext, allow_plaintext: true)");
    }
    return {};
}

struct Secrets {
    smtp::Credentials credentials;
    std::vector<std::string> loose_files;
};

Result<Secrets> read_secrets(const MailSubmitQuery& query, const world::World& world) {
    Secrets read;
    read.credentials.user = query.user;
    for (const auto& [path, into] : {std::pair{&query.password_file, &read.credentials.password},
                                     std::pair{&query.token_file, &read.credentials.token}}) {
        if (path->empty()) continue;
        auto secret = world::read_secret(world, *path);
        if (!secret) return fail(secret.error());
        *into = std::move(*secret);
        const auto info = world.files->info(*path);
        if (info && (info->mode & readable_by_all) != 0) read.loose_files.push_back(*path);
    }
    if (query.mechanism && !query.user.empty() && !smtp::fits(*query.mechanism, read.credentials)) {
        return fail(Fault::configuration, "{} takes a user and a password in ASCII only: choose another mechanism",
                    smtp::name(*query.mechanism));
    }
    return read;
}

Result<std::shared_ptr<const tls::Context>> trust_of(const MailSubmitQuery& query, const world::World& world) {
    if (query.tls == SubmitTls::none) return nullptr;
    tls::TrustSettings trust;
    trust.ca_directory = query.verify ? world.files->real_path(trust.ca_directory) : "";
    return world::trust_of(std::move(trust), query.ca_file, world);
}

}  // namespace

std::optional<SubmitTls> submit_tls_named(std::string_view word) {
    if (word == "starttls") return SubmitTls::starttls;
    if (word == "implicit") return SubmitTls::implicit;
    if (word == "none") return SubmitTls::none;
    return std::nullopt;
}

std::string_view name(SubmitStep step) { return step_names[static_cast<std::size_t>(step)]; }

std::optional<SubmitStep> submit_step_named(std::string_view word) {
    const auto* found = std::ranges::find(step_names, word);
    if (found == step_names.end()) return std::nullopt;
    return static_cast<SubmitStep>(found - step_names.begin());
}

std::string_view name(SubmitEnd end) {
    constexpr std::array<std::string_view, 13> names{"accepted", "not_tried", "unknown_name", "unreachable", "silent",
                                                     "closed",   "refused",   "not_offered",  "injected",    "not_smtp",
                                                     "no_tls",   "untrusted", "unproved"};
    return names[static_cast<std::size_t>(end)];
}

Result<MailSubmitQuery> completed(MailSubmitQuery query) {
    if (query.host.starts_with('[') && query.host.ends_with(']')) {
        query.host = query.host.substr(1, query.host.size() - 2);
    }
    if (auto done = check_login(query); !done) return fail(done.error());
    if (query.tls == SubmitTls::none && (!query.name.empty() || !query.ca_file.empty() || !query.verify)) {
        return fail(Fault::usage, "without TLS there is no certificate to verify, or not to");
    }
    if (query.hello.empty() || !all_printable(query.hello)) {
        return fail(Fault::usage, "the name for EHLO has a blank, a control character or a letter that is not ASCII");
    }
    if (query.from.empty() && query.user.find('@') != std::string::npos) query.from = query.user;
    if (query.from.empty() && !query.to.empty()) {
        return fail(Fault::usage, "a recipient is given, and no sender to ask for it");
    }
    if (query.from.empty() && !query.user.empty()) {
        return fail(Fault::usage, "the user \"{}\" is no address, so name the sender too", query.user);
    }
    if (query.from.empty()) return query;
    if (query.to.empty()) query.to = {query.from};
    if (query.to.size() > MailSubmitQuery::max_recipients) {
        return fail(Fault::usage, "{} recipients are too many for one message; at most {}", query.to.size(),
                    MailSubmitQuery::max_recipients);
    }
    if (auto done = check_address(query.from, "the sender"); !done) return fail(done.error());
    for (const std::string& to : query.to) {
        if (auto done = check_address(to, "the recipient"); !done) return fail(done.error());
    }
    return query;
}

Result<MailSubmitObservation> mail_submit(const MailSubmitQuery& query, const base::Deadline& deadline,
                                          world::World& world) {
    const auto whole = completed(query);
    if (!whole) return fail(whole.error());
    auto secrets = read_secrets(*whole, world);
    if (!secrets) return fail(secrets.error());
    const auto trust = trust_of(*whole, world);
    if (!trust) return fail(trust.error());
    auto seen = SubmitVisit(*whole, secrets->credentials, trust->get(), world, deadline).go();
    if (seen) seen->loose_files = std::move(secrets->loose_files);
    return seen;
}

}  // namespace mtawatch::probe::mail_server
