#include "shared/tls/client.h"

#include <arpa/inet.h>
#include <openssl/err.h>
#include <openssl/ssl.h>

#include <algorithm>
#include <array>
#include <new>
#include <optional>

#include "shared/base/text.h"
#include "shared/tls/handles.h"
#include "shared/tls/x509.h"

namespace mtawatch::tls {
namespace {

using base::fail;
using base::Fault;
using base::Result;

constexpr std::size_t max_first_bytes = 200;         // of something that is not TLS, for the message
constexpr long max_certificate_message = 1L << 20U;  // a chain of 100 large certificates; OpenSSL's default is 100 KiB
constexpr int alert_reasons = SSL_AD_REASON_OFFSET;  // OpenSSL numbers received alerts from here on

// What OpenSSL's callbacks see: the stream below, the deadline of the call in progress, and what happened.
struct Wire {
    std::unique_ptr<io::Stream> inner;
    const base::Deadline* deadline = nullptr;
    std::optional<base::Error> error;
    bool peer_closed = false;
    std::string first_bytes;
    bool certificate_wanted = false;
    std::vector<Certificate> chain;
};

int wire_read(BIO* bio, char* into, std::size_t size, std::size_t* done) {
    auto& wire = *static_cast<Wire*>(BIO_get_data(bio));
    *done = 0;
    auto count = wire.inner->read_some({into, size}, *wire.deadline);
    if (!count) {
        wire.error = std::move(count.error());
        return 0;
    }
    wire.peer_closed = *count == 0;
    if (wire.first_bytes.size() < max_first_bytes) {
        wire.first_bytes.append(into, std::min(*count, max_first_bytes - wire.first_bytes.size()));
    }
    *done = *count;
    return *count > 0 ? 1 : 0;
}

int wire_write(BIO* bio, const char* bytes, std::size_t size, std::size_t* done) {
    auto& wire = *static_cast<Wire*>(BIO_get_data(bio));
    *done = 0;
    if (auto written = wire.inner->write({bytes, size}, *wire.deadline); !written) {
        wire.error = std::move(written.error());
        return 0;
    }
    *done = size;
    return 1;
}

long wire_control(BIO* bio, int command, long /*number*/, void* /*pointer*/) {
    if (command == BIO_CTRL_EOF) return static_cast<Wire*>(BIO_get_data(bio))->peer_closed ? 1 : 0;
    return command == BIO_CTRL_FLUSH ? 1 : 0;
}

const BIO_METHOD* wire_method() {
    static const BIO_METHOD* const method = [] {
        BIO_METHOD* made = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "mtawatch stream");
        if (made == nullptr) throw std::bad_alloc();
        BIO_meth_set_read_ex(made, wire_read);
        BIO_meth_set_write_ex(made, wire_write);
        BIO_meth_set_ctrl(made, wire_control);
        return made;
    }();
    return method;
}

class Tls final : public TlsStream {
  public:
    Tls(std::unique_ptr<Wire> wire, SessionHandle handle) : wire_(std::move(wire)), handle_(std::move(handle)) {}
    // Says goodbye, so that the server does not log a broken connection. No waiting for its answer.
    ~Tls() override {
        if (wire_->error || last_deadline_ == nullptr) return;
        *last_deadline_ = last_deadline_->within(std::chrono::milliseconds(50));
        wire_->deadline = last_deadline_.get();
        SSL_shutdown(handle_.get());
        ERR_clear_error();
    }
    Tls(const Tls&) = delete;
    Tls& operator=(const Tls&) = delete;

    Result<std::size_t> read_some(std::span<char> into, const base::Deadline& deadline) override {
        begin(deadline);
        std::size_t count = 0;
        const int result = SSL_read_ex(handle_.get(), into.data(), into.size(), &count);
        if (result == 1) return count;
        if (SSL_get_error(handle_.get(), result) == SSL_ERROR_ZERO_RETURN) return 0;
        return failure();
    }
    Result<void> write(std::string_view bytes, const base::Deadline& deadline) override {
        if (bytes.empty()) return {};
        begin(deadline);
        std::size_t count = 0;
        if (SSL_write_ex(handle_.get(), bytes.data(), bytes.size(), &count) == 1) return {};
        return failure();
    }
    [[nodiscard]] const Session& session() const override { return session_; }
    void set_session(Session session) { session_ = std::move(session); }
    void set_goodbye_clock(const base::Deadline& deadline) {
        last_deadline_ = std::make_unique<base::Deadline>(deadline);
    }

  private:
    void begin(const base::Deadline& deadline) {
        wire_->deadline = &deadline;
        set_goodbye_clock(deadline);
        ERR_clear_error();
    }
    base::Failure failure() {
        if (wire_->error) return fail(*wire_->error);
        const char* reason = ERR_reason_error_string(ERR_peek_error());
        const bool cut = wire_->peer_closed;
        wire_->error =
            base::Error{Fault::refused, cut ? "the connection ended without a proper TLS close"
                                            : std::string("TLS: ") + (reason != nullptr ? reason : "broken")};
        ERR_clear_error();
        return fail(*wire_->error);
    }

