// Benchmark of the DNS engine beside a bare socket loop. dns_bench raw|wire|read PORT ADDRESSES LISTS WINDOW
//   raw   sendmmsg/recvmmsg with WINDOW packets in flight, nothing read but the id: what the machine can do
//   wire  the transport: retries, deadlines, matching of id and question, caps
//   read  the transport and the reader: typed answers, as the probes use them
// Prints one line: queries a second, processor time a query of this process, and how many answers said "listed".
#include <fmt/format.h>
#include <netinet/in.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <deque>
#include <string>
#include <string_view>
#include <vector>

#include "shared/dns/lookup.h"
#include "shared/dns/names.h"
#include "shared/dns/transport.h"
#include "shared/dns/wire_name.h"

namespace {

using namespace mtawatch;

struct Tally {
    std::size_t answered = 0;
    std::size_t listed = 0;
};

double cpu_seconds() {
    rusage usage{};
    getrusage(RUSAGE_SELF, &usage);
    const auto seconds = [](const timeval& t) {
        return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) / 1e6;
    };
    return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

std::vector<dns::Question> questions(std::size_t addresses, std::size_t lists) {
    std::vector<dns::Question> all;
    for (std::size_t i = 0; i < addresses; ++i) {
        const auto reversed = dns::reversed_labels(base::IpAddress::v4(static_cast<std::uint32_t>(0xCB007100U + i)));
        for (std::size_t list = 0; list < lists; ++list) {
            all.push_back({fmt::format("{}.l{}.test", reversed, list), dns::Type::a, false, 0});
        }
    }
    return all;
}

std::string packet(const dns::Question& question) {
    std::string bytes(12, '\0');
    bytes[2] = 1;  // recursion desired
    bytes[5] = 1;  // one question
    bytes += dns::wire_name(question.name);
    bytes += std::string("\0\1\0\1", 4);
    return bytes;
}

Tally raw(const std::vector<dns::Question>& all, std::uint16_t port, std::size_t window) {
    constexpr std::size_t burst = 64;
    const int socket_fd = socket(AF_INET, SOCK_DGRAM, 0);
    sockaddr_in server{};
    server.sin_family = AF_INET;
    server.sin_port = htons(port);
    server.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (connect(socket_fd, reinterpret_cast<sockaddr*>(&server), sizeof server) != 0) std::abort();
    std::vector<std::string> packets;
    for (const auto& question : all) packets.push_back(packet(question));
    std::array<std::array<char, 1500>, burst> buffers;
    Tally tally;
    std::size_t sent = 0;
    while (tally.answered < all.size()) {
        std::array<mmsghdr, burst> out{};
        std::array<iovec, burst> parts{};
        unsigned count = 0;
        while (count < burst && sent < all.size() && sent - tally.answered < window) {
            packets[sent][0] = static_cast<char>(sent >> 8U & 0xffU);
            packets[sent][1] = static_cast<char>(sent & 0xffU);
            parts[count] = {packets[sent].data(), packets[sent].size()};
            out[count].msg_hdr.msg_iov = &parts[count];
            out[count].msg_hdr.msg_iovlen = 1;
            ++count;
            ++sent;
        }
        if (count > 0 && sendmmsg(socket_fd, out.data(), count, 0) != static_cast<int>(count)) std::abort();
        std::array<mmsghdr, burst> in{};
        for (unsigned i = 0; i < burst; ++i) {
            parts[i] = {buffers[i].data(), buffers[i].size()};
            in[i].msg_hdr.msg_iov = &parts[i];
            in[i].msg_hdr.msg_iovlen = 1;
        }
        const int got = recvmmsg(socket_fd, in.data(), burst, MSG_WAITFORONE, nullptr);
        for (int i = 0; i < got; ++i) {
            ++tally.answered;
            if (buffers[static_cast<std::size_t>(i)][7] != 0) ++tally.listed;
        }
    }
    close(socket_fd);
    return tally;
}

Tally engine(const std::vector<dns::Question>& all, std::uint16_t port, std::size_t window, bool read) {
    base::SystemClock clock;
    dns::ResolverSettings settings;
    settings.servers = {{base::IpAddress::v4(127, 0, 0, 1), port}};
    settings.window = window;
    const auto transport = dns::make_cares_transport(settings);
    if (!transport) std::abort();
    const base::Deadline deadline(clock, std::chrono::minutes(5));
    Tally tally;
    if (read) {
        for (const auto& answer : dns::lookup_many(**transport, all, deadline)) {
            if (answer.known()) ++tally.answered;
            if (answer.found()) ++tally.listed;
        }
        return tally;
    }
    for (const auto& reply : (*transport)->exchange_many(all, deadline)) {
        if (reply.delivery == dns::Delivery::answered) ++tally.answered;
        if (reply.message.size() > 7 && reply.message[7] != 0) ++tally.listed;
    }
    return tally;
}

}  // namespace

int main(int argc, char** argv) {
    if (argc != 6) {
        std::fprintf(stderr, "usage: dns_bench raw|wire|read PORT ADDRESSES LISTS WINDOW\n");
        return 2;
    }
    const std::string_view mode = argv[1];
    const auto number = [argv](int i) { return static_cast<std::size_t>(std::strtoul(argv[i], nullptr, 10)); };
    const auto port = static_cast<std::uint16_t>(number(2));
    const auto all = questions(number(3), number(4));
    const double cpu = cpu_seconds();
    const auto start = std::chrono::steady_clock::now();
    const Tally tally = mode == "raw" ? raw(all, port, number(5)) : engine(all, port, number(5), mode == "read");
    const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    const auto count = static_cast<double>(all.size());
    fmt::print("{}: {} of {} answered, {} listed, {:.3f} s, {:.0f} queries/s, {:.2f} us CPU a query\n", mode,
               tally.answered, all.size(), tally.listed, seconds, count / seconds, (cpu_seconds() - cpu) * 1e6 / count);
    return tally.answered == all.size() ? 0 : 1;
}
