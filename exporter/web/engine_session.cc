// HTTP session of one client: TLS, then request after request until one side closes.
#include <fmt/format.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <cerrno>
#include <chrono>
#include <cstring>
#include <optional>
#include <type_traits>

#include "exporter/web/engine.h"
#include "exporter/web/http_message.h"
#include "exporter/web/scraper.h"

namespace mtawatch::exporter::web {
namespace {

// How much more of a refused client is read and dropped, so that it can read the answer before the connection closes.
constexpr std::size_t max_linger_bytes = 64U << 10U;
constexpr auto linger_time = std::chrono::seconds(1);
constexpr std::size_t read_bytes = 4096;
constexpr std::string_view empty_line = "\r\n";
constexpr std::string_view go_on = "HTTP/1.1 100 Continue\r\n\r\n";

Response too_busy(std::string_view what) {
    Response response;
    response.status = 503;
    response.body = fmt::format("{}: try again later.\n", what);
    response.headers.emplace_back("Retry-After", "5");
    return response;
}

// Whoever shares the turns of others who send passwords: an IPv4 address, the network of an IPv6 address (RFC 6177: a
// site has a /64 at least), or everybody behind the unix socket.
std::string address_of(int socket) {
    sockaddr_storage peer{};
    socklen_t size = sizeof peer;
    if (::getpeername(socket, reinterpret_cast<sockaddr*>(&peer), &size) != 0) return {};
    if (peer.ss_family == AF_INET) {
        sockaddr_in v4{};
        std::memcpy(&v4, &peer, sizeof v4);
        return {reinterpret_cast<const char*>(&v4.sin_addr), sizeof v4.sin_addr};
    }
    if (peer.ss_family != AF_INET6) return "unix";
    sockaddr_in6 v6{};
    std::memcpy(&v6, &peer, sizeof v6);
    const std::string bytes(reinterpret_cast<const char*>(&v6.sin6_addr), sizeof v6.sin6_addr);
    return IN6_IS_ADDR_V4MAPPED(&v6.sin6_addr) != 0 ? bytes.substr(12) : bytes.substr(0, 8);
}

// Whether the client has closed its end, as far as the kernel knows without reading anything.
bool has_left(int socket) {
    char byte = 0;
    const ssize_t got = ::recv(socket, &byte, 1, MSG_PEEK | MSG_DONTWAIT);
    return got == 0 || (got < 0 && errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR);
}

// Has the next password checked, unless one is being checked.
void check_next_password(Engine& engine) {
    if (engine.checking_password || engine.stopping) return;
    auto next = engine.passwords.next();
    if (!next) return;
    engine.checking_password = true;
    asio::post(engine.password_checker, [&engine, next = std::move(*next)]() mutable {
        const bool right = next.check.verify();
        asio::post(engine.io, [&engine, next = std::move(next), right] {
            engine.checking_password = false;
            engine.passwords.checked(next.from, right, std::chrono::steady_clock::now());
            next.check.answer(right);
            check_next_password(engine);
        });
    });
}

Response too_often() {
    Response response;
    response.status = 429;
    response.body = "Too many requests: rate_limit of the web configuration.\n";
    return response;
}

Response unauthorized() {
    Response response;
    response.status = 401;
    response.body = "Unauthorized\n";
    response.headers.emplace_back("WWW-Authenticate", "Basic realm=\"pmta_exporter\", charset=\"UTF-8\"");
    return response;
}

template <class Stream>
class Session final : public Connection, public std::enable_shared_from_this<Session<Stream>> {
  public:
    Session(Engine& shared, std::shared_ptr<const WebPolicy> policy, Stream stream)
        : Connection(shared), policy_(std::move(policy)), stream_(std::move(stream)) {}

    void start() {
        if constexpr (std::is_same_v<Stream, TlsStream>) {
            enter(engine().waiting);
            lowest().expires_after(engine().limits.first_request);
            stream_.async_handshake(asio::ssl::stream_base::server, [self = self()](beast::error_code error) {
                if (!error) self->await_request(self->engine().limits.first_request);
            });
        } else {
            await_request(engine().limits.first_request);
        }
    }

    void close() override { lowest().close(); }
    void deliver(std::shared_ptr<const Response> response) override { send(std::move(response)); }
    [[nodiscard]] bool sends(const Response* response) const override { return page_.get() == response; }

