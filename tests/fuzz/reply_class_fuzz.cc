// Replies of any receiver: dsnStatus up to the first line end, dsnDiag behind it.
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "shared/mta/classes/reply_builtin.h"
#include "shared/mta/classes/reply_class.h"

using namespace mtawatch;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    static const mta::classes::ReplyClassifier classifier;
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    const std::size_t end = text.find('\n');
    const std::string_view status = text.substr(0, end);
    const std::string_view diag = end == std::string_view::npos ? std::string_view() : text.substr(end + 1);
    const mta::classes::ReplyVerdict verdict = classifier.classify(status, diag);
    if (static_cast<std::size_t>(verdict.reply_class) >= mta::classes::reply_classes || verdict.rule.empty()) {
        std::abort();
    }
    // The index must find what a look at every rule finds.
    const mta::classes::ReplyTable& table = mta::classes::reply_builtin();
    mta::classes::ReplyReader reader;
    const mta::classes::ReplyText reply = reader.read(status, diag);
    std::size_t first = 0;
    while (first < table.rules.size() && !table.meets(first, reply)) ++first;
    if (table.find(reply) != (first == table.rules.size() ? mta::classes::ReplyTable::none : first)) std::abort();
    const mta::classes::ReplyCodes codes = mta::classes::reply_codes(status, diag);
    if (codes.code != 0 && (codes.code < 200 || codes.code > 599)) std::abort();
    if (codes.enhanced_size > sizeof codes.enhanced) std::abort();
    // What follows the bytes that decided must not matter: callers keep the answer for all texts that begin like that.
    if (codes.looked <= diag.size()) {
        const std::string other = std::string(diag.substr(0, codes.looked)) + "9.9.9 x";
        if (!(mta::classes::reply_codes(status, other) == codes)) std::abort();
    }
    return 0;
}
