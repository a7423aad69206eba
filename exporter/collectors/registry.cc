#include "exporter/collectors/registry.h"

#include "exporter/collectors/dnsbl.h"
#include "exporter/collectors/mail_auth.h"

namespace mtawatch::exporter {

// In the order of the sections in packaging/exporter/config.yml.
std::span<const CollectorKind> collector_kinds() {
    static const std::vector<CollectorKind> kinds{
        {"certificate", certificate_tasks},
        {"dnsbl", dnsbl_tasks},
        {"mail_auth", mail_auth_tasks},
    };
    return kinds;
}

}  // namespace mtawatch::exporter
