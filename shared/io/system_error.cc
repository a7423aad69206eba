#include "shared/io/system_error.h"

#include <fmt/format.h>

#include <cerrno>
#include <cstring>

namespace mtawatch::io {

std::string error_text(int number) {
    const char* text = strerrordesc_np(number);  // glibc's thread-safe, untranslated table
    return text != nullptr ? text : fmt::format("error {}", number);
}

base::Error file_error(std::string_view path, int number) {
    if (number == EACCES || number == EPERM) {
        return {base::Fault::permission,
                fmt::format("{}: {}; let the user that runs this read it (see ls -l and the user's groups)", path,
                            error_text(number))};
    }
    const bool missing = number == ENOENT || number == ENOTDIR;
    return {missing ? base::Fault::not_found : base::Fault::io, fmt::format("{}: {}", path, error_text(number))};
}

}  // namespace mtawatch::io
