// TLS client over any Stream, which reports what the handshake showed. Never judges the certificate.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "shared/base/deadline.h"
#include "shared/io/stream.h"
#include "shared/tls/certificate.h"
#include "shared/tls/verify.h"

namespace mtawatch::tls {

// What the handshake showed.
struct Session {
    std::string protocol;                    // "TLSv1.3"
    std::string cipher;                      // "TLS_AES_256_GCM_SHA384"
    std::vector<Certificate> chain;          // as served, own certificate first, at most max_chain
    bool client_certificate_wanted = false;  // the server asked for one (we have none)

    static constexpr std::size_t max_chain = 100;  // OpenSSL verifies paths of up to 100 certificates
};

struct HandshakeSettings {
    std::string server_name;  // sent as SNI unless it is an address or empty
};

enum class HandshakeEnd {
    done,
    not_tls,  // the peer sent something that is not TLS
    alerted,  // the peer ended the handshake with an alert
    closed,   // the peer closed or reset the connection
    failed,   // the two sides could not agree, or the peer broke the protocol
};
[[nodiscard]] std::string_view name(HandshakeEnd end);

// A Stream in whose inside everything is encrypted. Reading 0 bytes means a proper TLS close; a connection that ends
// without one is Fault::refused, so a cut-off answer cannot pass for a whole one.
class TlsStream : public io::Stream {
  public:
    [[nodiscard]] virtual const Session& session() const = 0;
};

struct Handshake {
    HandshakeEnd end = HandshakeEnd::failed;
    std::unique_ptr<TlsStream> stream;  // null unless done
    // What was seen before it ended; a server that insists on a client certificate has shown its own by then.
    std::optional<Session> session;  // absent when no certificate came
    std::string reason;              // what went wrong, in words; empty when done
    std::string first_bytes;         // not_tls: the first line of what came instead, readable, at most 200 bytes
};

// Takes over `inner`. A peer that will not or cannot is an outcome, not an Error. Faults: timeout (deadline), io.
[[nodiscard]] base::Result<Handshake> shake_hands(std::unique_ptr<io::Stream> inner, const Context& context,
                                                  const HandshakeSettings& settings, const base::Deadline& deadline);

}  // namespace mtawatch::tls
