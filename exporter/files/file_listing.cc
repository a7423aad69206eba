#include "exporter/files/file_listing.h"

#include <algorithm>
#include <set>

#include "exporter/files/tracked_file.h"
#include "shared/base/text.h"

namespace mtawatch::exporter::files {
namespace {

constexpr std::string_view wildcards = "*?[";

std::string folder_of(const std::string& path) {
    const std::size_t slash = path.rfind('/');
    if (slash == std::string::npos) return ".";
    return slash == 0 ? "/" : path.substr(0, slash);
}

std::string base_name(const std::string& path) { return path.substr(path.rfind('/') + 1); }

class Lister {
  public:
    explicit Lister(const FileSystem& files) : files_(files) {}
    Listing take() { return std::move(listing_); }

    void add_glob(const std::string& pattern, std::uint32_t source) {
        add_folders(folder_of(pattern), source);
        for (const std::string& path : files_.matches(pattern)) add_file(path, source);
    }

  private:
    // The folders that a pattern's last part is looked for in: all of them are watched.
    void add_folders(const std::string& pattern, std::uint32_t source) {
        const bool plain = pattern.find_first_of(wildcards) == std::string::npos;
        const std::vector<std::string> folders = plain ? std::vector<std::string>{pattern} : files_.matches(pattern);
        if (folders.empty()) listing_.problems.insert({source, pattern + ": no such folder"});
        for (const std::string& folder : folders) {
            const auto found = files_.facts(folder);
            if (!found) {
                problem(source, folder, found.error().what);
            } else if (found->kind != FileKind::folder) {
                if (plain) problem(source, folder, "is no folder");
            } else {
                if (const auto listed = files_.may_list(folder); !listed) {
                    problem(source, folder, listed.error().what + "; add the exporter's user to the folder's group");
                }
                listing_.folders.insert(folder);
            }
        }
    }

    void add_file(const std::string& path, std::uint32_t source) {
        const auto found = files_.facts(path);
        if (!found) {
            // Gone between listing and looking is no problem; a closed folder is.
            if (found.error().fault != base::Fault::not_found) problem(source, path, found.error().what);
            return;
        }
        if (found->kind == FileKind::folder) {
            problem(source, path, "is a folder, not a file; write " + path + "/* to follow what is in it");
            return;
        }
        if (found->kind != FileKind::regular) {
            problem(source, path, "is no regular file");
            return;
        }
        if (!inodes_.insert(found->id).second) return;
        listing_.files.push_back({path, source, found->id, found->size, found->modified});
    }

    void problem(std::uint32_t source, const std::string& path, const std::string& why) {
        listing_.problems.insert({source, path + ": " + why});
    }

    const FileSystem& files_;
    Listing listing_;
    std::set<FileId> inodes_;
};

}  // namespace

Listing list_files(const FileSystem& files, const std::vector<std::string>& globs,
                   const std::vector<std::string>& moved_to, bool rotated) {
    Lister lister(files);
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