    std::unique_ptr<Wire> wire_;
    SessionHandle handle_;
    Session session_;
    std::unique_ptr<base::Deadline> last_deadline_;
};

bool is_address(const std::string& name) {
    std::array<unsigned char, 16> bytes{};
    return inet_pton(AF_INET, name.c_str(), bytes.data()) == 1 || inet_pton(AF_INET6, name.c_str(), bytes.data()) == 1;
}

SessionHandle make_session(const Context& context, const HandshakeSettings& settings, Wire& wire) {
    SessionHandle handle(SSL_new(context.client()));
    BIO* bio = BIO_new(wire_method());
    if (!handle || bio == nullptr) throw std::bad_alloc();
    BIO_set_data(bio, &wire);
    BIO_set_init(bio, 1);
    SSL_set_bio(handle.get(), bio, bio);
    SSL_set_ex_data(handle.get(), 0, &wire);
    SSL_set_connect_state(handle.get());
    SSL_set_read_ahead(handle.get(), 1);  // fewer reads, and the whole of what came where it is not TLS
    SSL_set_max_cert_list(handle.get(), max_certificate_message);
    if (!settings.server_name.empty() && !is_address(settings.server_name)) {
        SSL_ctrl(handle.get(), SSL_CTRL_SET_TLSEXT_HOSTNAME, TLSEXT_NAMETYPE_host_name,
                 const_cast<char*>(settings.server_name.c_str()));  // copied by OpenSSL, its macro casts C-style
    }
    return handle;
}

Session session_of(SSL* handle, Wire& wire) {
    Session session;
    session.protocol = SSL_get_version(handle);
    if (const char* cipher = SSL_get_cipher_name(handle); cipher != nullptr) session.cipher = cipher;
    session.chain = std::move(wire.chain);
    session.client_certificate_wanted = wire.certificate_wanted;
    return session;
}

bool looks_like_tls(std::string_view bytes) {
    constexpr char alert = 21;
    constexpr char handshake = 22;
    return bytes.size() < 2 || ((bytes[0] == alert || bytes[0] == handshake) && bytes[1] == 3);
}

// Why SSL_connect did not succeed, from OpenSSL's error and from what the wire saw.
void explain(Handshake& outcome, const Wire& wire) {
    const auto error = ERR_peek_error();
    const char* text = ERR_reason_error_string(error);
    outcome.reason = text != nullptr ? text : "the TLS handshake failed";
    if (!looks_like_tls(wire.first_bytes)) {
        outcome.end = HandshakeEnd::not_tls;
        outcome.first_bytes =
            base::one_line(wire.first_bytes.substr(0, wire.first_bytes.find_first_of("\r\n")), max_first_bytes);
        outcome.reason = "what came is not TLS";
    } else if (ERR_GET_LIB(error) == ERR_LIB_SSL && ERR_GET_REASON(error) > alert_reasons) {
        outcome.end = HandshakeEnd::alerted;
    } else if (wire.error) {
        outcome.end = HandshakeEnd::closed;
        outcome.reason = wire.error->what;
    } else if (wire.peer_closed) {
        outcome.end = HandshakeEnd::closed;
        outcome.reason = "the peer closed the connection during the TLS handshake";
    } else {
        outcome.end = HandshakeEnd::failed;
    }
}

}  // namespace

int keep_chain(X509_STORE_CTX* run, void* /*unused*/) {
    const auto* session = static_cast<SSL*>(X509_STORE_CTX_get_ex_data(run, SSL_get_ex_data_X509_STORE_CTX_idx()));
    auto& wire = *static_cast<Wire*>(SSL_get_ex_data(session, 0));
    STACK_OF(X509)* served = X509_STORE_CTX_get0_untrusted(run);
    const int count = std::min<int>(sk_X509_num(served), Session::max_chain);
    wire.chain.clear();
    for (int i = 0; i < count; ++i) wire.chain.push_back(facts_of(sk_X509_value(served, i)));
    return 1;
}

int record_certificate_request(SSL* session, X509** /*own*/, EVP_PKEY** /*key*/) {
    static_cast<Wire*>(SSL_get_ex_data(session, 0))->certificate_wanted = true;
    return 0;  // we have none
}

std::string_view name(HandshakeEnd end) {
    switch (end) {
        case HandshakeEnd::done:
            return "done";
        case HandshakeEnd::not_tls:
            return "not_tls";
        case HandshakeEnd::alerted:
            return "alerted";
        case HandshakeEnd::closed:
            return "closed";
        case HandshakeEnd::failed:
            break;
    }
    return "failed";
}

Result<Handshake> shake_hands(std::unique_ptr<io::Stream> inner, const Context& context,
                              const HandshakeSettings& settings, const base::Deadline& deadline) {
    auto wire = std::make_unique<Wire>();
    wire->inner = std::move(inner);
    wire->deadline = &deadline;
    SessionHandle handle = make_session(context, settings, *wire);
    ERR_clear_error();
    const bool done = SSL_connect(handle.get()) == 1;
    Handshake outcome;
    if (!done && wire->error && wire->error->fault != Fault::refused) return fail(*wire->error);
    if (!done) explain(outcome, *wire);
    ERR_clear_error();
    if (!wire->chain.empty()) outcome.session = session_of(handle.get(), *wire);
    if (!done) return outcome;
    outcome.end = HandshakeEnd::done;
    auto stream = std::make_unique<Tls>(std::move(wire), std::move(handle));
    if (outcome.session) stream->set_session(*outcome.session);
    stream->set_goodbye_clock(deadline);
    outcome.stream = std::move(stream);
    return outcome;
}

}  // namespace mtawatch::tls
