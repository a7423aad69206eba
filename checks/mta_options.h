// Options that name a machine (--ssh …) or a web interface (--basic-auth-file …), parsed for the checks of mail hosts,
// and the limits of a queue where none are given.
#pragma once

#include "shared/plugin/options.h"
#include "shared/probe/mta_state/mta_queue.h"
#include "shared/probe/world/machine.h"
#include "shared/probe/world/web_source.h"

namespace mtawatch::checks {

// A bulk sender's queue is never empty; Postfix passes on what it gets. The texts are those of --help.
[[nodiscard]] inline plugin::Thresholds default_queue_limits(probe::mta_state::Mta mta) {
    const bool postfix = mta == probe::mta_state::Mta::postfix;
    return plugin::Thresholds::parse(postfix ? "100/500" : "100000/500000").value();
}
inline constexpr std::string_view default_queue_text = "postfix 100/500, others 100000/500000";
inline constexpr std::string_view default_queue_warning = "postfix 100, others 100000";
inline constexpr std::string_view default_queue_critical = "postfix 500, others 500000";

// What --ssh and its companions say; absent without --ssh. A companion alone is a usage error. `host_option`, where
// there is one ("hostname"), names the remote host too.
[[nodiscard]] inline base::Result<std::optional<probe::world::SshTarget>> ssh_target(
    const plugin::Options& options, std::string_view host_option = {}) {
    const bool by_host = !host_option.empty() && options.given(host_option);
    if (by_host && options.given("ssh")) {
        return base::fail(base::Fault::usage, "-H and --ssh both name the host to look on: give one of them");
    }
    if (!options.given("ssh") && !by_host) {
        for (const auto* name : {"ssh-key", "ssh-known-hosts", "ssh-host-key", "ssh-jump"}) {
            if (options.given(name)) return base::fail(base::Fault::usage, "--{} is for --ssh, which is missing", name);
        }
        return std::optional<probe::world::SshTarget>();
    }
    probe::world::SshTarget target;
    target.target = options.text(by_host ? host_option : std::string_view("ssh"));
    target.key_file = options.find_text("ssh-key");
    target.known_hosts_file = options.find_text("ssh-known-hosts");
    target.host_key = options.find_text("ssh-host-key");
    target.jump = options.find_text("ssh-jump");
    target.only_ipv4 = options.family() == plugin::Family::ipv4;
    target.only_ipv6 = options.family() == plugin::Family::ipv6;
    return std::optional<probe::world::SshTarget>(std::move(target));
}

// --insecure and --certificate-pin, and where the secrets of a web interface lie.
[[nodiscard]] inline options::OptionTable web_options() {
    return {{.name = "basic-auth-file",
             .metavar = "FILE",
             .help = "User and password for the web interface, user:password on one line"},
            {.name = "insecure", .kind = plugin::Kind::flag, .help = "Take any certificate of the web interface"},
            {.name = "certificate-pin",
             .metavar = "HEX",
             .help = "Take exactly this certificate of the web interface: the SHA-256 fingerprint of it"}};
}

[[nodiscard]] inline probe::world::WebSource web_source(const plugin::Options& options, std::string url) {
    probe::world::WebSource web;
    web.url = std::move(url);
    web.basic_auth_file = options.find_text("basic-auth-file");
    web.insecure = options.flag("insecure");
    web.certificate_pin = options.find_text("certificate-pin");
    return web;
}

}  // namespace mtawatch::checks
