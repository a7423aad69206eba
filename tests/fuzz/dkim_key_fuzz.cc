// Feeds any bytes to the reader of DKIM key records; a key that it calls usable can be published again.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "shared/auth/dkim_key.h"

using namespace mtawatch;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const auth::DkimKey key = auth::parse_dkim_key({reinterpret_cast<const char*>(data), size});
    if (!key.usable()) return 0;
    const auto record = auth::dkim_key_record(*key.key);
    if (!record) std::abort();
    const auth::DkimKey again = auth::parse_dkim_key(*record);
    if (!again.usable() || again.bits != key.bits || !(*again.key == *key.key)) std::abort();
    return 0;
}
