// What happens from the first argument to the exit code?
#pragma once

#include <span>
#include <string>

namespace mtawatch::exporter {

// The whole program. 0: done or stopped in order; 1: something failed, said on stderr; 2: the command line is wrong.
[[nodiscard]] int run(std::span<const std::string> arguments);

}  // namespace mtawatch::exporter
