// Connects and logs in a libssh session, and waits for it under a deadline. Internal to shared/ssh.
#pragma once

// libssh's own header is C and knows no C++20 modules; nothing outside this folder may name it.
#include <libssh/libssh.h>

#include <memory>
#include <string>

#include "shared/base/deadline.h"
#include "shared/io/descriptor.h"
#include "shared/ssh/lent_socket.h"
#include "shared/ssh/ssh.h"

namespace mtawatch::ssh {

struct FreeSession {
    void operator()(ssh_session session) const {
        ssh_disconnect(session);
        ssh_free(session);
    }
};

class Tunnel;

// A libssh session with the socket below it, and the tunnel through a jump host below that, if there is one. Its end
// says goodbye to the server, frees the session and then closes what lies below, in whatever state the session was.
class Session {
  public:
    Session(ssh_session session, LentSocket socket, std::unique_ptr<Tunnel> tunnel);
    Session(Session&&) noexcept;
    ~Session();
    [[nodiscard]] ssh_session get() const { return session_.get(); }
    // The number under which libssh gets the socket; -1 when the system has no further descriptor.
    [[nodiscard]] int descriptor() const { return socket_.lent(); }
    // Null for a direct connection.
    [[nodiscard]] Tunnel* tunnel() const { return tunnel_.get(); }

  private:
    // In the reverse order of their ends.
    std::unique_ptr<Tunnel> tunnel_;
    LentSocket socket_;
    std::unique_ptr<ssh_session_struct, FreeSession> session_;
};

struct FreeKey {
    void operator()(ssh_key key) const { ssh_key_free(key); }
};
using Key = std::unique_ptr<ssh_key_struct, FreeKey>;

// Waits until the connection can make progress. `doing` names the step for the message of Fault::timeout.
[[nodiscard]] base::Result<void> wait(const Session& session, const base::Deadline& deadline, const std::string& doing);

// Runs one libssh call that answers `again` until it answers something else, which is returned.
template <class Call>
base::Result<int> drive(const Session& session, const base::Deadline& deadline, const std::string& doing, int again,
                        Call call) {
    int code = call();
    while (code == again) {
        if (auto done = wait(session, deadline, doing); !done) return base::fail(done.error());
        code = call();
    }
    return code;
}

// libssh's last error text of the session, on one line.
[[nodiscard]] std::string reason(ssh_session session);

// Connected host's key checked against the pin or the known_hosts files of `settings`. The Error says what to do.
[[nodiscard]] base::Result<void> verify_host(ssh_session session, const SshSettings& settings);

// A connected TCP socket to the host, tried address by address.
[[nodiscard]] base::Result<io::Descriptor> connect_tcp(const SshSettings& settings, const base::Deadline& deadline);

// Connected, host key verified, logged in.
[[nodiscard]] base::Result<Session> log_in(const SshSettings& settings, const base::Deadline& deadline);

}  // namespace mtawatch::ssh