  private:
    std::shared_ptr<Session> self() { return this->shared_from_this(); }
    PlainStream& lowest() { return beast::get_lowest_layer(stream_); }

    void await_request(std::chrono::milliseconds limit) {
        enter(engine().waiting);
        parser_.emplace();
        set_limits(*parser_);
        lowest().expires_after(limit);
        may_skip_line_ = true;
        await_first_byte();
    }

    void await_first_byte() {
        if (begins_with_empty_line()) {
            buffer_.consume(empty_line.size());
            may_skip_line_ = false;
        }
        const bool half_a_line = may_skip_line_ && buffer_.size() == 1 && first_byte() == empty_line[0];
        if (buffer_.size() != 0 && !half_a_line) return read_request();
        stream_.async_read_some(buffer_.prepare(read_bytes),
                                [self = self()](beast::error_code error, std::size_t count) {
                                    self->note_reading(error);
                                    if (error) return;
                                    self->buffer_.commit(count);
                                    self->await_first_byte();
                                });
    }

    [[nodiscard]] char first_byte() const { return *static_cast<const char*>(buffer_.cdata().data()); }
    // Some clients send one behind a body; it is not the request (RFC 9112 section 2.2).
    [[nodiscard]] bool begins_with_empty_line() const {
        return may_skip_line_ && buffer_.size() >= empty_line.size() &&
               std::string_view(static_cast<const char*>(buffer_.cdata().data()), empty_line.size()) == empty_line;
    }

    void read_request() {
        lowest().expires_after(engine().limits.request);
        http::async_read_header(stream_, buffer_, *parser_, [self = self()](beast::error_code error, std::size_t) {
            if (error) return self->end_reading(error);
            if (auto refusal = refusal_of_header(*self->parser_)) return self->refuse(std::move(*refusal));
            waits_to_go_on(*self->parser_) ? self->tell_to_go_on() : self->read_body();
        });
    }

    // The client holds its body back until it is told to send it (RFC 9110 section 10.1.1).
    void tell_to_go_on() {
        asio::async_write(stream_, asio::buffer(go_on.data(), go_on.size()),
                          [self = self()](beast::error_code error, std::size_t) {
                              if (error) return;
                              self->read_body();
                          });
    }

    void read_body() {
        http::async_read(stream_, buffer_, *parser_, [self = self()](beast::error_code error, std::size_t) {
            if (error) return self->end_reading(error);
            self->handle_request();
        });
    }

    void end_reading(beast::error_code error) {
        if (auto refusal = refusal_of(error)) return refuse(std::move(*refusal));
        finish();
    }

    void refuse(Response response) {
        keep_alive_ = false;
        send(std::move(response));
    }

    void handle_request() {
        enter(engine().working);
        lowest().expires_never();
        keep_alive_ = parser_->keep_alive();
        request_ = request_of(parser_->get());
        if (!engine().rate.take(policy_->config.rate, std::chrono::steady_clock::now())) return send(too_often());
        const Users& users = policy_->config.users;
        if (users.empty() || engine().auth.known(request_.authorization, users)) return answer();
        if (request_.authorization.empty()) return send(unauthorized());
        check_password();
    }

    void check_password() {
        Engine& shared = engine();
        const int socket = lowest().socket().native_handle();
        shared.passwords.add(
            address_of(socket),
            {.verify =
                 [self = self()] {
                     return self->engine().auth.verify(self->request_.authorization, self->policy_->config.users);
                 },
             .answer =
                 [self = self()](bool right) {
                     if (right) {
                         self->answer();
                     } else {
                         self->send(unauthorized());
                     }
                 },
             .gone = [self = self(), socket] { return !self->lowest().socket().is_open() || has_left(socket); },
             .turn_away = [self = self()] { self->send(too_busy("Too many passwords to check")); }},
            std::chrono::steady_clock::now());
        check_next_password(shared);
    }

    void answer() {
        Engine& shared = engine();
        if (shared.stopping) return close();
        if (Site::is_quick(request_)) return send(shared.site->respond(request_));
        if (request_.scrapes) request_.scraper = scraper_id(caller(), request_.user_agent);
        shared.site->choose_view(request_);
        shared.queue.ask(self(), request_);
    }

