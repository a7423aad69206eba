// The last resort of a program: what nothing in it has caught ends it with a sentence and a status, in main() and in
// every thread, never with SIGABRT and whatever the C++ library says of it.
#pragma once

#include <functional>
#include <string>
#include <string_view>

namespace mtawatch::base {

struct LastResort {
    std::string_view before = {};  // "pmta_exporter: "; a literal
    int descriptor = 2;            // where the sentence goes: standard error, or a plugin's standard output
    int status = 1;
};

// Runs a whole program: its status, or that of the last resort. To be called once, by main().
[[nodiscard]] int run_main(const LastResort& resort, const std::function<int()>& program);

// The sentence for an exception that is being handled (std::current_exception), with what can be done where the system
// gave no thread or no memory.
[[nodiscard]] std::string uncaught();

}  // namespace mtawatch::base
