#include "tests/support/http_client.h"

#include <arpa/inet.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cstring>
#include <stdexcept>

#include "shared/base/text.h"

namespace mtawatch::test {
namespace {

int connect_to(const sockaddr* address, socklen_t length) {
    const int socket = ::socket(address->sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const timeval limit{10, 0};
    ::setsockopt(socket, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    if (socket < 0 || ::connect(socket, address, length) != 0) {
        ::close(socket);
        throw std::runtime_error("cannot connect");
    }
    return socket;
}

template <class Address>
int connect_to(const Address& address) {
    return connect_to(reinterpret_cast<const sockaddr*>(&address), sizeof address);
}

int connect_tcp(std::string_view host, std::uint16_t port) {
    if (host.starts_with('[')) {
        sockaddr_in6 address{};
        address.sin6_family = AF_INET6;
        address.sin6_port = htons(port);
        const std::string name(host.substr(1, host.size() - 2));
        ::inet_pton(AF_INET6, name == "::" ? "::1" : name.c_str(), &address.sin6_addr);
        return connect_to(address);
    }
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    ::inet_pton(AF_INET, host == "0.0.0.0" ? "127.0.0.1" : std::string(host).c_str(), &address.sin_addr);
    return connect_to(address);
}

}  // namespace

std::string HttpReply::field(std::string_view name) const {
    for (const std::string_view line : base::split(header, '\n')) {
        const std::size_t colon = line.find(':');
        if (colon != std::string_view::npos && base::iequals(line.substr(0, colon), name)) {
            return std::string(base::trim(line.substr(colon + 1)));
        }
    }
    return {};
}

HttpClient::HttpClient(std::string_view address) {
    if (address.starts_with("unix:")) {
        sockaddr_un local{};
        local.sun_family = AF_UNIX;
        address.substr(5).copy(local.sun_path, sizeof local.sun_path - 1);
        socket_ = connect_to(local);
        return;
    }
    const std::string_view place = address.substr(address.find("//") + 2);
    const std::size_t colon = place.rfind(':');
    socket_ = connect_tcp(place.substr(0, colon), base::to_number<std::uint16_t>(place.substr(colon + 1)).value());
}

HttpClient::~HttpClient() {
    if (socket_ >= 0) ::close(socket_);
}

void HttpClient::send(std::string_view bytes) const {
    while (!bytes.empty()) {
        const auto count = ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
        if (count <= 0) return;  // the server closed: the reply, or its absence, tells
        bytes.remove_prefix(static_cast<std::size_t>(count));
    }
}

bool HttpClient::read_more() {
    std::array<char, 65536> piece;
    const auto count = ::recv(socket_, piece.data(), piece.size(), 0);
    if (count <= 0) return false;
    unread_.append(piece.data(), static_cast<std::size_t>(count));
    return true;
}

HttpReply HttpClient::read_reply(bool head) {
    HttpReply reply;
    std::size_t end = 0;
    while ((end = unread_.find("\r\n\r\n")) == std::string::npos) {
        if (!read_more()) return reply;
    }
    reply.header = unread_.substr(0, end + 4);
    unread_.erase(0, end + 4);
    reply.status = base::to_number<int>(std::string_view(reply.header).substr(9, 3)).value_or(-1);
    const auto length = base::to_number<std::size_t>(reply.field("Content-Length")).value_or(0);
    while (!head && unread_.size() < length) {
        if (!read_more()) break;
    }
    if (head) return reply;
    reply.body = unread_.substr(0, length);
    unread_.erase(0, length);
    return reply;
}

HttpReply HttpClient::get(std::string_view path, std::string_view headers) {
    send("GET " + std::string(path) + " HTTP/1.1\r\nHost: test\r\n" + std::string(headers) + "\r\n");
    return read_reply();
}

bool HttpClient::closed_by_server() const {
    char byte = 0;
    return ::recv(socket_, &byte, 1, 0) == 0 || errno == ECONNRESET;
}

}  // namespace mtawatch::test
