// Feeds any bytes to the reader of PowerMTA's bounce patterns and to the reply rules, and matches the same bytes.
#include <cstdint>
#include <string_view>

#include "shared/mta/classes/bounce_patterns.h"
#include "shared/mta/classes/reply_class.h"

using namespace mtawatch;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    static const mta::classes::ReplyClassifier classifier;
    static_cast<void>(classifier.classify(text.substr(0, size / 4), text));
    static_cast<void>(mta::classes::reply_codes(text, text));
    constexpr std::size_t enough = 4096;  // a long list of long patterns says nothing new and takes minutes
    const auto patterns = mta::classes::BouncePatterns::parse(text.substr(0, enough), "input");
    if (patterns) static_cast<void>(patterns->category("5.1.1 (bad)", text));
    return 0;
}
