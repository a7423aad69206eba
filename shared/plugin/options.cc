#include "shared/plugin/options.h"

#include <fmt/format.h>

#include <stdexcept>

#include "shared/base/duration.h"
#include "shared/base/text.h"
#include "shared/plugin/values.h"

namespace mtawatch::plugin {

OptionTable options_of(std::initializer_list<OptionTable> groups) {
    OptionTable table;
    for (const OptionTable& group : groups) table.insert(table.end(), group.begin(), group.end());
    return table;
}

OptionTable common_options() {
    return {
        {.name = "help", .letter = 'h', .kind = Kind::flag, .help = "Show this text"},
        {.name = "version", .letter = 'V', .kind = Kind::flag, .help = "Show name and version"},
        {.name = "timeout",
         .letter = 't',
         .kind = Kind::timeout,
         .help = "Seconds for the whole run and, after a colon, the state when they are over: ok, warning, critical or "
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
         .value_optional = true},
    };
}

OptionTable dns_options() {
    return {{.name = "dns-server",
             .kind = Kind::endpoint,
             .metavar = "IP[:PORT]",
             .help = "Name server to ask, [v6]:port for IPv6",
             .fallback_text = "the system's resolvers",
             .repeatable = true}};
}

OptionTable ssh_options() {
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
         .help = "The fingerprint that the host key must have; then no known-hosts file is read"},
    };
}

OptionTable family_options() {
    return {{.name = "ipv4", .letter = '4', .kind = Kind::flag, .help = "Use IPv4 only"},
            {.name = "ipv6", .letter = '6', .kind = Kind::flag, .help = "Use IPv6 only"}};
}

const Option& Options::option(std::string_view name) const {
    for (const Option& candidate : table_) {
        if (candidate.name == name) return candidate;
    }
    throw std::logic_error(fmt::format("option --{} is not in the plugin's table", name));
}

bool Options::given(std::string_view name) const {
    static_cast<void>(option(name));
    return values_.find(name) != values_.end();
}

bool Options::flag(std::string_view name) const { return count(name) > 0; }

int Options::count(std::string_view name) const {
    static_cast<void>(option(name));
    const auto found = values_.find(name);
    return found == values_.end() ? 0 : static_cast<int>(found->second.size());
}

std::vector<std::string> Options::list(std::string_view name) const {
    const Option& wanted = option(name);
    const auto found = values_.find(name);
    if (found != values_.end()) return found->second;
    if (wanted.fallback.empty()) return {};
    return {std::string(wanted.fallback)};
}

std::optional<std::string> Options::find_text(std::string_view name) const {
    std::vector<std::string> values = list(name);
    if (values.empty()) return std::nullopt;
    return std::move(values.back());
}

namespace {

// A value that parse() has accepted; a default that cannot be read is a mistake in the table.
template <class T>
std::optional<T> sure(std::string_view name, base::Result<T> value) {
    if (!value) throw std::logic_error(fmt::format("--{}: {}", name, value.error().what));
    return *std::move(value);
}

template <class T>
T present(std::string_view name, std::optional<T> value) {
    if (!value) throw std::logic_error(fmt::format("--{} has no value and no default", name));
    return *std::move(value);
}

}  // namespace

std::optional<std::int64_t> Options::find_integer(std::string_view name) const {
    const std::optional<std::string> value = find_text(name);
    return value ? sure(name, read_integer(option(name), *value)) : std::nullopt;
}

std::optional<double> Options::find_number(std::string_view name) const {
    const std::optional<std::string> value = find_text(name);
    return value ? sure(name, read_number(option(name), *value)) : std::nullopt;
}

std::optional<std::chrono::milliseconds> Options::find_duration(std::string_view name) const {
    const std::optional<std::string> value = find_text(name);
    return value ? sure(name, base::parse_duration(*value)) : std::nullopt;
}

std::optional<Range> Options::find_range(std::string_view name) const {
    const std::optional<std::string> value = find_text(name);
    return value ? sure(name, Range::parse(*value)) : std::nullopt;
}

std::optional<Thresholds> Options::find_thresholds(std::string_view name) const {
    const std::optional<std::string> value = find_text(name);
    if (!value) return std::nullopt;
    auto pair = sure(name, Thresholds::parse(*value));
    // One range alone says nothing about the critical one: that stays what it is without the option.
    const std::string_view fallback = option(name).fallback;
    if (value->find('/') == std::string::npos && !fallback.empty()) {
        pair->critical = sure(name, Thresholds::parse(fallback))->critical;
    }
    return pair;
}

std::optional<base::WallTime> Options::find_time(std::string_view name) const {
    const std::optional<std::string> value = find_text(name);
    return value ? sure(name, read_time(*value)) : std::nullopt;
}

std::string Options::text(std::string_view name) const { return present(name, find_text(name)); }
std::int64_t Options::integer(std::string_view name) const { return present(name, find_integer(name)); }
double Options::number(std::string_view name) const { return present(name, find_number(name)); }
std::chrono::milliseconds Options::duration(std::string_view name) const { return present(name, find_duration(name)); }

std::vector<io::Endpoint> Options::endpoints(std::string_view name, std::uint16_t default_port) const {
    std::vector<io::Endpoint> result;
    for (const std::string& value : list(name)) {
        result.push_back(*sure(name, io::parse_endpoint(value, default_port)));
    }
    return result;
}

Thresholds Options::thresholds(std::string_view warning, std::string_view critical) const {
    return {find_range(warning), find_range(critical)};
}

std::chrono::milliseconds Options::timeout() const { return sure("timeout", read_timeout(text("timeout")))->length; }
State Options::timeout_state() const { return sure("timeout", read_timeout(text("timeout")))->state; }
int Options::verbosity() const { return std::min(count("verbose"), 3); }
bool Options::json() const { return text("output") == "json"; }

Family Options::family() const {
    if (flag("ipv4")) return Family::ipv4;
    return flag("ipv6") ? Family::ipv6 : Family::any;
}

}  // namespace mtawatch::plugin
