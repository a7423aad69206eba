// Proves the c-ares transport against servers that misbehave, on loopback sockets whose ports the kernel picks.
#include <arpa/inet.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <boost/test/unit_test.hpp>
#include <functional>
#include <mutex>
#include <thread>

#include "shared/dns/lookup.h"
#include "shared/dns/wire_name.h"

using namespace mtawatch;
using namespace std::chrono_literals;
using dns::Failure;
using dns::Outcome;
using dns::Type;

namespace {

// What a server does with a packet: the answers it sends, none or several.
using Behaviour = std::function<std::vector<std::string>(const std::string& packet)>;

std::string question_name(const std::string& packet) { return dns::text_name(std::string_view(packet).substr(12)); }

// The packet as an answer: code, and with `address` one A record.
std::string answer(const std::string& packet, unsigned code, std::string_view address = {}, unsigned flags = 0) {
    std::string reply = packet.substr(0, 12);
    reply[2] = static_cast<char>(0x81U | flags >> 8U);
    reply[3] = static_cast<char>(0x80U | code | (flags & 0xffU));
    reply[6] = 0;
    reply[7] = address.empty() ? 0 : 1;
    reply[8] = reply[9] = reply[10] = reply[11] = 0;
    const std::size_t end = packet.find('\0', 12) + 5;
    reply += packet.substr(12, end - 12);
    if (!address.empty()) {
        reply += std::string("\xc0\x0c\0\1\0\1\0\0\0\x3c\0\4", 12);
        reply += base::IpAddress::parse(address)->bytes();
    }
    return reply;
}

// A UDP and TCP server on one loopback port; ends with its object.
class Server {
  public:
    explicit Server(Behaviour udp, Behaviour tcp = nullptr)
        : udp_behaviour_(std::move(udp)), tcp_behaviour_(std::move(tcp)) {
        BOOST_REQUIRE(bind_both());
        BOOST_REQUIRE(listen(tcp_, 8) == 0);
        BOOST_REQUIRE(pipe(stop_.data()) == 0);
        thread_ = std::thread([this] { serve(); });
    }
    Server(const Server&) = delete;
    Server& operator=(const Server&) = delete;
    ~Server() {
        close(stop_[1]);
        thread_.join();
        close(stop_[0]);
        close(udp_);
        close(tcp_);
    }
    [[nodiscard]] dns::Server address() const { return {base::IpAddress::v4(127, 0, 0, 1), port_}; }
    [[nodiscard]] int packets() const { return packets_; }

  private:
    // The port that the system gives for UDP may be another test's for TCP.
    [[nodiscard]] bool bind_both() {
        constexpr int tries = 50;
        for (int i = 0; i < tries; ++i) {
            udp_ = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
            tcp_ = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
            sockaddr_in own{};
            own.sin_family = AF_INET;
            own.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
            socklen_t size = sizeof own;
            if (bind(udp_, reinterpret_cast<sockaddr*>(&own), size) != 0) return false;
            getsockname(udp_, reinterpret_cast<sockaddr*>(&own), &size);
            port_ = ntohs(own.sin_port);
            if (bind(tcp_, reinterpret_cast<sockaddr*>(&own), size) == 0) return true;
            close(udp_);
            close(tcp_);
        }
        return false;
    }

    void serve() {
        for (;;) {
            std::array<pollfd, 3> wait{{{udp_, POLLIN, 0}, {tcp_, POLLIN, 0}, {stop_[0], POLLIN | POLLHUP, 0}}};
            poll(wait.data(), wait.size(), -1);
            if (wait[2].revents != 0) return;
            if ((wait[0].revents & POLLIN) != 0) serve_udp();
            if ((wait[1].revents & POLLIN) != 0) serve_tcp();
        }
    }
    void serve_udp() {
        std::array<char, 4096> buffer{};
        sockaddr_in peer{};
        socklen_t size = sizeof peer;
        const auto got = recvfrom(udp_, buffer.data(), buffer.size(), 0, reinterpret_cast<sockaddr*>(&peer), &size);
        if (got <= 0) return;
        ++packets_;
        for (const std::string& reply : udp_behaviour_({buffer.data(), static_cast<std::size_t>(got)})) {
            sendto(udp_, reply.data(), reply.size(), 0, reinterpret_cast<sockaddr*>(&peer), size);
        }
    }
    void serve_tcp() {
        const int peer = accept(tcp_, nullptr, nullptr);
        std::array<char, 4096> buffer{};
        const auto got = recv(peer, buffer.data(), buffer.size(), 0);
        if (got > 2 && tcp_behaviour_) {
            for (const std::string& reply : tcp_behaviour_({buffer.data() + 2, static_cast<std::size_t>(got) - 2})) {
                std::string framed{static_cast<char>(reply.size() >> 8U), static_cast<char>(reply.size() & 0xffU)};
                framed += reply;
                send(peer, framed.data(), framed.size(), MSG_NOSIGNAL);
            }
        }
        close(peer);
    }

