// PowerMTA's answers in every form, through every reader: none may crash, hang or grow.
#include <cstddef>
#include <cstdint>
#include <string>

#include "shared/mta/documents/pmta_status.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string bytes(reinterpret_cast<const char*>(data), size);
    static_cast<void>(mtawatch::mta::documents::read_pmta_status(bytes));
    for (const auto* what : {"queue", "domain", "vmta", "job"}) {
        const auto listing = mtawatch::mta::documents::read_pmta_listing(bytes, what);
        if (listing) static_cast<void>(listing->complete());
    }
    static_cast<void>(mtawatch::mta::documents::read_pmta_messages(bytes));
    static_cast<void>(mtawatch::mta::documents::read_pmta_licence(bytes));
    return 0;
}
