// Connection to a host through another one: a forwarded channel ("direct-tcpip", RFC 4254 section 7.2) of a session
// with a jump host, with a local socket at this end for the session inside. Internal to shared/ssh.
#pragma once

#include <poll.h>

#include <array>
#include <cstdint>
#include <memory>
#include <string>

#include "shared/io/descriptor.h"
#include "shared/ssh/session.h"

namespace mtawatch::ssh {

struct FreeChannel {
    void operator()(ssh_channel channel) const { ssh_channel_free(channel); }
};
using Channel = std::unique_ptr<ssh_channel_struct, FreeChannel>;

// Has no thread of its own: whoever waits for the session inside polls `polls()` too and calls move() when one of them
// is ready. It reads no more from one side than the other one takes, so it holds little memory.
class Tunnel {
  public:
    // Asks the jump host to connect to host and port, by its own resolver. `jump` names it for messages.
    // Faults: refused (it does not forward, or the host does not answer it), timeout, auth (the connection broke).
    [[nodiscard]] static base::Result<std::unique_ptr<Tunnel>> open(Session through, const std::string& jump,
                                                                    const std::string& host, std::uint16_t port,
                                                                    const base::Deadline& deadline);
    Tunnel(const Tunnel&) = delete;
    Tunnel& operator=(const Tunnel&) = delete;
    // Sends what the session inside said last, its goodbye.
    ~Tunnel();

    // The socket for the session inside; to be taken once.
    [[nodiscard]] io::Descriptor take_inner() { return std::move(inner_); }
    [[nodiscard]] std::array<pollfd, 2> polls() const;
    // Moves what can be moved without waiting. The socket inside sees an end when the channel has ended.
    void move();

  private:
    Tunnel(Session through, Channel channel, io::Descriptor outer, io::Descriptor inner);
    void move_in();
    void move_out();
    void end();

    Session through_;
    Channel channel_;       // ends before its session
    io::Descriptor outer_;  // our end of the socket pair
    io::Descriptor inner_;
    std::string in_;   // from the channel, not yet taken by the session inside
    std::string out_;  // from the session inside, not yet taken by the channel
    bool ended_ = false;
};

}  // namespace mtawatch::ssh
