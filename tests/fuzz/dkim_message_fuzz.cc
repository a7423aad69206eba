// Feeds any bytes to the readers of messages and DKIM signatures, builds the bytes that would be signed, and verifies
// them against keys that nobody can sign with.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "shared/auth/dkim_signature.h"
#include "shared/auth/dkim_verify.h"
#include "shared/auth/message.h"
#include "tests/support/fake_clock.h"
#include "tests/support/hostile_transport.h"

using namespace mtawatch;

namespace {

// A modulus of 1024 bits: a number out of a random generator, of which nobody knows the factors.
#define MODULUS_KEY                                                                                   \
    "MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQChcLM4OSYwWfKMEF0fsXwjkMGSz9OslK8PId22bK1KJo0Rbs4XOPfZPZw" \
    "XJBHiC49rDVSbbwNnWhYAo1oJmVDYNvZ1zIHnTvXo4l2UDtkEdZUxmF1dncn4GBjoEYkvkCvSPwgkEosvMwxcf9Cmo6RQZR" \
    "MnDiaeDTfyp03kUua0OQIDAQAB"

// The keys of the selectors that begin with 0, 1, 2 and 3.
constexpr std::string_view keys[] = {
    "v=DKIM1; k=ed25519; p=QUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUE=",
    "v=DKIM1; k=rsa; p=" MODULUS_KEY,
    "v=DKIM1; k=rsa; t=y:s; p=" MODULUS_KEY,
    "v=DKIM1; p=",
};

void verify(const auth::Message& message) {
    const test::FakeClock clock;
    const base::Deadline deadline(clock, std::chrono::seconds(5));
    test::HostileTransport transport({std::begin(keys), std::end(keys)});
    auth::DnsCache dns(transport, deadline);
    const auto seen = auth::verify_dkim(dns, message, 1'700'000'000);
    if (seen.size() > message.fields.size() || transport.asked() > auth::max_signatures) std::abort();
    for (const auth::DkimVerification& one : seen) {
        if (one.result == auth::DkimResult::pass || one.reason.empty()) std::abort();
    }
    if (auth::one_click_unsubscribe(message, seen) == auth::OneClick::offered) std::abort();
}

}  // namespace

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
    verify(*message);
    return 0;
}
