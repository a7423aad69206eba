// Reads any bytes as a file of certificates, and verifies whatever came out of them as a chain and through DANE.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "shared/tls/certificate.h"
#include "shared/tls/verify.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace mtawatch;
    static const auto context = tls::Context::make({.authorities = {}, .ca_directory = {}}).value();
    const auto read = tls::read_certificates({reinterpret_cast<const char*>(data), size});
    if (!read) {
        if (read.error().what.empty()) __builtin_trap();
        return 0;
    }
    if (read->empty()) __builtin_trap();
    for (const auto& one : *read) {
        if (one.subject.find('\n') != std::string::npos || one.fingerprint.size() != 64) __builtin_trap();
        static_cast<void>(tls::is_for(one, "mx1.example.net"));
        static_cast<void>(tls::is_for(one, "2001:db8::1"));
        static_cast<void>(tls::public_key(one));
    }
    constexpr std::int64_t now = 1'700'000'000;
    const auto chain = tls::verify_chain(*context, *read, now);
    if (chain.trusted() || chain.path.empty()) __builtin_trap();  // nobody is trusted here
    const tls::Tlsa own{3, 0, 1, tls::sha256(tls::der(read->front()))};
    const tls::Tlsa any{2, 1, 0, tls::der(read->back())};
    const auto dane = tls::verify_dane(*context, *read, {any, own}, {"mx1.example.net"}, now);
    if (!dane.matched && dane.reason.empty()) __builtin_trap();
    return 0;
}
