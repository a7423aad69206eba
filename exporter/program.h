// The whole exporter program, from its arguments to its exit code.
#pragma once

#include <span>
#include <string>

namespace mtawatch::exporter {

// The whole program. 0: done or stopped in order; 1: something failed, said on stderr; 2: the command line is wrong.
[[nodiscard]] int run(std::span<const std::string> arguments);

}  // namespace mtawatch::exporter
