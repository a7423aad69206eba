#include "exporter/files/file_listing.h"

#include <glob.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <system_error>
#include <tuple>
#include <unordered_set>

#include "exporter/files/tracked_file.h"
#include "shared/base/text.h"

namespace mtawatch::exporter::files {
namespace {

constexpr std::string_view wildcards = "*?[";

std::string reason(int error) { return std::generic_category().message(error); }

std::string folder_of(const std::string& path) {
    const std::size_t slash = path.rfind('/');
    if (slash == std::string::npos) return ".";
    return slash == 0 ? "/" : path.substr(0, slash);
}

std::string base_name(const std::string& path) { return path.substr(path.rfind('/') + 1); }

class Lister {
  public:
    Listing take() { return std::move(listing_); }

    void add_glob(const std::string& pattern, std::uint32_t source) {
        add_folders(folder_of(pattern), source);
        for (const std::string& path : matches(pattern)) add_file(path, source);
    }

  private:
    // The paths a pattern matches, sorted by name.
    static std::vector<std::string> matches(const std::string& pattern) {
        glob_t found{};
        std::vector<std::string> paths;
        // Unsafe only beside a thread that changes the environment, which none of ours does.
        // NOLINTNEXTLINE(concurrency-mt-unsafe)
        if (::glob(pattern.c_str(), GLOB_NOSORT, nullptr, &found) == 0) {
            paths.assign(found.gl_pathv, found.gl_pathv + found.gl_pathc);
        }
        ::globfree(&found);
        std::ranges::sort(paths);
        return paths;
    }

    // The folders that a pattern's last part is looked for in: all of them are watched.
    void add_folders(const std::string& pattern, std::uint32_t source) {
        const bool plain = pattern.find_first_of(wildcards) == std::string::npos;
        const std::vector<std::string> folders = plain ? std::vector<std::string>{pattern} : matches(pattern);
        if (folders.empty()) listing_.problems.insert({source, pattern + ": no such folder"});
        for (const std::string& folder : folders) {
            struct stat info {};
            if (::stat(folder.c_str(), &info) != 0) {
                problem(source, folder, reason(errno));
            } else if (!S_ISDIR(info.st_mode)) {
                if (plain) problem(source, folder, "is no folder");
            } else {
                if (::access(folder.c_str(), R_OK | X_OK) != 0) {
                    problem(source, folder, reason(errno) + "; add the exporter's user to the folder's group");
                }
                listing_.folders.insert(folder);
            }
        }
    }

    void add_file(const std::string& path, std::uint32_t source) {
        struct stat info {};
        if (::stat(path.c_str(), &info) != 0) {
            // Gone between listing and looking is no problem; a dangling link or a closed folder is.
            if (errno != ENOENT) problem(source, path, reason(errno));
            return;
        }
        if (S_ISDIR(info.st_mode)) {
            problem(source, path, "is a folder, not a file; write " + path + "/* to follow what is in it");
            return;
        }
        if (!S_ISREG(info.st_mode)) {
            problem(source, path, "is no regular file");
            return;
        }
        if (!inodes_.insert(std::to_string(info.st_dev) + ":" + std::to_string(info.st_ino)).second) return;
        listing_.files.push_back({path, source, info.st_dev, info.st_ino, static_cast<std::uint64_t>(info.st_size),
                                  info.st_mtim.tv_sec * 1'000'000'000 + info.st_mtim.tv_nsec});
    }

    void problem(std::uint32_t source, const std::string& path, const std::string& why) {
        listing_.problems.insert({source, path + ": " + why});
    }

    Listing listing_;
    std::unordered_set<std::string> inodes_;
};

}  // namespace

Listing list_files(const std::vector<std::string>& globs, const std::vector<std::string>& moved_to, bool rotated) {
    Lister lister;
    for (std::uint32_t i = 0; i < globs.size(); ++i) {
        std::vector<std::string> patterns{globs[i]};
        for (const std::string& folder : moved_to) patterns.push_back(folder + "/" + base_name(globs[i]));
        for (const std::string& pattern : patterns) {
            lister.add_glob(pattern, i);
            if (!is_gzip_name(pattern)) lister.add_glob(pattern + ".gz", i);
            // From the newest to the oldest: what is renamed meanwhile is met under its new name.
            for (const std::string_view names : {".[0-9]*", "-[0-9]*"}) {
                if (rotated) lister.add_glob(pattern + std::string(names), i);
            }
        }
    }
    return lister.take();
}

}  // namespace mtawatch::exporter::files
