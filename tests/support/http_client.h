// Raw HTTP client: one connection to a server on this machine, which sends exactly the bytes that a test gives it.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace mtawatch::test {

struct HttpReply {
    int status = 0;      // 0: the connection ended without an answer
    std::string header;  // with its blank line
    std::string body;
    // The value of a header field, "" where there is none. The name in any case.
    [[nodiscard]] std::string field(std::string_view name) const;
};

// Blocking, with a limit of ten seconds on every read. Throws std::runtime_error when it cannot connect.
class HttpClient {
  public:
    // "http://127.0.0.1:4711", "http://[::1]:4711" or "unix:/path", as Server::addresses() gives them; a wildcard
    // address is reached over loopback.
    explicit HttpClient(std::string_view address);
    HttpClient(const HttpClient&) = delete;
    HttpClient& operator=(const HttpClient&) = delete;
    HttpClient(HttpClient&& other) noexcept : socket_(other.socket_), unread_(std::move(other.unread_)) {
        other.socket_ = -1;
    }
    HttpClient& operator=(HttpClient&&) = delete;
    ~HttpClient();

    void send(std::string_view bytes) const;
    // The next answer; `head` when it has no body whatever its Content-Length says.
    [[nodiscard]] HttpReply read_reply(bool head = false);
    // GET of a page.
    [[nodiscard]] HttpReply get(std::string_view path, std::string_view headers = {});
    // Whether the server has closed the connection (waits for it up to ten seconds).
    [[nodiscard]] bool closed_by_server() const;

  private:
    [[nodiscard]] bool read_more();

    int socket_ = -1;
    std::string unread_;
};

}  // namespace mtawatch::test
