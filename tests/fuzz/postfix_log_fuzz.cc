// Feeds any bytes to the Postfix reader: in pieces, and interrupted with its memory saved, the records are the same;
// any bytes as its memory are refused or taken whole.
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string_view>

#include "shared/mta/logs/postfix_log.h"
#include "tests/support/read_log.h"

using namespace mtawatch;

namespace {

// A reader reads file after file, as in the exporter; making one costs more than reading a short log. Its memory is
// emptied, so that the order of the inputs changes nothing.
struct Reader {
    mta::logs::PostfixLogReader log{[] {
        mta::logs::PostfixLogOptions options;
        options.zone = mta::logs::Zone::utc();
        options.now = [] { return std::int64_t{1'795'262'400}; };
        options.memory = {.messages = 8, .recipients = 16, .text_bytes = 512};
        return options;
    }()};

    mta::logs::PostfixLogReader& fresh() {
        log.reset();
        static_cast<void>(log.recall({}));
        return log;
    }
};

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
    static Reader readers[5];
    mta::logs::PostfixLogReader& whole = readers[0].fresh();
    const std::uint64_t overflowed = whole.remembered().overflowed();
    const auto expected = test::record_lines(whole, text);
    demand(whole.remembered().messages() <= 8 && whole.remembered().recipients() <= 16, "the limits do not hold");

    mta::logs::PostfixLogReader& pieces = readers[1].fresh();
    demand(test::record_lines(pieces, text, true, 1U + data[0]) == expected, "pieces change the records");
    demand(pieces.memory() == whole.memory(), "pieces change the memory");

    mta::logs::PostfixLogReader& first = readers[2].fresh();
    auto lines = test::record_lines(first, text.substr(0, text.size() * data[1] / 255U), false);
    mta::logs::PostfixLogReader& second = readers[3].fresh();
    const std::uint64_t overflowed_before = second.remembered().overflowed();
    demand(second.recall(first.memory()).has_value(), "its own memory is refused");
    second.resume(first.header(), first.consumed());
    const auto rest = test::record_lines(second, text.substr(static_cast<std::size_t>(first.consumed())));
    lines.insert(lines.end(), rest.begin(), rest.end());
    // With little room for texts, a saved memory fits into other blocks than it came from: either reader may forget a
    // message that the other one still knows, and counts that.
    const bool forgot =
        whole.remembered().overflowed() != overflowed || second.remembered().overflowed() != overflowed_before;
    demand(forgot || lines == expected, "an interruption changes the records");

    mta::logs::PostfixLogReader& other = readers[4].fresh();
    demand(other.recall(text).has_value() || other.remembered().messages() == 0, "damaged memory is left behind");
    return 0;
}
