// DNS packets to one server: a c-ares channel with its retries, time-outs and failover switched off. Internal to
// shared/dns.
#pragma once

#include <poll.h>

#include <array>
#include <bitset>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "shared/base/result.h"
#include "shared/dns/transport.h"

struct ares_channeldata;

namespace mtawatch::dns {

// Told once per packet that was sent, from inside send(), process() or cancel(); may send more but do nothing else with
// the channel.
class PacketSink {
  public:
    PacketSink() = default;
    PacketSink(const PacketSink&) = delete;
    PacketSink& operator=(const PacketSink&) = delete;
    virtual ~PacketSink() = default;
    // A message came that fits the packet `token` was sent with; `edns` is whether that packet had an OPT record.
    virtual void on_message(std::uint64_t token, std::string_view message, bool edns) = 0;
    // The packet cannot reach the server, or was given up.
    virtual void on_failure(std::uint64_t token, bool cancelled) = 0;
};

// Sends each packet once and waits for it for ever: time-outs, retries and failover belong to the transport, because
// those of c-ares 1.18 hide which response code came and wait up to 75 s.
class CaresChannel {
  public:
    // Fault: internal.
    [[nodiscard]] static base::Result<std::unique_ptr<CaresChannel>> open(const Server& server, PacketSink& sink);
    CaresChannel(const CaresChannel&) = delete;
    CaresChannel& operator=(const CaresChannel&) = delete;
    ~CaresChannel();

    // False if the name cannot be put into a message (the sink is not told then).
    [[nodiscard]] bool send(const Question& question, std::uint64_t token);
    // The sockets to wait for; valid until the next call of any other member.
    [[nodiscard]] const std::vector<pollfd>& sockets() const { return sockets_; }
    void process(int socket, bool readable, bool writable);
    // Gives up everything that is under way.
    void cancel();
    // Whether an answer over UDP was truncated and asked for again over TCP, since the last cancel().
    [[nodiscard]] bool went_over_to_tcp() const { return tcp_; }
    // Asks without EDNS from now on (RFC 6891 7: a server that answers FORMERR does not know it).
    void stop_edns() { edns_ = false; }

  private:
    struct Packet;
    struct FreeChannel {
        void operator()(ares_channeldata* channel) const;
    };

    explicit CaresChannel(PacketSink& sink) : sink_(&sink) {}
    [[nodiscard]] std::uint16_t free_id();
    static void on_socket(void* self, int socket, int readable, int writable);
    static void on_answer(void* packet, int status, int timeouts, unsigned char* message, int size);

    PacketSink* sink_;
    bool edns_ = true;
    bool tcp_ = false;
    std::vector<pollfd> sockets_;
    std::bitset<65536> ids_in_use_;
    std::array<std::uint16_t, 512> random_{};  // unpredictable ids, fetched from the kernel by the block
    std::size_t random_used_ = random_.size();
    std::unique_ptr<ares_channeldata, FreeChannel> channel_;  // last: ends first, and tells the others
};

}  // namespace mtawatch::dns
