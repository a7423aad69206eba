// Reader of secret files. Passwords, keys and tokens are named by file, never given on a command line.
#pragma once

#include <string>

#include "shared/base/result.h"
#include "shared/probe/world/world.h"

namespace mtawatch::probe::world {

// The one line of the file, without blanks around it. Faults: those of Files::read; configuration (empty, more than
// one line, control characters). No message quotes the content.
[[nodiscard]] base::Result<std::string> read_secret(const World& world, const std::string& path);

// Access tokens of large providers reach 4 KiB; no secret needs more than this.
inline constexpr std::size_t max_secret_bytes = 16U << 10U;

}  // namespace mtawatch::probe::world
