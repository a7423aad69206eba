// The accounting scanner once more, on files whose records may be longer than its window, its buffer and its limit: a
// byte 1 of the input becomes a run of letters, a byte 2 a run of separators.
#include "tests/fuzz/accounting_paths.h"

namespace {

constexpr std::size_t run_of_letters = 60'000;
constexpr int most_runs = 6;                      // the limit of a record is 256 KiB
constexpr std::size_t run_of_separators = 1'100;  // more columns than a header may have

std::string stretched(std::string_view input) {
    std::string file;
    int runs = 0;
    for (const char c : input) {
        if (c == '\1' && runs++ < most_runs) {
            file.append(run_of_letters, 'x');
        } else if (c == '\2' && runs++ < most_runs) {
            file.append(run_of_separators, ',');
        } else {
            file += c;
        }
    }
    return file;
}

}  // namespace

// The first two bytes are those of the target accounting_scanner.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    constexpr std::size_t enough = 512;
    if (size < 2 || size > enough) return 0;
    const std::string file = stretched({reinterpret_cast<const char*>(data) + 2, size - 2});
    mtawatch::fuzz::compare_paths(file, data[0], data[1], {file.size() / 3 + 1, 1'000U + data[1] * 777U});
    return 0;
}
