// URLs, requests as sent, answers of every shape, redirects, and which servers are not talked to.
#include "shared/http/client.h"

#include <boost/test/unit_test.hpp>

#include "tests/support/fake_clock.h"
#include "tests/support/scripted_stream.h"

namespace mtawatch::http {
namespace {

using base::Fault;
using test::close;
using test::expect;
using test::say;
using test::Script;

BOOST_AUTO_TEST_CASE(urls_that_are_read) {
    const std::pair<const char*, Url> cases[] = {
        {"http://127.0.0.1:8080/status?format=json", {false, "127.0.0.1", 8080, "/status?format=json"}},
        {"HTTPS://MTA-STS.Example.net/.well-known/mta-sts.txt",
         {true, "mta-sts.example.net", 443, "/.well-known/mta-sts.txt"}},
        {"http://[2001:db8::1]:8000", {false, "2001:db8::1", 8000, "/"}},
        {"http://example.net?x=1#part", {false, "example.net", 80, "/?x=1"}},
    };
    for (const auto& [text, url] : cases) BOOST_TEST((parse_url(text).value() == url), text);
    BOOST_TEST(to_string(parse_url("http://[2001:db8::1]:8000").value()) == "http://[2001:db8::1]:8000/");
    BOOST_TEST(to_string(parse_url("https://example.net:443/a").value()) == "https://example.net/a");
}

BOOST_AUTO_TEST_CASE(urls_that_are_refused) {
    for (const char* text : {"", "example.net", "ftp://example.net/", "http://", "http:///x", "http://example.net:0/",
                             "http://example.net:65536/", "http://example.net:x/", "http://[::1/", "http://a b/",
                             "http://example.net/\r\nX: y", "http://[::1]8080/", "http://[mx1]:80/",
                             "http://[192.0.2.1]/", "http://[[]:80/", "http://a]b/"}) {
        const auto url = parse_url(text);
        BOOST_REQUIRE_MESSAGE(!url.has_value(), text);
        BOOST_TEST((url.error().fault == Fault::usage));
    }
    const auto secret = parse_url("http://admin:hunter2@example.net/");
    BOOST_TEST(secret.error().what.find("hunter2") == std::string::npos);
    BOOST_TEST(!parse_url("http://example.net/" + std::string(10'000, 'a')).has_value());
}

BOOST_AUTO_TEST_CASE(where_redirects_lead) {
    const Url from = parse_url("http://example.net:8080/a/b?q=1").value();
    const std::pair<const char*, const char*> cases[] = {
        {"https://example.net:8080/ui", "https://example.net:8080/ui"},
        {"//other.example.net/x", "http://other.example.net/x"},
        {"/ui?x=1", "http://example.net:8080/ui?x=1"},
        {"c", "http://example.net:8080/a/c"},
        {"../c/./d", "http://example.net:8080/c/d"},
        {"?z=2", "http://example.net:8080/a/b?z=2"},
        {" /ui#top ", "http://example.net:8080/ui"},
        {"/../../..", "http://example.net:8080/"},
    };
    for (const auto& [location, to] : cases) BOOST_TEST(to_string(follow(from, location).value()) == to, location);
    for (const char* location : {"", "ftp://example.net/", "javascript:alert(1)", "http://x:99999/", "/a b"}) {
        BOOST_TEST(!follow(from, location).has_value(), location);
    }
}

struct Fixture {
    test::FakeClock clock;
    base::Deadline deadline{clock, std::chrono::seconds(5)};
    test::ScriptedNetwork network;
    test::MadeCertificate root = test::make_authority("root");
    test::MadeCertificate leaf =
        test::make_certificate({.common_name = "www", .names = {"DNS:www.example.net"}, .issuer = &root});

    base::Result<Answer> get(Request request) {
        const Dial dial = [this](const std::string& host, std::uint16_t port, const base::Deadline& until) {
            return network.connect({host == "www.example.net" ? "192.0.2.80" : host, port}, until);
        };
        return fetch(request, dial, deadline);
    }
    static Request request(const char* url) { return {.url = parse_url(url).value()}; }
    Request trusting(const char* url) const {
        Request wanted = request(url);
        wanted.tls.context = tls::Context::make({.authorities = root.pem()}).value();
        return wanted;
    }
    static Script answer(std::string bytes) {
        return {expect("GET / HTTP/1.1"), expect("*"), expect("*"), expect("*"), expect("*"), expect(""),
                say(std::move(bytes)),    close()};
    }
};

BOOST_FIXTURE_TEST_CASE(the_request_is_sent_as_it_should_be, Fixture) {
    network.add("192.0.2.80:8080",
                {expect("POST /api?x=1 HTTP/1.1"), expect("Host: www.example.net:8080"), expect("User-Agent: mtawatch"),
                 expect("Accept-Encoding: identity"), expect("Connection: close"), expect("X-API-Key: k"),
                 expect("Authorization: Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ=="), expect("Content-Length: 5"), expect(""),
                 say("HTTP/1.1 204 No Content\r\nX-A:  b \r\n\r\n"), close()});
    Request wanted = request("http://www.example.net:8080/api?x=1");
    wanted.method = "POST";
    wanted.headers = {{"X-API-Key", "k"}};
    wanted.basic_auth = BasicAuth{"Aladdin", "open sesame"};  // RFC 7617 section 2
    wanted.body = "hello";
    const auto answer = get(wanted);
    BOOST_REQUIRE(answer.has_value());
    BOOST_TEST(answer->response->status == 204);
    BOOST_TEST(answer->response->header("x-a").value() == "b");
    BOOST_TEST(!answer->response->header("x-b").has_value());
    BOOST_TEST(network.complaints() == "");
}

BOOST_FIXTURE_TEST_CASE(line_breaks_in_headers_are_refused_without_quoting_secrets, Fixture) {
    Request wanted = request("http://192.0.2.80/");
    wanted.headers = {{"X-API-Key", "hunter2\r\nX: y"}};
    auto answer = get(wanted);
    BOOST_TEST((answer.error().fault == Fault::usage));
    BOOST_TEST(answer.error().what.find("hunter2") == std::string::npos);
    wanted.headers = {};
    wanted.basic_auth = BasicAuth{"a:b", "c"};
    BOOST_TEST((get(wanted).error().fault == Fault::usage));
    wanted.basic_auth.reset();
    wanted.method = "GE T";
    BOOST_TEST((get(wanted).error().fault == Fault::usage));
    BOOST_TEST(network.connections() == 0U);
}

BOOST_FIXTURE_TEST_CASE(bodies_of_every_framing, Fixture) {
    const std::pair<const char*, const char*> cases[] = {
        {"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", "hello"},
        {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nhel\r\n2;x=y\r\nlo\r\n0\r\nT: u\r\n\r\n", "hello"},
        {"HTTP/1.0 200 OK\r\n\r\nhello", "hello"},
        {"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", ""},
        {"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", "hello"},
        {"HTTP/1.1 200 \r\nContent-Length: 5\r\n\r\nhello and more than it said", "hello"},
    };
    for (const auto& [bytes, body] : cases) {
        test::ScriptedNetwork one;
        for (const std::size_t at_once : {1U << 20U, 1U}) {
            const Dial dial = [&, text = bytes](const std::string&, std::uint16_t, const base::Deadline&) {
                return base::Result<std::unique_ptr<io::Stream>>(test::scripted_stream(answer(text), nullptr, at_once));
            };
            const auto got = fetch(request("http://192.0.2.80/"), dial, deadline);
            BOOST_REQUIRE_MESSAGE(got.has_value(), bytes);
            BOOST_TEST(got->response->status == 200);
            BOOST_TEST(got->response->body == body);
        }
    }
}

// Found by fuzzing: four bytes of the only, empty chunk ended the program in an assertion.
BOOST_FIXTURE_TEST_CASE(an_empty_chunked_body_that_comes_byte_by_byte_does_not_crash, Fixture) {
    const std::string bytes = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nX: y\r\n\r\n";
    const Dial dial = [&](const std::string&, std::uint16_t, const base::Deadline&) {
        return base::Result<std::unique_ptr<io::Stream>>(test::scripted_stream(answer(bytes), nullptr, 1));
    };
    const auto got = fetch(request("http://192.0.2.80/"), dial, deadline);
    BOOST_REQUIRE(got.has_value());
    BOOST_TEST(got->response->status == 200);
    BOOST_TEST(got->response->body == "");
}

BOOST_FIXTURE_TEST_CASE(answers_that_are_none, Fixture) {
    const std::tuple<const char*, Fault, const char*> cases[] = {
        {"", Fault::refused, "http://192.0.2.80/: the server closed the connection without an answer"},
        {"220 mx.example.net ESMTP\r\n", Fault::malformed, "not HTTP: '220 mx.example.net ESMTP' (bad version)"},
        {"HTTP/1.1 200 OK\r\nwhat is this\r\n\r\n", Fault::malformed, "the answer is not HTTP: bad field"},
        {"HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\nhello", Fault::malformed, "the answer is cut short"},
        {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhel", Fault::malformed, "the answer is cut short"},
        {"HTTP/1.1 200 OK\r\nContent-Le", Fault::malformed, "the answer is cut short"},
        {"HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n", Fault::malformed, "not HTTP"},
        {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nhello", Fault::malformed, "not HTTP"},
        {"HTTP/1.1 200 OK\r\nContent-Length: 101\r\n\r\n", Fault::limit, "body is larger than 100 bytes"},
    };
    for (const auto& [bytes, fault, text] : cases) {
        BOOST_TEST_CONTEXT(bytes) {
            network.clear();
            network.add("192.0.2.80:80", answer(bytes));
            Request wanted = request("http://192.0.2.80/");
            wanted.max_body_bytes = 100;
            const auto got = get(wanted);
            BOOST_REQUIRE(!got.has_value());
            BOOST_TEST((got.error().fault == fault));
            BOOST_TEST(got.error().what.find(text) != std::string::npos, got.error().what);
        }
    }
}

// The end of the connection was told, but not what it had cut short; a handshake did not say with whom.
BOOST_FIXTURE_TEST_CASE(what_broke_off_over_tls_is_said_with_its_url, Fixture) {
    const auto error_of = [this](const std::vector<test::Step>& more) {
        network.clear();
        Script script = more;
        if (!more.empty()) {
            script.insert(script.begin(), {test::tls({leaf, {root}}), expect("GET / HTTP/1.1"), expect("*"),
                                           expect("*"), expect("*"), expect("*"), expect("")});
        } else {
            script = {test::hang()};
        }
        network.add("192.0.2.80:443", std::move(script));
        const auto got = get(trusting("https://www.example.net/"));
        BOOST_REQUIRE(!got.has_value());
        return got.error().what;
    };
    const std::string url = "https://www.example.net/: ";
    BOOST_TEST(error_of({say("HTTP/1.1 200 OK\r\nContent-Le")}) ==
               url + "the answer is cut short: the connection ended without a proper TLS close");
    BOOST_TEST(error_of({test::reset()}) ==
               url + "the server closed the connection without an answer: connection reset by peer");
    BOOST_TEST(error_of({}).starts_with(url + "no TLS connection: "));
}

// Room was made for all of it as soon as its first bytes came: std::bad_alloc, "please report it".
BOOST_FIXTURE_TEST_CASE(no_room_is_made_for_an_announced_terabyte, Fixture) {
    network.add("192.0.2.80:80", answer("HTTP/1.1 200 OK\r\nContent-Length: 1000000000000\r\n\r\nfirst bytes"));
    const auto got = get(request("http://192.0.2.80/"));
    BOOST_REQUIRE(!got.has_value());
    BOOST_TEST((got.error().fault == Fault::limit));
    BOOST_TEST(got.error().what.starts_with("http://192.0.2.80/: the answer's body is larger than "));
}

BOOST_FIXTURE_TEST_CASE(limits_hold_for_endless_answers, Fixture) {
    Request wanted = request("http://192.0.2.80/");
    wanted.max_header_bytes = 1000;
    wanted.max_body_bytes = 1000;
    network.add("192.0.2.80:80", answer("HTTP/1.1 200 OK\r\nX: " + std::string(5000, 'a') + "\r\n\r\n"));
    BOOST_TEST((get(wanted).error().fault == Fault::limit));
    network.clear();
    network.add("192.0.2.80:80", answer("HTTP/1.0 200 OK\r\n\r\n" + std::string(5000, 'a')));
    BOOST_TEST((get(wanted).error().fault == Fault::limit));
    network.clear();
    std::string interim;
    for (int i = 0; i < 20; ++i) interim += "HTTP/1.1 102 Wait\r\n\r\n";
    network.add("192.0.2.80:80", answer(interim));
    BOOST_TEST(get(wanted).error().what == "http://192.0.2.80/: more than 10 interim answers");
    network.clear();
    network.add("192.0.2.80:80", {test::hang()});
    BOOST_TEST((get(wanted).error().fault == Fault::timeout));
    BOOST_TEST((get(request("http://192.0.2.99/")).error().fault == Fault::refused));
}

BOOST_FIXTURE_TEST_CASE(an_endless_trailer_or_chunk_extension_is_refused_at_its_limit, Fixture) {
    const std::string head = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
    const std::string wanted =
        "http://192.0.2.80/: the answer's trailer or a chunk's extension is larger than 1000 bytes";
    Request limited = request("http://192.0.2.80/");
    limited.max_header_bytes = 1000;
    std::string trailer = head + "1\r\n{\r\n0\r\n";
    for (int i = 0; i < 3000; ++i) trailer += "X-T: " + std::string(95, 'a') + "\r\n";
    for (const std::string& said : {trailer, head + "1;x=" + std::string(300'000, 'a')}) {
        network.clear();
        network.add("192.0.2.80:80", answer(said));
        const auto got = get(limited);
        BOOST_REQUIRE(!got.has_value());
        BOOST_TEST((got.error().fault == Fault::limit));
        BOOST_TEST(got.error().what == wanted);
    }
    network.clear();  // what has its measure is read
    network.add("192.0.2.80:80", answer(head + "2;x=" + std::string(900, 'a') + "\r\n{}\r\n0\r\nX-T: a\r\n\r\n"));
    const auto got = get(limited);
    BOOST_REQUIRE_MESSAGE(got, got.error().what);
    BOOST_TEST(got->response->body == "{}");
}

BOOST_FIXTURE_TEST_CASE(redirects_are_facts_and_followed_only_where_asked_and_safe, Fixture) {
    const auto redirect = [](const char* to) {
        return "HTTP/1.1 302 Found\r\nLocation: " + std::string(to) + "\r\nContent-Length: 0\r\n\r\n";
    };
    network.add("192.0.2.80:80", answer(redirect("http://192.0.2.80:81/")));
    network.add("192.0.2.80:81", {expect("GET / HTTP/1.1"), expect("*"), expect("*"), expect("*"), expect("*"),
                                  expect(""), say("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi"), close()});
    Request wanted = request("http://192.0.2.80/");
    auto got = get(wanted);
    BOOST_TEST(got->response->status == 302);
    BOOST_TEST(got->redirects.empty());
    wanted.max_redirects = 1;
    got = get(wanted);
    BOOST_TEST(got->response->body == "hi");
    BOOST_TEST(to_string(got->url) == "http://192.0.2.80:81/");
    BOOST_REQUIRE(got->redirects.size() == 1U);
    BOOST_TEST(got->redirects[0].location == "http://192.0.2.80:81/");
    for (const char* elsewhere : {"http://192.0.2.81/", "http://:", "ftp://192.0.2.80/"}) {
        network.clear();
        network.add("192.0.2.80:80", answer(redirect(elsewhere)));
        BOOST_TEST(get(wanted)->response->status == 302, elsewhere);
    }
    network.clear();
    network.add("192.0.2.80:80", answer(redirect("/")));  // to itself, for ever
    wanted.max_redirects = 5;
    got = get(wanted);
    BOOST_TEST(got->response->status == 302);
    BOOST_TEST(network.connections() == 6U);
}

BOOST_FIXTURE_TEST_CASE(a_trusted_tls_server_is_talked_to, Fixture) {
    Script script{test::tls({leaf})};
    for (auto& step : answer("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi")) script.push_back(step);
    network.add("192.0.2.80:443", script);
    auto got = get(trusting("https://www.example.net/"));
    BOOST_REQUIRE(got.has_value());
    BOOST_TEST(got->untrusted == "");
    BOOST_TEST(got->response->body == "hi");
    BOOST_TEST(got->tls->protocol == "TLSv1.3");
    Request pinned = request("https://www.example.net/");
    pinned.tls.pinned_sha256 = tls::hex(tls::sha256(leaf.der()));
    BOOST_TEST(get(pinned)->response->body == "hi");
    Request insecure = request("https://www.example.net/");
    insecure.tls.insecure = true;
    BOOST_TEST(get(insecure)->response->body == "hi");
}

BOOST_FIXTURE_TEST_CASE(a_server_that_is_not_trusted_gets_no_request, Fixture) {
    network.add("192.0.2.80:443", {test::tls({leaf}), expect("nothing may come"), close()});
    auto got = get(trusting("https://192.0.2.80/"));
    BOOST_REQUIRE(got.has_value());
    BOOST_TEST(!got->response.has_value());
    BOOST_TEST(got->untrusted == "the certificate is not for 192.0.2.80");
    clock.set_wall(base::WallTime(std::chrono::seconds(test::test_now + 100 * test::one_day)));
    BOOST_TEST(get(trusting("https://www.example.net/"))->untrusted == "certificate has expired");
    Request pinned = request("https://www.example.net/");
    pinned.tls.pinned_sha256 = std::string(64, '0');
    BOOST_TEST(get(pinned)->untrusted.starts_with("the certificate is not the pinned one: its SHA-256 is "));
    BOOST_TEST(network.complaints() == "");
    network.add("192.0.2.80:444", {say("HTTP/1.1 400 Bad Request\r\n\r\n"), close()});
    const auto plain = get(trusting("https://192.0.2.80:444/"));
    BOOST_TEST(plain.error().what == "https://192.0.2.80:444/: no TLS connection: what came is not TLS");
}

}  // namespace
}  // namespace mtawatch::http
