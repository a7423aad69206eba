// Feeds any bytes to the accounting scanner: both paths, in pieces that the bytes choose, against the reference reader.
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "tests/support/reference_reader.h"

using namespace mtawatch;

// The first byte chooses options and the end of the file, the second the sizes of the pieces.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size < 2) return 0;
    const std::string_view file(reinterpret_cast<const char*>(data) + 2, size - 2);
    const std::vector<std::size_t> pieces{1 + data[1] % 16U, 1U + data[1] / 2U, 1 + data[1] * 7U};
    mta::ScannerOptions options;
    options.zone = mta::Zone::utc();
    if ((data[0] & 2U) != 0) options.custom_columns = {"header_X-job", "rcpt"};
    if ((data[0] & 4U) != 0) options.record_types = {{"r", mta::RecordType::d}};
    if ((data[0] & 8U) != 0) options.untyped = mta::RecordType::b;
    const bool finished = (data[0] & 1U) != 0;
    const auto expected = test::read_slowly(file, options, finished);
    for (const mta::ScanPath path : mta::kScanPaths) {
        options.path = path;
        const std::string differs = test::difference(expected, test::read_in_pieces(file, options, finished, pieces));
        if (differs.empty()) continue;
        std::fprintf(stderr, "%s path: %s\n", std::string(name(path)).c_str(), differs.c_str());
        std::abort();
    }
    return 0;
}
