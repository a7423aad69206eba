// Blocklist catalogue of the probe dnsbl: which lists there are, what their answers mean, and which are dead. Reads
// list files and the user's choice.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "shared/base/ip.h"
#include "shared/base/result.h"

namespace mtawatch::io {
class Files;
}

namespace mtawatch::probe::dnsbl {

enum class ListKind { ip, domain, both, allow };
// How bad a listing is; none: a code that is only information.
enum class ListSeverity { none, advisory, critical };
[[nodiscard]] std::string_view name(ListSeverity severity);

// Answers and what they mean.
struct ListCode {
    std::uint32_t first = 0;  // IPv4 in host order, inclusive; unused with a mask
    std::uint32_t last = 0;
    std::uint8_t mask = 0;  // bits of the last octet; 0: a range
    std::string meaning;
    ListSeverity severity = ListSeverity::critical;

    [[nodiscard]] bool matches(const base::IpAddress& answer) const;
};

struct DnsblList {
    std::string name;  // the only thing that is shown
    std::string zone;  // with the key in it, if there is one: never shown
    std::string key;   // to be taken out of whatever the list answers; "" without one
    ListKind kind = ListKind::both;
    bool ipv6 = true;
    bool registered = false;  // holds registered domains only: whatever is below one is asked for as that
    bool enabled = true;
    ListSeverity severity = ListSeverity::critical;
    std::vector<ListCode> codes;           // empty: all of 127.0.0.0/8 but error codes
    std::vector<ListCode> error_codes;     // beside those that hold for every list
    std::vector<std::string> test_listed;  // addresses for ip, names for domain; empty: RFC 5782
    std::vector<std::string> test_clean;
    std::string delist;
    std::string terms;
    bool key_given =
        false;         // `key` is the key itself, as it was written with -l; else the file until the list is chosen
    std::string dead;  // why nobody should ask it any more; "" for a living one

    [[nodiscard]] bool takes_addresses() const { return kind != ListKind::domain; }
    [[nodiscard]] bool takes_domains() const { return kind == ListKind::domain || kind == ListKind::both; }
};

struct DeadList {
    std::string zone;
    std::string why;
};

struct DnsblCatalogue {
    std::vector<DnsblList> lists;
    std::vector<DeadList> dead;
};

// More zones than exist; a run over more is a mistake.
inline constexpr std::size_t max_lists = 500;

// Reads the format that dnsbl_lists.yml describes. Key files are not read here. Fault: configuration, with file, line
// and key; also for a file without any list.
[[nodiscard]] base::Result<DnsblCatalogue> parse_dnsbl_lists(std::string_view text, std::string_view file);
// The content of dnsbl_lists.yml, as the build turned it into code (reading YAML would cost every run its time).
[[nodiscard]] DnsblCatalogue dnsbl_builtin();

// What a user chose, as lists ready to be asked. `wanted` are "ZONE" or "ZONE=critical|advisory" (-l): an entry of the
// file or the built-in one by name, else any zone with a dot in it; empty: the enabled lists of the file, or of the
// built-in set without a file. Reads key files. Faults: usage (unknown list, bad severity, twice the same),
// configuration (list file), not_found and permission (list file, key file).
[[nodiscard]] base::Result<std::vector<DnsblList>> choose_dnsbl_lists(const std::vector<std::string>& wanted,
                                                                      const std::optional<std::string>& list_file,
                                                                      const io::Files& files);

}  // namespace mtawatch::probe::dnsbl
