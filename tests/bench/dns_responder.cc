// A resolver that is some way off: answers every UDP question after a fixed time. dns_responder PORT DELAY_MS
// Names that begin with 2.0.0.127. or test. are listed (127.0.0.2), names below dead.test get no answer, all others do
// not exist. Runs until it is killed; prints one line when it is ready.
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <string>

namespace {

using Clock = std::chrono::steady_clock;

struct Pending {
    Clock::time_point when;
    sockaddr_in peer;
    std::string message;
};

// The answer to `packet`, or nothing for a dead list.
std::string answer(std::string packet) {
    const std::size_t end = packet.find('\0', 12);
    if (end == std::string::npos || end + 5 > packet.size()) return {};
    const std::string name = packet.substr(12, end - 12);
    if (name.find(std::string("\4dead\4test")) != std::string::npos) return {};
    const bool listed = name.starts_with(std::string("\1"
                                                     "2\1"
                                                     "0\1"
                                                     "0\3"
                                                     "127")) ||
                        name.starts_with("\4test");
    packet.resize(end + 5);
    packet[2] = static_cast<char>(0x81);
    packet[3] = static_cast<char>(listed ? 0x80 : 0x83);
    packet[7] = listed ? 1 : 0;
    packet[11] = 0;
    if (listed) packet += std::string("\xc0\x0c\0\1\0\1\0\0\0\x3c\0\4\x7f\0\0\2", 16);
    return packet;
}

void receive_all(int server, std::chrono::milliseconds delay, std::deque<Pending>& pending) {
    std::array<char, 1500> buffer{};
    for (;;) {
        sockaddr_in peer{};
        socklen_t size = sizeof peer;
        const auto got =
            recvfrom(server, buffer.data(), buffer.size(), MSG_DONTWAIT, reinterpret_cast<sockaddr*>(&peer), &size);
        if (got < 17) return;
        std::string message = answer({buffer.data(), static_cast<std::size_t>(got)});
        if (!message.empty()) pending.push_back({Clock::now() + delay, peer, std::move(message)});
    }
}

}  // namespace

int main(int argc, char** argv) {
    if (argc != 3) {
        std::fprintf(stderr, "usage: dns_responder PORT DELAY_MS\n");
        return 2;
    }
    const std::chrono::milliseconds delay(std::strtol(argv[2], nullptr, 10));
    const int server = socket(AF_INET, SOCK_DGRAM, 0);
    const int buffer_bytes = 8 << 20;
    setsockopt(server, SOL_SOCKET, SO_RCVBUF, &buffer_bytes, sizeof buffer_bytes);
    sockaddr_in own{};
    own.sin_family = AF_INET;
    own.sin_port = htons(static_cast<std::uint16_t>(std::strtoul(argv[1], nullptr, 10)));
    own.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (bind(server, reinterpret_cast<sockaddr*>(&own), sizeof own) != 0) {
        std::perror("bind");
        return 1;
    }
    std::puts("ready");
    std::fflush(stdout);
    std::deque<Pending> pending;
    for (;;) {
        timespec wait{1, 0};
        if (!pending.empty()) {
            const auto left =
                std::max(std::chrono::nanoseconds(0), std::chrono::nanoseconds(pending.front().when - Clock::now()));
            wait = {left.count() / 1'000'000'000, left.count() % 1'000'000'000};
        }
        pollfd one{server, POLLIN, 0};
        ppoll(&one, 1, &wait, nullptr);
        receive_all(server, delay, pending);
        while (!pending.empty() && pending.front().when <= Clock::now()) {
            const Pending& first = pending.front();
            sendto(server, first.message.data(), first.message.size(), 0,
                   reinterpret_cast<const sockaddr*>(&first.peer), sizeof first.peer);
            pending.pop_front();
        }
    }
}
