// Replies of any receiver: a template is short, one line, the template of itself, and holds no address.
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "shared/base/text.h"
#include "shared/mta/classes/reply_template.h"

using namespace mtawatch;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string text = mta::classes::reply_template({reinterpret_cast<const char*>(data), size});
    if (text.size() > mta::classes::max_template_bytes || text != base::one_line(text, text.size())) std::abort();
    for (std::size_t at = text.find('@'); at != std::string::npos; at = text.find('@', at + 1)) {
        const bool before = at > 0 && (base::is_alpha(text[at - 1]) || base::is_digit(text[at - 1]));
        const bool after = at + 1 < text.size() && (base::is_alpha(text[at + 1]) || base::is_digit(text[at + 1]));
        if (before && after) std::abort();
    }
    return 0;
}
