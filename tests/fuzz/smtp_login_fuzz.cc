// Takes any bytes for what a server says during a login. The first byte picks the mechanism, the second how many bytes
// come at once. Whatever it says, the secret is in no text and nobody is let in who did not say 235.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "shared/smtp/session.h"
#include "tests/support/fake_clock.h"
#include "tests/support/replay_stream.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace mtawatch;
    // Costs a microsecond a round, which is no news; a count of many digits is refused, which is.
    if (size < 2 || size > 4096) return 0;
    const test::FakeClock clock;
    const base::Deadline deadline(clock, std::chrono::seconds(5));
    const std::string_view said(reinterpret_cast<const char*>(data) + 2, size - 2);
    test::ReplayStream stream(said, data[1]);
    smtp::Session session(stream);
    const std::string secret = "correct horse battery staple";
    const auto mechanism = smtp::all_mechanisms[data[0] % smtp::all_mechanisms.size()];
    smtp::SaslClient client(mechanism, {"tim", secret, secret}, "rOprNGfwEbeRWgbNEkqO");
    const auto login = smtp::log_in(session, client, deadline);
    if (!login) {
        if (login.error().fault != base::Fault::limit) __builtin_trap();  // the stream itself never fails
        return 0;
    }
    if (login->end == smtp::LoginEnd::done && login->read.reply.code != 235) __builtin_trap();
    if (login->end == smtp::LoginEnd::done && !client.server_proved()) __builtin_trap();
    if (login->why.find(secret) != std::string::npos && said.find(secret) == std::string_view::npos) __builtin_trap();
    smtp::Secrets secrets;
    secrets.add(secret);
    for (const auto& line : login->said) secrets.add(line);
    const std::string hidden = secrets.hide(said.substr(0, 1000));
    if (hidden.find(secret) != std::string::npos) __builtin_trap();
    static_cast<void>(smtp::offered_mechanisms({std::string(said)}));
    return 0;
}
