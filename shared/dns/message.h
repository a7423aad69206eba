// Parser of DNS messages: wire format in (RFC 1035 section 4), plain structs out.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "shared/base/ip.h"
#include "shared/base/result.h"
#include "shared/dns/transport.h"

namespace mtawatch::dns {

struct Mx {
    std::uint16_t preference = 0;
    std::string host;  // lower case, no trailing dot; "" is the root: a null MX (RFC 7505)
    bool operator==(const Mx&) const = default;
};
struct Soa {
    std::string primary;
    std::string mailbox;
    std::uint32_t serial = 0;
    std::uint32_t refresh = 0;  // seconds, like the following
    std::uint32_t retry = 0;
    std::uint32_t expire = 0;
    std::uint32_t minimum = 0;
    bool operator==(const Soa&) const = default;
};
struct Tlsa {  // RFC 6698 section 2.1
    std::uint8_t usage = 0;
    std::uint8_t selector = 0;
    std::uint8_t matching = 0;
    std::string data;  // raw bytes
    bool operator==(const Tlsa&) const = default;
};

// The records of one kind that a message holds for a name, in the message's order. Only the member that belongs to
// the question's type is filled.
struct Records {
    std::vector<base::IpAddress> addresses;  // A, AAAA
    std::vector<Mx> mx;
    std::vector<std::string> texts;  // TXT, SPF: one element a record, its character-strings joined without a blank
    std::vector<std::string> names;  // PTR, NS, CNAME: lower case, no trailing dot
    std::vector<Soa> soa;
    std::vector<Tlsa> tlsa;
    std::uint32_t ttl = 0;  // seconds, the smallest of the records and of the CNAMEs on the way

    [[nodiscard]] std::size_t size() const {
        return addresses.size() + mx.size() + texts.size() + names.size() + soa.size() + tlsa.size();
    }
    [[nodiscard]] bool empty() const { return size() == 0; }
};

// One message, read for one question.
struct Reading {
    std::uint8_t rcode = 0;  // RFC 1035 4.1.1: 0 NOERROR, 3 NXDOMAIN
    bool ad = false;         // authenticated data, as the server claims
    bool referral = false;   // no answer but the names of other servers, from one that neither owns nor resolves
    bool has_soa = false;    // beside CNAMEs, the authority section holds an SOA: the absence is final
    std::vector<std::string> chain;  // targets of the CNAMEs from the question's name on, in order; names as above
    bool loop = false;               // the CNAMEs lead back to a name already seen
    Records records;                 // at the end of the chain
};

// Faults: malformed (cut short, bad compression, a record with impossible data), limit (more than max_records
// answer records). The question's own section is not compared: the transport did that.
[[nodiscard]] base::Result<Reading> read_message(std::string_view wire, const Question& question);

// Why a resolver gave SERVFAIL or REFUSED: what the extended errors (RFC 8914) of a message say, "DNSSEC: a signature
// has expired (…)"; "" when it has none or cannot be read. The resolver's own text is one line of at most 200 bytes.
[[nodiscard]] std::string extended_error(std::string_view message);

// An answer over UDP or TCP holds 64 KiB at most; this many records of the smallest size do not fit a sane one.
inline constexpr std::size_t max_records = 4096;

}  // namespace mtawatch::dns
