// Parser of SPF records, term by term, that collects every break of the grammar (RFC 7208 section 12).
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "shared/auth/spf_macro.h"
#include "shared/base/ip.h"

namespace mtawatch::auth {

enum class SpfKind { all, include, a, mx, ptr, ip4, ip6, exists, redirect, exp, unknown_modifier };

struct SpfTerm {
    SpfKind kind = SpfKind::all;
    char qualifier = '+';                  // + - ~ ?; modifiers have none
    std::string written;                   // as it stands in the record
    std::optional<SpfMacroString> domain;  // absent: the domain whose record this is; unknown modifiers: their value
    base::IpNetwork network;               // ip4, ip6; host bits cleared
    bool host_bits_set = false;            // ip4, ip6: the address was not the network's own
    unsigned prefix4 = 32;                 // a, mx
    unsigned prefix6 = 128;
    // Whether it counts towards the 10 terms that may query the DNS (section 4.6.4).
    [[nodiscard]] bool queries() const;
};

struct SpfFault {
    std::string term;  // as written
    std::string what;  // what is wrong with it and what to write instead
};

// A record with any fault is a permanent error as a whole (section 4.6), whatever would match before it.
struct SpfRecord {
    std::string text;
    std::vector<SpfTerm> mechanisms;
    std::optional<SpfTerm> redirect;
    std::optional<SpfTerm> exp;
    std::vector<SpfTerm> unknown_modifiers;
    std::vector<SpfFault> faults;
    [[nodiscard]] bool valid() const { return faults.empty(); }
    [[nodiscard]] const SpfTerm* all() const;  // the first `all`, or null
};

// Whether a TXT record is an SPF record: "v=spf1" in any case, then a blank or the end (section 4.5).
[[nodiscard]] bool is_spf_record(std::string_view text);

// Reads a record that is_spf_record() accepts; every fault is collected, none stops the reading.
[[nodiscard]] SpfRecord parse_spf_record(std::string_view text);

}  // namespace mtawatch::auth
