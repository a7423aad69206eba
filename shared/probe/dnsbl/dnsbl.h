// Probe of blocklists: looks addresses and domains up, and tests whether each list can be believed. Three verdicts for
// every pair: listed, clean, unknown (could not tell).
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "shared/base/clock.h"
#include "shared/base/deadline.h"
#include "shared/base/ip.h"
#include "shared/base/result.h"
#include "shared/probe/dnsbl/dnsbl_lists.h"
#include "shared/probe/world/resolver.h"

namespace mtawatch::probe::dnsbl {

inline constexpr std::size_t max_dnsbl_targets = 4096;  // sixteen /24 networks; a run over more would abuse the lists

struct DnsblTargets {
    std::vector<base::IpAddress> addresses;
    std::vector<std::string> domains;  // A-labels
    std::vector<std::string> notes;    // what was left out, in words
    [[nodiscard]] std::size_t size() const { return addresses.size() + domains.size(); }
};

// What was written, as addresses and domains without repetition: `addresses` are an IP address, a network, or a host
// name that stands for all its public addresses (looked up). Faults: usage (nothing given; not an address, network or
// name; a private address, or a name that has no other; more than max_dnsbl_targets), not_found (a name without an
// address), resolver, deadline.
[[nodiscard]] base::Result<DnsblTargets> dnsbl_targets(const std::vector<std::string>& addresses,
                                                       const std::vector<std::string>& domains,
                                                       const world::ResolverChoice& resolver,
                                                       const base::Deadline& deadline, const world::World& world);

struct DnsblQuery {
    DnsblTargets targets;
    std::vector<DnsblList> lists;
    bool self_test = true;
    world::ResolverChoice resolver;
};

struct DnsblEffort {
    std::size_t lists = 0;  // those that take one of the targets
    // What the run needs if every question is answered in 30 ms, as through a resolver near by: with less than that it
    // cannot end.
    base::Duration least_time{};
};
[[nodiscard]] DnsblEffort dnsbl_effort(const DnsblQuery& query);

enum class Verdict { listed, clean, unknown };
[[nodiscard]] std::string_view name(Verdict verdict);

// What a list said of its own test entries (RFC 5782 section 5).
enum class ListHealth {
    ok,
    dead,      // emptied, wildcarded, parked, or known to be shut down
    refused,   // it does not talk to our resolver
    timeout,   // no answer
    untested,  // not asked, or the question failed in another way
};
[[nodiscard]] std::string_view name(ListHealth health);

struct DnsblListState {
    ListHealth health = ListHealth::untested;
    std::string why;  // in words when health is not ok; may be empty for untested
};

// One target and one list.
struct DnsblResult {
    std::uint32_t target = 0;  // index: addresses first, then domains
    std::uint32_t list = 0;
    Verdict verdict = Verdict::unknown;
    ListSeverity severity = ListSeverity::none;  // of a listing; none for allow lists and information
    bool refused = false;                        // the list does not talk to our resolver
    std::string asked;               // a domain: the registered one that the list holds, where it is another
    std::string why;                 // of unknown, in words
    std::vector<std::string> codes;  // every A record that came, "127.0.0.2"
    std::string meaning;             // of the codes that count
    std::string text;                // the TXT record, one line, without the key of a keyed list
};

struct DnsblObservation {
    std::vector<std::string> targets;  // as text; addresses first
    // Those of the query that take addresses where there are some, or domains: others have nothing to say, and would
    // look as if they had not answered.
    std::vector<DnsblList> lists;
    std::vector<DnsblListState> states;  // like lists
    std::vector<DnsblResult> results;    // pairs that go together (an IPv6 address is not asked of an IPv4 list)
    std::vector<std::string> notes;      // what was not looked for, in words
    std::string resolver;                // who was asked, for messages
    bool any_asked = false;              // else no list was worth a question
    bool resolver_answered = false;      // to any question at all, be it with an error code
    base::Duration took{};
};

// Asks every list for every target, and with self_test for its test entries in the same go; then the reason (TXT) for
// listings. Faults: usage (no list takes these targets, bad resolver), configuration, internal. A resolver that does
// not answer is no Error: every verdict is unknown then, and says why.
[[nodiscard]] base::Result<DnsblObservation> dnsbl(const DnsblQuery& query, const base::Deadline& deadline,
                                                   const world::World& world);

// docs/dnsbl.md names the fields.
[[nodiscard]] std::string to_json(const DnsblObservation& observation);

}  // namespace mtawatch::probe::dnsbl
