// Option table of a program, and the options that were given. One table per program feeds the parser, --help, the man
// page, completion and, for a plugin, the Icinga and Nagios command definitions.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <initializer_list>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "shared/base/clock.h"
#include "shared/base/result.h"
#include "shared/io/connector.h"

namespace mtawatch::options {

struct Option;

// How the value of an option is read. Every value is read by its kind before the program sees it, so that no program
// meets a value that cannot be read. Programs may have kinds of their own (plugin::Kind::range).
struct Kind {
    std::string_view word;     // stable, for what is generated from the table, and unique: "duration"
    std::string_view metavar;  // of an option that names none: "DURATION"
    // Usage error without the option's name: '"abc" is no whole number'. Null: there is no value.
    base::Result<void> (*accept)(const Option& option, std::string_view text);

    bool operator==(const Kind& other) const { return word == other.word; }

    static const Kind flag;      // takes no value
    static const Kind text;      // anything but the empty text, unless may_be_empty
    static const Kind integer;   // whole number, at least `least`, at most `most`
    static const Kind number;    // decimal number, same limits
    static const Kind duration;  // base::parse_duration, "1h30m"
    static const Kind choice;    // one of the words in metavar, "none|quarantine|reject"
    static const Kind endpoint;  // numeric address with or without a port, "[2001:db8::1]:53"
    static const Kind time;      // RFC 3339, "2026-11-21T14:00:00Z"
    // base::expect_target: another kind of thing is told apart, in one sentence that says what to write.
    static const Kind domain;   // "example.com"
    static const Kind name;     // "mail.example.com", "localhost"
    static const Kind host;     // a name or an IP address
    static const Kind address;  // "192.0.2.1"
    static const Kind network;  // "192.0.2.1", "192.0.2.0/24"
    static const Kind target;   // a name, an IP address or a network
    static const Kind url;      // "https://mail.example.com/"
    static const Kind mailbox;  // "user@example.com"
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
    bool common = false;               // every program of its kind has it; man pages list it apart
    std::string_view one_of = {};      // of the options with the same word here one may be given: "family"
    std::string_view low_is_bad = {};  // for plugin::Kind::range: the figure's unit ("days"); a bare range is refused
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

// What differs between kinds of programs.
struct ParseRules {
    // Turns the value of --extra-opts ("" without one) into further options, which the command line overrules.
    ExtraLoader load = {};
    // Of an option that is given twice and is not repeatable the later one counts, so that a service's unit can be
    // overruled by a file with further arguments. Otherwise it is a usage error: it could be read two ways.
    bool later_counts = false;
};

// Several groups as one table, in order.
[[nodiscard]] OptionTable options_of(std::initializer_list<OptionTable> groups);

// -h --help and -V --version: in every program.
[[nodiscard]] OptionTable help_and_version();

// What was given, checked. Asking for a name that is not in the table, or for the value of an option that was not given
// and has no default, throws std::logic_error: a mistake in the program.
class Options {
  public:
    // The arguments without the program's name. Usage error in one line that names the option and the value. --help and
    // --version need nothing else to be right. Not for two threads at once: getopt_long has global variables.
    [[nodiscard]] static base::Result<Options> parse(const OptionTable& table,
                                                     const std::vector<std::string>& arguments,
                                                     const ParseRules& rules = {});

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
    [[nodiscard]] std::optional<base::WallTime> find_time(std::string_view name) const;

  protected:
    [[nodiscard]] const Option& option(std::string_view name) const;

  private:
    OptionTable table_;
    std::map<std::string, std::vector<std::string>, std::less<>> values_;  // as written; one entry per flag given
};

}  // namespace mtawatch::options
