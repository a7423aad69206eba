// Any bytes as what a client sends: each request gets an answer, whatever it says, and nothing is read past the end.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "exporter/web/basic_auth.h"
#include "exporter/web/http_message.h"
#include "exporter/web/site.h"
#include "tests/support/fake_source.h"

using namespace mtawatch;
using namespace mtawatch::exporter::web;

namespace {

SiteContent content() {
    static const test::FakeSource source([](exporter::exposition::ExpositionWriter& writer) {
        writer.begin({"x", exporter::exposition::MetricType::gauge, "", "X.", "", ""});
    });
    SiteContent content;
    content.version = "1";
    content.sources = {&source};
    return content;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    static Site site(content());
    static const Users users{{"alice", "$2y$04$abcdefghijklmnopqrstuuN1yhT3sMiF9wvGRwhdqWtNnDMyxrb2i"}};
    static const BasicAuth auth;
    std::string_view left(reinterpret_cast<const char*>(data), size);
    while (!left.empty()) {
        RequestParser parser;
        set_limits(parser);
        parser.eager(true);
        beast::error_code error;
        const std::size_t used = parser.put(boost::asio::buffer(left.data(), left.size()), error);
        if (error || used == 0 || !parser.is_done()) {
            if (const auto refusal = refusal_of(error)) (void)wire_response(*refusal, false, false, {});
            return 0;
        }
        left.remove_prefix(used);
        if (const auto refusal = refusal_of_header(parser)) {
            (void)wire_response(*refusal, false, false, {});
            return 0;
        }
        const Request request = request_of(parser.get());
        if (auth.known(request.authorization, users)) std::abort();
        const Response response = site.respond(request);
        const auto wire = wire_response(response, request.method == "HEAD", parser.keep_alive(), {});
        if (wire.result_int() < 200 || wire.result_int() > 599) std::abort();
    }
    return 0;
}
