// Parser of PowerMTA's printed tables: the text form of status, listings and licence, for versions and commands whose
// other forms are not published. Internal to shared/mta.
#pragma once

#include <string_view>

#include "shared/mta/documents/pmta_status.h"

namespace mtawatch::mta::documents {

[[nodiscard]] base::Result<PmtaStatus> pmta_status_from_text(std::string_view text);
[[nodiscard]] base::Result<PmtaListing> pmta_listing_from_text(std::string_view text, std::string_view what);
[[nodiscard]] base::Result<PmtaLicence> pmta_licence_from_text(std::string_view text);

}  // namespace mtawatch::mta::documents
