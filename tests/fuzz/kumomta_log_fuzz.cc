// Feeds any bytes to the reader of KumoMTA's log: in pieces, and interrupted, the records are the same.
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string_view>

#include "shared/mta/logs/kumomta_log.h"
#include "tests/support/read_log.h"

using namespace mtawatch;

namespace {

void demand(bool holds, const char* what) {
    if (holds) return;
    std::fprintf(stderr, "%s\n", what);
    std::abort();
}

}  // namespace

// The first byte chooses the size of the pieces, the second where the reading is interrupted.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size < 2) return 0;
    const std::string_view text(reinterpret_cast<const char*>(data) + 2, size - 2);
    // A reader reads file after file, as in the exporter; making one costs more than reading a short log.
    static mta::logs::KumoLogReader whole;
    static mta::logs::KumoLogReader pieces;
    static mta::logs::KumoLogReader first;
    static mta::logs::KumoLogReader second;
    for (mta::logs::KumoLogReader* reader : {&whole, &pieces, &first, &second}) reader->reset();
    const auto expected = test::record_lines(whole, text);
    demand(test::record_lines(pieces, text, true, 1U + data[0]) == expected, "pieces change the records");
    auto lines = test::record_lines(first, text.substr(0, text.size() * data[1] / 255U), false);
    second.resume(first.header(), first.consumed());
    const auto rest = test::record_lines(second, text.substr(static_cast<std::size_t>(first.consumed())));
    lines.insert(lines.end(), rest.begin(), rest.end());
    demand(lines == expected, "an interruption changes the records");
    return 0;
}
