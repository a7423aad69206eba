// Probe of DKIM: the published keys, whether our private key belongs to them, and whether a message's signatures
// verify.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "shared/auth/dkim_key.h"
#include "shared/auth/dkim_verify.h"
#include "shared/base/result.h"
#include "shared/probe/mail_auth/findings.h"
#include "shared/probe/mail_auth/remedy.h"
#include "shared/probe/world/resolver.h"
#include "shared/probe/world/world.h"

namespace mtawatch::probe::mail_auth {

struct DkimQuery {
    std::string domain;
    std::vector<std::string> selectors;
    std::string private_key_file;             // "": none
    std::string message_file;                 // "": none; "-" is standard input
    bool advise = false;                      // work out what to publish for each key, too
    std::vector<std::string> require_signed;  // header fields that a passing signature must cover
    world::ResolverChoice resolver;
};

// What is published for one selector.
struct DkimKeyLook {
    std::string domain;  // A-labels
    std::string selector;
    std::string record;               // "" without one
    std::vector<std::string> cnames;  // where the name leads to
    std::uint32_t ttl = 0;
    // The answer was DNSSEC-validated by a resolver whose word counts. Only asked for by dkim().
    bool authenticated = false;
    auth::DkimKey key;
    std::optional<bool> matches;  // whether the private key belongs to it; absent when there is none to compare
    std::vector<Remedy<DkimKeyLook>> remedies;  // with advise
    Findings findings;                          // of the key and of how it is published
};

// Of a header field that a signature must cover. Where no signature passes, none covers it for a receiver.
enum class Coverage {
    covered,
    not_signed,   // by no signature at all, or by none of those that pass
    not_passing,  // a signature covers it, but none of those that do passes
    unseen,       // the same, and of one of them the key could not be looked up
    not_there,    // the message has no such field
};

struct DkimMessageLook {
    std::string from_domain;  // "" when From has no single mailbox
    std::size_t from_fields = 0;
    bool bare_lf = false;
    std::vector<auth::DkimVerification> signatures;
    auth::OneClick one_click = auth::OneClick::not_offered;
    std::vector<std::pair<std::string, Coverage>> required;
    // Whether a passing signature aligns with the From domain as DMARC wants it; absent when none passes, there is no
    // one From domain, or a lookup failed.
    std::optional<bool> aligned;
};

struct DkimObservation {
    std::string domain;
    std::vector<DkimKeyLook> keys;
    Findings private_key;  // about the file
    std::optional<DkimMessageLook> message;
};

// Without private key and message, over a cache that other readers share.
[[nodiscard]] DkimKeyLook observe_dkim_key(const std::string& domain, const std::string& selector, auth::DnsCache& dns,
                                           const std::optional<tls::PublicKey>& own_key);

// A domain or selector as it is asked (dns::ascii_name), for readers of configuration. Fault::usage.
[[nodiscard]] base::Result<std::string> checked_name(std::string_view text);
// Asks at once for what the readings of a domain's SPF, DKIM, DMARC, MTA-STS and TLSRPT records begin with.
void fetch_domain(auth::DnsCache& dns, const std::string& domain, const std::vector<std::string>& selectors);

// Faults: usage (bad domain or selector), those of reading the private key or the message.
[[nodiscard]] base::Result<DkimObservation> dkim(const DkimQuery& query, const base::Deadline& deadline,
                                                 world::World& world);

[[nodiscard]] std::string_view name(Coverage coverage);
[[nodiscard]] std::string to_json(const DkimObservation& observation);

}  // namespace mtawatch::probe::mail_auth
