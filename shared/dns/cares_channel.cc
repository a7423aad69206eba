#include "shared/dns/cares_channel.h"

#include <ares.h>
#include <netinet/in.h>
#include <sys/random.h>

#include <algorithm>
#include <cstring>
#include <string>

#include "shared/dns/names.h"

namespace mtawatch::dns {
namespace {

using base::fail;

constexpr int edns_bytes = 1232;               // fits every path without fragments (DNS flag day 2020)
constexpr int socket_buffer_bytes = 1 << 20;   // the kernel cuts it to its own limit
constexpr int never_milliseconds = 3'600'000;  // longer than any run: our own clock decides

constexpr unsigned char ad_bit = 0x20;  // in the fourth header byte, RFC 4035 3.2.3
constexpr unsigned char do_bit = 0x80;  // first flag byte of the OPT record, fourth from its end, RFC 3225

struct FreeBytes {
    void operator()(unsigned char* bytes) const { ares_free_string(bytes); }
};

// c-ares reads a backslash as an escape.
std::string escaped(std::string_view name) {
    std::string text;
    text.reserve(name.size() + 1);
    for (const char c : name) {
        if (c == '\\') text += '\\';
        text += c;
    }
    return text;
}

ares_addr_port_node node_of(const Server& server) {
    ares_addr_port_node node{};
    node.family = server.address.is_v4() ? AF_INET : AF_INET6;
    node.udp_port = server.port;
    node.tcp_port = server.port;
    const std::string bytes = server.address.bytes();
    std::memcpy(&node.addr, bytes.data(), bytes.size());
    return node;
}

bool is_stream(int socket) {
    int type = 0;
    socklen_t size = sizeof type;
    return getsockopt(socket, SOL_SOCKET, SO_TYPE, &type, &size) == 0 && type == SOCK_STREAM;
}

}  // namespace

struct CaresChannel::Packet {
    CaresChannel* channel = nullptr;
    std::uint64_t token = 0;
    std::uint16_t id = 0;
    bool edns = true;
};

void CaresChannel::FreeChannel::operator()(ares_channeldata* channel) const { ares_destroy(channel); }

base::Result<std::unique_ptr<CaresChannel>> CaresChannel::open(const Server& server, PacketSink& sink) {
    std::unique_ptr<CaresChannel> made(new CaresChannel(sink));
    ares_options options{};
    options.flags = ARES_FLAG_STAYOPEN | ARES_FLAG_NOCHECKRESP | ARES_FLAG_EDNS | ARES_FLAG_NOSEARCH;
    options.timeout = never_milliseconds;
    options.tries = 1;
    options.ednspsz = edns_bytes;
    options.socket_send_buffer_size = socket_buffer_bytes;
    options.socket_receive_buffer_size = socket_buffer_bytes;
    std::array<char, 2> lookups{'b', '\0'};
    options.lookups = lookups.data();
    options.sock_state_cb = &CaresChannel::on_socket;
    options.sock_state_cb_data = made.get();
    const int mask = ARES_OPT_FLAGS | ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES | ARES_OPT_EDNSPSZ | ARES_OPT_SOCK_SNDBUF |
                     ARES_OPT_SOCK_RCVBUF | ARES_OPT_LOOKUPS | ARES_OPT_DOMAINS | ARES_OPT_SOCK_STATE_CB;
    ares_channel channel = nullptr;
    int status = ares_init_options(&channel, &options, mask);
    if (status != ARES_SUCCESS) return fail(base::Fault::internal, "c-ares: {}", ares_strerror(status));
    made->channel_.reset(channel);
    ares_addr_port_node node = node_of(server);
    status = ares_set_servers_ports(channel, &node);
    if (status != ARES_SUCCESS) return fail(base::Fault::internal, "c-ares: {}", ares_strerror(status));
    return made;
}

CaresChannel::~CaresChannel() = default;

std::uint16_t CaresChannel::free_id() {
    // max_window keeps most of the 65536 free, so this ends after a try or two.
    for (;;) {
        if (random_used_ == random_.size()) {
            std::size_t filled = 0;
            auto* bytes = reinterpret_cast<unsigned char*>(random_.data());
            while (filled < sizeof random_) {
                const ssize_t got = getrandom(bytes + filled, sizeof random_ - filled, 0);
                if (got > 0) filled += static_cast<std::size_t>(got);
            }
            random_used_ = 0;
        }
        const std::uint16_t id = random_.at(random_used_++);
        if (!ids_in_use_.test(id)) return id;
    }
}

bool CaresChannel::send(const Question& question, std::uint64_t token) {
    if (!askable(question.name) || question.name.find('\0') != std::string::npos) return false;
    auto packet = std::make_unique<Packet>(Packet{this, token, free_id(), edns_});
    unsigned char* raw = nullptr;
    int size = 0;
    const int status = ares_create_query(escaped(question.name).c_str(), 1, static_cast<int>(question.type), packet->id,
                                         1, &raw, &size, edns_ ? edns_bytes : 0);
    const std::unique_ptr<unsigned char, FreeBytes> bytes(raw);
    if (status != ARES_SUCCESS) return false;
    if (question.dnssec) {
        raw[3] |= ad_bit;
        if (edns_) raw[size - 4] |= do_bit;
    }
    ids_in_use_.set(packet->id);
    ares_send(channel_.get(), raw, size, &CaresChannel::on_answer, packet.release());
    return true;
}

void CaresChannel::process(int socket, bool readable, bool writable) {
    ares_process_fd(channel_.get(), readable ? socket : ARES_SOCKET_BAD, writable ? socket : ARES_SOCKET_BAD);
}

void CaresChannel::cancel() {
    ares_cancel(channel_.get());
    tcp_ = false;
}

void CaresChannel::on_socket(void* self, int socket, int readable, int writable) {
    auto& sockets = static_cast<CaresChannel*>(self)->sockets_;
    if (writable != 0 && is_stream(socket)) static_cast<CaresChannel*>(self)->tcp_ = true;
    const auto found = std::ranges::find_if(sockets, [socket](const pollfd& one) { return one.fd == socket; });
    if (readable == 0 && writable == 0) {
        if (found != sockets.end()) sockets.erase(found);
        return;
    }
    const auto events = static_cast<short>((readable != 0 ? POLLIN : 0) | (writable != 0 ? POLLOUT : 0));
    if (found != sockets.end()) {
        found->events = events;
    } else {
        sockets.push_back({socket, events, 0});
    }
}

void CaresChannel::on_answer(void* raw_packet, int status, int /*timeouts*/, unsigned char* message, int size) {
    const std::unique_ptr<Packet> packet(static_cast<Packet*>(raw_packet));
    CaresChannel& self = *packet->channel;
    self.ids_in_use_.reset(packet->id);
    if (status == ARES_EDESTRUCTION) return;
    if (message != nullptr && size > 0) {
        self.sink_->on_message(packet->token, {reinterpret_cast<const char*>(message), static_cast<std::size_t>(size)},
                               packet->edns);
    } else {
        self.sink_->on_failure(packet->token, status == ARES_ECANCELLED);
    }
}

}  // namespace mtawatch::dns
