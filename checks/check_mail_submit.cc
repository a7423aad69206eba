// check_mail_submit: judges whether a submission server takes mail from a sender that logs in.
#include <fmt/format.h>

#include <cmath>
#include <map>

#include "shared/base/text.h"
#include "shared/plugin/check.h"
#include "shared/probe/mail_server/mail_submit.h"

namespace mtawatch::checks {
namespace {

using base::fail;
using base::Fault;
using base::Result;
using plugin::Kind;
using plugin::Options;
using plugin::Report;
using plugin::State;
using plugin::Thresholds;
using probe::mail_server::MailSubmitObservation;
using probe::mail_server::SubmitEnd;
using probe::mail_server::SubmitReply;
using probe::mail_server::SubmitStep;

options::OptionTable server_options() {
    return {
        {.name = "hostname",
         .letter = 'H',
         .kind = Kind::host,
         .metavar = "HOST",
         .help = "Submission server",
         .required = true},
        {.name = "port",
         .letter = 'p',
         .kind = Kind::integer,
         .metavar = "PORT",
         .help = "Its port",
         .fallback_text = "587, 465 with --tls implicit",
         .least = 1,
         .most = 65535},
        {.name = "tls",
         .kind = Kind::choice,
         .metavar = "starttls|implicit|none",
         .help = "How TLS is started; a server that does not offer it is CRITICAL, never talked to in plain text",
         .fallback_text = "starttls, implicit on port 465"},
    };
}

options::OptionTable login_options() {
    return {
        {.name = "user",
         .metavar = "NAME",
         .help = "Log in as this user, once a run; an account that locks after failures counts each run with a wrong "
                 "secret"},
        {.name = "password-file", .metavar = "FILE", .help = "File with the user's password as its one line"},
        {.name = "token-file", .metavar = "FILE", .help = "File with an OAuth 2.0 access token, for XOAUTH2"},
        {.name = "mechanism",
         .kind = Kind::choice,
         .metavar = "SCRAM-SHA-256|CRAM-MD5|PLAIN|LOGIN|XOAUTH2",
         .help = "How to log in",
         .fallback_text = "the first of these that is offered and fits"},
        {.name = "allow-plaintext", .kind = Kind::flag, .help = "Allow a login without TLS, which others can read"},
        {.name = "from",
         .kind = Kind::mailbox,
         .metavar = "ADDRESS",
         .help = "Sender",
         .fallback_text = "the user, where that is an address"},
        {.name = "to",
         .kind = Kind::mailbox,
         .metavar = "ADDRESS",
         .help = "Recipient; one in another domain proves that the login may relay",
         .fallback_text = "the sender",
         .repeatable = true},
        {.name = "helo",
         .metavar = "NAME",
         .help = "How to greet the server (EHLO)",
         .fallback = "localhost.localdomain"},
    };
}

options::OptionTable judging_options() {
    return {
        {.name = "warning",
         .letter = 'w',
         .kind = Kind::range,
         .help = "Seconds from the start to the last recipient",
         .fallback_text = "none"},
        {.name = "critical",
         .letter = 'c',
         .kind = Kind::range,
         .help = "The same for CRITICAL",
         .fallback_text = "none"},
        {.name = "phase",
         .metavar = "PHASE=WARNING/CRITICAL",
         .help = "Seconds of one phase: resolve, connect, tls, greeting, hello, auth, mail or rcpt",
         .repeatable = true},
        {.name = "temporary",
         .kind = Kind::choice,
         .metavar = "warning|critical",
         .help = "State for a temporary refusal (a reply of 4xx)",
         .fallback = "critical"},
        {.name = "name",
         .kind = Kind::host,
         .metavar = "NAME",
         .help = "Name the certificate must be for, also sent as SNI",
         .fallback_text = "the host"},
        {.name = "ca-file",
         .metavar = "FILE",
         .help = "PEM file of the only authorities to trust",
         .fallback_text = "the system's in /etc/ssl/certs"},
        {.name = "no-verify",
         .kind = Kind::flag,
         .help = "Take any certificate; then anybody in between can get the secret"},
    };
}

options::OptionTable options() {
    return options::options_of(
        {server_options(), login_options(), judging_options(), plugin::dns_options(), plugin::family_options()});
}

Result<probe::mail_server::MailSubmitQuery> query_of(const Options& options) {
    probe::mail_server::MailSubmitQuery query;
    query.host = options.text("hostname");
    query.tls = probe::mail_server::submit_tls_named(options.find_text("tls").value_or("starttls")).value();
    const auto usual = query.tls == probe::mail_server::SubmitTls::implicit ? probe::mail_server::submissions_port
                                                                            : probe::mail_server::submission_port;
    query.port = static_cast<std::uint16_t>(options.find_integer("port").value_or(usual));
    if (!options.given("tls") && query.port == probe::mail_server::submissions_port) {
        query.tls = probe::mail_server::SubmitTls::implicit;
    }
    query.user = options.find_text("user").value_or("");
    query.password_file = options.find_text("password-file").value_or("");
    query.token_file = options.find_text("token-file").value_or("");
    if (const auto word = options.find_text("mechanism")) query.mechanism = smtp::mechanism_named(*word);
    query.allow_plaintext = options.flag("allow-plaintext");
    query.from = options.find_text("from").value_or("");
    query.to = options.list("to");
    query.hello = options.text("helo");
    query.name = options.find_text("name").value_or("");
    query.ca_file = options.find_text("ca-file").value_or("");
    query.verify = !options.flag("no-verify");
    query.names.resolver.servers = options.list("dns-server");
    if (options.family() == plugin::Family::ipv4) query.names.family = dns::Family::v4;
    if (options.family() == plugin::Family::ipv6) query.names.family = dns::Family::v6;
    return probe::mail_server::completed(std::move(query));
}

struct SubmitLimits {
    Thresholds total;
    std::map<SubmitStep, Thresholds> steps;
    State temporary = State::critical;
};

// "auth=1/3".
Result<void> read_phase(const std::string& text, const probe::mail_server::MailSubmitQuery& query,
                        SubmitLimits& limits) {
    const auto sign = text.find('=');
    const auto step = probe::mail_server::submit_step_named(std::string_view(text).substr(0, sign));
    if (sign == std::string::npos || !step || *step == SubmitStep::reset) {
        return fail(Fault::usage,
                    "--phase \"{}\": write PHASE=WARNING/CRITICAL in seconds, auth=1/3; phases: resolve connect tls "
                    "greeting hello auth mail rcpt",
                    text);
    }
    const bool never = (*step == SubmitStep::tls && query.tls == probe::mail_server::SubmitTls::none) ||
                       (*step == SubmitStep::auth && query.user.empty());
    if (never) return fail(Fault::usage, "--phase {}: with these options there is no such phase", text);
    auto read = Thresholds::parse(std::string_view(text).substr(sign + 1));
    if (!read) return fail(read.error().at(fmt::format("--phase {}", text)));
    limits.steps[*step] = std::move(*read);
    return {};
}

Result<SubmitLimits> limits_of(const Options& options, const probe::mail_server::MailSubmitQuery& query) {
    SubmitLimits limits;
    limits.total = options.thresholds();
    limits.temporary = options.text("temporary") == "warning" ? State::warning : State::critical;
    if (limits.total.any() && query.from.empty()) {
        return fail(Fault::usage,
                    "--warning and --critical judge a whole submission; name its sender with --user or "
                    "--from");
    }
    for (const std::string& text : options.list("phase")) {
        if (auto done = read_phase(text, query, limits); !done) return fail(done.error());
    }
    return limits;
}

// To the microsecond: what is finer is noise.
double seconds(base::Duration duration) {
    return std::round(std::chrono::duration<double>(duration).count() * 1e6) / 1e6;
}

// What an operator would look at first, by RFC 4954 section 6 and RFC 5321 section 4.2.
std::string_view login_remedy(int code, bool by_token) {
    if (code == 432) return "the account wants a new password before this mechanism works: choose another --mechanism";
    if (code == 534) return "the mechanism is too weak for this account: choose another with --mechanism";
    if (code == 504) return "the server offers the mechanism and does not know it: choose another with --mechanism";
    if (code == 538 || code == 530) return "it wants TLS before a login";
    if (code < 500) return "look at its authentication service (SASL), not at the password";
    if (by_token) return "renew the access token, and look at its scope; this was the one attempt of this run";
    return "look at user, secret and account; this was the one attempt of this run";
}

std::string_view sender_remedy(int code, bool logged_in) {
    if (code == 530) return "it wants a login first: give --user and --password-file";
    if (code == 452 || code == 552) return "look at its disk and quotas";
    if (code < 500) return "look at the server's log";
    return logged_in ? "is this login allowed to send as this --from?" : "is this --from allowed without a login?";
}

std::string_view recipient_remedy(int code, bool logged_in) {
    if (code == 452 || code == 552) return "look at its disk, quotas and limits";
    if (code < 500) return "greylisting or a lookup that fails: look at the server's log, or choose another --to";
    return logged_in ? "does the recipient exist, and may this login send there?"
                     : "does the recipient exist, and may this host send there without a login?";
}

std::string_view remedy(const MailSubmitObservation& seen, int code, bool logged_in) {
    switch (seen.step) {
        case SubmitStep::auth:
            return login_remedy(code, seen.mechanism == smtp::name(smtp::Mechanism::xoauth2));
        case SubmitStep::mail:
            return sender_remedy(code, logged_in);
        case SubmitStep::rcpt:
            return recipient_remedy(code, logged_in);
        case SubmitStep::hello:
            return "is the name of --helo one that it takes?";
        case SubmitStep::tls:
            return "look at its certificate and key";
        default:
            return "look at the server's log, its limits and its lists of hosts";
    }
}

std::string_view refused_what(SubmitStep step) {
    switch (step) {
        case SubmitStep::greeting:
            return "refuses the connection with its greeting";
        case SubmitStep::hello:
            return "refuses EHLO";
        case SubmitStep::tls:
            return "offers STARTTLS and refuses it";
        case SubmitStep::auth:
            return "refuses the login";
        default:
            return "refuses";
    }
}

std::string_view when(SubmitStep step) {
    switch (step) {
        case SubmitStep::resolve:
        case SubmitStep::connect:
            return "when connecting";
        case SubmitStep::tls:
            return "while going over to TLS";
        case SubmitStep::greeting:
            return "before its greeting";
        case SubmitStep::hello:
            return "after EHLO";
        case SubmitStep::auth:
            return "during the login";
        case SubmitStep::mail:
            return "after the sender (MAIL)";
        case SubmitStep::rcpt:
            return "after a recipient (RCPT)";
        case SubmitStep::reset:
            break;
    }
    return "after RSET";
}

std::string not_offered(const MailSubmitObservation& seen) {
    if (seen.step == SubmitStep::tls) {
        return "does not offer STARTTLS, so a login would be read on the way; give the service a certificate, or use "
               "--tls implicit where the port speaks TLS at once";
    }
    return fmt::format(
        "does not let this user log in: {}; look at its authentication service (SASL){}", seen.reason,
        seen.mechanism.empty() && seen.mechanisms.empty() ? " and whether this port is for submission" : "");
}

// What keeps mail from being taken, apart from replies to recipients.
std::string trouble(const MailSubmitObservation& seen, bool logged_in) {
    const std::string because = seen.reason.empty() ? "" : ": " + seen.reason;
    switch (seen.end) {
        case SubmitEnd::unknown_name:
            return "has no address" + because;
        case SubmitEnd::unreachable:
            return "cannot be reached" + because;
        case SubmitEnd::silent:
            return fmt::format("does not answer {}{}", when(seen.step), because);
        case SubmitEnd::closed:
            return fmt::format("closes the connection {}{}", when(seen.step), because);
        case SubmitEnd::refused: {
            const std::string_view what =
                seen.step == SubmitStep::mail ? "refuses the sender" : refused_what(seen.step);
            return fmt::format("{}{}: {}{}; {}", what, seen.step == SubmitStep::mail ? " " + seen.from : "",
                               seen.reply->text, seen.reason.empty() ? "" : " (" + seen.reason + ")",
                               remedy(seen, seen.reply->code, logged_in));
        }
        case SubmitEnd::not_offered:
            return not_offered(seen);
        case SubmitEnd::injected:
            return "goes on in plain text behind the STARTTLS go-ahead; somebody in between can inject it" + because;
        case SubmitEnd::not_smtp:
            return fmt::format("does not say what belongs there {}{}", when(seen.step), because);
        case SubmitEnd::no_tls:
            return "makes no TLS connection" + because;
        case SubmitEnd::untrusted:
            return "shows a certificate that does not verify, so no login was tried" + because;
        case SubmitEnd::unproved:
            return "lets us in and may be somebody else" + because;
        case SubmitEnd::accepted:
        case SubmitEnd::not_tried:
            break;
    }
    return {};
}

State state_of(const std::optional<SubmitReply>& reply, const SubmitLimits& limits) {
    return reply && reply->temporary() ? limits.temporary : State::critical;
}

void judge_recipients(const MailSubmitObservation& seen, const SubmitLimits& limits, const std::string& server,
                      Report& report) {
    for (const probe::mail_server::SubmitRecipient& one : seen.recipients) {
        if (one.accepted()) {
            report.note(1, fmt::format("{} takes {}: {}", server, one.address, one.reply->text));
        } else if (one.reply) {
            report.add(state_of(one.reply, limits),
                       fmt::format("{} refuses the recipient {}: {}; {}", server, one.address, one.reply->text,
                                   recipient_remedy(one.reply->code, !seen.mechanism.empty())));
        }
    }
}

void judge_times(const MailSubmitObservation& seen, const SubmitLimits& limits, const std::string& server,
                 Report& report) {
    if (seen.total) {
        const double took = seconds(*seen.total);
        if (const State state = limits.total.judge(took); state != State::ok) {
            report.add(state, fmt::format("{} took {:.3f} s for all, {}", server, took, limits.total.reason(took)));
        }
        report.figure("time", took, plugin::Unit::seconds, limits.total, 0.0);
    }
    for (std::size_t i = 0; i < seen.took.size(); ++i) {
        const auto step = static_cast<SubmitStep>(i);
        if (!seen.took[i] || step == SubmitStep::reset) continue;
        const double took = seconds(*seen.took[i]);
        const auto found = limits.steps.find(step);
        const Thresholds own = found == limits.steps.end() ? Thresholds{} : found->second;
        if (const State state = own.judge(took); state != State::ok) {
            report.add(state, fmt::format("{} took {:.3f} s for {}, {}", server, took, name(step), own.reason(took)));
        }
        report.figure(fmt::format("time_{}", name(step)), took, plugin::Unit::seconds, own, 0.0);
    }
}

std::string how(const MailSubmitObservation& seen) {
    const std::string over = seen.protocol.empty() ? "in plain text" : "over " + seen.protocol;
    return seen.mechanism.empty() ? "without a login, " + over : fmt::format("login with {} {}", seen.mechanism, over);
}

std::string taken(const MailSubmitObservation& seen, const std::string& server) {
    const std::string whom = seen.recipients.size() == 1 ? seen.recipients.front().address
                                                         : fmt::format("{} recipients", seen.recipients.size());
    return fmt::format("{} takes mail from {} for {}: {}, {:.3f} s", server, seen.from, whom, how(seen),
                       seconds(*seen.total));
}

void add_notes(const MailSubmitObservation& seen, const std::string& server, Report& report) {
    if (!seen.mechanisms.empty()) report.note(1, fmt::format("{} offers {}", server, base::join(seen.mechanisms, " ")));
    if (seen.auth_before_tls) {
        report.note(1, fmt::format("{} offers a login before TLS: a careless client would send its password in plain "
                                   "text",
                                   server));
    }
    if (!seen.protocol.empty()) {
        report.note(2, fmt::format("{} ({}): {} {}", server, seen.address, seen.protocol, seen.cipher));
    }
}

Report judge(const MailSubmitObservation& seen, const SubmitLimits& limits, const std::string& server) {
    Report report;
    const bool logged_in = seen.took[static_cast<std::size_t>(SubmitStep::auth)].has_value();
    const bool by_recipient = seen.end == SubmitEnd::refused && seen.step == SubmitStep::rcpt;
    if (seen.end == SubmitEnd::accepted) {
        report.add(State::ok, taken(seen, server));
        if (!seen.afterwards.empty()) {
            report.add(State::warning, fmt::format("{} takes sender and recipients, and then RSET goes wrong: {}",
                                                   server, seen.afterwards));
        }
    } else if (seen.end == SubmitEnd::not_tried) {
        report.add(State::unknown,
                   fmt::format("{} offers {}, and no mail was tried: give --user with --password-file, or --from where "
                               "it takes mail without a login",
                               server, seen.mechanisms.empty() ? "no login" : base::join(seen.mechanisms, " ")));
    } else if (!by_recipient) {
        report.add(state_of(seen.end == SubmitEnd::refused ? seen.reply : std::nullopt, limits),
                   fmt::format("{} {}", server, trouble(seen, logged_in)));
    }
    judge_recipients(seen, limits, server, report);
    judge_times(seen, limits, server, report);
    add_notes(seen, server, report);
    if (!seen.loose_files.empty() && report.state() == State::ok) {
        report.summary = fmt::format("{}; note: {} can be read by everybody on this machine, chmod 640",
                                     report.details.front().text, base::join(seen.loose_files, " and "));
    }
    for (const std::string& file : seen.loose_files) {
        report.note(report.summary.empty() ? 0 : 1,
                    fmt::format("{} can be read by everybody on this machine: chmod 640", file));
    }
    report.observation = to_json(seen);
    return report;
}

Result<Report> run(const Options& options, const base::Deadline& deadline, probe::world::World& world) {
    const auto query = query_of(options);
    if (!query) return fail(query.error());
    const auto limits = limits_of(options, *query);
    if (!limits) return fail(limits.error());
    const auto seen = probe::mail_server::mail_submit(*query, deadline, world);
    if (!seen) return fail(seen.error());
    return judge(*seen, *limits, fmt::format("{}:{}", base::url_host(query->host), query->port));
}

}  // namespace

plugin::Check mail_submit() {
    return {.name = "mail_submit",
            .purpose = "Alerts when a submission server does not take mail from an authenticated sender",
            .options = options(),
            .run = run,
            .example =
                "check_mail_submit -H mail.example.net --user monitor@example.net --password-file "
                "/etc/nagios/submit.password --to postmaster@example.com -w 2 -c 5"};
}

}  // namespace mtawatch::checks
