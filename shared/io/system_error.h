// Translation of errno values into error texts and Errors for an operator.
#pragma once

#include <string>
#include <string_view>

#include "shared/base/error.h"

namespace mtawatch::io {

// "No such file or directory", safe from any thread.
[[nodiscard]] std::string error_text(int number);

// The error of a failed call on `path`: not_found, permission or io, with the remedy for a missing permission.
[[nodiscard]] base::Error file_error(std::string_view path, int number);

}  // namespace mtawatch::io
