// Takes any bytes for what a mail server says before TLS. The first byte picks the protocol, the second how many bytes
// come at once.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "shared/smtp/reply.h"
#include "shared/smtp/starttls.h"
#include "tests/support/fake_clock.h"
#include "tests/support/replay_stream.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace mtawatch;
    if (size < 2) return 0;
    const test::FakeClock clock;
    const base::Deadline deadline(clock, std::chrono::seconds(5));
    const std::string_view said(reinterpret_cast<const char*>(data) + 2, size - 2);
    test::ReplayStream stream(said, data[1]);
    const auto protocol = static_cast<smtp::Protocol>(data[0] % 5);
    const auto found = smtp::start_tls(stream, protocol, "monitor.example.net", deadline);
    if (!found) {
        if (found.error().fault != base::Fault::limit) __builtin_trap();  // the stream itself never fails
        return 0;
    }
    for (const auto& text : {found->greeting, found->line}) {
        if (text.find_first_of("\r\n") != std::string::npos) __builtin_trap();
    }
    if (found->end == smtp::StartTlsEnd::ready && found->greeting.empty()) __builtin_trap();
    if (found->end == smtp::StartTlsEnd::injected && said.size() < 3) __builtin_trap();
    static_cast<void>(smtp::parse_reply_line(said));
    return 0;
}
