#include "tests/support/scripted_stream.h"

#include <openssl/err.h>
#include <openssl/ssl.h>

#include <algorithm>
#include <stdexcept>

namespace mtawatch::test {
namespace {

using base::fail;
using base::Fault;
using base::Result;

// The server's side of TLS over two memory BIOs.
class ServerSide {
  public:
    explicit ServerSide(const TlsServer& server)
        : context_(SSL_CTX_new(TLS_server_method()), SSL_CTX_free), session_(nullptr, SSL_free) {
        SSL_CTX_set_security_level(context_.get(), 0);
        SSL_CTX_set_cipher_list(context_.get(), "ALL:@SECLEVEL=0");
        SSL_CTX_set_min_proto_version(context_.get(), TLS1_VERSION);
        if (server.max_protocol != 0) SSL_CTX_set_max_proto_version(context_.get(), server.max_protocol);
        if (server.demands_client_certificate) {
            SSL_CTX_set_verify(context_.get(), SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nullptr);
        }
        if (SSL_CTX_use_certificate(context_.get(), server.own.certificate.get()) != 1 ||
            SSL_CTX_use_PrivateKey(context_.get(), server.own.key.get()) != 1) {
            throw std::runtime_error("scripted TLS server: the certificate cannot be used");
        }
        for (const auto& further : server.chain) SSL_CTX_add1_chain_cert(context_.get(), further.certificate.get());
        session_.reset(SSL_new(context_.get()));
        in_ = BIO_new(BIO_s_mem());
        out_ = BIO_new(BIO_s_mem());
        BIO_set_mem_eof_return(in_, -1);
        SSL_set_bio(session_.get(), in_, out_);
        SSL_set_accept_state(session_.get());
    }
    void receive(std::string_view bytes) { BIO_write(in_, bytes.data(), static_cast<int>(bytes.size())); }
    void say(const std::string& text) {
        SSL_write(session_.get(), text.data(), static_cast<int>(text.size()));
        ERR_clear_error();
    }
    void close() { SSL_shutdown(session_.get()); }
    // Goes on with the handshake; true once it is done.
    bool shake() {
        if (failed_) return false;
        const int result = SSL_do_handshake(session_.get());
        failed_ = result != 1 && SSL_get_error(session_.get(), result) == SSL_ERROR_SSL;
        ERR_clear_error();
        return result == 1;
    }
    [[nodiscard]] bool failed() const { return failed_; }
    [[nodiscard]] bool greeted() const { return SSL_is_init_finished(session_.get()) == 1; }
    std::string received() {
        std::string text(4096, '\0');
        const int count = SSL_read(session_.get(), text.data(), static_cast<int>(text.size()));
        ERR_clear_error();
        text.resize(count > 0 ? static_cast<std::size_t>(count) : 0);
        return text;
    }
    std::string to_send() {
        std::string bytes(BIO_ctrl_pending(out_), '\0');
        if (!bytes.empty()) BIO_read(out_, bytes.data(), static_cast<int>(bytes.size()));
        return bytes;
    }

  private:
    std::unique_ptr<SSL_CTX, decltype(&SSL_CTX_free)> context_;
    std::unique_ptr<SSL, decltype(&SSL_free)> session_;
    BIO* in_ = nullptr;
    BIO* out_ = nullptr;
    bool failed_ = false;
};

class ScriptedStream final : public io::Stream {
  public:
    ScriptedStream(Script script, std::shared_ptr<std::string> complaints, std::size_t bytes_at_once)
        : script_(std::move(script)), complaints_(std::move(complaints)), bytes_at_once_(bytes_at_once) {}

    Result<std::size_t> read_some(std::span<char> into, const base::Deadline& deadline) override {
        for (;;) {
            go_on();
            if (!to_client_.empty()) {
                const std::size_t count = std::min({into.size(), to_client_.size(), bytes_at_once_});
                to_client_.copy(into.data(), count);
                to_client_.erase(0, count);
                return count;
            }
            if (at_ >= script_.size()) return 0;
            const Step& step = script_[at_];
            switch (step.kind) {
                case Step::Kind::delay:
                    waited_ += step.length;
                    if (waited_ >= deadline.remaining()) return fail(Fault::timeout, "no answer in time");
                    ++at_;
                    break;
                case Step::Kind::close:
                    return 0;
                case Step::Kind::reset:
                    return fail(Fault::refused, "connection reset by peer");
                case Step::Kind::tls:
                    if (tls_ && tls_->failed()) return 0;
                    return fail(Fault::timeout, "no answer in time");
                default:
                    return fail(Fault::timeout, "no answer in time");
            }
        }
    }
    Result<void> write(std::string_view bytes, const base::Deadline& /*deadline*/) override {
        if (tls_) tls_->receive(bytes);
        if (!tls_) from_client_ += bytes;
        go_on();
        return {};
    }

