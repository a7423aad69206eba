// Option table of a plugin, and the options that were given. One table per plugin feeds the parser, --help, man pages,
// completion and the Icinga and Nagios command definitions.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "shared/base/result.h"
#include "shared/io/connector.h"
#include "shared/plugin/state.h"
#include "shared/plugin/thresholds.h"

namespace mtawatch::plugin {

// Every value is read by its kind before a check runs, so a check meets no value that cannot be read.
enum class Kind {
    flag,        // takes no value
    text,        // anything but the empty text, unless may_be_empty
    integer,     // whole number, at least `least`, at most `most`
    number,      // decimal number, same limits
    range,       // plugin::Range
    thresholds,  // plugin::Thresholds, "100/500" or "100"
    duration,    // base::parse_duration, "1h30m"
    choice,      // one of the words in metavar, "none|quarantine|reject"
    endpoint,    // numeric address with or without a port, "[2001:db8::1]:53"
    time,        // RFC 3339, "2026-11-21T14:00:00Z"
    timeout,     // seconds and a state, "10:critical"
};

// The strings are literals.
struct Option {
    std::string_view name;  // without the dashes: "warning"
    char letter = 0;        // 'w', or 0
    Kind kind = Kind::text;
    std::string_view metavar = {};   // in capitals, "ZONE"; default by kind; for a choice the words: "text|json"
    std::string_view help = {};      // begins with a capital, ends without a full stop; one sentence, more after ';'
    std::string_view fallback = {};  // the default in the same form as a value; "" is none
    std::string_view fallback_text = {};  // the default in words where it is no single value: "by metric"
    bool repeatable = false;
    bool required = false;
    bool may_be_empty = false;         // for text: "" means something, such as the null sender
    bool value_optional = false;       // the value may be left out, and is written after '=' only
    std::string_view low_is_bad = {};  // the figure's unit ("days"): a bare range is refused with what to write instead
    double least = -1e15;              // for integer and number
    double most = 1e15;
};

using OptionTable = std::vector<Option>;

// An option that stands in a file, and where: "plugins.ini line 4". `name` is a long name or one letter.
struct ExtraOption {
    std::string name;
    std::optional<std::string> value;
    std::string place;
};
using ExtraLoader = std::function<base::Result<std::vector<ExtraOption>>(std::string_view spec)>;

// Several groups as one table, in order.
[[nodiscard]] OptionTable options_of(std::initializer_list<OptionTable> groups);

// Groups that several plugins share. The common ones (-h -V -t -v -o --extra-opts) are in every plugin already.
[[nodiscard]] OptionTable common_options();
[[nodiscard]] OptionTable dns_options();     // --dns-server (repeatable endpoint)
[[nodiscard]] OptionTable ssh_options();     // --ssh --ssh-key --ssh-known-hosts --ssh-host-key
[[nodiscard]] OptionTable family_options();  // -4 -6

enum class Family { any, ipv4, ipv6 };

// What was given, checked. Asking for a name that is not in the table, or for the value of an option that was not given
// and has no default, throws std::logic_error: a mistake in the check.
class Options {
  public:
    // The arguments without the program's name; `load` turns the value of --extra-opts ("" without one) into further
    // options. Usage error in one line that names the option and the value. --help and --version need nothing else to
    // be right.
    [[nodiscard]] static base::Result<Options> parse(const OptionTable& table,
                                                     const std::vector<std::string>& arguments,
                                                     const ExtraLoader& load = {});

    // Whether the user gave it (a default does not count).
    [[nodiscard]] bool given(std::string_view name) const;
    [[nodiscard]] bool flag(std::string_view name) const;
    // How often a flag was given.
    [[nodiscard]] int count(std::string_view name) const;

    // The value or the default.
    [[nodiscard]] std::string text(std::string_view name) const;
    [[nodiscard]] std::int64_t integer(std::string_view name) const;
    [[nodiscard]] double number(std::string_view name) const;
    [[nodiscard]] std::chrono::milliseconds duration(std::string_view name) const;
    // All values of a repeatable option, in the order given, or its default alone, or none.
    [[nodiscard]] std::vector<std::string> list(std::string_view name) const;
    [[nodiscard]] std::vector<io::Endpoint> endpoints(std::string_view name, std::uint16_t default_port) const;

    // The value or the default, nothing when there is neither.
    [[nodiscard]] std::optional<std::string> find_text(std::string_view name) const;
    [[nodiscard]] std::optional<std::int64_t> find_integer(std::string_view name) const;
    [[nodiscard]] std::optional<double> find_number(std::string_view name) const;
    [[nodiscard]] std::optional<std::chrono::milliseconds> find_duration(std::string_view name) const;
    [[nodiscard]] std::optional<Range> find_range(std::string_view name) const;
    // A value without a slash is the warning range; the critical one is then that of the option's default.
    [[nodiscard]] std::optional<Thresholds> find_thresholds(std::string_view name) const;
    [[nodiscard]] std::optional<base::WallTime> find_time(std::string_view name) const;
    // The ranges of two options as one pair.
    [[nodiscard]] Thresholds thresholds(std::string_view warning = "warning",
                                        std::string_view critical = "critical") const;

    // The common and family options, read.
    [[nodiscard]] std::chrono::milliseconds timeout() const;  // of the whole run (-t)
    [[nodiscard]] State timeout_state() const;
    [[nodiscard]] int verbosity() const;  // 0 to 3
    [[nodiscard]] bool json() const;
    [[nodiscard]] Family family() const;

  private:
    [[nodiscard]] const Option& option(std::string_view name) const;
    OptionTable table_;
    std::map<std::string, std::vector<std::string>, std::less<>> values_;  // as written; one entry per flag given
};

// The share of -t that the thing being checked has; the rest is ours, to say what happened.
inline constexpr double target_share = 0.8;

}  // namespace mtawatch::plugin
