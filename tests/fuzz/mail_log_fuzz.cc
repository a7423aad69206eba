// Lines of a mail log in any pieces: the counts must not depend on where a piece ends. The first byte says whether the
// lines carry their time.
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "shared/mta/logs/mail_log.h"

using namespace mtawatch;

namespace {

mta::logs::MailLogCounts count(std::string_view text, std::size_t piece, bool dated) {
    const auto now = mta::logs::parse_machine_time("2023-11-14T23:13:20+0100");
    mta::logs::MailLogReader reader(dated ? now : std::nullopt);
    while (!text.empty()) {
        const auto next = text.substr(0, piece);
        reader.push(next);
        text.remove_prefix(next.size());
    }
    return reader.finish();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size == 0) return 0;
    const std::string_view text(reinterpret_cast<const char*>(data) + 1, size - 1);
    const bool dated = (data[0] & 1U) != 0;
    const auto whole = count(text, std::max<std::size_t>(text.size(), 1), dated);
    const auto pieces = count(text, 7, dated);
    if (whole.lines != pieces.lines || whole.errors != pieces.errors || whole.rejects != pieces.rejects ||
        whole.sent != pieces.sent || whole.bounced != pieces.bounced || whole.deferred != pieces.deferred ||
        whole.last_error != pieces.last_error || whole.begins_in_window != pieces.begins_in_window) {
        std::abort();
    }
    const auto lines = static_cast<std::uint64_t>(std::ranges::count(text, '\n')) + 1;
    if (whole.lines > lines || whole.errors > whole.lines || whole.rejects > whole.lines) std::abort();
    return 0;
}