    Behaviour udp_behaviour_;
    Behaviour tcp_behaviour_;
    int udp_ = -1;
    int tcp_ = -1;
    std::uint16_t port_ = 0;
    std::array<int, 2> stop_{};
    std::atomic<int> packets_ = 0;
    std::thread thread_;
};

const Behaviour silence = [](const std::string&) { return std::vector<std::string>{}; };
const Behaviour good = [](const std::string& packet) {
    return std::vector<std::string>{answer(packet, 0, "127.0.0.2")};
};
Behaviour code(unsigned rcode) {
    return [rcode](const std::string& packet) { return std::vector<std::string>{answer(packet, rcode)}; };
}

dns::ResolverSettings quick(std::vector<dns::Server> servers) {
    dns::ResolverSettings settings;
    settings.servers = std::move(servers);
    settings.question_time = 1s;
    settings.retry_after = 150ms;
    return settings;
}

struct Fixture {
    base::SystemClock clock;
    base::Deadline deadline{clock, 20s};

    dns::Answer ask(const dns::ResolverSettings& settings, std::string name = "2.0.0.127.list.example") {
        const auto transport = dns::make_cares_transport(settings);
        BOOST_REQUIRE(transport.has_value());
        return dns::lookup(**transport, {std::move(name), Type::a, true, 0}, deadline);
    }
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(cares_transport, Fixture)

BOOST_AUTO_TEST_CASE(response_codes_are_told_apart) {
    const std::pair<unsigned, Failure> cases[] = {
        {2, Failure::servfail}, {5, Failure::refused}, {4, Failure::other_code}, {1, Failure::other_code}};
    for (const auto& [rcode, failure] : cases) {
        const Server server(code(rcode));
        auto settings = quick({server.address()});
        settings.question_time = 15s;
        settings.retry_after = 15s;
        const auto answer = ask(settings);
        BOOST_TEST((answer.failure == failure), rcode << ": " << dns::name(answer.failure));
        if (failure == Failure::other_code) BOOST_TEST(answer.rcode == rcode);
        BOOST_TEST((answer.took < 5s), "an error code needs no waiting");
    }
    const Server nothing(code(3));
    BOOST_TEST((ask(quick({nothing.address()})).outcome == Outcome::no_name));
}

BOOST_AUTO_TEST_CASE(answers_that_are_not_ours_are_silence) {
    const Behaviour wrong[] = {
        [](const std::string& packet) {
            std::string reply = answer(packet, 0, "127.0.0.2");
            reply[0] = static_cast<char>(reply[0] + 1);  // another id
            return std::vector{reply};
        },
        [](const std::string& packet) {
            std::string reply = answer(packet, 0, "127.0.0.2");
            reply[13] = 'x';  // another question
            return std::vector{reply};
        },
        [](const std::string&) {
            return std::vector<std::string>{"x", std::string(600, '\xff'), ""};
        },
        [](const std::string& packet) { return std::vector{packet.substr(0, 12)}; },
    };
    for (const Behaviour& behaviour : wrong) {
        const Server server(behaviour);
        const auto answer = ask(quick({server.address()}));
        BOOST_TEST((answer.failure == Failure::timeout), dns::name(answer.failure));
        BOOST_TEST((answer.took >= 1s));
    }
}

BOOST_AUTO_TEST_CASE(a_right_answer_behind_a_forged_one_counts) {
    const Server server([](const std::string& packet) {
        std::string forged = answer(packet, 0, "203.0.113.66");
        forged[1] = static_cast<char>(forged[1] + 1);
        return std::vector{forged, answer(packet, 0, "127.0.0.2")};
    });
    BOOST_TEST(ask(quick({server.address()})).records.addresses.at(0).to_string() == "127.0.0.2");
}

BOOST_AUTO_TEST_CASE(a_lost_packet_is_sent_again) {
    std::atomic<int> seen = 0;
    const Server server([&seen](const std::string& packet) { return ++seen == 1 ? silence(packet) : good(packet); });
    const auto answer = ask(quick({server.address()}));
    BOOST_TEST(answer.found());
    BOOST_TEST((answer.took >= 150ms));
}

BOOST_AUTO_TEST_CASE(an_answer_after_the_retry_still_counts) {
    std::string first;
    const Server server([&first](const std::string& packet) {
        if (first.empty()) {
            first = packet;
            return std::vector<std::string>{};
        }
        return std::vector{answer(first, 0, "127.0.0.2")};  // to the first packet's id
    });
    BOOST_TEST(ask(quick({server.address()})).found());
}

BOOST_AUTO_TEST_CASE(a_truncated_answer_is_asked_over_tcp) {
    const auto truncated = [](const std::string& packet) { return std::vector{answer(packet, 0, {}, 0x200)}; };
    const Server server(truncated, good);
    BOOST_TEST(ask(quick({server.address()})).found());
    const Server no_tcp(truncated, silence);
    BOOST_TEST(!ask(quick({no_tcp.address()})).known());
}

// "cannot be reached" was said of a resolver that whoever tried it by hand saw answer.
BOOST_AUTO_TEST_CASE(a_firewall_that_stops_tcp_alone_is_told_from_a_resolver_that_is_gone) {
    const Server truncating([](const std::string& packet) { return std::vector{answer(packet, 0, {}, 0x200)}; });
    const auto transport = dns::make_cares_transport(quick({truncating.address()})).value();
    const dns::Question question{"a.example", Type::a, false, 0};
    const auto refused = dns::lookup(*transport, question, deadline);
    BOOST_TEST((refused.failure == Failure::unreachable));
    BOOST_TEST(refused.over_tcp);
    BOOST_TEST(dns::failure_error(*transport, question, refused).what.find("gives none over TCP; let TCP through") !=
               std::string::npos);
    dns::Answer silent = refused;
    silent.failure = Failure::timeout;
    BOOST_TEST(dns::failure_error(*transport, question, silent).what.find(" over TCP, which") != std::string::npos);
    const Server gone(silence);
    BOOST_TEST(!ask(quick({gone.address()})).over_tcp);
}

BOOST_AUTO_TEST_CASE(another_server_is_asked_when_the_first_one_fails) {
    const Server working(good);
    for (const Behaviour& behaviour : {silence, code(2), code(5)}) {
        const Server broken(behaviour);
        BOOST_TEST(ask(quick({broken.address(), working.address()})).found());
    }
    dns::Server closed = working.address();
    {
        const Server gone(good);
        closed = gone.address();
    }
    BOOST_TEST(ask(quick({closed, working.address()})).found());
    BOOST_TEST((ask(quick({closed})).failure == Failure::unreachable));
}

BOOST_AUTO_TEST_CASE(a_silent_first_server_costs_its_time_once) {
    const Server dead(silence);
    const Server working(good);
    auto settings = quick({dead.address(), working.address()});
    settings.question_time = 5s;
    settings.retry_after = 400ms;
    const auto transport = dns::make_cares_transport(settings).value();
    const auto start = clock.steady();
    for (int i = 0; i < 10; ++i) {
        BOOST_TEST(dns::lookup(*transport, {"a.example", Type::a, false, 0}, deadline).found());
    }
    BOOST_TEST((clock.steady() - start < 2s));  // not ten times 400 ms
}

BOOST_AUTO_TEST_CASE(a_server_without_edns_is_asked_without_it) {
    const Server server([](const std::string& packet) { return packet[11] != 0 ? code(1)(packet) : good(packet); });
    const auto transport = dns::make_cares_transport(quick({server.address()})).value();
    std::vector<dns::Question> questions;
    for (int i = 0; i < 20; ++i) questions.push_back({fmt::format("a{}.example", i), Type::a, false, 0});
    for (const auto& one : dns::lookup_many(*transport, questions, deadline)) {
        BOOST_TEST(one.found(), dns::name(one.failure));
    }
}

BOOST_AUTO_TEST_CASE(dnssec_asks_with_both_bits_and_believes_loopback) {
    std::mutex mutex;
    std::string packet;
    const Server server([&](const std::string& seen) {
        const std::lock_guard lock(mutex);
        packet = seen;
        return std::vector{answer(seen, 0, "192.0.2.1", 0x20)};
    });
    BOOST_TEST(ask(quick({server.address()})).authenticated);
    const std::lock_guard lock(mutex);
    BOOST_TEST((static_cast<unsigned char>(packet[3]) & 0x20U) != 0U);                  // AD
    BOOST_TEST((static_cast<unsigned char>(packet[packet.size() - 4]) & 0x80U) != 0U);  // DO
}

BOOST_AUTO_TEST_CASE(one_dead_list_costs_its_own_time_only) {
    const Server server([](const std::string& packet) {
        return question_name(packet).ends_with("dead.example") ? silence(packet) : good(packet);
    });
    const auto transport = dns::make_cares_transport(quick({server.address()})).value();
    std::vector<dns::Question> questions;
    for (int address = 0; address < 64; ++address) {
        questions.push_back({fmt::format("{}.dead.example", address), Type::a, false, 1});
        questions.push_back({fmt::format("{}.good.example", address), Type::a, false, 2});
    }
    const auto start = clock.steady();
    const auto answers = dns::lookup_many(*transport, questions, deadline);
    BOOST_TEST((clock.steady() - start < 3s));  // not 64 / 10 times 1 s
    for (std::size_t i = 0; i < answers.size(); ++i) {
        BOOST_TEST((answers[i].failure == (i % 2 == 0 ? Failure::timeout : Failure::none)));
    }
}

BOOST_AUTO_TEST_CASE(a_resolver_that_is_gone_costs_one_question_time) {
    const Server server(silence);
    auto settings = quick({server.address()});
    settings.window = 20;
    const auto transport = dns::make_cares_transport(settings).value();
    std::vector<dns::Question> questions;
    for (std::uint32_t i = 0; i < 400; ++i) {
        questions.push_back({fmt::format("a{}.example", i), Type::a, false, i % 40 + 1});
    }
    const auto start = clock.steady();
    for (const auto& one : dns::lookup_many(*transport, questions, deadline)) {
        BOOST_TEST((one.failure == Failure::timeout));
    }
    BOOST_TEST((clock.steady() - start < 4s));
}

BOOST_AUTO_TEST_CASE(a_group_never_has_more_than_its_share_in_flight) {
    std::mutex mutex;
    std::vector<std::string> held;
    std::size_t most = 0;
    // Holds its answers until five are waiting: fewer in flight would end in silence.
    const Server server([&](const std::string& packet) -> std::vector<std::string> {
        const std::lock_guard lock(mutex);
        held.push_back(answer(packet, 3));
        most = std::max(most, held.size());
        if (held.size() < 5) return {};
        return std::exchange(held, {});
    });
    auto settings = quick({server.address()});
    settings.group_window = 5;
    settings.retry_after = 5s;
    settings.question_time = 5s;
    const auto transport = dns::make_cares_transport(settings).value();
    std::vector<dns::Question> questions;
    for (int i = 0; i < 50; ++i) questions.push_back({fmt::format("a{}.example", i), Type::a, false, 1});
    for (const auto& one : dns::lookup_many(*transport, questions, deadline)) {
        BOOST_TEST((one.outcome == Outcome::no_name));
    }
    const std::lock_guard lock(mutex);
    BOOST_TEST(most == 5U);
}

BOOST_AUTO_TEST_CASE(the_callers_deadline_cuts_everything) {
    const Server server(silence);
    const auto transport = dns::make_cares_transport(quick({server.address()})).value();
    const base::Deadline soon(clock, 50ms);
    const auto answer = dns::lookup(*transport, {"a.example", Type::a, false, 0}, soon);
    BOOST_TEST((answer.failure == Failure::deadline));
    BOOST_TEST((clock.steady() < soon.end() + 800ms));
}

// FORMERR, then silence: "the time of the whole run ended before an answer of use came".
BOOST_AUTO_TEST_CASE(a_code_that_came_before_the_deadline_is_told) {
    const Server server([](const std::string& packet) { return packet[11] != 0 ? code(1)(packet) : silence(packet); });
    const auto transport = dns::make_cares_transport(quick({server.address()})).value();
    const base::Deadline soon(clock, 500ms);
    const auto answer = dns::lookup(*transport, {"a.example", Type::a, false, 0}, soon);
    BOOST_TEST((answer.failure == Failure::other_code));
    BOOST_TEST(dns::failure_text(answer) == "FORMERR");
}

BOOST_AUTO_TEST_CASE(names_that_cannot_exist_are_not_sent) {
    const Server server(good);
    for (const char* name : {"", "a..b", "x.onion"}) {
        BOOST_TEST((ask(quick({server.address()}), name).outcome == Outcome::no_name), name);
    }
    BOOST_TEST(server.packets() == 0);
    BOOST_TEST(ask(quick({server.address()}), "a\\b c.example").found());
}

BOOST_AUTO_TEST_CASE(settings_that_cannot_work_are_refused) {
    BOOST_TEST(!dns::make_cares_transport({}).has_value());
    auto settings = quick({{base::IpAddress::v4(127, 0, 0, 1), 53}});
    settings.window = 0;
    BOOST_TEST(!dns::make_cares_transport(settings).has_value());
    settings.window = dns::max_window + 1;
    BOOST_TEST(!dns::make_cares_transport(settings).has_value());
}

BOOST_AUTO_TEST_SUITE_END()
