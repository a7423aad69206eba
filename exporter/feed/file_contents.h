// Beginnings of files in a feed's format, and comparison of files by what they hold; for the follower and the reader.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "exporter/feed/record_formats.h"
#include "exporter/files/contents.h"
#include "exporter/files/file_system.h"
#include "shared/io/byte_source.h"

namespace mtawatch::exporter::feed {

// The text of an open file from its beginning, decompressed where it is packed.
[[nodiscard]] std::unique_ptr<io::ByteSource> text_of(std::shared_ptr<const files::OpenFile> file,
                                                      const std::string& path);

// As much of the beginning as a fingerprint may cover, and the NULs before it.
struct Beginning {
    std::string bytes;
    std::uint64_t begin = 0;
};
// Of a plain file. Faults: io, limit (too many NULs).
[[nodiscard]] base::Result<Beginning> plain_beginning(const files::OpenFile& file, const std::string& path);

// The last bytes of a text that is read once, from which the piece before a place is made.
class RecentText {
  public:
    // The text that is added next begins at `at`.
    explicit RecentText(std::uint64_t at) : at_(at) {}
    void add(std::string_view text) { text_ += text; }
    // The piece before `end`, which lies in what was added, and drops what stands before the piece.
    [[nodiscard]] files::Piece piece_before(std::uint64_t begin, std::uint64_t end);

  private:
    std::string text_;
    std::uint64_t at_;
};

// Opens a listed file. Fault::not_found when its path leads to another file by now, or to none.
[[nodiscard]] base::Result<std::unique_ptr<files::OpenFile>> open_listed(const files::FileSystem& files,
                                                                         const std::string& path, files::FileId id);

// Whether the file holds what was read of `known`, at its beginning and before its known place. `size`: the file's.
[[nodiscard]] base::Result<files::Comparison> compare_plain(const files::FileState& known, const files::OpenFile& file,
                                                            std::uint64_t size);

class FileContents final : public files::Contents {
  public:
    FileContents(const FeedSettings& settings, const files::FileSystem& files) : files_(files), inspector_(settings) {}

    [[nodiscard]] base::Result<files::Head> head(const std::string& path) override;
    [[nodiscard]] base::Result<files::Comparison> compare(const files::FileState& known, const files::SeenFile& seen,
                                                          io::Compression packing) override;
    [[nodiscard]] base::Result<std::uint64_t> text_length(const files::SeenFile& seen,
                                                          io::Compression packing) override;
    [[nodiscard]] files::Identity identity(std::string_view head) { return inspector_.inspect(head).identity; }

  private:
    const files::FileSystem& files_;
    HeadInspector inspector_;
};

// For each glob of PowerMTA's a sentence about the first file there now whose columns cannot tell it from the next file
// after a rotation, with the remedy.
[[nodiscard]] std::vector<std::string> ambiguous_sources(const FeedSettings& settings, const files::FileSystem& files);

}  // namespace mtawatch::exporter::feed
