// The file of --web.config.file with any bytes in it: a configuration or an error that names the file.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "exporter/web/web_config.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    const auto config = mtawatch::exporter::web::parse_web_config(text, "/etc/web.yml");
    if (!config && config.error().what.find("/etc/web.yml") == std::string::npos) std::abort();
    if (config && config->tls_enabled && config->tls.cert_file.empty()) std::abort();
    return 0;
}
