#include "exporter/web/server.h"

#include <unistd.h>

#include <atomic>
#include <boost/test/unit_test.hpp>
#include <cstdlib>
#include <filesystem>
#include <future>
#include <vector>

#include "shared/base/clock.h"
#include "tests/support/fake_source.h"
#include "tests/support/http_client.h"

using namespace mtawatch;
using namespace mtawatch::exporter::web;
using mtawatch::exporter::exposition::ExpositionWriter;
using mtawatch::exporter::exposition::MetricType;
using mtawatch::test::FakeSource;
using mtawatch::test::HttpClient;
using mtawatch::test::HttpReply;
using std::chrono::milliseconds;

namespace {

SiteContent content() {
    static const FakeSource numbers([](ExpositionWriter& writer) {
        writer.begin({"x_total", MetricType::counter, "", "A count.", "", ""});
        for (std::uint64_t i = 0; i < 100; ++i) {
            const std::string number = std::to_string(i);
            writer.sample("x_total{number=\"" + number + "\"} ", i);
        }
    });
    SiteContent content;
    content.version = "9.9";
    content.sources = {&numbers};
    content.not_ready_because = [] { return std::string(); };
    return content;
}

// A server on a port of the kernel's choice.
struct Running {
    explicit Running(ServerLimits limits = {}, SiteContent what = content(), std::string listen = "127.0.0.1:0")
        : site(std::move(what)) {
        auto started = Server::start({{parse_listen_address(listen).value()}, {}, limits}, site, log);
        BOOST_REQUIRE_MESSAGE(started, (started ? "" : started.error().what));
        server = std::move(*started);
    }
    [[nodiscard]] HttpClient client() const { return HttpClient(server->addresses().at(0)); }

