#include "exporter/web/server.h"

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <deque>
#include <thread>

#include "exporter/web/engine.h"
#include "shared/base/text.h"

namespace mtawatch::exporter::web {
namespace {

using base::fail;
using base::Fault;
using base::Result;
using Tcp = asio::ip::tcp;
using Local = asio::local::stream_protocol;

// After running out of file descriptors: long enough for some to be given back.
constexpr auto accept_pause = std::chrono::milliseconds(100);
// Whoever may read the socket's folder and is in its group may scrape.
constexpr mode_t socket_mode = 0660;

base::Failure cannot_listen(std::string_view where, const beast::error_code& error) {
    const bool forbidden = error == asio::error::access_denied;
    return fail(forbidden ? Fault::permission : Fault::io, "--web.listen-address {}: cannot listen: {}", where,
                error.message());
}

// Accepts connections until the acceptor is closed.
template <class Protocol>
class Listener {
  public:
    Listener(Engine& engine, typename Protocol::acceptor acceptor)
        : engine_(&engine), acceptor_(std::move(acceptor)), pause_(engine.io) {}

    void accept() {
        acceptor_.async_accept([this](beast::error_code error, typename Protocol::socket socket) {
            if (error == asio::error::operation_aborted || !acceptor_.is_open()) return;
            if (error) return wait();
            if constexpr (std::is_same_v<Protocol, Tcp>) {
                beast::error_code ignored;
                socket.set_option(Tcp::no_delay(true), ignored);
            }
            serve(*engine_, AnySocket(std::move(socket)));
            accept();
        });
    }
    void close() {
        beast::error_code ignored;
        acceptor_.close(ignored);
        pause_.cancel();
    }
    [[nodiscard]] const typename Protocol::acceptor& acceptor() const { return acceptor_; }

  private:
    void wait() {
        pause_.expires_after(accept_pause);
        pause_.async_wait([this](beast::error_code error) {
            if (!error) accept();
        });
    }

    Engine* engine_;
    typename Protocol::acceptor acceptor_;
    asio::steady_timer pause_;
};

template <class Protocol>
Result<typename Protocol::acceptor> open_acceptor(asio::io_context& io, const typename Protocol::endpoint& endpoint,
                                                  std::string_view where) {
    typename Protocol::acceptor acceptor(io);
    beast::error_code error;
    acceptor.open(endpoint.protocol(), error);
    if (!error && std::is_same_v<Protocol, Tcp>) acceptor.set_option(asio::socket_base::reuse_address(true), error);
    if constexpr (std::is_same_v<Protocol, Tcp>) {
        // "[::]" takes IPv4 too; an address that is named is meant alone.
        if (!error && endpoint.address().is_v6()) {
            acceptor.set_option(asio::ip::v6_only(!endpoint.address().is_unspecified()), error);
        }
    }
    if (!error) acceptor.bind(endpoint, error);
    if (!error) acceptor.listen(asio::socket_base::max_listen_connections, error);
    if (error) return cannot_listen(where, error);
    return acceptor;
}

// A socket file that nobody listens on any more is what a killed exporter leaves behind.
Result<void> remove_stale_socket(asio::io_context& io, const std::string& path) {
    struct stat info {};
    if (::lstat(path.c_str(), &info) != 0) return {};
    if (!S_ISSOCK(info.st_mode)) {
        return fail(Fault::io, "--web.listen-address unix:{}: there is a file of that name", path);
    }
    Local::socket probe(io);
    beast::error_code error;
    probe.connect(Local::endpoint(path), error);
    if (!error) return fail(Fault::io, "--web.listen-address unix:{}: somebody listens there already", path);
    ::unlink(path.c_str());
    return {};
}

}  // namespace

struct Server::Impl {
    Impl(const ServerSettings& settings, std::shared_ptr<const WebPolicy> policy, Site& site, const base::Log& log)
        : engine(settings, std::move(policy), site, log) {}

    Result<void> listen(const ListenAddress& address);
    Result<void> listen_unix(const std::string& path);
    Result<void> listen_everywhere(std::uint16_t port);
    Result<void> add_tcp(const Tcp::endpoint& endpoint, std::string_view where);
    [[nodiscard]] std::string_view scheme() { return engine.policies.current()->tls ? "https" : "http"; }

