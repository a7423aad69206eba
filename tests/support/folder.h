// Temporary folder of one test, removed when the test ends.
#pragma once

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <string>
#include <string_view>

#include "shared/io/files.h"

namespace mtawatch::test {

class Folder {
  public:
    Folder() {
        std::string name = (std::filesystem::temp_directory_path() / "mtawatch-XXXXXX").string();
        if (mkdtemp(name.data()) == nullptr) throw std::runtime_error("no temporary folder");
        path_ = name;
    }
    Folder(const Folder&) = delete;
    Folder& operator=(const Folder&) = delete;
    ~Folder() { std::filesystem::remove_all(path_); }

    // `name` begins with a slash: "/etc/hosts".
    void write(std::string_view name, std::string_view text) const {
        const std::filesystem::path file = path_ / name.substr(1);
        std::filesystem::create_directories(file.parent_path());
        std::ofstream(file, std::ios::binary) << text;
    }
    [[nodiscard]] std::string path() const { return path_.string(); }
    // The tree as the root folder of a World.
    [[nodiscard]] io::Files files() const { return io::Files(path()); }

  private:
    std::filesystem::path path_;
};

}  // namespace mtawatch::test
