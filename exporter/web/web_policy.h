// Web configuration in force for new connections: the file as it is on disk now, with its TLS context, reloaded when a
// file changes.
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

// For one thread. Without a file: plain HTTP for everybody.
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
