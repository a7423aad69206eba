#include "exporter/collectors/registry.h"

#include "exporter/collectors/dnsbl.h"

namespace mtawatch::exporter {

// In the order of the sections in packaging/exporter/config.yml.
std::span<const CollectorKind> collector_kinds() {
    static const std::vector<CollectorKind> kinds{
        {"certificate", certificate_tasks},
        {"dnsbl", dnsbl_tasks},
    };
    return kinds;
}

}  // namespace mtawatch::exporter
