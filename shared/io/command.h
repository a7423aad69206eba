// Runs a program and collects its output: argv in, output out, no shell anywhere. Locally by posix_spawn; shared/ssh
// has the same interface for a remote host.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "shared/base/deadline.h"
#include "shared/base/result.h"

namespace mtawatch::io {

struct CommandLimits {
    std::size_t max_output = 1U << 20U;  // bytes of stdout kept; more is Fault::limit
    std::size_t max_error = 64U << 10U;  // bytes of stderr kept; the rest is dropped
};

struct CommandResult {
    std::optional<int> exit_status;  // absent when a signal ended it
    std::optional<int> signal;
    std::string output;      // stdout; empty when it was streamed
    std::string error_text;  // stderr: for messages only, never for the state
};

// Takes a piece of stdout as it comes; false stops the program.
using OutputSink = std::function<bool(std::string_view piece)>;

class Commands {
  public:
    Commands() = default;
    Commands(const Commands&) = delete;
    Commands& operator=(const Commands&) = delete;
    virtual ~Commands() = default;

    // argv[0] is a full path or a name found in the fixed search path /usr/sbin:/usr/bin:/sbin:/bin. The program gets
    // an empty stdin, LC_ALL=C and a fixed PATH; {"env", "TZ=UTC", PROGRAM, …} adds to that. A non-zero exit status is
    // a result, not an Error. Faults: not_found (no such program), permission, timeout (the deadline passed: the
    // program and its children are ended), limit, auth and refused (remote hosts), io.
    [[nodiscard]] virtual base::Result<CommandResult> run(const std::vector<std::string>& argv,
                                                          const CommandLimits& limits,
                                                          const base::Deadline& deadline) = 0;
    // The same with stdout handed on piece by piece in constant memory.
    [[nodiscard]] virtual base::Result<CommandResult> stream(const std::vector<std::string>& argv,
                                                             const OutputSink& sink,
                                                             const base::Deadline& deadline) = 0;
    // "on this machine" or "on mx1.example.net", for messages.
    [[nodiscard]] virtual std::string where() const = 0;
};

// Runs programs on this machine, each in a process group of its own. Safe to use from several threads.
[[nodiscard]] std::unique_ptr<Commands> make_local_commands();
// Ends every local program that is running, with its children, from any thread: for a process that is about to end
// itself. Not for a signal handler.
void kill_running_commands() noexcept;

}  // namespace mtawatch::io
