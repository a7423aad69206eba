// Who closes a socket that libssh was given: exactly one of the two, whatever the server does. The same with a real
// sshd and a whole exporter is in tests/integration/ssh_looks_test.py.
#include <arpa/inet.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <boost/test/unit_test.hpp>

#include <cstring>
#include <filesystem>
#include <thread>

#include "shared/ssh/lent_socket.h"
#include "shared/ssh/ssh.h"

using namespace mtawatch;
using namespace std::chrono_literals;

namespace {

bool is_open(int number) { return fcntl(number, F_GETFD) >= 0; }

std::ptrdiff_t open_descriptors() {
    return std::distance(std::filesystem::directory_iterator("/proc/self/fd"), std::filesystem::directory_iterator());
}

struct Pair {
    Pair() {
        int ends[2] = {-1, -1};
        BOOST_REQUIRE(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) == 0);
        ours = io::Descriptor(ends[0]);
        theirs = io::Descriptor(ends[1]);
    }
    [[nodiscard]] bool saw_the_end() const {
        char byte = 0;
        return recv(theirs.get(), &byte, 1, MSG_DONTWAIT) == 0;
    }
    io::Descriptor ours, theirs;
};

// A server on loopback that takes one connection, says `greeting` and then waits for the client to go, or goes itself.
class Server {
  public:
    Server(std::string greeting, bool stays) : socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        socklen_t size = sizeof address;
        auto* any = reinterpret_cast<sockaddr*>(&address);
        BOOST_REQUIRE(bind(socket_.get(), any, size) == 0);
        BOOST_REQUIRE(listen(socket_.get(), 4) == 0);
        BOOST_REQUIRE(getsockname(socket_.get(), any, &size) == 0);
        port = ntohs(address.sin_port);
        thread_ = std::thread([this, greeting = std::move(greeting), stays] {
            const io::Descriptor peer(accept4(socket_.get(), nullptr, nullptr, SOCK_CLOEXEC));
            const timeval patience{10, 0};  // a client that never closes is a failure, not a hang
            setsockopt(peer.get(), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
            static_cast<void>(send(peer.get(), greeting.data(), greeting.size(), MSG_NOSIGNAL));
            char buffer[4096];
            while (stays && recv(peer.get(), buffer, sizeof buffer, 0) > 0) {
            }
        });
    }
    ~Server() { thread_.join(); }
    std::uint16_t port = 0;

  private:
    io::Descriptor socket_;
    std::thread thread_;
};

}  // namespace

BOOST_AUTO_TEST_SUITE(ssh_lent_socket)

BOOST_AUTO_TEST_CASE(what_the_library_leaves_open_is_closed) {
    const Pair pair;
    int lent = -1;
    {
        const ssh::LentSocket socket(io::Descriptor(dup(pair.ours.get())));
        lent = socket.lent();
        BOOST_TEST(is_open(lent));
    }
    BOOST_TEST(!is_open(lent));
}

BOOST_AUTO_TEST_CASE(the_peer_sees_the_end_whoever_closes_first) {
    for (const bool library_closes : {false, true}) {
        Pair pair;
        {
            const ssh::LentSocket socket(std::move(pair.ours));
            if (library_closes) close(socket.lent());
            BOOST_TEST(!pair.saw_the_end());
        }
        BOOST_TEST(pair.saw_the_end());
    }
}

BOOST_AUTO_TEST_CASE(a_number_that_somebody_else_has_by_now_is_left_alone) {
    Pair pair;
    const Pair other;
    {
        const ssh::LentSocket socket(std::move(pair.ours));
        // The library closes its number, and another thread gets it for a connection of its own.
        BOOST_REQUIRE(dup2(other.ours.get(), socket.lent()) == socket.lent());
        BOOST_TEST(is_open(socket.lent()));
        pair.ours = io::Descriptor(socket.lent());
    }
    BOOST_TEST(is_open(pair.ours.get()));
    BOOST_TEST(pair.saw_the_end());
    BOOST_TEST(!other.saw_the_end());
}

BOOST_AUTO_TEST_CASE(no_end_of_a_login_leaves_a_descriptor) {
    // An SSH packet by RFC 4253 section 6: length, padding length, message, padding.
    const std::string disconnect("\0\0\0\x14\x06\x01\0\0\0\x02\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 24);
    struct Scenario {
        std::string name, greeting;
        bool stays;
        base::Fault fault;
    };
    const std::vector<Scenario> scenarios{
        {"closes at once", "", false, base::Fault::refused},
        {"says nothing", "", true, base::Fault::timeout},
        {"another protocol", "220 mx1.example.net ESMTP\r\n", false, base::Fault::refused},
        {"greets and closes", "SSH-2.0-OpenSSH_9.2\r\n", false, base::Fault::refused},
        {"greets and says nothing more", "SSH-2.0-OpenSSH_9.2\r\n", true, base::Fault::timeout},
        {"greets and disconnects", "SSH-2.0-OpenSSH_9.2\r\n" + disconnect, false, base::Fault::refused},
        {"greets and sends garbage", "SSH-2.0-OpenSSH_9.2\r\n" + std::string(4000, 'x'), false, base::Fault::refused},
    };
    const base::SystemClock clock;
    for (const auto& scenario : scenarios) {
        BOOST_TEST_CONTEXT(scenario.name) {
            const auto before = open_descriptors();
            {
                const Server server(scenario.greeting, scenario.stays);
                ssh::SshSettings settings;
                settings.host = "127.0.0.1";
                settings.port = server.port;
                const base::Deadline deadline(clock, scenario.fault == base::Fault::timeout ? 300ms : 20s);
                const auto opened = ssh::open(settings, deadline);
                BOOST_REQUIRE(!opened);
                BOOST_TEST(int(opened.error().fault) == int(scenario.fault), opened.error().what);
            }
            BOOST_TEST(open_descriptors() == before);
        }
    }
}

BOOST_AUTO_TEST_SUITE_END()
