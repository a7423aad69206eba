// DNS lookup: typed answers with CNAMEs followed, and every kind of failure kept apart.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "shared/base/deadline.h"
#include "shared/base/ip.h"
#include "shared/base/result.h"
#include "shared/dns/message.h"
#include "shared/dns/transport.h"

namespace mtawatch::io {
class Files;
}

namespace mtawatch::dns {

enum class Outcome {
    records,  // there are records of the type asked for
    no_data,  // the name exists, without records of this type
    no_name,  // NXDOMAIN: nothing has this name (RFC 8020: nothing below it either)
    failed,   // we do not know; Answer::failure says why
};

enum class Failure {
    none,
    servfail,
    refused,
    other_code,   // FORMERR, NOTIMP, …
    timeout,      // no answer in the question's time
    unreachable,  // no resolver can be reached
    malformed,    // an answer came that cannot be read
    referral,     // it says whom to ask instead: no resolver, or one that does not resolve for us
    cname_loop,   // CNAMEs lead in a circle
    cname_limit,  // more CNAMEs than max_cnames
    deadline,     // the whole run's deadline passed first
};
[[nodiscard]] std::string_view name(Failure failure);  // "SERVFAIL", "REFUSED", "timeout", …: for messages and JSON

// Long enough for every delivery network; resolvers give up at 8 to 16 themselves.
inline constexpr std::size_t max_cnames = 12;

struct Answer {
    Outcome outcome = Outcome::failed;
    Failure failure = Failure::none;  // set when outcome is failed
    std::uint8_t rcode = 0;           // of Failure::other_code
    std::string reason;               // of servfail, refused, other_code: what the resolver says (RFC 8914), or ""
    bool over_tcp = false;            // of timeout, unreachable, deadline: it answers over UDP and sends us to TCP
    Records records;                  // not empty when outcome is records
    std::vector<std::string> chain;   // CNAME targets followed, in order; the last one owns the records
    bool authenticated = false;       // DNSSEC-validated by a resolver whose AD bit counts; the whole chain is
    base::Duration took{};            // of the last message

    [[nodiscard]] bool found() const { return outcome == Outcome::records; }
    // The name is there or not there, but we do know.
    [[nodiscard]] bool known() const { return outcome != Outcome::failed; }
};

// One question, or many at once (answers in the order of the questions). CNAMEs are followed, over several messages if
// need be. Never an Error: what could not be seen is Outcome::failed with its reason.
[[nodiscard]] Answer lookup(Transport& transport, const Question& question, const base::Deadline& deadline);
[[nodiscard]] std::vector<Answer> lookup_many(Transport& transport, std::span<const Question> questions,
                                              const base::Deadline& deadline);

// name(failure), but for other_code the code's own name: "NOTIMP", "response code 9".
[[nodiscard]] std::string failure_text(const Answer& answer);

// A failed lookup as an Error (Fault::resolver; deadline: Fault::deadline) in words: "TXT example.net: the resolver
// answered SERVFAIL (127.0.0.1)".
[[nodiscard]] base::Error failure_error(const Transport& transport, const Question& question, const Answer& answer);

enum class Family { any, v4, v6 };

struct HostAddresses {
    std::vector<base::IpAddress> addresses;  // IPv4 first; not empty
    bool authenticated = false;              // every answer that gave an address was
    std::string canonical;                   // the name after CNAMEs, or the name itself
};

// The addresses to connect to for what an operator wrote: a numeric address as it is, "localhost" (RFC 6761 6.3)
// without asking, then /etc/hosts, then A and AAAA. IDN names are taken. Faults: usage (not a name), not_found (no such
// name or no address of this family), resolver (could not find out), deadline.
[[nodiscard]] base::Result<HostAddresses> host_addresses(Transport& transport, const io::Files& files,
                                                         std::string_view host, Family family,
                                                         const base::Deadline& deadline);

}  // namespace mtawatch::dns
