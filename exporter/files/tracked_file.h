// Identity and read state of a followed file: fingerprint of its content, name parts, offset and flags.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

#include "shared/base/clock.h"
#include "shared/base/hash.h"
#include "shared/io/byte_source.h"
#include "shared/io/descriptor.h"

namespace mtawatch::exporter::files {

// A fingerprint covers the first line (the header) and up to this much behind it: several records with their times.
inline constexpr std::size_t fingerprint_bytes = 1024;
// A header of dozens of header_ columns has under 4 KiB; a "first line" longer than this is no header.
inline constexpr std::size_t max_header_bytes = 64U << 10U;

// The beginning of a file's content. Length 0: no complete record yet, so nothing to know it by.
struct Fingerprint {
    std::uint32_t length = 0;
    std::uint64_t hash = 0;
    bool operator==(const Fingerprint&) const = default;
};

// The fingerprint of the first `length` bytes of `head`, which has at least as many.
[[nodiscard]] inline Fingerprint fingerprint_of(std::string_view head, std::size_t length) {
    return {static_cast<std::uint32_t>(length), base::hash_bytes(head.substr(0, length))};
}
// How long the fingerprint of a file with this beginning may become: its first line and fingerprint_bytes.
[[nodiscard]] std::size_t full_fingerprint_length(std::string_view head);

// The name without folder, ".gz" or ".zst", and the numbers and dates that log rotation appends: "acct.csv" for
// "/old/acct.csv.2.gz" and "acct.csv-20261121".
[[nodiscard]] std::string stem_of(std::string_view path);
// How old rotation calls a file, for comparing names of one stem: 0 for "mail.log", 2 for "mail.log.2.gz", and more for
// an earlier date ("mail.log-20261121").
[[nodiscard]] std::uint64_t rotation_age(std::string_view path);
[[nodiscard]] bool is_gzip_name(std::string_view path);

// What a checkpoint keeps of a file.
struct FileState {
    std::string path;
    std::uint64_t device = 0;
    std::uint64_t inode = 0;
    Fingerprint fingerprint;
    std::string header;            // in force at `offset`
    std::uint64_t offset = 0;      // everything before it is counted, in decompressed bytes
    std::int64_t vanished_at = 0;  // Unix time since when it is nowhere; 0: it is there
    std::int64_t first_time = 0;   // of its first record: the order in which files are read
    bool operator==(const FileState&) const = default;
};

struct TrackedFile : FileState {
    static constexpr std::uint32_t no_source = 0xffffffffU;

    std::uint64_t serial = 0;          // never given twice in a run
    std::uint32_t source = no_source;  // index of its glob
    std::string stem;
    io::Descriptor fd;
    std::uint64_t size = 0;              // on disk (compressed for .gz), when last looked at
    std::int64_t modified = 0;           // mtime in nanoseconds, when last looked at
    std::uint64_t disk_read = 0;         // how much of `size` is read
    base::SteadyTime grown{};            // when it last grew
    std::uint64_t read_to = UINT64_MAX;  // how far it may be read now: see FileReader::limit_to_present_size()
    base::SteadyTime unpacked{};         // when it was last unpacked, and how long that took
    base::Duration unpacking{};
    io::Compression packing = io::Compression::none;
    bool verified = false;  // its content was compared with the fingerprint since the start
    bool dirty = false;     // there may be something to read
    bool finish = false;    // nothing more will come: a last line without newline counts
    bool finished = false;  // read to its very end
    bool detached = false;  // only the open descriptor leads to it
    bool unreadable = false;
    bool compare = false;  // its content is in doubt: the next rescan compares it whatever name and size say
};

}  // namespace mtawatch::exporter::files
