// Machine on which a probe runs its programs: this one, or another one over a single SSH connection.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "shared/base/deadline.h"
#include "shared/base/result.h"
#include "shared/io/command.h"
#include "shared/probe/world/world.h"

namespace mtawatch::probe::world {

// What --ssh and its companions say.
struct SshTarget {
    std::string target;  // "[USER@]HOST[:PORT]"
    std::optional<std::string> key_file;
    std::optional<std::string> known_hosts_file;
    std::optional<std::string> host_key;  // "SHA256:…"
    std::optional<std::string> jump;      // "[USER@]HOST[:PORT]" of a host that connects to the target for us
    bool only_ipv4 = false;
    bool only_ipv6 = false;
};

// Holds the connection as long as it lives; all commands of a run go through it.
class Machine {
  public:
    // Faults: those of ssh::parse_target and ssh::open.
    [[nodiscard]] static base::Result<Machine> open(World& world, const std::optional<SshTarget>& ssh,
                                                    const base::Deadline& deadline);
    [[nodiscard]] io::Commands& commands() const { return *commands_; }
    [[nodiscard]] bool is_remote() const { return owned_ != nullptr; }

    // The program's whole output. A non-zero exit status is an Error here: the text holds what it said on stderr.
    // Faults beside those of Commands: permission, where that text says so; io otherwise. More than
    // max_output bytes are Fault::limit.
    [[nodiscard]] base::Result<std::string> output_of(const std::vector<std::string>& argv,
                                                      const base::Deadline& deadline,
                                                      std::size_t max_output = io::CommandLimits{}.max_output) const;

  private:
    Machine(io::Commands* commands, std::unique_ptr<io::Commands> owned)
        : commands_(commands), owned_(std::move(owned)) {}
    io::Commands* commands_;
    std::unique_ptr<io::Commands> owned_;
};

// Why a program failed, for every caller the same words: "pmta exited with 1: …". Its stderr decides between
// permission and io.
[[nodiscard]] base::Error failed_program(const std::string& program, const io::Commands& machine,
                                         const io::CommandResult& result);

}  // namespace mtawatch::probe::world
