// Option kinds, option groups and readings that only plugins have, on top of shared/options.
#pragma once

#include <chrono>
#include <optional>
#include <string_view>

#include "shared/options/options.h"
#include "shared/plugin/state.h"
#include "shared/plugin/thresholds.h"

namespace mtawatch::plugin {

// The kinds of options::Kind and these: Kind::flag, Kind::range.
struct Kind : options::Kind {
    static const options::Kind range;       // plugin::Range; with low_is_bad a bare one is refused
    static const options::Kind thresholds;  // plugin::Thresholds, "100/500" or "100"
    static const options::Kind timeout;     // seconds and a state, "10:critical"
};

// -h -V -t -v -o --extra-opts: in every plugin already.
[[nodiscard]] options::OptionTable common_options();
// Groups that several plugins share.
[[nodiscard]] options::OptionTable dns_options();     // --dns-server (repeatable endpoint)
[[nodiscard]] options::OptionTable ssh_options();     // --ssh --ssh-key --ssh-known-hosts --ssh-host-key --ssh-jump
[[nodiscard]] options::OptionTable family_options();  // -4 -6

enum class Family { any, ipv4, ipv6 };

// What was given, checked; the contract is that of options::Options.
class Options : public options::Options {
  public:
    explicit Options(options::Options given) : options::Options(std::move(given)) {}

    // The value or the default, nothing when there is neither.
    [[nodiscard]] std::optional<Range> find_range(std::string_view name) const;
    // A value without a slash is the warning range; the critical one is then that of the option's default.
    [[nodiscard]] std::optional<Thresholds> find_thresholds(std::string_view name) const;
    // The ranges of two options as one pair.
    [[nodiscard]] Thresholds thresholds(std::string_view warning = "warning",
                                        std::string_view critical = "critical") const;

    // The common and family options, read.
    [[nodiscard]] std::chrono::milliseconds timeout() const;  // of the whole run (-t)
    [[nodiscard]] State timeout_state() const;
    [[nodiscard]] int verbosity() const;  // 0 to 3
    [[nodiscard]] bool json() const;
    [[nodiscard]] Family family() const;
};

// The share of -t that the thing being checked has; the rest is ours, to say what happened.
inline constexpr double target_share = 0.8;

}  // namespace mtawatch::plugin
