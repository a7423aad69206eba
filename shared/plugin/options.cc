#include "shared/plugin/options.h"

#include <algorithm>
#include <string>

#include "shared/base/text.h"
#include "shared/options/values.h"

namespace mtawatch::plugin {

namespace {

using base::fail;
using base::Fault;
using options::accepted;
using options::quoted;

constexpr double longest_timeout = 86'400;  // seconds; a check that takes a day is not watched by anyone

struct Timeout {
    std::chrono::milliseconds length{};
    State state = State::unknown;
};

// "10", "2.5" or "10:critical".
base::Result<Timeout> read_timeout(std::string_view text) {
    const std::size_t colon = text.find(':');
    const auto seconds = base::to_double(text.substr(0, colon));
    if (!seconds || *seconds < 0.1 || *seconds > longest_timeout) {
        return fail(Fault::usage, "{} is no timeout; write seconds from 0.1 to {}, such as 10 or 10:critical",
                    quoted(text), base::plain(longest_timeout));
    }
    Timeout timeout{std::chrono::milliseconds(static_cast<std::int64_t>(*seconds * 1000)), State::unknown};
    if (colon != std::string_view::npos) {
        const auto state = parse_state(text.substr(colon + 1));
        if (!state) {
            return fail(Fault::usage, "{} names no state; write ok, warning, critical or unknown after the colon",
                        quoted(text));
        }
        timeout.state = *state;
    }
    return timeout;
}

base::Result<void> accept_range(const options::Option& option, std::string_view text) {
    const auto range = Range::parse(text);
    if (!range) return fail(range.error());
    return option.low_is_bad.empty() ? base::Result<void>() : refuse_bare_value(*range, option.name, option.low_is_bad);
}

base::Result<void> accept_thresholds(const options::Option& option, std::string_view text) {
    auto pair = Thresholds::parse(text);
    if (!pair) return fail(pair.error());
    for (const auto* range : {&pair->warning, &pair->critical}) {
        if (option.low_is_bad.empty() || !*range) continue;
        if (auto done = refuse_bare_value(**range, option.name, option.low_is_bad); !done) return done;
    }
    if (!pair->critical && !option.fallback.empty()) pair->critical = Thresholds::parse(option.fallback)->critical;
    return pair->refuse_swapped();
}

base::Result<void> accept_timeout(const options::Option&, std::string_view text) {
    return options::without_value(read_timeout(text));
}

}  // namespace

constinit const options::Kind Kind::range{"range", "RANGE", accept_range};
constinit const options::Kind Kind::thresholds{"thresholds", "RANGE[/RANGE]", accept_thresholds};
constinit const options::Kind Kind::timeout{"timeout", "SECONDS[:STATE]", accept_timeout};

options::OptionTable common_options() {
    options::OptionTable table = options::options_of({
        options::help_and_version(),
        {{.name = "timeout",
          .letter = 't',
          .kind = Kind::timeout,
          .help =
              "Seconds for the whole run and, after a colon, the state when they are over: ok, warning, critical or "
              "unknown; the target has 80 % of them, and is CRITICAL when it does not answer",
          .fallback = "10",
          .fallback_text = "10:unknown"},
         {.name = "verbose",
          .letter = 'v',
          .kind = Kind::flag,
          .help = "More lines, never a different state; up to three times",
          .repeatable = true},
         {.name = "output",
          .letter = 'o',
          .kind = Kind::choice,
          .metavar = "text|json",
          .help = "Output format",
          .fallback = "text"},
         {.name = "extra-opts",
          .kind = Kind::text,
          .metavar = "[SECTION][@FILE]",
          .help =
              "Read options from a section of an ini file; without SECTION the plugin's name, without FILE the first "
              "monitoring-plugins.ini or plugins.ini found",
          .repeatable = true,
          .value_optional = true}},
    });
    for (options::Option& option : table) option.common = true;
    return table;
}

options::OptionTable dns_options() {
    return {{.name = "dns-server",
             .kind = Kind::endpoint,
             .metavar = "IP[:PORT]",
             .help = "Name server to ask, [v6]:port for IPv6",
             .fallback_text = "the system's resolvers",
             .repeatable = true}};
}

options::OptionTable ssh_options() {
    return {
        {.name = "ssh", .kind = Kind::text, .metavar = "[USER@]HOST[:PORT]", .help = "Check that host, over SSH"},
        {.name = "ssh-key",
         .kind = Kind::text,
         .metavar = "FILE",
         .help = "Private key to log in with",
         .fallback_text = "the agent's and the user's own"},
        {.name = "ssh-known-hosts",
         .kind = Kind::text,
         .metavar = "FILE",
         .help = "Known host keys",
         .fallback_text = "~/.ssh/known_hosts and /etc/ssh/ssh_known_hosts"},
        {.name = "ssh-host-key",
         .kind = Kind::text,
         .metavar = "SHA256:HASH",
         .help = "The fingerprint that the host key must have, instead of a known host key"},
        {.name = "ssh-jump",
         .kind = Kind::text,
         .metavar = "[USER@]HOST[:PORT]",
         .help = "Reach the host through this one, as ssh -J does",
         .fallback_text = "a direct connection"},
    };
}

options::OptionTable family_options() {
    return {{.name = "ipv4", .letter = '4', .kind = Kind::flag, .help = "Use IPv4 only", .one_of = "family"},
            {.name = "ipv6", .letter = '6', .kind = Kind::flag, .help = "Use IPv6 only", .one_of = "family"}};
}

std::optional<Range> Options::find_range(std::string_view name) const {
    const std::optional<std::string> value = find_text(name);
    if (!value) return std::nullopt;
    return accepted(name, Range::parse(*value));
}

std::optional<Thresholds> Options::find_thresholds(std::string_view name) const {
    const std::optional<std::string> value = find_text(name);
    if (!value) return std::nullopt;
    auto pair = accepted(name, Thresholds::parse(*value));
    // One range alone says nothing about the critical one: that stays what it is without the option.
    const std::string_view fallback = option(name).fallback;
    if (value->find('/') == std::string::npos && !fallback.empty()) {
        pair.critical = accepted(name, Thresholds::parse(fallback)).critical;
    }
    return pair;
}

Thresholds Options::thresholds(std::string_view warning, std::string_view critical) const {
    return {find_range(warning), find_range(critical)};
}

std::chrono::milliseconds Options::timeout() const { return accepted("timeout", read_timeout(text("timeout"))).length; }
State Options::timeout_state() const { return accepted("timeout", read_timeout(text("timeout"))).state; }
int Options::verbosity() const { return std::min(count("verbose"), 3); }
bool Options::json() const { return text("output") == "json"; }

Family Options::family() const {
    if (flag("ipv4")) return Family::ipv4;
    return flag("ipv6") ? Family::ipv6 : Family::any;
}

}  // namespace mtawatch::plugin