    mtawatch::base::SystemClock clock;
    base::Log log{base::LogLevel::error, base::LogFormat::logfmt, clock, base::write_to_stderr};
    Site site;
    std::unique_ptr<Server> server;
};

std::string temporary_folder() {
    std::string name = (std::filesystem::temp_directory_path() / "mtawatch-web-XXXXXX").string();
    BOOST_REQUIRE(::mkdtemp(name.data()) != nullptr);
    return name;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(server)

BOOST_AUTO_TEST_CASE(metrics_have_the_content_type_that_prometheus_asks_for) {
    const Running running;
    HttpClient client = running.client();
    const HttpReply text = client.get("/metrics");
    BOOST_TEST(text.status == 200);
    BOOST_TEST(text.field("Content-Type") == "text/plain; version=0.0.4; charset=utf-8");
    BOOST_TEST(text.body.starts_with("# HELP x_total A count.\n# TYPE x_total counter\nx_total{number=\"0\"} 0\n"));
    const HttpReply openmetrics = client.get("/metrics", "Accept: application/openmetrics-text;version=1.0.0\r\n");
    BOOST_TEST(openmetrics.field("Content-Type") == "application/openmetrics-text; version=1.0.0; charset=utf-8");
    BOOST_TEST(openmetrics.body.starts_with("# HELP x A count.\n# TYPE x counter\n"));
    BOOST_TEST(openmetrics.body.ends_with("# EOF\n"));
}

BOOST_AUTO_TEST_CASE(metrics_are_packed_for_those_who_take_it) {
    const Running running;
    HttpClient client = running.client();
    const HttpReply packed = client.get("/metrics", "Accept-Encoding: gzip, deflate\r\n");
    BOOST_TEST(packed.field("Content-Encoding") == "gzip");
    BOOST_TEST(packed.body.size() < 1000);
    BOOST_TEST(packed.body.starts_with("\x1f\x8b"));
    BOOST_TEST(client.get("/metrics", "Accept-Encoding: gzip;q=0\r\n").field("Content-Encoding").empty());
}

BOOST_AUTO_TEST_CASE(head_is_get_without_the_body) {
    const Running running;
    HttpClient client = running.client();
    const std::size_t length = client.get("/metrics").body.size();
    client.send("HEAD /metrics HTTP/1.1\r\nHost: test\r\n\r\n");
    const HttpReply head = client.read_reply(true);
    BOOST_TEST(head.status == 200);
    BOOST_TEST(head.field("Content-Length") == std::to_string(length));
    BOOST_TEST(client.get("/-/healthy").status == 200);  // the connection is still in step
}

BOOST_AUTO_TEST_CASE(paths_are_exact_and_methods_are_few) {
    const Running running;
    HttpClient client = running.client();
    for (const char* path : {"/metrics/", "/metrics/foo", "/metric", "//", "/-/", "/%6detrics", "/index.html"}) {
        BOOST_TEST_CONTEXT(path) { BOOST_TEST(client.get(path).status == 404); }
    }
    BOOST_TEST(client.get("/metrics?name=x").status == 200);
    for (const char* target :
         {"http://test/metrics", "HTTPS://test:9725/metrics?name=x", "http://test", "http://test?x"}) {
        BOOST_TEST_CONTEXT(target) { BOOST_TEST(client.get(target).status == 200); }
    }
    for (const char* target : {"http://test/metrics/", "http:/metrics", "ftp://test/metrics", "x"}) {
        BOOST_TEST_CONTEXT(target) { BOOST_TEST(client.get(target).status == 404); }
    }
    for (const std::string method : {"POST", "PUT", "DELETE", "OPTIONS", "TRACE", "PROPFIND", "BREW"}) {
        BOOST_TEST_CONTEXT(method) {
            client.send(method + " /metrics HTTP/1.1\r\nHost: test\r\nContent-Length: 0\r\n\r\n");
            const HttpReply reply = client.read_reply();
            BOOST_TEST(reply.status == 405);
            BOOST_TEST(reply.field("Allow") == "GET, HEAD");
        }
    }
}

BOOST_AUTO_TEST_CASE(readiness_tells_why_not) {
    SiteContent waiting = content();
    waiting.not_ready_because = [] { return std::string("a backlog is being read"); };
    const Running running({}, waiting);
    HttpClient client = running.client();
    const HttpReply reply = client.get("/-/ready");
    BOOST_TEST(reply.status == 503);
    BOOST_TEST(reply.body == "pmta_exporter is not ready: a backlog is being read.\n");
    BOOST_TEST(client.get("/-/healthy").status == 200);
}

BOOST_AUTO_TEST_CASE(reload_needs_the_lifecycle_option_and_post) {
    const Running closed;
    HttpClient first = closed.client();
    BOOST_TEST(first.get("/-/reload").status == 403);
    SiteContent what = content();
    int reloads = 0;
    what.reload = [&]() -> mtawatch::base::Result<void> {
        if (++reloads > 1) return mtawatch::base::fail(mtawatch::base::Fault::configuration, "x.yml line 3: bad");
        return {};
    };
    const Running open({}, what);
    HttpClient client = open.client();
    BOOST_TEST(client.get("/-/reload").status == 405);
    client.send("POST /-/reload HTTP/1.1\r\nHost: test\r\n\r\n");
    BOOST_TEST(client.read_reply().status == 200);
    client.send("POST /-/reload HTTP/1.1\r\nHost: test\r\n\r\n");
    const HttpReply refused = client.read_reply();
    BOOST_TEST(refused.status == 500);
    BOOST_TEST(refused.body.find("x.yml line 3: bad") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(the_landing_page_escapes_what_it_shows) {
    SiteContent what = content();
    what.status = [] {
        return std::vector<exporter::exposition::SourceStatus>{{"accounting /var/<b>*.csv", false, "a & b"}};
    };
    const Running running({}, what);
    HttpClient client = running.client();
    const HttpReply page = client.get("/");
    BOOST_TEST(page.field("Content-Type") == "text/html; charset=utf-8");
    BOOST_TEST(page.body.find("Version 9.9") != std::string::npos);
    BOOST_TEST(page.body.find("<a href=\"/metrics\">") != std::string::npos);
    BOOST_TEST(page.body.find("accounting /var/&lt;b&gt;*.csv") != std::string::npos);
    BOOST_TEST(page.body.find("a &amp; b") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(bad_requests_are_refused_and_the_connection_ends) {
    const Running running;
    const std::vector<std::pair<std::string, int>> table{
        {"nonsense\r\n\r\n", 400},
        {"GET /metrics HTTP/1.1\r\nHost: x\r\nX: " + std::string(20000, 'y') + "\r\n\r\n", 431},
        {"GET /" + std::string(20000, 'y') + " HTTP/1.1\r\n\r\n", 431},
        {"POST /-/reload HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\n", 413},
        {"GET /metrics HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n", 400},
        {"POST /-/reload HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n", 411},
        {std::string("GET /\0 HTTP/1.1\r\n\r\n", 19), 400},
        {"GET /metrics HTTP/1.1\r\n\r\n", 400},
        {"GET /metrics HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n", 400},
    };
    for (const auto& [bytes, status] : table) {
        BOOST_TEST_CONTEXT(bytes.substr(0, 40)) {
            HttpClient client = running.client();
            client.send(bytes);
            BOOST_TEST(client.read_reply().status == status);
            BOOST_TEST(client.closed_by_server());
        }
    }
}

BOOST_AUTO_TEST_CASE(the_body_of_an_unknown_transfer_coding_is_not_the_next_request) {
    const Running running;
    for (const char* coding : {"xchunked", "identity", "gzip", "chunked, x"}) {
        HttpClient client = running.client();
        client.send("GET /-/healthy HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: " + std::string(coding) +
                    "\r\n\r\nGET /metrics HTTP/1.1\r\nHost: x\r\n\r\n");
        BOOST_TEST(client.read_reply().status == 411);
        BOOST_TEST(client.closed_by_server());
    }
}

BOOST_AUTO_TEST_CASE(requests_in_one_packet_are_answered_in_turn) {
    const Running running;
    HttpClient client = running.client();
    const std::string request = "GET /-/healthy HTTP/1.1\r\nHost: test\r\n\r\n";
    client.send(request + request + "GET /nothing HTTP/1.0\r\n\r\n");
    BOOST_TEST(client.read_reply().status == 200);
    BOOST_TEST(client.read_reply().status == 200);
    BOOST_TEST(client.read_reply().status == 404);
    BOOST_TEST(client.closed_by_server());  // HTTP/1.0 ends here
}

BOOST_AUTO_TEST_CASE(one_empty_line_before_a_request_is_not_the_request) {
    const Running running;
    const std::string request = "GET /-/healthy HTTP/1.1\r\nHost: test\r\n\r\n";
    HttpClient client = running.client();
    client.send("\r\n" + request + "\r\n" + request);
    BOOST_TEST(client.read_reply().status == 200);
    BOOST_TEST(client.read_reply().status == 200);
    client.send("\r");
    client.send("\n");
    client.send(request);
    BOOST_TEST(client.read_reply().status == 200);
    client.send("\r\n\r\n" + request);
    BOOST_TEST(client.read_reply().status == 400);
    BOOST_TEST(client.closed_by_server());
}

BOOST_AUTO_TEST_CASE(a_client_that_waits_to_send_its_body_is_told_to_go_on) {
    const Running running;
    const std::string head = "POST /metrics HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nExpect: 100-Continue\r\n\r\n";
    HttpClient client = running.client();
    client.send(head);
    BOOST_TEST(client.read_reply(true).status == 100);
    client.send("{}");
    BOOST_TEST(client.read_reply().status == 405);
    client.send(head + "{}");  // the body is there already
    const unsigned first = client.read_reply(true).status;
    BOOST_TEST((first == 100 || first == 405));
    HttpClient large = running.client();
    large.send("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\nExpect: 100-continue\r\n\r\n");
    BOOST_TEST(large.read_reply().status == 413);
    HttpClient other = running.client();
    other.send("GET / HTTP/1.1\r\nHost: x\r\nExpect: miracles\r\n\r\n");
    BOOST_TEST(other.read_reply().status == 417);
    BOOST_TEST(other.closed_by_server());
    HttpClient old = running.client();
    old.send("POST /metrics HTTP/1.0\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n{}");
    BOOST_TEST(old.read_reply().status == 405);
}

BOOST_AUTO_TEST_CASE(a_client_that_says_nothing_or_dribbles_is_cut_off) {
    ServerLimits limits;
    limits.first_request = milliseconds(50);
    limits.request = milliseconds(100);
    const Running running(limits);
    const HttpClient silent = running.client();
    BOOST_TEST(silent.closed_by_server());
    HttpClient slow = running.client();
    slow.send("GET /metrics HTTP/1.1\r\nX: ");
    BOOST_TEST(slow.closed_by_server());
}

BOOST_AUTO_TEST_CASE(idle_connections_give_way_to_a_scrape) {
    ServerLimits limits;
    limits.connections = 20;
    const Running running(limits);
    std::vector<HttpClient> idle;
    idle.reserve(100);
    for (int i = 0; i < 100; ++i) idle.push_back(running.client());
    HttpClient scraper = running.client();
    BOOST_TEST(scraper.get("/metrics").status == 200);
    BOOST_TEST(idle.front().closed_by_server());
    BOOST_TEST(idle.back().get("/metrics").status == 200);
}

// The first page is held back until everybody has asked: those who ask meanwhile share the next one.
BOOST_AUTO_TEST_CASE(a_crowd_that_asks_at_once_gets_one_page_and_nobody_is_sent_away) {
    SiteContent what = content();
    std::promise<void> crowd_is_there;
    const std::shared_future<void> go = crowd_is_there.get_future().share();
    std::atomic<int> made = 0;
    const FakeSource counted([&made, go](ExpositionWriter& writer) {
        ++made;
        go.wait();
        writer.begin({"made", MetricType::gauge, "", "A count.", "", ""});
        writer.sample("made ", static_cast<std::uint64_t>(made));
    });
    what.sources.push_back(&counted);
    const Running running({}, what);
    HttpClient first = running.client();
    first.send("GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n");
    std::vector<HttpClient> crowd;
    for (int i = 0; i < 100; ++i) {
        crowd.push_back(running.client());
        crowd.back().send("GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n");
    }
    // What is answered at once shows that the requests before it have been read.
    HttpClient last = running.client();
    BOOST_TEST(last.get("/-/healthy").status == 200);
    crowd_is_there.set_value();
    BOOST_TEST(first.read_reply().body.ends_with("made 1\n"));
    for (HttpClient& client : crowd) {
        const HttpReply reply = client.read_reply();
        BOOST_TEST(reply.status == 200);
        BOOST_TEST(reply.body.ends_with("made 2\n"), reply.body.substr(reply.body.size() - 10));
    }
    BOOST_TEST(made == 2);
}

BOOST_AUTO_TEST_CASE(other_formats_and_pages_are_not_mixed_up_in_a_crowd) {
    const Running running;
    std::vector<HttpClient> clients;
    const std::string asks[] = {"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n",
                                "GET /metrics HTTP/1.1\r\nHost: x\r\nAccept: application/openmetrics-text\r\n\r\n",
                                "GET /metrics HTTP/1.1\r\nHost: x\r\nAccept-Encoding: gzip\r\n\r\n",
                                "HEAD /metrics HTTP/1.1\r\nHost: x\r\n\r\n",
                                "GET / HTTP/1.1\r\nHost: x\r\n\r\n",
                                "POST /metrics HTTP/1.1\r\nHost: x\r\n\r\n"};
    for (int i = 0; i < 60; ++i) {
        clients.push_back(running.client());
        clients.back().send(asks[i % 6]);
    }
    for (int i = 0; i < 60; ++i) {
        const HttpReply reply = clients[static_cast<std::size_t>(i)].read_reply(i % 6 == 3);
        BOOST_TEST(reply.status == (i % 6 == 5 ? 405 : 200));
        BOOST_TEST(reply.body.ends_with("# EOF\n") == (i % 6 == 1));
        BOOST_TEST((reply.field("Content-Encoding") == "gzip") == (i % 6 == 2));
        BOOST_TEST(reply.body.empty() == (i % 6 == 3));
        BOOST_TEST(reply.body.starts_with("<!DOCTYPE html>") == (i % 6 == 4));
    }
}

// Far more than the buffers of both sockets hold, so that a client that does not read keeps its page in memory.
BOOST_AUTO_TEST_CASE(slow_readers_give_way_to_later_pages) {
    SiteContent what = content();
    const FakeSource large([](ExpositionWriter& writer) {
        writer.begin({"y", MetricType::gauge, "", "Y.", "", ""});
        for (std::uint64_t i = 0; i < 400'000; ++i) writer.sample("y{number=\"" + std::to_string(i) + "\"} ", i);
    });
    what.sources.push_back(&large);
    ServerLimits limits;
    limits.pages_at_once = 2;
    const Running running(limits, what);
    std::vector<HttpClient> slow;
    for (int i = 0; i < 4; ++i) {
        slow.push_back(running.client());
        slow.back().send("GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n");
        HttpClient scraper = running.client();
        BOOST_TEST(scraper.get("/metrics").status == 200);
    }
    for (int i = 0; i < 4; ++i) {
        const HttpReply reply = slow[static_cast<std::size_t>(i)].read_reply();
        const bool whole = std::to_string(reply.body.size()) == reply.field("Content-Length");
        BOOST_TEST(whole == (i == 3));  // of the two places one is for the scraper
    }
}

BOOST_AUTO_TEST_CASE(a_page_that_throws_is_an_error_page) {
    SiteContent what = content();
    const FakeSource broken([](ExpositionWriter&) { throw std::runtime_error("broken"); });
    what.sources.push_back(&broken);
    mtawatch::base::SystemClock clock;
    const Running running({}, what);
    HttpClient client = running.client();
    BOOST_TEST(client.get("/metrics").status == 500);
    BOOST_TEST(client.get("/-/healthy").status == 200);
}

BOOST_AUTO_TEST_CASE(it_listens_on_ipv6_and_on_a_unix_socket) {
    const std::string folder = temporary_folder();
    const std::string path = folder + "/web.socket";
    {
        const Running six({}, content(), "[::1]:0");
        HttpClient client = six.client();
        BOOST_TEST(client.get("/metrics").status == 200);
        const Running local({}, content(), "unix:" + path);
        HttpClient through_file = local.client();
        BOOST_TEST(through_file.get("/metrics").status == 200);
        BOOST_TEST((std::filesystem::status(path).permissions() == std::filesystem::perms{0660}));
        auto second = Server::start({{parse_listen_address("unix:" + path).value()}, {}, {}},
                                    const_cast<Running&>(local).site, local.log);
        BOOST_REQUIRE(!second);
        BOOST_TEST(second.error().what.find("somebody listens there already") != std::string::npos);
    }
    BOOST_TEST(!std::filesystem::exists(path));
    std::filesystem::remove_all(folder);
}

BOOST_AUTO_TEST_CASE(an_address_that_cannot_be_had_is_named) {
    const Running running;
    const std::string taken = running.server->addresses()[0].substr(7);
    Site site(content());
    const auto second = Server::start({{parse_listen_address(taken).value()}, {}, {}}, site, running.log);
    BOOST_REQUIRE(!second);
    BOOST_TEST(second.error().what == "--web.listen-address " + taken + ": cannot listen: Address already in use");
}

BOOST_AUTO_TEST_CASE(stopping_ends_connections_at_once) {
    Running running;
    HttpClient client = running.client();
    BOOST_TEST(client.get("/-/healthy").status == 200);
    running.server->stop();
    BOOST_TEST(client.closed_by_server());
}

BOOST_AUTO_TEST_SUITE_END()
