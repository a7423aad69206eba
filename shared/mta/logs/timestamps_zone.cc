// Zone::named. Apart from timestamps.cc, so that a program that names no zone does not carry the zone database's
// reader.
#include <date/tz.h>

#include <chrono>
#include <exception>
#include <string>

#include "shared/mta/logs/timestamps.h"

namespace mtawatch::mta::logs {

using base::fail;

base::Result<Zone> Zone::named(std::string_view name) {
    const date::time_zone* found = nullptr;
    try {
        found = date::locate_zone(std::string(name));
    } catch (const std::exception&) {  // the library has no other way to say that it does not know a name
        return fail(base::Fault::configuration,
                    "time zone \"{}\": not known here; write a name such as Europe/Berlin, and install tzdata "
                    "if it is missing",
                    name);
    }
    const auto convert = [](const Zone& zone, std::int64_t local_seconds) {
        const auto* rules = static_cast<const date::time_zone*>(zone.rules_.get());
        const date::local_seconds local{std::chrono::seconds(local_seconds)};
        return static_cast<std::int64_t>(rules->to_sys(local, date::choose::earliest).time_since_epoch().count());
    };
    // The database lives as long as the program, so nothing is to be freed.
    return Zone(convert, std::shared_ptr<const void>(found, [](const void*) {}));
}

}  // namespace mtawatch::mta::logs
