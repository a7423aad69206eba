// What the follower asks of files' contents: their beginnings, and whether two files hold the same. The room that knows
// the format answers.
#pragma once

#include <cstdint>
#include <string>

#include "exporter/files/file_listing.h"
#include "exporter/files/file_system.h"
#include "exporter/files/tracked_file.h"
#include "shared/base/result.h"
#include "shared/io/byte_source.h"

namespace mtawatch::exporter::files {

// What the reader found when it went to a file.
struct Head {
    FileId id;                    // of the file that was opened: a path may lead elsewhere since it was listed
    std::string bytes;            // the first line and up to fingerprint_bytes behind it, decompressed, without NULs
                                  // before it
    std::uint64_t begin = 0;      // how many NULs those are
    std::int64_t first_time = 0;  // of the first record; 0 when it says none
    std::size_t records_end = 0;  // up to which byte these are complete lines, a record among them; 0: no record yet
    bool growing = false;         // packed and still being written: its beginning may not be all there
    Identity identity = Identity::ambiguous;
    io::Compression packing = io::Compression::none;

    [[nodiscard]] bool full() const { return bytes.size() >= full_fingerprint_length(bytes); }
};

enum class Comparison : std::uint8_t {
    same,     // up to the known place
    shorter,  // ends before it
    other,
};

// For one thread.
class Contents {
  public:
    Contents() = default;
    Contents(const Contents&) = delete;
    Contents& operator=(const Contents&) = delete;
    virtual ~Contents() = default;

    // The beginning of a file's content; an Error when it cannot be read, Fault::not_found when there is none of that
    // name.
    [[nodiscard]] virtual base::Result<Head> head(const std::string& path) = 0;
    // Whether the listed file holds what was read of `known` before its known place. Both begin alike. Fault::not_found
    // when the path leads to another file by now, or to none.
    [[nodiscard]] virtual base::Result<Comparison> compare(const FileState& known, const SeenFile& seen,
                                                           io::Compression packing) = 0;
    // How long the text of a listed file is. It is read whole where it is packed.
    [[nodiscard]] virtual base::Result<std::uint64_t> text_length(const SeenFile& seen, io::Compression packing) = 0;
};

}  // namespace mtawatch::exporter::files