    // Who is behind the connection: all that is known of it.
    [[nodiscard]] Caller caller() {
        Caller caller;
        if (!policy_->config.users.empty()) caller.user = user_of(request_.authorization);
        if constexpr (std::is_same_v<Stream, TlsStream>) {
            caller.certificate = checked_certificate_name(stream_.native_handle());
        }
        beast::error_code ignored;
        const auto endpoint = lowest().socket().remote_endpoint(ignored);
        if (!ignored) caller.address = address_text(*endpoint.data(), endpoint.size());
        return caller;
    }

    void send(Response response) { send(std::make_shared<const Response>(std::move(response))); }

    void send(std::shared_ptr<const Response> page) {
        page_ = std::move(page);
        enter(engine().sending);
        if (engine().stopping) keep_alive_ = false;
        engine().log->debug("request", {{"method", request_.method},
                                        {"path", request_.path},
                                        {"status", std::to_string(page_->status)},
                                        {"bytes", std::to_string(page_->body.size())}});
        const bool head = request_.method == "HEAD";
        response_.emplace(wire_response(*page_, head, keep_alive_, policy_->config.headers));
        serializer_.emplace(*response_);
        lowest().expires_after(engine().limits.sending);
        const auto sent = [self = self()](beast::error_code error, std::size_t) { self->on_sent(error); };
        if (head) {
            http::async_write_header(stream_, *serializer_, sent);
        } else {
            http::async_write(stream_, *serializer_, sent);
        }
    }

    void on_sent(beast::error_code error) {
        serializer_.reset();
        response_.reset();
        if (!error && request_.scraper != 0 && page_->status == 200) {
            sent_to_ = request_.scraper;
            sent_pages_ = page_->pages;
            engine().site->received(sent_to_, sent_pages_);
        }
        page_.reset();
        request_ = {};
        if (error) return;
        if (keep_alive_ && !engine().stopping) return await_request(engine().limits.keep_alive);
        finish();
    }

    void finish() {
        enter(engine().waiting);
        lowest().expires_after(linger_time);
        if constexpr (std::is_same_v<Stream, TlsStream>) {
            stream_.async_shutdown([self = self()](beast::error_code error) { self->note_reading(error); });
        } else {
            beast::error_code ignored;
            stream_.socket().shutdown(asio::socket_base::shutdown_send, ignored);
            linger(0);
        }
    }

    // The next that comes after a page tells whether it was read: who closes with bytes unread resets the connection.
    void note_reading(beast::error_code error) {
        const bool reset = error == asio::error::connection_reset || error == asio::error::broken_pipe;
        if (sent_to_ != 0 && reset) engine().site->not_received(sent_to_, sent_pages_);
        sent_to_ = 0;
    }

    // Closing with unread bytes would reset the connection and take our answer away from the client.
    void linger(std::size_t seen) {
        buffer_.clear();
        stream_.async_read_some(buffer_.prepare(read_bytes),
                                [self = self(), seen](beast::error_code error, std::size_t count) {
                                    self->note_reading(error);
                                    if (!error && seen + count < max_linger_bytes) self->linger(seen + count);
                                });
    }

    std::shared_ptr<const WebPolicy> policy_;
    Stream stream_;
    beast::flat_buffer buffer_{max_header_bytes + max_body_bytes + read_bytes};
    std::optional<RequestParser> parser_;
    Request request_;
    std::shared_ptr<const Response> page_;  // being sent; others may be sending it too
    exposition::ScraperId sent_to_ = 0;     // who got a page last, until it is known whether it was read
    std::vector<std::uint32_t> sent_pages_;
    std::optional<WireResponse> response_;
    std::optional<http::serializer<false, http::span_body<const char>>> serializer_;
    bool keep_alive_ = false;
    bool may_skip_line_ = false;  // an empty one before the request
};

}  // namespace

void serve(Engine& engine, AnySocket socket) {
    if (engine.connections() >= engine.limits.connections) {
        Connections& oldest = engine.waiting.empty() ? engine.sending : engine.waiting;
        if (oldest.empty()) return;
        oldest.front()->evict();
    }
    auto policy = engine.policies.current();
    PlainStream plain(std::move(socket));
    if (policy->tls) {
        TlsStream stream(std::move(plain), *policy->tls);
        std::make_shared<Session<TlsStream>>(engine, std::move(policy), std::move(stream))->start();
    } else {
        std::make_shared<Session<PlainStream>>(engine, std::move(policy), std::move(plain))->start();
    }
}

}  // namespace mtawatch::exporter::web
