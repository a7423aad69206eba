#include "shared/probe/world/secret_file.h"

#include "shared/base/text.h"
#include "shared/io/files.h"

namespace mtawatch::probe::world {

using base::fail;
using base::Fault;

base::Result<std::string> read_secret(const World& world, const std::string& path) {
    auto text = world.files->read(path, max_secret_bytes);
    if (!text) return fail(text.error());
    std::string secret(base::trim(*text));
    if (secret.empty()) return fail(Fault::configuration, "{} is empty: write the secret into it", path);
    for (const char c : secret) {
        if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) {
            return fail(Fault::configuration, "{} holds more than one line", path);
        }
    }
    return secret;
}

}  // namespace mtawatch::probe::world
