// Feeds any bytes to the accounting scanner: every path, in pieces that the bytes choose and with an interruption,
// against the reference reader.
#include "tests/fuzz/accounting_paths.h"

// The first byte chooses options and the end of the file, the second the sizes of the pieces and the interruption.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size < 2) return 0;
    const std::string_view file(reinterpret_cast<const char*>(data) + 2, size - 2);
    mtawatch::fuzz::compare_paths(file, data[0], data[1], {1 + data[1] % 16U, 1U + data[1] / 2U, 1 + data[1] * 7U});
    return 0;
}
