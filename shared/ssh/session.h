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

// A libssh session with the socket below it. Its end says goodbye to the server, frees the session and then closes the
// socket, in whatever state the session was.
class Session {
  public:
    Session(ssh_session session, LentSocket socket) : socket_(std::move(socket)), session_(session) {}
    [[nodiscard]] ssh_session get() const { return session_.get(); }
    // The number under which libssh gets the socket; -1 when the system has no further descriptor.
    [[nodiscard]] int descriptor() const { return socket_.lent(); }

  private:
    LentSocket socket_;  // before the session, so that it is closed after it
    std::unique_ptr<ssh_session_struct, FreeSession> session_;
};

struct FreeKey {
    void operator()(ssh_key key) const { ssh_key_free(key); }
};
using Key = std::unique_ptr<ssh_key_struct, FreeKey>;

// Waits until the connection can make progress. `doing` names the step for the message of Fault::timeout.
[[nodiscard]] base::Result<void> wait(ssh_session session, const base::Deadline& deadline, const std::string& doing);

// A connected TCP socket to the host, tried address by address.
[[nodiscard]] base::Result<io::Descriptor> connect_tcp(const SshSettings& settings, const base::Deadline& deadline);

// Connected, host key verified, logged in.
[[nodiscard]] base::Result<Session> log_in(const SshSettings& settings, const base::Deadline& deadline);

}  // namespace mtawatch::ssh
