#include "shared/probe/mail_server/mail_submit_dialogue.h"

#include <fmt/format.h>

#include <algorithm>

#include "shared/base/base64.h"
#include "shared/base/text.h"
#include "shared/dns/names.h"
#include "shared/tls/mac.h"

namespace mtawatch::probe::mail_server {
namespace {

using base::fail;
using base::Fault;
using base::Result;

constexpr std::size_t max_raw_bytes = 1000;   // of a reply, before the secrets are taken out of it
constexpr std::size_t max_shown_bytes = 300;  // of a reply, as it is shown
constexpr std::size_t nonce_bytes = 18;       // RFC 5802 leaves it open; 144 bits are never the same twice
constexpr int code_ready = 220;
constexpr int code_shutting_down = 421;  // RFC 5321 section 3.8: may come at any time, and the connection ends

bool is_yes(const smtp::Reply& reply) { return reply.code / 100 == 2; }

}  // namespace

SubmitVisit::SubmitVisit(const MailSubmitQuery& query, const smtp::Credentials& credentials, const tls::Context* trust,
                         world::World& world, const base::Deadline& deadline)
    : query_(query), credentials_(credentials), trust_(trust), world_(world), deadline_(deadline) {
    secrets_.add(credentials.password);
    secrets_.add(credentials.token);
    seen_.from = query.from;
    for (const std::string& to : query.to) seen_.recipients.push_back({to, std::nullopt});
}

Result<MailSubmitObservation> SubmitVisit::go() {
    const base::SteadyTime began = deadline_.clock().steady();
    const bool implicit = query_.tls == SubmitTls::implicit;
    bool on = find_and_connect() && (!implicit || encrypt()) && greet() && hello();
    if (on && query_.tls == SubmitTls::starttls) {
        seen_.auth_before_tls = !smtp::offered_mechanisms(keywords_).empty();
        on = start_tls() && encrypt() && hello();
    }
    if (on) {
        for (const std::string& one : smtp::offered_mechanisms(keywords_)) seen_.mechanisms.push_back(clean(one));
        if (query_.user.empty() && query_.from.empty()) {
            seen_.step = SubmitStep::auth;
            on = end(SubmitEnd::not_tried);
        }
    }
    on = on && (query_.user.empty() || log_in()) && name_sender() && name_recipients();
    if (on) {
        seen_.end = SubmitEnd::accepted;
        seen_.total = deadline_.clock().steady() - began;
        reset();
    }
    if (error_) return fail(std::move(*error_));
    quit();
    return std::move(seen_);
}

void SubmitVisit::begin(SubmitStep step, std::string_view doing) {
    seen_.step = step;
    step_began_ = deadline_.clock().steady();
    deadline_.doing(fmt::format("{} {}:{}", doing, query_.host, query_.port));
}

bool SubmitVisit::done() {
    auto& took = seen_.took[static_cast<std::size_t>(seen_.step)];
    took = took.value_or(base::Duration::zero()) + (deadline_.clock().steady() - step_began_);
    return true;
}

bool SubmitVisit::end(SubmitEnd how, std::string_view reason) {
    seen_.end = how;
    seen_.reason = clean(reason);
    return false;
}

bool SubmitVisit::lost(const base::Error& error) {
    switch (error.fault) {
        case Fault::timeout:
            return end(SubmitEnd::silent, error.what);
        case Fault::refused:
            return end(SubmitEnd::closed, error.what);
        case Fault::limit:
            return end(SubmitEnd::not_smtp, error.what);
        default:
            error_ = error;
            return false;
    }
}

std::string SubmitVisit::clean(std::string_view text) const {
    return base::one_line(secrets_.hide(text.substr(0, max_raw_bytes)), max_shown_bytes);
}

SubmitReply SubmitVisit::shown(const smtp::Reply& reply) const {
    std::string text = base::join(reply.lines, " ");
    return {reply.code, clean(fmt::format("{} {}", reply.code, text.substr(0, max_raw_bytes)))};
}

bool SubmitVisit::refused(const smtp::Reply& reply) {
    seen_.reply = shown(reply);
    return end(SubmitEnd::refused);
}

std::optional<smtp::Reply> SubmitVisit::take(const Result<smtp::ReadReply>& read) {
    if (!read) {
        lost(read.error());
        return std::nullopt;
    }
    if (read->end == smtp::ReplyEnd::whole) return read->reply;
    end(read->end == smtp::ReplyEnd::closed ? SubmitEnd::closed : SubmitEnd::not_smtp, read->line);
    return std::nullopt;
}

std::optional<smtp::Reply> SubmitVisit::ask(std::string_view line) { return take(session_->ask(line, deadline_)); }

bool SubmitVisit::find_and_connect() {
    begin(SubmitStep::resolve, "resolving the name of");
    const auto found = world::addresses_of(query_.host, query_.names, world_, deadline_);
    if (!found) {
        if (found.error().fault == Fault::not_found && !base::IpAddress::parse(query_.host)) {
            return end(SubmitEnd::unknown_name, found.error().what);
        }
        error_ = found.error();
        return false;
    }
    done();
    begin(SubmitStep::connect, "connecting to");
    auto dialled = world::dial_first(found->addresses, query_.port, world_, deadline_);
    if (!dialled) {
        if (dialled.error().fault == Fault::refused) return end(SubmitEnd::unreachable, dialled.error().what);
        return lost(dialled.error());
    }
    seen_.address = dialled->address.to_string();
    stream_ = std::move(dialled->stream);
    session_.emplace(*stream_);
    return done();
}

bool SubmitVisit::encrypt() {
    // STARTTLS and the handshake count as one step.
    if (query_.tls == SubmitTls::implicit) begin(SubmitStep::tls, "going over to TLS with");
    const std::string& written = query_.name.empty() ? query_.host : query_.name;
    session_.reset();
    auto shaken =
        tls::shake_hands(std::move(stream_), *trust_, {dns::ascii_name(written).value_or(written)}, deadline_);
    if (!shaken) return lost(shaken.error());
    if (shaken->end == tls::HandshakeEnd::not_tls) {
        const bool behind = query_.tls == SubmitTls::starttls;
        return end(behind ? SubmitEnd::injected : SubmitEnd::no_tls, "what came is not TLS: " + shaken->first_bytes);
    }
    if (!shaken->stream) {
        return end(shaken->end == tls::HandshakeEnd::closed ? SubmitEnd::closed : SubmitEnd::no_tls, shaken->reason);
    }
    seen_.protocol = shaken->stream->session().protocol;
    seen_.cipher = shaken->stream->session().cipher;
    const bool trusted = trusts(shaken->stream->session());
    stream_ = std::move(shaken->stream);
    session_.emplace(*stream_);
    return trusted && done();
}

bool SubmitVisit::trusts(const tls::Session& session) {
    if (!query_.verify) return true;
    if (session.chain.empty()) return end(SubmitEnd::untrusted, "the server shows no certificate");
    const auto verdict = tls::verify_chain(*trust_, session.chain, base::unix_seconds(deadline_.clock().wall()));
    if (!verdict.trusted()) return end(SubmitEnd::untrusted, verdict.findings.front().text);
    const std::string& written = query_.name.empty() ? query_.host : query_.name;
    const std::string wanted = dns::ascii_name(written).value_or(written);
    if (tls::is_for(session.chain.front(), wanted)) return true;
    const auto& names = session.chain.front().dns_names;
    return end(SubmitEnd::untrusted,
               fmt::format("it is not for {}{}", wanted, names.empty() ? "" : " but for " + base::join(names, " ")));
}

bool SubmitVisit::greet() {
    begin(SubmitStep::greeting, "waiting for the greeting of");
    const auto reply = take(session_->receive(deadline_));
    if (!reply) return false;
    return reply->code == code_ready ? done() : refused(*reply);
}

bool SubmitVisit::hello() {
    begin(SubmitStep::hello, "saying EHLO to");
    const auto reply = ask("EHLO " + query_.hello);
    if (!reply) return false;
    if (!is_yes(*reply)) return refused(*reply);
    keywords_ = smtp::ehlo_keywords(*reply);
    return done();
}

bool SubmitVisit::start_tls() {
    begin(SubmitStep::tls, "going over to TLS with");
    if (!smtp::has_keyword(keywords_, "STARTTLS")) return end(SubmitEnd::not_offered);
    const auto reply = ask("STARTTLS");
    if (!reply) return false;
    if (reply->code != code_ready) return refused(*reply);
    return session_->unread().empty() || end(SubmitEnd::injected, session_->unread());
}

// Nothing: the observation says which one is missing.
std::optional<smtp::Mechanism> SubmitVisit::choose() {
    const auto offered = smtp::offered_mechanisms(keywords_);
    const auto chosen = query_.mechanism ? query_.mechanism : smtp::strongest(offered, credentials_);
    const auto is_offered = [&](smtp::Mechanism one) {
        return std::ranges::find(offered, smtp::name(one)) != offered.end();
    };
    if (chosen && is_offered(*chosen)) return chosen;
    const std::string list = offered.empty() ? "no login at all" : base::join(offered, " ");
    end(SubmitEnd::not_offered, chosen ? fmt::format("{} is wanted, and it offers {}", smtp::name(*chosen), list)
                                       : fmt::format("it offers {}", list));
    return std::nullopt;
}

bool SubmitVisit::log_in() {
    begin(SubmitStep::auth, "logging in to");
    const auto chosen = choose();
    if (!chosen) return false;
    seen_.mechanism = smtp::name(*chosen);
    smtp::SaslClient client(*chosen, credentials_, base::encode_base64(tls::random_bytes(nonce_bytes)));
    const auto login = smtp::log_in(*session_, client, deadline_);
    if (!login) return lost(login.error());
    for (const std::string& line : login->said) secrets_.add(line);
    switch (login->end) {
        case smtp::LoginEnd::done:
            return done();
        case smtp::LoginEnd::refused:
            refused(login->read.reply);
            seen_.reason = clean(login->why);
            return false;
        case smtp::LoginEnd::bad_challenge:
            return end(SubmitEnd::not_smtp, login->why);
        case smtp::LoginEnd::unproved:
            return end(SubmitEnd::unproved, "it answers 235 without proof that it knows the password");
        case smtp::LoginEnd::broken:
            break;
    }
    take(login->read);
    return false;
}

bool SubmitVisit::name_sender() {
    begin(SubmitStep::mail, "naming the sender to");
    const auto reply = ask("MAIL FROM:<" + query_.from + ">");
    if (!reply) return false;
    return is_yes(*reply) ? done() : refused(*reply);
}

bool SubmitVisit::name_recipients() {
    begin(SubmitStep::rcpt, "naming the recipients to");
    for (SubmitRecipient& one : seen_.recipients) {
        const auto reply = ask("RCPT TO:<" + one.address + ">");
        if (!reply) return false;
        one.reply = shown(*reply);
        if (reply->code == code_shutting_down) return refused(*reply);
        if (!is_yes(*reply) && !seen_.reply) refused(*reply);
    }
    return !seen_.reply && done();
}

// A failure here is no refusal of mail any more; no message was begun either way.
void SubmitVisit::reset() {
    begin(SubmitStep::reset, "saying RSET to");
    const auto reply = ask("RSET");
    if (reply && is_yes(*reply)) {
        done();
        return;
    }
    seen_.afterwards = reply ? shown(*reply).text : seen_.reason.empty() ? "the connection was closed" : seen_.reason;
    seen_.end = SubmitEnd::accepted;
    seen_.reason.clear();
}

// Politeness keeps "lost connection" out of the server's log; its answer is of no interest.
void SubmitVisit::quit() {
    const bool gone = seen_.end == SubmitEnd::closed || seen_.end == SubmitEnd::silent;
    if (stream_ && session_ && !gone) (void)stream_->write("QUIT\r\n", deadline_);
}

}  // namespace mtawatch::probe::mail_server
