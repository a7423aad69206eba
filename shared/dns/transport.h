// Interface of the DNS transport: sends many questions at once to a resolver and returns the raw messages, under a
// deadline. Also the settings of a resolver.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "shared/base/deadline.h"
#include "shared/base/ip.h"
#include "shared/base/result.h"

namespace mtawatch::io {
class Files;
}

namespace mtawatch::dns {

// RFC 1035 3.2.2, RFC 3596, RFC 6698; SPF of RFC 4408 is obsolete (RFC 7208 3.1) and only looked for to say so.
enum class Type : std::uint16_t {
    a = 1,
    ns = 2,
    cname = 5,
    soa = 6,
    ptr = 12,
    mx = 15,
    txt = 16,
    aaaa = 28,
    tlsa = 52,
    spf = 99
};
[[nodiscard]] std::string_view name(Type type);  // "A", "TXT", …

struct Server {
    base::IpAddress address;
    std::uint16_t port = 53;
    [[nodiscard]] std::string to_string() const;  // "127.0.0.1", "127.0.0.1:5300", "[::1]:53"
    bool operator==(const Server&) const = default;
};
// "192.0.2.1", "192.0.2.1:5300", "2001:db8::1", "[2001:db8::1]:5300". Usage error that names the text.
[[nodiscard]] base::Result<Server> parse_server(std::string_view text);

// More than about 128 in flight overflow the socket buffer of a default unbound, which then stalls for seconds.
inline constexpr std::size_t default_window = 100;
// Ids are 16 bits; beyond this a resolver is being attacked, not asked.
inline constexpr std::size_t max_window = 20'000;

inline constexpr std::size_t max_servers = 8;  // the C library takes 3; more only make a dead network slower to notice

// Questions in flight to one group (one list's zone): few enough to stay polite, and enough that sixty lists can fill
// the window.
[[nodiscard]] constexpr std::size_t group_window_of(std::size_t window) {
    return std::max<std::size_t>(10, window / 10);
}

struct ResolverSettings {
    std::vector<Server> servers;  // in order of preference; empty: those of /etc/resolv.conf
    // Believe the AD bit of a resolver that is not on this machine (the path to it must be trusted too).
    bool trust_ad = false;
    std::size_t window = default_window;  // questions in flight
    std::size_t group_window = group_window_of(default_window);
    base::Duration question_time = std::chrono::seconds(2);       // all tries of one question together
    base::Duration retry_after = std::chrono::milliseconds(600);  // until the same question is sent once more
};

// The settings with the servers and `options trust-ad` of resolv.conf(5) filled in, if no server is named yet.
// No file or no nameserver line means 127.0.0.1, as in the C library. Faults: configuration (unreadable file, or only
// servers that cannot be asked, such as link-local ones with a zone).
[[nodiscard]] base::Result<ResolverSettings> with_system_servers(ResolverSettings settings, const io::Files& files);

struct Question {
    std::string name;  // askable ASCII, no trailing dot
    Type type = Type::a;
    // Ask for DNSSEC (AD and DO bits), so that Answer::authenticated can be true. Costs larger answers.
    bool dnssec = false;
    // Questions of one group (> 0) share ResolverSettings::group_window; a group whose questions all time out is not
    // asked any further in the same call.
    std::uint32_t group = 0;
};

// How a question ended at the wire.
enum class Delivery {
    answered,     // a message with our id and question came; its response code is NOERROR or NXDOMAIN
    servfail,     // every server asked said SERVFAIL (or the last word was)
    refused,      // … REFUSED
    other_code,   // … FORMERR, NOTIMP or another code
    timeout,      // nothing usable came in the question's time
    unreachable,  // no server can be reached (closed port, no route)
    deadline,     // the caller's deadline passed before the question had its own time
    bad_name,     // the name cannot be put into a message
};
[[nodiscard]] std::string_view name(Delivery delivery);  // "SERVFAIL", "REFUSED", "timeout", … for messages

struct Reply {
    Delivery delivery = Delivery::timeout;
    std::string message;       // the whole DNS message: the answer, or the last one that gave an error code; else empty
    bool ad_counts = false;    // the server's AD bit may be believed: loopback, or trust_ad
    base::Duration took{};     // from the first packet to the end; zero if never sent
    std::uint16_t server = 0;  // index into the settings' servers: whose message it is
    std::uint8_t rcode = 0;    // of other_code: which one (RFC 1035 4.1.1)
    bool over_tcp = false;     // nothing came, and it was TCP that was waited for: the answer over UDP was truncated
};

// Takes the reply to questions[index], once for every question, in the order in which they end. Must not use the
// transport.
using ReplySink = std::function<void(std::size_t index, Reply reply)>;

// Used by one thread. Never fails as a whole: what went wrong is told per question.
class Transport {
  public:
    Transport() = default;
    Transport(const Transport&) = delete;
    Transport& operator=(const Transport&) = delete;
    virtual ~Transport() = default;
    // Asks all of them and returns when each has its reply.
    virtual void exchange_each(std::span<const Question> questions, const base::Deadline& deadline,
                               const ReplySink& sink) = 0;
    // The servers in use, for messages: "127.0.0.1, 192.0.2.53:5300".
    [[nodiscard]] virtual std::string describe() const = 0;

    // The replies in the order of the questions.
    [[nodiscard]] std::vector<Reply> exchange_many(std::span<const Question> questions, const base::Deadline& deadline);
};

// Packets by c-ares over UDP, over TCP where an answer is truncated. settings.servers must not be empty.
// Faults: usage (no server or more than max_servers, window out of range), internal (c-ares cannot start).
[[nodiscard]] base::Result<std::unique_ptr<Transport>> make_cares_transport(const ResolverSettings& settings);

}  // namespace mtawatch::dns
