// Parser and expansion of SPF macro-strings (RFC 7208 section 7).
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "shared/base/ip.h"
#include "shared/base/result.h"

namespace mtawatch::auth {

// "%{d2r.-}": which value, how much of it, in which order.
struct SpfMacro {
    char letter = 0;          // lower case: s l o d i p v h, in explanations also c r t
    bool url_escape = false;  // the letter was written in upper case
    unsigned keep = 0;        // right-hand parts to keep; 0 is all of them
    bool reverse = false;
    std::string delimiters;  // "" stands for "."
    bool operator==(const SpfMacro&) const = default;
};

// Either a macro or plain text (in which "%%", "%_" and "%-" are already what they mean).
struct SpfMacroPiece {
    std::optional<SpfMacro> macro;
    std::string text;
    bool operator==(const SpfMacroPiece&) const = default;
};

struct SpfMacroString {
    std::vector<SpfMacroPiece> pieces;
    bool ends_in_macro = false;  // the last thing written was a macro-expand, "%%" and its like included
    std::string written;         // as it stands in the record
    // Whether it is the same name for every sender and address; then it can be linted without a message.
    [[nodiscard]] bool is_constant() const;
    bool operator==(const SpfMacroString&) const = default;
};

enum class SpfMacroPlace {
    term,         // in a record: no blanks, no c r t
    explanation,  // the text that exp= points to: blanks, and c r t too
};

// Fault::malformed says which character or macro is wrong.
[[nodiscard]] base::Result<SpfMacroString> parse_spf_macro_string(std::string_view text, SpfMacroPlace place);

// As parse_spf_macro_string, and the end must be a macro or "." toplabel (RFC 7208 section 7.1 domain-spec).
[[nodiscard]] base::Result<SpfMacroString> parse_spf_domain_spec(std::string_view text);

// What the letters stand for. `validated` is asked at most once per %{p}, because it costs DNS lookups.
struct SpfMacroValues {
    std::string sender;         // local-part@domain, "postmaster" filled in
    std::string domain;         // the domain whose record is being evaluated
    base::IpAddress ip;         // never IPv4-mapped
    std::string helo;           // as the client said it
    std::int64_t now = 0;       // %{t}: seconds since 1970
    std::string receiver = {};  // %{r}; empty: "unknown" is put in
    std::function<std::string()> validated;
};

[[nodiscard]] std::string expand_spf_macros(const SpfMacroString& text, const SpfMacroValues& values);

// The name to ask for: without trailing dot, and shortened from the left, label by label, to 253 bytes (section 7.3).
[[nodiscard]] std::string spf_target_name(std::string expanded);

// "1.2.0.192" needs %{ir}: %{i} is dotted decimals for IPv4 and dotted upper-case nibbles for IPv6 (section 7.3).
[[nodiscard]] std::string spf_dotted(const base::IpAddress& ip);

}  // namespace mtawatch::auth
