// What people write as the value of an option: the first byte picks the reader. What is read must be writable again.
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "exporter/web/listen_address.h"
#include "shared/base/duration.h"
#include "shared/base/ip.h"
#include "shared/dns/names.h"
#include "shared/dns/transport.h"
#include "shared/http/client.h"
#include "shared/io/connector.h"
#include "shared/plugin/thresholds.h"
#include "shared/probe/mail_server/mail_cert.h"
#include "shared/probe/mta_state/mta_service.h"
#include "shared/ssh/ssh.h"

using namespace mtawatch;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size == 0 || size > 4096) return 0;
    const std::string_view text(reinterpret_cast<const char*>(data) + 1, size - 1);
    switch (data[0] % 11) {
        case 0:
            if (const auto length = base::parse_duration(text);
                length && (length->count() < 0 || *length > base::longest_duration)) {
                std::abort();
            }
            return 0;
        case 1:
            if (const auto address = base::IpAddress::parse(text);
                address && base::IpAddress::parse(address->to_string()) != address) {
                std::abort();
            }
            return 0;
        case 2:
            if (const auto network = base::IpNetwork::parse(text)) {
                const auto again = base::IpNetwork::parse(network->to_string());
                if (!again || !(*again == *network) || !network->contains(network->base)) std::abort();
            }
            return 0;
        case 3:
            if (const auto name = dns::ascii_name(text)) {
                const auto again = dns::ascii_name(*name);
                if (!again || *again != *name) std::abort();
            }
            return 0;
        case 4:
            if (const auto server = dns::parse_server(text)) {
                const auto again = dns::parse_server(server->to_string());
                if (!again || !(*again == *server)) std::abort();
            }
            return 0;
        case 5:
            if (const auto url = http::parse_url(text); url && !http::parse_url(http::to_string(*url))) std::abort();
            return 0;
        case 6:
            if (const auto target = ssh::parse_target(text)) {
                // Neither may be taken for an option of a program.
                if (target->host.empty() || target->host[0] == '-' || target->user.value_or("").starts_with('-')) {
                    std::abort();
                }
            }
            return 0;
        case 7:
            static_cast<void>(plugin::Thresholds::parse(text));
            return 0;
        case 8:
            static_cast<void>(io::parse_endpoint(text, 53));
            static_cast<void>(probe::mta_state::parse_host_port(text));
            return 0;
        case 10:
            if (const auto address = exporter::web::parse_listen_address(text);
                address && !address->unix_path.empty() && (address->unix_path[0] != '/' || !address->host.empty())) {
                std::abort();
            }
            return 0;
        default:
            static_cast<void>(probe::mail_server::parse_cert_endpoint(text));
            return 0;
    }
}
