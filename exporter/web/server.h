// HTTP server: accepts connections on every listen address and gives each request to the site.
#pragma once

#include <chrono>
#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "exporter/web/listen_address.h"
#include "exporter/web/site.h"
#include "shared/base/log.h"
#include "shared/base/result.h"

namespace mtawatch::exporter::web {

// No client can hold up another: connections that only wait are closed, oldest first, when a new one needs the place.
struct ServerLimits {
    std::size_t connections = 512;                    // well below the usual 1024 file descriptors
    std::size_t pages_at_once = 16;                   // different ones being sent; each may be 100 MB
    std::size_t waiting_passwords = 256;              // at most half of the connections
    std::chrono::milliseconds first_request{10'000};  // from connecting to the first byte
    std::chrono::milliseconds request{10'000};        // from the first byte of a request to its last
    std::chrono::milliseconds keep_alive{150'000};    // longer than any usual scrape interval
    std::chrono::milliseconds sending{60'000};        // of one answer
};

struct ServerSettings {
    std::vector<ListenAddress> addresses;
    std::string web_config_file;  // empty: plain HTTP for everybody
    ServerLimits limits;
};

// One I/O thread for the sockets, one thread that renders, one that checks passwords.
class Server {
  public:
    // Listens on all addresses and starts the threads. Faults: io or permission (an address cannot be had, named),
    // configuration (the web configuration). `site` and `log` must outlive the server.
    [[nodiscard]] static base::Result<std::unique_ptr<Server>> start(const ServerSettings& settings, Site& site,
                                                                     const base::Log& log);
    Server(const Server&) = delete;
    Server& operator=(const Server&) = delete;
    ~Server();

    // Where it listens, ports chosen by the kernel filled in: "http://[::]:10925", "https://127.0.0.1:4711",
    // "unix:/run/x.socket".
    [[nodiscard]] const std::vector<std::string>& addresses() const;
    // Closes every connection and ends the threads; the destructor does it too.
    void stop();

  private:
    struct Impl;
    explicit Server(std::unique_ptr<Impl> impl);
    std::unique_ptr<Impl> impl_;
};

}  // namespace mtawatch::exporter::web
