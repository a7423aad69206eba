#include "shared/probe/world/trust.h"

#include <utility>

#include "shared/io/files.h"

namespace mtawatch::probe::world {
namespace {

using base::fail;
using base::Fault;

constexpr std::size_t max_authorities_bytes = 16U << 20U;  // the whole bundle of a system has 200 KiB

}  // namespace

base::Result<std::shared_ptr<const tls::Context>> trust_of(tls::TrustSettings settings, const std::string& ca_file,
                                                           const World& world) {
    if (ca_file.empty()) return tls::Context::make(settings);
    auto authorities = world.files->read(ca_file, max_authorities_bytes);
    if (!authorities) return fail(authorities.error());
    if (authorities->empty()) return fail(Fault::malformed, "{}: the file is empty", ca_file);
    settings.authorities = std::move(*authorities);
    auto made = tls::Context::make(settings);
    if (!made) return fail(made.error().at(ca_file));
    return made;
}

}  // namespace mtawatch::probe::world
