#include "shared/probe/world/machine.h"

#include "shared/base/text.h"
#include "shared/ssh/ssh.h"

namespace mtawatch::probe::world {

using base::fail;
using base::Result;

namespace {

// "/usr/sbin/pmta --dom show status" is pmta, "sudo -n /usr/sbin/pmta …" too.
std::string program_of(const std::vector<std::string>& argv) {
    const std::size_t at = argv.size() > 2 && argv[0] == "sudo" ? 2 : 0;
    const auto slash = argv[at].rfind('/');
    return slash == std::string::npos ? argv[at] : argv[at].substr(slash + 1);
}

Result<ssh::SshSettings> settings_of(const SshTarget& target) {
    auto settings = ssh::parse_target(target.target);
    if (!settings) return fail(settings.error().at("--ssh"));
    settings->key_file = target.key_file;
    settings->known_hosts_file = target.known_hosts_file;
    if (target.only_ipv4) settings->family = ssh::Family::ipv4;
    if (target.only_ipv6) settings->family = ssh::Family::ipv6;
    if (target.jump) {
        auto jump = ssh::parse_target(*target.jump);
        if (!jump) return fail(jump.error().at("--ssh-jump"));
        jump->key_file = settings->key_file;
        jump->known_hosts_file = settings->known_hosts_file;
        jump->family = settings->family;
        settings->jump = std::make_shared<const ssh::SshSettings>(std::move(*jump));
    }
    settings->host_key = target.host_key;
    return settings;
}

}  // namespace

Result<Machine> Machine::open(World& world, const std::optional<SshTarget>& ssh, const base::Deadline& deadline) {
    if (!ssh) {
        if (world.commands == nullptr) return fail(base::Fault::internal, "this program runs no commands");
        return Machine(world.commands, nullptr);
    }
    const auto settings = settings_of(*ssh);
    if (!settings) return fail(settings.error());
    if (!world.open_ssh) return fail(base::Fault::internal, "this program knows no SSH");
    auto opened = world.open_ssh(*settings, deadline);
    if (!opened) return fail(opened.error());
    io::Commands* commands = opened->get();
    return Machine(commands, std::move(*opened));
}

base::Error failed_program(const std::string& program, const io::Commands& machine, const io::CommandResult& result) {
    const std::string said = base::one_line(base::trim(result.error_text), 300);
    const std::string how = result.exit_status ? fmt::format("exited with {}", *result.exit_status)
                            : result.signal    ? fmt::format("was ended by signal {}", *result.signal)
                                               : std::string("was ended by a signal");
    const bool forbidden = base::icontains(said, "permission denied") || base::icontains(said, "not allowed") ||
                           base::icontains(said, "a password is required") || base::icontains(said, "not permitted") ||
                           base::icontains(said, "access denied");
    return {forbidden ? base::Fault::permission : base::Fault::io,
            fmt::format("{} {} {}{}", program, machine.where(), how, said.empty() ? "" : ": " + said)};
}

Result<std::string> Machine::output_of(const std::vector<std::string>& argv, const base::Deadline& deadline,
                                       std::size_t max_output) const {
    io::CommandLimits limits;
    limits.max_output = max_output;
    auto result = commands_->run(argv, limits, deadline);
    if (!result) return fail(result.error());
    if (result->exit_status != 0) return fail(failed_program(program_of(argv), *commands_, *result));
    return std::move(result->output);
}

}  // namespace mtawatch::probe::world
