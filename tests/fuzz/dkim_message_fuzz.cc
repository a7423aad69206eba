// Feeds any bytes to the readers of messages and DKIM signatures, and builds the bytes that would be signed.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "shared/auth/dkim_signature.h"
#include "shared/auth/message.h"

using namespace mtawatch;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const auto message = auth::parse_message({reinterpret_cast<const char*>(data), size});
    if (!message) return 0;
    static_cast<void>(auth::from_domain(*message));
    for (const auto how : {auth::Canonicalization::simple, auth::Canonicalization::relaxed}) {
        const std::string once = auth::canonical_body(message->body, how);
        if (auth::canonical_body(once, how) != once) std::abort();
    }
    for (const auth::HeaderField& field : message->fields) {
        const auto signature = auth::parse_dkim_signature(field.value);
        if (signature) static_cast<void>(auth::signed_header_bytes(*message, field, *signature));
    }
    return 0;
}
