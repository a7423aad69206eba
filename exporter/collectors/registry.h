// Table of the collectors: the name of each section below `collectors:` and the function that reads it.
#pragma once

#include <span>
#include <string_view>
#include <vector>

#include "exporter/collectors/collector.h"

namespace mtawatch::exporter::collectors {

struct CollectorKind {
    std::string_view section;  // the key below `collectors:` in the configuration
    base::Result<std::vector<Task>> (*tasks)(const config::Node& section);
};

[[nodiscard]] std::span<const CollectorKind> collector_kinds();

// The readers of the sections, one per file of this folder.
[[nodiscard]] base::Result<std::vector<Task>> certificate_tasks(const config::Node& section);
[[nodiscard]] base::Result<std::vector<Task>> mail_submit_tasks(const config::Node& section);
[[nodiscard]] base::Result<std::vector<Task>> pmta_monitor_tasks(const config::Node& section);
[[nodiscard]] base::Result<std::vector<Task>> mta_queue_tasks(const config::Node& section);
[[nodiscard]] base::Result<std::vector<Task>> mta_service_tasks(const config::Node& section);
[[nodiscard]] base::Result<std::vector<Task>> mta_host_tasks(const config::Node& section);

}  // namespace mtawatch::exporter::collectors
