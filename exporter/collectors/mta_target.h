// Configuration keys that name a machine or a web interface, the same in the sections pmta_monitor, mta_queue,
// mta_service and mta_host.
#pragma once

#include <string>
#include <vector>

#include "exporter/collectors/collector.h"
#include "shared/config/node.h"
#include "shared/probe/mta_state/mta_queue.h"

namespace mtawatch::exporter::collectors {

struct MtaTarget {
    std::string host;  // the label: as configured, else the host of `ssh` or `url`, else "localhost"
    std::optional<probe::world::SshTarget> ssh;
    std::optional<probe::world::WebSource> web;
    std::string name;  // the label "target": what is looked at, as the operator wrote it
};

// The keys host, ssh, ssh_key, ssh_known_hosts, ssh_host_key, ssh_jump; with `web` also url, api_key_file,
// basic_auth_file, insecure and certificate_pin. They are read when the returned function is called, after
// MapReader::finish().
class MtaTargetReader {
  public:
    MtaTargetReader(config::MapReader& map, bool web);
    // Errors name the place of `node`.
    [[nodiscard]] base::Result<MtaTarget> finish(const config::Node& node) const;

  private:
    std::string host_;
    std::string ssh_;
    probe::world::SshTarget ssh_details_;
    probe::world::WebSource web_;
};

// The keys interval and timeout, at the top of each section.
struct Pace {
    std::chrono::milliseconds interval = service_interval;
    std::chrono::milliseconds timeout = std::chrono::seconds(10);
};
void read_pace(config::MapReader& map, Pace& into);
[[nodiscard]] base::Result<void> check_pace(const config::Node& section, const Pace& pace);

// The tasks of a section that holds a pace (by default `usual`) and `targets`, each target read by `read`.
using TargetReader = base::Result<Task> (*)(const config::Node& node, const Pace& pace);
[[nodiscard]] base::Result<std::vector<Task>> read_targets(const config::Node& section, TargetReader read,
                                                           const Pace& usual = {});

}  // namespace mtawatch::exporter::collectors
