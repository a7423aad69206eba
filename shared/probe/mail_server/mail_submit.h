// Probe of mail submission: whether a server takes mail from a sender that logs in. Goes as far as RCPT and sends no
// message.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "shared/base/clock.h"
#include "shared/base/deadline.h"
#include "shared/base/result.h"
#include "shared/probe/world/dial.h"
#include "shared/probe/world/world.h"
#include "shared/smtp/sasl.h"

namespace mtawatch::probe::mail_server {

inline constexpr std::uint16_t submission_port = 587;   // RFC 6409
inline constexpr std::uint16_t submissions_port = 465;  // RFC 8314: TLS from the first byte

enum class SubmitTls { starttls, implicit, none };
// "starttls", "implicit", "none"; nothing for another word.
[[nodiscard]] std::optional<SubmitTls> submit_tls_named(std::string_view word);

struct MailSubmitQuery {
    std::string host;  // name or address; completed() takes the brackets of [2001:db8::1] away
    std::uint16_t port = submission_port;
    SubmitTls tls = SubmitTls::starttls;
    std::string user = {};           // "": no login
    std::string password_file = {};  // with a user one of the two
    std::string token_file = {};     // OAuth 2.0 access token
    std::optional<smtp::Mechanism> mechanism = {};
    bool allow_plaintext = false;      // log in without TLS
    std::string from = {};             // "": the user where that is an address, else no mail is tried
    std::vector<std::string> to = {};  // none: the sender itself
    std::string hello = "localhost.localdomain";
    std::string name = {};     // to verify and to send as SNI instead of the host; "" is the host
    std::string ca_file = {};  // trusted instead of the system's authorities; "" is the system
    bool verify = true;
    world::NameChoice names = {};

    static constexpr std::size_t max_recipients = 100;  // RFC 5321 section 4.5.3.1.8: servers take as many
};

// The query with its defaults filled in. Usage error in words where it contradicts itself, could send a secret in
// plain text, or names an address that is none.
[[nodiscard]] base::Result<MailSubmitQuery> completed(MailSubmitQuery query);

enum class SubmitStep { resolve, connect, tls, greeting, hello, auth, mail, rcpt, reset };
inline constexpr std::size_t submit_steps = 9;
[[nodiscard]] std::string_view name(SubmitStep step);  // "resolve", …: for figures and JSON
[[nodiscard]] std::optional<SubmitStep> submit_step_named(std::string_view word);

enum class SubmitEnd {
    accepted,   // the sender and every recipient were taken
    not_tried,  // neither login nor sender was asked for: it went as far as the offer of a login
    unknown_name,
    unreachable,  // the port refuses the connection
    silent,       // no answer in its time
    closed,       // it closed or reset the connection
    refused,      // by the reply; at `rcpt` the replies stand with the recipients
    not_offered,  // `tls`: STARTTLS, `auth`: a login, or the mechanism that is wanted
    injected,     // plain text behind the go-ahead of STARTTLS
    not_smtp,
    no_tls,     // the handshake failed
    untrusted,  // the certificate does not verify, so no login was tried
    unproved,   // it let us in without proof that it knows the password (SCRAM)
};
[[nodiscard]] std::string_view name(SubmitEnd end);  // "not_offered", …: for JSON

// What the server said, readable, bounded, without what we told it in secret.
struct SubmitReply {
    int code = 0;
    std::string text;  // with the code in front
    [[nodiscard]] bool temporary() const { return code >= 400 && code < 500; }
};

struct SubmitRecipient {
    std::string address;
    std::optional<SubmitReply> reply;  // absent: it did not come to that
    [[nodiscard]] bool accepted() const { return reply && reply->code >= 200 && reply->code < 300; }
};

struct MailSubmitObservation {
    std::string address;  // connected to; "" where it did not come to that
    SubmitEnd end = SubmitEnd::accepted;
    SubmitStep step = SubmitStep::resolve;  // where it ended
    std::optional<SubmitReply> reply;       // refused: with what
    std::string reason;                     // what any other end rests on, in words
    std::string protocol;                   // "TLSv1.3"; "" without TLS
    std::string cipher;
    bool auth_before_tls = false;         // it offers a login before STARTTLS
    std::vector<std::string> mechanisms;  // offered where a login would take place
    std::string mechanism;                // used; "" without a login
    std::string from;
    std::vector<SubmitRecipient> recipients;
    std::string afterwards;                // all was taken, and then RSET went wrong: how
    std::vector<std::string> loose_files;  // secret files that everybody on this machine may read
    // How long each step took, by SubmitStep; a step that takes place twice (EHLO before and after STARTTLS) counts
    // both. Absent: not come to its end.
    std::array<std::optional<base::Duration>, submit_steps> took;
    std::optional<base::Duration> total;  // up to the last recipient; absent unless accepted
};

// One visit, one login at most. A server that does not play along is an observation. Errors: the query (usage), files,
// resolver, this machine's trouble.
[[nodiscard]] base::Result<MailSubmitObservation> mail_submit(const MailSubmitQuery& query,
                                                              const base::Deadline& deadline, world::World& world);

// docs/submission.md names the fields. The secret is in none of them.
[[nodiscard]] std::string to_json(const MailSubmitObservation& observation);

}  // namespace mtawatch::probe::mail_server
