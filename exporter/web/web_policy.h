// What holds for the next connection? The web configuration as it is on the disk now, with its TLS context made.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "exporter/web/asio.h"
#include "exporter/web/web_config.h"
#include "shared/base/log.h"

namespace mtawatch::exporter::web {

struct WebPolicy {
    WebConfig config;
    std::shared_ptr<asio::ssl::context> tls;  // null: plain HTTP
};

// Reads file, certificate, key and client CA. Errors name the file and what is wrong with it.
[[nodiscard]] base::Result<std::shared_ptr<const WebPolicy>> load_web_policy(const std::string& path);

// For one thread. Without a file everything is open and plain.
class WebPolicies {
  public:
    WebPolicies(std::string path, std::shared_ptr<const WebPolicy> first, const base::Log& log);

    // Looks at the files at most once a second, and reads them again when one of them changed. A file that cannot be
    // used is reported once, and the last good policy stays in force: a half-written certificate locks nobody out, and
    // a broken file never opens a door.
    [[nodiscard]] std::shared_ptr<const WebPolicy> current();

  private:
    using Stamp = std::vector<std::filesystem::file_time_type>;
    [[nodiscard]] Stamp stamp() const;

    std::string path_;
    std::shared_ptr<const WebPolicy> policy_;
    const base::Log* log_;
    Stamp seen_;
    std::chrono::steady_clock::time_point looked_at_{};
};

}  // namespace mtawatch::exporter::web
