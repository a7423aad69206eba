// A zone as lines of text, and what an operator does to it who pastes the lines that a plugin prints.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace mtawatch::test {

struct ZoneRecord {
    std::string name;  // without trailing dot, lower case
    std::string type;  // "TXT"
    std::string data;  // TXT: the text itself; else as in a zone file
};

struct GeneratedZone {
    std::vector<ZoneRecord> records;
    // Text for ZoneText.
    [[nodiscard]] std::string text() const;
};

// The lines behind "; publish: " in a detail's text; nothing when what stands there is no line of a zone file.
[[nodiscard]] std::optional<std::vector<ZoneRecord>> lines_in(std::string_view detail);

// The text without its lines to publish.
[[nodiscard]] std::string without_lines(std::string_view detail);

// The zone with a line published. A TXT record takes the place of those of its kind at the name (SPF, DMARC, TLSRPT by
// how they begin, else of those that were meant to be one; DKIM keys of everything there), a PTR that of the other
// PTRs; addresses stand beside others. Nothing when a name server would refuse it: a record beside a CNAME.
[[nodiscard]] std::optional<GeneratedZone> with_published(const GeneratedZone& zone, const ZoneRecord& line);

}  // namespace mtawatch::test
