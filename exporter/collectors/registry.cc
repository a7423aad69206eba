#include "exporter/collectors/registry.h"

#include "exporter/collectors/dnsbl.h"
#include "exporter/collectors/mail_auth.h"

namespace mtawatch::exporter::collectors {

// In the order of the sections in packaging/exporter/config.yml.
std::span<const CollectorKind> collector_kinds() {
    static const std::vector<CollectorKind> kinds{
        {"pmta_monitor", pmta_monitor_tasks},
        {"mta_queue", mta_queue_tasks},
        {"mta_service", mta_service_tasks},
        {"mta_host", mta_host_tasks},
        {"certificate", certificate_tasks},
        {"mail_submit", mail_submit_tasks},
        {"dnsbl", dnsbl_tasks},
        {"mail_auth", mail_auth_tasks},
    };
    return kinds;
}

}  // namespace mtawatch::exporter::collectors