  private:
    void complain(const std::string& text) {
        if (complaints_) *complaints_ += text + "\n";
    }
    // Plays the script until it needs the client, time or the end.
    void go_on() {
        while (at_ < script_.size() && play(script_[at_])) ++at_;
        if (tls_ && tls_->greeted()) from_client_ += tls_->received();
        if (tls_) to_client_ += tls_->to_send();
    }
    bool play(const Step& step) {
        switch (step.kind) {
            case Step::Kind::say:
                if (tls_) tls_->say(step.text);
                if (!tls_) to_client_ += step.text;
                return true;
            case Step::Kind::expect:
                return expect_line(step.text);
            case Step::Kind::anything: {
                const bool came = !from_client_.empty();
                from_client_.clear();
                return came;
            }
            case Step::Kind::tls:
                if (!tls_) {
                    tls_ = std::make_unique<ServerSide>(*step.server);
                    tls_->receive(from_client_);
                    from_client_.clear();
                }
                return tls_->shake();
            case Step::Kind::close:
                if (tls_ && tls_->greeted()) tls_->close();
                return false;
            default:
                return false;
        }
    }
    bool expect_line(const std::string& wanted) {
        if (tls_) from_client_ += tls_->received();
        const auto end = from_client_.find('\n');
        if (end == std::string::npos) return false;
        std::string line = from_client_.substr(0, end);
        from_client_.erase(0, end + 1);
        if (line.ends_with('\r')) line.pop_back();
        if (wanted != "*" && line != wanted) complain("expected \"" + wanted + "\", got \"" + line + "\"");
        return true;
    }

    Script script_;
    std::shared_ptr<std::string> complaints_;
    std::size_t bytes_at_once_;
    std::size_t at_ = 0;
    std::chrono::nanoseconds waited_{0};
    std::string to_client_;
    std::string from_client_;
    std::unique_ptr<ServerSide> tls_;
};

}  // namespace

Step say(std::string bytes) { return {.kind = Step::Kind::say, .text = std::move(bytes)}; }
Step expect(std::string line) { return {.kind = Step::Kind::expect, .text = std::move(line)}; }
Step anything() { return {.kind = Step::Kind::anything}; }
Step tls(TlsServer server) {
    return {.kind = Step::Kind::tls, .server = std::make_shared<const TlsServer>(std::move(server))};
}
Step delay(std::chrono::milliseconds length) { return {.kind = Step::Kind::delay, .length = length}; }
Step hang() { return {.kind = Step::Kind::hang}; }
Step close() { return {.kind = Step::Kind::close}; }
Step reset() { return {.kind = Step::Kind::reset}; }

std::unique_ptr<io::Stream> scripted_stream(Script script, std::string* complaints, std::size_t bytes_at_once) {
    std::shared_ptr<std::string> shared;
    if (complaints != nullptr) shared = {complaints, [](std::string*) {}};
    return std::make_unique<ScriptedStream>(std::move(script), std::move(shared), bytes_at_once);
}

void ScriptedNetwork::add(const std::string& endpoint, Script script) {
    peers_[endpoint].scripts.push_back(std::move(script));
}

void ScriptedNetwork::add_silent(const std::string& endpoint) { peers_[endpoint].silent = true; }

Result<std::unique_ptr<io::Stream>> ScriptedNetwork::connect(const io::Endpoint& endpoint,
                                                             const base::Deadline& /*deadline*/) {
    const std::lock_guard lock(mutex_);
    const std::string where = to_string(endpoint);
    ++connections_;
    const auto found = peers_.find(where);
    if (found == peers_.end()) return fail(Fault::refused, "{}: connection refused", where);
    Peer& peer = found->second;
    if (peer.silent) return fail(Fault::timeout, "{}: no answer in time", where);
    const Script& script = peer.scripts[std::min(peer.used, peer.scripts.size() - 1)];
    ++peer.used;
    complaints_.push_back(std::make_shared<std::string>());
    return std::make_unique<ScriptedStream>(script, complaints_.back(), std::size_t{1} << 20U);
}

std::string ScriptedNetwork::complaints() const {
    const std::lock_guard lock(mutex_);
    std::string all;
    for (const auto& one : complaints_) all += *one;
    return all;
}

std::size_t ScriptedNetwork::connections() const {
    const std::lock_guard lock(mutex_);
    return connections_;
}

void ScriptedNetwork::clear() {
    const std::lock_guard lock(mutex_);
    peers_.clear();
    complaints_.clear();
    connections_ = 0;
}

}  // namespace mtawatch::test
