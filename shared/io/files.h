// Read access to files below a root folder: "/" in production, a fixture tree in tests.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "shared/base/clock.h"
#include "shared/base/result.h"

namespace mtawatch::io {

struct FileInfo {
    std::uint64_t size = 0;
    std::uint32_t mode = 0;  // permission bits as in chmod, e.g. 0640
    bool is_directory = false;
    base::WallTime modified;
};

class Files {
  public:
    // `root` without a trailing slash; "" is the real file system.
    explicit Files(std::string root = {}) : root_(std::move(root)) {}

    // The whole file. Faults: not_found, permission, limit (larger than max_bytes), io; the message names the path.
    [[nodiscard]] base::Result<std::string> read(const std::string& path, std::size_t max_bytes) const;
    // Everything that standard input gives until its end; waits for it. Same faults.
    [[nodiscard]] static base::Result<std::string> read_standard_input(std::size_t max_bytes);
    [[nodiscard]] base::Result<FileInfo> info(const std::string& path) const;
    // Paths that a glob(7) pattern matches, sorted; none is an empty vector, not an error. An unreadable folder is
    // an error, because an empty answer would read as "nothing there".
    [[nodiscard]] base::Result<std::vector<std::string>> glob(const std::string& pattern) const;
    // The path in the real file system, for code that opens the file itself.
    [[nodiscard]] std::string real_path(std::string_view path) const;

  private:
    std::string root_;
};

}  // namespace mtawatch::io
