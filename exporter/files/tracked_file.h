// Identity and read state of a followed file: fingerprint of its content, name parts, offset and flags.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "exporter/files/file_system.h"
#include "shared/base/clock.h"
#include "shared/base/hash.h"
#include "shared/base/result.h"
#include "shared/io/byte_source.h"

namespace mtawatch::exporter::files {

// A fingerprint covers the first line (the header) and up to this much behind it: several records with their times.
inline constexpr std::size_t fingerprint_bytes = 1024;
// A header of dozens of header_ columns has under 4 KiB; a "first line" longer than this is no header.
inline constexpr std::size_t max_header_bytes = 64U << 10U;

// The beginning of a file's content, from its first byte that is no NUL. Length 0: no complete record yet, so nothing
// to know it by.
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

// A piece of a file's content that was read: the last bytes before byte `end`, at most as many as a fingerprint has
// behind the header. Two files that begin alike are told apart by it.
struct Piece {
    std::uint64_t end = 0;
    std::uint32_t length = 0;
    std::uint64_t hash = 0;
    bool operator==(const Piece&) const = default;
};
// Where the piece before `end` begins, in a file whose content begins at `begin`.
[[nodiscard]] constexpr std::uint64_t piece_begin(std::uint64_t begin, std::uint64_t end) {
    return end - std::min<std::uint64_t>(end - std::min(begin, end), fingerprint_bytes);
}
// The piece before `end`, read from the file; its end is another where the file ends before. Fault::io.
[[nodiscard]] base::Result<Piece> piece_before(const OpenFile& file, std::uint64_t begin, std::uint64_t end);

// The name without folder, ".gz" or ".zst", and the numbers and dates that log rotation appends: "acct.csv" for
// "/old/acct.csv.2.gz" and "acct.csv-20261121".
[[nodiscard]] std::string stem_of(std::string_view path);
// The stem with every number as "#": files of one kind follow each other, as acct-2026-11-20-0001.csv and
// acct-2026-11-21-0001.csv do, and acct-a.csv and acct-b.csv do not.
[[nodiscard]] std::string kind_of(std::string_view path);
// How old rotation calls a file, for comparing names of one stem: 0 for "mail.log", 2 for "mail.log.2.gz", and more for
// an earlier date ("mail.log-20261121").
[[nodiscard]] std::uint64_t rotation_age(std::string_view path);
[[nodiscard]] bool is_gzip_name(std::string_view path);

// How surely a file is known by its beginning.
enum class Identity : std::uint8_t {
    ambiguous,  // another file may well begin like it: its records have no time, or two lines of it are equal
    likely,     // it is too short to be sure
    certain,    // a file that begins like it is a copy of it
};

// What a checkpoint keeps of a file.
struct FileState {
    std::string path;
    FileId id;
    Fingerprint fingerprint;
    std::string header;              // in force at `offset`
    std::uint64_t offset = 0;        // everything before it is counted, in decompressed bytes
    std::int64_t vanished_at = 0;    // Unix time since when it is nowhere; 0: it is there
    std::int64_t first_time = 0;     // of its first record: the order in which files are read
    std::uint64_t begin = 0;         // how many NULs stand before its content
    Piece tail;                      // the last of what is counted; behind it at most what was read since
    std::uint64_t packed_size = 0;   // of a packed file whose text is counted to its end: its size on disk then
    std::uint64_t shorter_from = 0;  // its size when it was first seen shorter than `offset`; 0: it is not
    Identity identity = Identity::ambiguous;
    bool operator==(const FileState&) const = default;
};

struct TrackedFile : FileState {
    static constexpr std::uint32_t no_source = 0xffffffffU;

    std::uint64_t serial = 0;          // never given twice in a run
    std::uint32_t source = no_source;  // index of its glob
    std::string stem;
    std::unique_ptr<OpenFile> open;
    std::string kind;
    std::uint64_t size = 0;              // on disk (compressed for .gz), when last looked at
    std::int64_t modified = 0;           // mtime in nanoseconds, when last looked at
    std::uint64_t disk_read = 0;         // how much of `size` is read
    base::SteadyTime grown{};            // when it last grew
    std::uint64_t read_to = UINT64_MAX;  // how far it may be read now: see FileReader::limit_to_present_size()
    base::SteadyTime unpacked{};         // when it was last unpacked, and how long that took
    base::Duration unpacking{};
    io::Compression packing = io::Compression::none;
    bool known_whole = false;  // its fingerprint is as long as it becomes
    bool verified = false;     // its content was compared with the fingerprint since the start
    bool dirty = false;        // there may be something to read
    bool finish = false;       // nothing more will come: a last line without newline counts
    bool finished = false;     // read to its very end
    bool detached = false;     // only the open descriptor leads to it
    bool unreadable = false;
    bool compare = false;  // its content is in doubt: the next rescan compares it whatever name and size say
    bool waiting = false;  // it is shorter than what was read of it, or its beginning is not all there: a copy arrives
};

}  // namespace mtawatch::exporter::files
