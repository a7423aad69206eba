// PowerMTA's configuration with any bytes in it, included by itself too.
#include <cstddef>
#include <cstdint>
#include <string>

#include "shared/mta/documents/pmta_config.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string text(reinterpret_cast<const char*>(data), size);
    const auto config = mtawatch::mta::documents::read_pmta_config("/etc/pmta/config", [&](const std::string& path) {
        if (path.size() > 64) return mtawatch::base::Result<std::string>();
        return mtawatch::base::Result<std::string>(text);
    });
    if (!config) return 0;
    std::size_t fed = 0;
    for (const auto& file : choose_acct_files(*config, [](const auto&) { return true; })) {
        fed += file.types.size() + file.source->glob().size();
    }
    return fed > std::size_t{1} << 40U ? 1 : 0;
}
