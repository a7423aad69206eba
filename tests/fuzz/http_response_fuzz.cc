// Takes any bytes for what a web server answers. The first byte says how many bytes come at once; redirects are
// followed, so the Location header is read too.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "shared/http/client.h"
#include "tests/support/fake_clock.h"
#include "tests/support/replay_stream.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace mtawatch;
    if (size < 1) return 0;
    const test::FakeClock clock;
    const base::Deadline deadline(clock, std::chrono::seconds(5));
    const std::string_view said(reinterpret_cast<const char*>(data) + 1, size - 1);
    const http::Dial dial = [&](const std::string&, std::uint16_t, const base::Deadline&) {
        return base::Result<std::unique_ptr<io::Stream>>(std::make_unique<test::ReplayStream>(said, data[0]));
    };
    http::Request request{.url = http::parse_url("http://www.example.net/a/b?c=d").value()};
    request.max_header_bytes = 4096;
    request.max_body_bytes = 4096;
    request.max_redirects = 3;
    const auto answer = http::fetch(request, dial, deadline);
    if (!answer) {
        if (answer.error().what.empty()) __builtin_trap();
        return 0;
    }
    if (!answer->response || answer->response->status < 101 || answer->response->status > 999) __builtin_trap();
    if (answer->response->body.size() > request.max_body_bytes || answer->redirects.size() > 3) __builtin_trap();
    if (answer->url.host != "www.example.net") __builtin_trap();
    return 0;
}
