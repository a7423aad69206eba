// Listing of the files that match the globs now, with their ".gz" siblings, rotated names and move-to folders.
#pragma once

#include <cstdint>
#include <set>
#include <string>
#include <tuple>
#include <vector>

#include "exporter/files/follow_settings.h"

namespace mtawatch::exporter::files {

struct SeenFile {
    std::string path;
    std::uint32_t source = 0;  // index of the glob
    std::uint64_t device = 0;
    std::uint64_t inode = 0;
    std::uint64_t size = 0;
    std::int64_t modified = 0;  // nanoseconds
};

// What cannot be looked at, in words, with the glob it belongs to.
struct ListingProblem {
    std::uint32_t source = 0;
    std::string text;
    bool operator<(const ListingProblem& other) const {
        return std::tie(source, text) < std::tie(other.source, other.text);
    }
};

struct Listing {
    std::vector<SeenFile> files;  // one entry for each inode, the first glob and path in order have it
    std::set<std::string> folders;
    std::set<ListingProblem> problems;
};

// Every glob, the same with ".gz" behind it, and the same names in the move-to folders: a file that was moved or
// compressed before it was ever looked at must not be missed. With `rotated` also the names that logrotate gives:
// mail.log.1, mail.log.2.gz and mail.log-20261121 for "mail.log".
[[nodiscard]] Listing list_files(const std::vector<std::string>& globs, const std::vector<std::string>& moved_to,
                                 bool rotated = false);

}  // namespace mtawatch::exporter::files
