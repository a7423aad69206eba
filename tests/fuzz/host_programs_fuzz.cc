// What df, find and date print on a host that is not ours: the first byte picks the program.
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "shared/mta/logs/mail_log.h"
#include "shared/probe/mta_state/mta_host.h"
#include "shared/probe/world/remote_files.h"

using namespace mtawatch;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size == 0) return 0;
    const std::string_view text(reinterpret_cast<const char*>(data) + 1, size - 1);
    switch (data[0] % 3) {
        case 0:
            if (const auto disks = probe::mta_state::read_df(text)) {
                for (const auto& disk : *disks) {
                    const double used = disk.used_percent();
                    if (!(used >= 0 && used <= 100) || disk.mountpoint.empty()) std::abort();
                }
            }
            return 0;
        case 1:
            if (const auto files = probe::world::read_find(text)) {
                for (const auto& file : *files) {
                    if (file.path.empty() || file.modified < 0 || file.path.find('\n') != std::string::npos) {
                        std::abort();
                    }
                }
            }
            return 0;
        default:
            if (const auto now = mta::logs::parse_machine_time(text);
                now && std::abs(now->offset.count()) > std::int64_t{24} * 3600) {
                std::abort();
            }
            return 0;
    }
}