    Engine engine;
    std::deque<Listener<Tcp>> tcp;
    std::deque<Listener<Local>> local;
    std::vector<std::string> socket_files;
    std::vector<std::string> addresses;
    std::thread thread;
};

Result<void> Server::Impl::add_tcp(const Tcp::endpoint& endpoint, std::string_view where) {
    auto acceptor = open_acceptor<Tcp>(engine.io, endpoint, where);
    if (!acceptor) return fail(acceptor.error());
    const auto bound = acceptor->local_endpoint();
    addresses.push_back(fmt::format("{}://{}:{}", scheme(), base::url_host(bound.address().to_string()), bound.port()));
    tcp.emplace_back(engine, std::move(*acceptor));
    return {};
}

Result<void> Server::Impl::listen_everywhere(std::uint16_t port) {
    const std::string where = fmt::format(":{}", port);
    // A machine without IPv6 has no [::].
    if (add_tcp(Tcp::endpoint(asio::ip::address_v6::any(), port), where)) return {};
    return add_tcp(Tcp::endpoint(asio::ip::address_v4::any(), port), where);
}

Result<void> Server::Impl::listen_unix(const std::string& path) {
    if (auto done = remove_stale_socket(engine.io, path); !done) return done;
    auto acceptor = open_acceptor<Local>(engine.io, Local::endpoint(path), "unix:" + path);
    if (!acceptor) return fail(acceptor.error());
    socket_files.push_back(path);
    ::chmod(path.c_str(), socket_mode);
    addresses.push_back("unix:" + path);
    local.emplace_back(engine, std::move(*acceptor));
    return {};
}

Result<void> Server::Impl::listen(const ListenAddress& address) {
    if (!address.unix_path.empty()) return listen_unix(address.unix_path);
    if (address.host.empty()) return listen_everywhere(address.port);
    Tcp::resolver resolver(engine.io);
    beast::error_code error;
    const auto found = resolver.resolve(address.host, std::to_string(address.port),
                                        Tcp::resolver::passive | Tcp::resolver::numeric_service, error);
    const std::string where = fmt::format("{}:{}", address.host, address.port);
    if (error || found.empty()) return cannot_listen(where, error);
    for (const auto& entry : found) {
        if (auto done = add_tcp(entry.endpoint(), where); !done) return done;
    }
    return {};
}

Server::Server(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

Server::~Server() { stop(); }

const std::vector<std::string>& Server::addresses() const { return impl_->addresses; }

Result<std::unique_ptr<Server>> Server::start(const ServerSettings& settings, Site& site, const base::Log& log) {
    std::shared_ptr<const WebPolicy> policy = std::make_shared<WebPolicy>();
    if (!settings.web_config_file.empty()) {
        auto loaded = load_web_policy(settings.web_config_file);
        if (!loaded) return fail(loaded.error());
        policy = std::move(*loaded);
    }
    std::unique_ptr<Server> server(new Server(std::make_unique<Impl>(settings, std::move(policy), site, log)));
    Impl& impl = *server->impl_;
    for (const ListenAddress& address : settings.addresses) {
        if (auto done = impl.listen(address); !done) return fail(done.error());
    }
    for (auto& listener : impl.tcp) listener.accept();
    for (auto& listener : impl.local) listener.accept();
    impl.thread = std::thread([&impl] { impl.engine.io.run(); });
    return server;
}

void Server::stop() {
    if (!impl_) return;
    Impl& impl = *impl_;
    asio::post(impl.engine.io, [&impl] {
        impl.engine.stopping = true;
        for (auto& listener : impl.tcp) listener.close();
        for (auto& listener : impl.local) listener.close();
        for (Connections* list : {&impl.engine.waiting, &impl.engine.sending, &impl.engine.working}) {
            for (Connection* connection : Connections(*list)) connection->close();
        }
        impl.engine.queue.clear();
        impl.engine.passwords.clear();
    });
    impl.engine.renderer.stop();
    impl.engine.password_checker.stop();
    impl.engine.renderer.join();
    impl.engine.password_checker.join();
    if (impl.thread.joinable()) {
        asio::post(impl.engine.io, [&impl] { impl.engine.io.stop(); });
        impl.thread.join();
    }
    for (const std::string& path : impl.socket_files) ::unlink(path.c_str());
    impl_.reset();
}

}  // namespace mtawatch::exporter::web
