// Probe of services: whether those that mail needs run, since when, and whether they greet. systemd here or over SSH, a
// port, a URL.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "shared/base/clock.h"
#include "shared/base/deadline.h"
#include "shared/base/result.h"
#include "shared/probe/world/machine.h"
#include "shared/probe/world/web_source.h"
#include "shared/probe/world/world.h"

namespace mtawatch::base {
class JsonWriter;
}

namespace mtawatch::probe::mta_state {

struct HostPort {
    std::string host;
    std::uint16_t port = 0;
};
// "mx1.example.net:25", "[2001:db8::1]:25". Usage error otherwise.
[[nodiscard]] base::Result<HostPort> parse_host_port(std::string_view text);

struct MtaServiceQuery {
    std::optional<world::SshTarget> ssh;
    std::vector<std::string> units;       // "postfix@-.service"; a name without a type is a service. May be empty.
    std::optional<HostPort> banner;       // must greet as an SMTP server
    std::optional<world::WebSource> web;  // must answer
};

// `systemctl show` of one unit (systemctl(1), org.freedesktop.systemd1(5)). Texts are systemd's own words.
struct UnitFacts {
    std::string unit;                       // as asked for
    std::string load_state;                 // loaded, not-found, masked, error, bad-setting
    std::string active_state;               // active, reloading, inactive, failed, activating, deactivating
    std::string sub_state;                  // running, exited, dead, auto-restart …
    std::string unit_file_state;            // enabled, disabled, static, masked …; empty: no unit file
    std::string type;                       // of a service: simple, forking, notify, oneshot …
    std::string result;                     // of its last run: success, exit-code, signal, timeout …
    std::vector<std::string> triggered_by;  // timers, sockets and paths that start it
    std::optional<std::int64_t> restarts;   // automatic ones since it was last started by hand (systemd 235)
    std::optional<int> exit_status;         // of the main process; absent while it runs or has never run
    std::optional<base::WallTime> active_since;
    std::optional<base::WallTime> inactive_since;
    std::optional<base::WallTime> last_trigger;  // of a timer
};

struct BannerFacts {
    std::string endpoint;
    std::optional<int> code;  // of the greeting's first line, absent when none came
    std::string text;         // that line, cleaned
    std::string failure;      // why no greeting came
    base::Duration took{};
};

struct UrlFacts {
    std::string url;
    std::optional<int> status;  // absent when no answer of use came
    std::string failure;
    bool answered_wrongly = false;  // without a status: something came, and it was no whole answer of HTTP
    base::Duration took{};
};

struct MtaServiceObservation {
    std::string where;
    std::vector<UnitFacts> units;  // in the order of the query
    std::optional<BannerFacts> banner;
    std::optional<UrlFacts> url;
    base::Duration took{};
};

// A stopped unit, a closed port and a 500 are facts. Faults: those of Machine (no systemctl, no systemd, auth),
// malformed (an answer of systemctl that cannot be read), resolver (the banner's or URL's name), usage.
[[nodiscard]] base::Result<MtaServiceObservation> mta_service(const MtaServiceQuery& query,
                                                              const base::Deadline& deadline, world::World& world);
// docs/service.md names the fields.
[[nodiscard]] std::string to_json(const MtaServiceObservation& observation);
// One unit as an object, into an open array.
void write_unit(base::JsonWriter& json, const UnitFacts& unit);

// The units alone, through a connection that is open already.
[[nodiscard]] base::Result<std::vector<UnitFacts>> unit_facts(const world::Machine& machine,
                                                              const std::vector<std::string>& units,
                                                              const base::Deadline& deadline);
// The units that belong to an MTA, as alternatives: the first loaded one of each group counts. Empty: not known.
[[nodiscard]] std::vector<std::vector<std::string>> preset_units(std::string_view mta);
// The first loaded unit of each group, or its first one when none is loaded.
[[nodiscard]] std::vector<UnitFacts> choose_units(const std::vector<std::vector<std::string>>& groups,
                                                  const std::vector<UnitFacts>& facts);

// What systemctl show prints, for tests and fuzzing: one block per unit, in order.
[[nodiscard]] base::Result<std::vector<UnitFacts>> read_unit_facts(std::string_view text,
                                                                   const std::vector<std::string>& units);

}  // namespace mtawatch::probe::mta_state
