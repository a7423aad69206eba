// Trusted authorities from the file of --ca-file, for every plugin that uses TLS.
#pragma once

#include <memory>
#include <string>

#include "shared/base/result.h"
#include "shared/probe/world/world.h"
#include "shared/tls/verify.h"

namespace mtawatch::probe::world {

// `settings` with the certificates of `ca_file` as their authorities; as they are where that is "". Faults: those of
// Files::read; malformed (empty, no certificate in it); those of tls::Context::make. The message names the file.
[[nodiscard]] base::Result<std::shared_ptr<const tls::Context>> trust_of(tls::TrustSettings settings,
                                                                         const std::string& ca_file,
                                                                         const World& world);

}  // namespace mtawatch::probe::world
