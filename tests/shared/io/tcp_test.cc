// Proves the real connector against sockets of this process: data, silence, refusal, closing, unix sockets.
#include <arpa/inet.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <boost/test/unit_test.hpp>

#include <array>
#include <cstdlib>
#include <cstring>
#include <string>

#include "shared/io/connector.h"
#include "shared/io/descriptor.h"

using namespace mtawatch;
using namespace std::chrono_literals;
using base::Fault;

namespace {

// A listening socket on a port that the kernel chose.
struct Listener {
    explicit Listener(int family) : socket(::socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
        sockaddr_in v4{};
        sockaddr_in6 v6{};
        v4.sin_family = AF_INET;
        v4.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        v6.sin6_family = AF_INET6;
        v6.sin6_addr = in6addr_loopback;
        sockaddr_storage storage{};
        socklen_t length = family == AF_INET ? sizeof v4 : sizeof v6;
        if (family == AF_INET) std::memcpy(&storage, &v4, sizeof v4);
        if (family == AF_INET6) std::memcpy(&storage, &v6, sizeof v6);
        auto* address = reinterpret_cast<sockaddr*>(&storage);
        usable = socket && ::bind(socket.get(), address, length) == 0 && ::listen(socket.get(), 4) == 0;
        ::getsockname(socket.get(), address, &length);
        if (family == AF_INET) std::memcpy(&v4, &storage, sizeof v4);
        if (family == AF_INET6) std::memcpy(&v6, &storage, sizeof v6);
        endpoint = family == AF_INET ? io::Endpoint{"127.0.0.1", ntohs(v4.sin_port)}
                                     : io::Endpoint{"::1", ntohs(v6.sin6_port)};
    }
    [[nodiscard]] io::Descriptor accept() const { return io::Descriptor(::accept(socket.get(), nullptr, nullptr)); }
    io::Descriptor socket;
    io::Endpoint endpoint;
    bool usable = false;
};

struct Fixture {
    base::SystemClock clock;
    std::unique_ptr<io::Connector> connector = io::make_tcp_connector();
    [[nodiscard]] base::Deadline within(base::Duration allowed) const { return {clock, allowed}; }
    std::unique_ptr<io::Stream> connected(const Listener& listener) {
        auto stream = connector->connect(listener.endpoint, within(5s));
        BOOST_REQUIRE_MESSAGE(stream.has_value(), "connect failed");
        return *std::move(stream);
    }
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(tcp, Fixture)

BOOST_AUTO_TEST_CASE(bytes_go_both_ways_and_closing_is_zero) {
    for (const int family : {AF_INET, AF_INET6}) {
        const Listener listener(family);
        if (family == AF_INET6 && !listener.usable) continue;  // a machine without IPv6 has nothing to prove here
        BOOST_REQUIRE(listener.usable);
        auto stream = connected(listener);
        io::Descriptor peer = listener.accept();
        BOOST_REQUIRE(stream->write("EHLO\r\n", within(5s)).has_value());
        std::array<char, 100> buffer{};
        BOOST_TEST(::recv(peer.get(), buffer.data(), buffer.size(), 0) == 6);
        BOOST_TEST(::send(peer.get(), "250 ok", 6, 0) == 6);
        BOOST_TEST(stream->read_some(buffer, within(5s)).value() == 6U);
        BOOST_TEST(std::string(buffer.data(), 6) == "250 ok");
        peer.reset();
        BOOST_TEST(stream->read_some(buffer, within(5s)).value() == 0U);
    }
}

BOOST_AUTO_TEST_CASE(a_server_that_never_answers_is_silent_within_the_deadline) {
    const Listener listener(AF_INET);
    auto stream = connected(listener);
    std::array<char, 10> buffer{};
    const auto start = clock.steady();
    const auto answer = stream->read_some(buffer, within(50ms));
    BOOST_REQUIRE(!answer.has_value());
    BOOST_TEST((answer.error().fault == Fault::timeout));
    BOOST_TEST(answer.error().what == io::to_string(listener.endpoint) + ": no answer in time");
    BOOST_TEST((clock.steady() - start < 5s));
}

// Whoever read to an end that never came was held until the last resort ended the whole run.
BOOST_AUTO_TEST_CASE(a_server_that_never_stops_talking_is_left_at_the_deadline) {
    const Listener listener(AF_INET);
    auto stream = connected(listener);
    const io::Descriptor peer = listener.accept();
    BOOST_TEST(::send(peer.get(), "250-more\r\n", 10, 0) == 10);
    std::array<char, 5> buffer{};
    BOOST_TEST(stream->read_some(buffer, within(5s)).value() == 5U);
    const auto answer = stream->read_some(buffer, within(0s));
    BOOST_REQUIRE(!answer.has_value());
    BOOST_TEST((answer.error().fault == Fault::timeout));
    BOOST_TEST(answer.error().what ==
               io::to_string(listener.endpoint) + ": still not at the end of its answer when the time was over");
}

BOOST_AUTO_TEST_CASE(a_server_that_takes_no_data_is_silent) {
    const Listener listener(AF_INET);
    auto stream = connected(listener);
    const io::Descriptor peer = listener.accept();
    const auto done = stream->write(std::string(64U << 20U, 'x'), within(100ms));
    BOOST_REQUIRE(!done.has_value());
    BOOST_TEST((done.error().fault == Fault::timeout));
}

BOOST_AUTO_TEST_CASE(a_closed_port_is_refused) {
    io::Endpoint closed;
    {
        const Listener listener(AF_INET);
        closed = listener.endpoint;
    }
    const auto stream = connector->connect(closed, within(5s));
    BOOST_REQUIRE(!stream.has_value());
    BOOST_TEST((stream.error().fault == Fault::refused));
    BOOST_TEST(stream.error().what == io::to_string(closed) + ": Connection refused");
}

BOOST_AUTO_TEST_CASE(a_peer_that_resets_is_refused_not_a_crash) {
    const Listener listener(AF_INET);
    auto stream = connected(listener);
    io::Descriptor peer = listener.accept();
    const linger now{1, 0};  // close() sends RST
    ::setsockopt(peer.get(), SOL_SOCKET, SO_LINGER, &now, sizeof now);
    peer.reset();
    std::array<char, 10> buffer{};
    const auto answer = stream->read_some(buffer, within(5s));
    BOOST_REQUIRE(!answer.has_value());
    BOOST_TEST((answer.error().fault == Fault::refused));
    BOOST_TEST((stream->write("x", within(5s)).error().fault == Fault::refused));
}

BOOST_AUTO_TEST_CASE(names_and_overlong_paths_are_usage_errors) {
    for (const std::string& address : {std::string("mx.example.net"), std::string(), "/" + std::string(200, 'x')}) {
        const auto stream = connector->connect({address, 25}, within(1s));
        BOOST_REQUIRE(!stream.has_value());
        BOOST_TEST((stream.error().fault == Fault::usage));
    }
}

BOOST_AUTO_TEST_CASE(no_time_left_is_silent_without_a_packet) {
    const Listener listener(AF_INET);
    const auto stream = connector->connect(listener.endpoint, within(0s));
    BOOST_REQUIRE(!stream.has_value());
    BOOST_TEST((stream.error().fault == Fault::timeout));
}

BOOST_AUTO_TEST_CASE(unix_sockets_are_reached_by_path) {
    std::string folder = "/tmp/mtawatch-XXXXXX";
    BOOST_REQUIRE(mkdtemp(folder.data()) != nullptr);
    const std::string path = folder + "/s";
    BOOST_TEST((connector->connect({path, 0}, within(1s)).error().fault == Fault::not_found));
    const io::Descriptor server(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    path.copy(address.sun_path, sizeof address.sun_path - 1);
    BOOST_REQUIRE(::bind(server.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) == 0);
    BOOST_REQUIRE(::listen(server.get(), 1) == 0);
    BOOST_TEST(connector->connect({path, 0}, within(5s)).has_value());
    ::unlink(path.c_str());
    ::rmdir(folder.c_str());
}

BOOST_AUTO_TEST_SUITE_END()
