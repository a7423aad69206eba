// STARTTLS client: the dialogue before the TLS handshake, for five protocols.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "shared/base/deadline.h"
#include "shared/base/result.h"
#include "shared/io/stream.h"

namespace mtawatch::smtp {

enum class Protocol {
    smtp,   // RFC 3207; submission too
    lmtp,   // RFC 2033
    imap,   // RFC 3501 section 6.2.1, RFC 9051
    pop3,   // RFC 2595
    sieve,  // ManageSieve, RFC 5804
};
[[nodiscard]] std::string_view name(Protocol protocol);  // "SMTP", "LMTP", "IMAP", "POP3", "ManageSieve"

enum class StartTlsEnd {
    ready,             // the server waits for the TLS handshake
    greeting_refused,  // it greets with a refusal: 554, 421, BYE, -ERR
    hello_refused,     // it refuses EHLO or LHLO
    not_offered,       // STARTTLS is not among its capabilities
    refused,           // it offers STARTTLS and refuses it
    // It said more in plain text behind its go-ahead: whoever sits in between can have put it there, and a careless
    // client would take it for the encrypted answer.
    injected,
    not_protocol,  // what it says is not this protocol
    closed,        // it closed the connection before it was done
};
[[nodiscard]] std::string_view name(StartTlsEnd end);  // a stable word for JSON: "not_offered"

struct StartTls {
    StartTlsEnd end = StartTlsEnd::closed;
    std::string greeting;                   // its first line, readable
    std::vector<std::string> capabilities;  // keywords with their parameters; empty where it never told any
    std::string line;                       // what the end rests on, readable: the refusal, the injected text
};

// From the greeting to the server's go-ahead; the caller then shakes hands over the same stream. `hello_name` is what
// SMTP and LMTP introduce us with. A server that does not play along is an end, not an Error.
// Faults: timeout (deadline), limit (it never stops sending), io.
[[nodiscard]] base::Result<StartTls> start_tls(io::Stream& stream, Protocol protocol, std::string_view hello_name,
                                               const base::Deadline& deadline);

// What ends a session politely once TLS is up (or STARTTLS is not to be had): "QUIT", "a9 LOGOUT", "LOGOUT" and CRLF.
[[nodiscard]] std::string_view goodbye(Protocol protocol);

}  // namespace mtawatch::smtp
