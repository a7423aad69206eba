// Fake peer that follows a script: says lines, expects lines, talks TLS, delays, falls silent. No sockets, no threads
// of its own, no waiting: a delay is compared with the deadline, never slept.
#pragma once

#include <chrono>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "shared/io/connector.h"
#include "tests/support/certificate_maker.h"

namespace mtawatch::test {

struct TlsServer {
    MadeCertificate own;
    std::vector<MadeCertificate> chain = {};  // sent after its own
    int max_protocol = 0;                     // TLS1_VERSION …; 0 is no limit
    bool demands_client_certificate = false;
};

struct Step {
    enum class Kind { say, expect, anything, tls, delay, hang, close, reset };
    Kind kind = Kind::close;
    std::string text = {};
    std::chrono::milliseconds length{0};
    std::shared_ptr<const TlsServer> server = {};
};
[[nodiscard]] Step say(std::string bytes);    // sent as it is
[[nodiscard]] Step expect(std::string line);  // the client's next line, without its CRLF; "*" takes any
[[nodiscard]] Step anything();                // waits for bytes of any kind and drops them
[[nodiscard]] Step tls(TlsServer server);     // from here on through TLS
[[nodiscard]] Step delay(std::chrono::milliseconds length);
[[nodiscard]] Step hang();   // never says anything again
[[nodiscard]] Step close();  // the peer closes its side
[[nodiscard]] Step reset();  // the connection breaks

using Script = std::vector<Step>;

// The script ends with a close. What the client did against it is added to `complaints`.
[[nodiscard]] std::unique_ptr<io::Stream> scripted_stream(Script script, std::string* complaints = nullptr,
                                                          std::size_t bytes_at_once = 1U << 20U);

// A network of scripted peers. Unknown endpoints refuse the connection. Safe to use from several threads.
class ScriptedNetwork final : public io::Connector {
  public:
    // Each connection to `endpoint` ("192.0.2.1:25") takes the next script; the last one serves all further ones.
    void add(const std::string& endpoint, Script script);
    // Connections to it never come about.
    void add_silent(const std::string& endpoint);
    [[nodiscard]] base::Result<std::unique_ptr<io::Stream>> connect(const io::Endpoint& endpoint,
                                                                    const base::Deadline& deadline) override;
    // What clients did against their scripts; empty when all went by the script.
    [[nodiscard]] std::string complaints() const;
    [[nodiscard]] std::size_t connections() const;
    void clear();

  private:
    struct Peer {
        std::vector<Script> scripts;
        std::size_t used = 0;
        bool silent = false;
    };
    mutable std::mutex mutex_;
    std::map<std::string, Peer> peers_;
    std::vector<std::shared_ptr<std::string>> complaints_;
    std::size_t connections_ = 0;
};

}  // namespace mtawatch::test
