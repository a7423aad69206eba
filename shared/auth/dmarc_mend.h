// Repair of DMARC records: the slips that leave no doubt about what was meant, and a policy raised.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "shared/auth/dmarc_record.h"

namespace mtawatch::auth {

// The record that a text was meant to be: "v=DMARC1" first and p= second, then every other tag as it was written, as
// far as receivers can use it. Commas, blanks and colons that should be semicolons or equals signs, quotation marks,
// addresses without mailto:, empty pieces are put right; sp=, np= and other tags with values that nobody can read are
// left out, as receivers treat them, and so are rf=, ri= and pct=100. A policy that cannot be read becomes p=none,
// which is what receivers make of it. Nothing when the text was not meant to be a DMARC record.
[[nodiscard]] std::optional<std::string> mended_dmarc_record(std::string_view text);

// One record for several that stand at a name: the strictest of them, with the report addresses of all.
[[nodiscard]] std::string merged_dmarc_records(const std::vector<std::string>& mended);

// The record with a policy at least as strict as `policy`, in p= and in those of sp= and np= that did not ask for less
// than p= before.
[[nodiscard]] std::string with_dmarc_policy(std::string_view record, DmarcPolicy policy);

// The record with a tag added, or its value replaced.
[[nodiscard]] std::string with_dmarc_tag(std::string_view record, std::string_view tag, std::string_view value);

}  // namespace mtawatch::auth
