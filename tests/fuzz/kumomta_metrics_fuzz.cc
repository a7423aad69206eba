// KumoMTA's metrics, JSON and text: no crash, no growth.
#include <cstddef>
#include <cstdint>
#include <string>

#include "shared/mta/documents/kumomta_metrics.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const auto metrics =
        mtawatch::mta::documents::read_kumomta_metrics(std::string(reinterpret_cast<const char*>(data), size));
    if (metrics) static_cast<void>(metrics->messages());
    return 0;
}
