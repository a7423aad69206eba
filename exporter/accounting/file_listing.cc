#include "exporter/accounting/file_listing.h"

#include <glob.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <system_error>
#include <tuple>
#include <unordered_set>

#include "exporter/accounting/tracked_file.h"
#include "shared/base/text.h"

namespace mtawatch::exporter {
namespace {

constexpr std::string_view kWildcards = "*?[";

std::string reason(int error) { return std::generic_category().message(error); }

std::string folder_of(const std::string& path) {
    const std::size_t slash = path.rfind('/');
    if (slash == std::string::npos) return ".";
    return slash == 0 ? "/" : path.substr(0, slash);
}

class Lister {
  public:
    Listing take() { return std::move(listing_); }

    void add_glob(const std::string& pattern, std::uint32_t source, bool known_only) {
        add_folders(folder_of(pattern), source, known_only);
        for (const std::string& path : matches(pattern)) add_file(path, source, known_only);
    }

  private:
    // The paths a pattern matches, sorted by name.
    static std::vector<std::string> matches(const std::string& pattern) {
        glob_t found{};
        std::vector<std::string> paths;
        if (::glob(pattern.c_str(), GLOB_NOSORT, nullptr, &found) == 0)
            paths.assign(found.gl_pathv, found.gl_pathv + found.gl_pathc);
        ::globfree(&found);
        std::ranges::sort(paths);
        return paths;
    }

    // The folders that a pattern's last part is looked for in: all of them are watched.
    void add_folders(const std::string& pattern, std::uint32_t source, bool known_only) {
        const bool plain = pattern.find_first_of(kWildcards) == std::string::npos;
        const std::vector<std::string> folders = plain ? std::vector<std::string>{pattern} : matches(pattern);
        if (folders.empty() && !known_only) listing_.problems.insert({source, pattern + ": no such folder"});
        for (const std::string& folder : folders) {
            struct stat info {};
            if (::stat(folder.c_str(), &info) != 0) {
                problem(source, folder, reason(errno), known_only);
            } else if (!S_ISDIR(info.st_mode)) {
                if (plain) problem(source, folder, "is no folder", known_only);
            } else {
                if (::access(folder.c_str(), R_OK | X_OK) != 0) {
                    problem(source, folder, reason(errno) + "; add the exporter's user to the folder's group",
                            known_only);
                }
                listing_.folders.insert(folder);
            }
        }
    }

    void add_file(const std::string& path, std::uint32_t source, bool known_only) {
        struct stat info {};
        if (::stat(path.c_str(), &info) != 0) {
            // Gone between listing and looking is no problem; a dangling link or a closed folder is.
            if (errno != ENOENT) problem(source, path, reason(errno), known_only);
            return;
        }
        if (S_ISDIR(info.st_mode)) {
            problem(source, path, "is a folder, not a file; write " + path + "/* to follow what is in it", known_only);
            return;
        }
        if (!S_ISREG(info.st_mode)) {
            problem(source, path, "is no regular file", known_only);
            return;
        }
        if (!inodes_.insert(std::to_string(info.st_dev) + ":" + std::to_string(info.st_ino)).second) return;
        listing_.files.push_back({path, known_only ? TrackedFile::kNoSource : source, info.st_dev, info.st_ino,
                                  static_cast<std::uint64_t>(info.st_size),
                                  info.st_mtim.tv_sec * 1'000'000'000 + info.st_mtim.tv_nsec});
    }

    void problem(std::uint32_t source, const std::string& path, const std::string& why, bool known_only) {
        if (!known_only) listing_.problems.insert({source, path + ": " + why});
    }

    Listing listing_;
    std::unordered_set<std::string> inodes_;
};

}  // namespace

Listing list_files(const std::vector<std::string>& globs, const std::vector<std::string>& moved_to) {
    Lister lister;
    for (std::uint32_t i = 0; i < globs.size(); ++i) lister.add_glob(globs[i], i, false);
    for (const std::string& pattern : globs) {
        if (!is_gzip_name(pattern)) lister.add_glob(pattern + ".gz", TrackedFile::kNoSource, true);
    }
    for (const std::string& folder : moved_to) lister.add_glob(folder + "/*", TrackedFile::kNoSource, true);
    return lister.take();
}

}  // namespace mtawatch::exporter
