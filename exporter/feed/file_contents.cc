#include "exporter/feed/file_contents.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <set>

#include "shared/mta/logs/record_reader.h"

namespace mtawatch::exporter::feed {
namespace {

using base::fail;
using base::Fault;
using base::Result;
using files::Comparison;

// First a piece that holds most headers, then, for a longer first line, the rest.
constexpr std::size_t head_piece = 4U << 10U;
constexpr std::size_t nul_piece = 64U << 10U;
// What a power loss leaves, or a writer that goes on at its old place in a truncated file, has mostly holes, which cost
// nothing; that many written NULs are no log.
constexpr std::uint64_t max_nuls = 64ULL << 20U;

std::size_t count_nuls(std::string_view bytes) { return std::min(bytes.find_first_not_of('\0'), bytes.size()); }

base::Failure too_many_nuls(const std::string& path) {
    return fail(Fault::limit, "{}: begins with more than {} MiB of NUL bytes, so it is not read", path,
                max_nuls >> 20U);
}

// The first byte of a plain file that is no NUL, or its end.
Result<std::uint64_t> first_content(const files::OpenFile& file, const std::string& path) {
    std::vector<char> bytes(nul_piece);
    std::uint64_t at = 0;
    for (std::uint64_t written = 0; written < max_nuls; written += bytes.size()) {
        const auto from = file.data_from(at);
        if (!from) return fail(from.error());
        const auto got = file.read_at(bytes, *from);
        if (!got) return fail(got.error());
        const std::size_t nuls = count_nuls({bytes.data(), *got});
        at = *from + nuls;
        if (nuls < *got || *got == 0) return at;
    }
    return too_many_nuls(path);
}

void cut_to_fingerprint(std::string& bytes) {
    bytes.resize(std::min(bytes.size(), files::full_fingerprint_length(bytes)));
}

// The same of a packed file's text.
Result<Beginning> source_beginning(io::ByteSource& source, const std::string& path) {
    Beginning beginning;
    std::string& bytes = beginning.bytes;
    std::array<char, head_piece> piece;
    while (bytes.size() < files::full_fingerprint_length(bytes) &&
           bytes.size() < files::max_header_bytes + files::fingerprint_bytes) {
        const auto got = source.read(piece);
        if (!got) return fail(got.error());
        if (*got == 0) break;
        std::string_view text(piece.data(), *got);
        if (bytes.empty()) {
            beginning.begin += count_nuls(text);
            if (beginning.begin > max_nuls) return too_many_nuls(path);
            text.remove_prefix(count_nuls(text));
        }
        bytes += text;
    }
    cut_to_fingerprint(bytes);
    return beginning;
}

// Reads over the text before the known place.
Result<Comparison> compare_packed(const files::FileState& known, io::ByteSource& source) {
    std::vector<char> bytes(mta::logs::scan_chunk_bytes);
    RecentText recent(0);
    for (std::uint64_t at = 0; at < known.tail.end;) {
        const auto got = source.read(
            {bytes.data(), static_cast<std::size_t>(std::min<std::uint64_t>(bytes.size(), known.tail.end - at))});
        if (!got) return fail(got.error());
        if (*got == 0) return Comparison::shorter;
        recent.add({bytes.data(), *got});
        at += *got;
        if (recent.piece_before(known.begin, at) == known.tail) return Comparison::same;
    }
    return known.tail.length == 0 ? Comparison::same : Comparison::other;
}

}  // namespace

std::unique_ptr<io::ByteSource> text_of(std::shared_ptr<const files::OpenFile> file, const std::string& path) {
    return io::decompressed(
        [file = std::move(file), at = std::uint64_t{0}](std::span<char> into) mutable {
            auto got = file->read_at(into, at);
            at += got.value_or(0);
            return got;
        },
        path);
}

Result<Beginning> plain_beginning(const files::OpenFile& file, const std::string& path) {
    Beginning beginning;
    std::string& bytes = beginning.bytes;
    const auto read = [&](std::size_t size) -> Result<void> {
        bytes.resize(size);
        const auto got = file.read_at(bytes, beginning.begin);
        if (!got) return fail(got.error());
        bytes.resize(*got);
        return {};
    };
    if (auto done = read(head_piece); !done) return fail(done.error());
    if (bytes.starts_with('\0')) {
        const auto begin = first_content(file, path);
        if (!begin) return fail(begin.error());
        beginning.begin = *begin;
        if (auto done = read(head_piece); !done) return fail(done.error());
    }
    if (bytes.size() == head_piece && files::full_fingerprint_length(bytes) > head_piece) {
        if (auto done = read(files::max_header_bytes + files::fingerprint_bytes); !done) return fail(done.error());
    }
    cut_to_fingerprint(bytes);
    return beginning;
}

files::Piece RecentText::piece_before(std::uint64_t begin, std::uint64_t end) {
    const std::uint64_t from = std::max(at_, files::piece_begin(begin, end));
    text_.erase(0, from - at_);
    at_ = from;
    const std::string_view piece = std::string_view(text_).substr(0, end - from);
    return {end, static_cast<std::uint32_t>(piece.size()), base::hash_bytes(piece)};
}

Result<std::unique_ptr<files::OpenFile>> open_listed(const files::FileSystem& files, const std::string& path,
                                                     files::FileId id) {
    auto file = files.open(path);
    if (!file) return file;
    const auto facts = (*file)->facts();
    if (!facts) return fail(facts.error());
    if (facts->id != id) return fail(Fault::not_found, "{}: is another file now", path);
    return file;
}

Result<Comparison> compare_plain(const files::FileState& known, const files::OpenFile& file, std::uint64_t size) {
    std::string bytes(known.fingerprint.length, '\0');
    const auto got = file.read_at(bytes, known.begin);
    if (!got) return fail(got.error());
    if (*got != bytes.size()) return Comparison::other;
    if (files::fingerprint_of(bytes, bytes.size()) != known.fingerprint) return Comparison::other;
    if (size < std::max(known.offset, known.tail.end)) return Comparison::shorter;
    if (known.tail.length == 0) return Comparison::same;
    const auto piece = files::piece_before(file, known.begin, known.tail.end);
    if (!piece) return fail(piece.error());
    if (piece->end != known.tail.end) return Comparison::shorter;  // truncated meanwhile
    return *piece == known.tail ? Comparison::same : Comparison::other;
}

Result<files::Head> FileContents::head(const std::string& path) {
    auto opened = files_.open(path);
    if (!opened) return fail(opened.error());
    const std::shared_ptr<const files::OpenFile> file = std::move(*opened);
    const auto facts = file->facts();
    if (!facts) return fail(facts.error());
    auto beginning = plain_beginning(*file, path);
    if (!beginning) return fail(beginning.error());
    files::Head head;
    head.id = facts->id;
    head.packing = io::compression_of(beginning->begin == 0 ? beginning->bytes : std::string_view(), path);
    if (head.packing != io::Compression::none) {
        const auto source = text_of(file, path);
        beginning = source_beginning(*source, path);
        if (!beginning) return fail(beginning.error());
        head.growing = !source->complete();
    }
    head.bytes = std::move(beginning->bytes);
    head.begin = beginning->begin;
    const HeadFacts found = inspector_.inspect(head.bytes);
    head.records_end = found.records_end;
    head.first_time = found.first_time;
    head.identity = found.identity;
    return head;
}

Result<Comparison> FileContents::compare(const files::FileState& known, const files::SeenFile& seen,
                                         io::Compression packing) {
    auto opened = open_listed(files_, seen.path, seen.id);
    if (!opened) return fail(opened.error());
    if (packing != io::Compression::none) {
        const auto source = text_of(std::move(*opened), seen.path);
        return compare_packed(known, *source);
    }
    const auto facts = (*opened)->facts();
    if (!facts) return fail(facts.error());
    return compare_plain(known, **opened, facts->size);
}

Result<std::uint64_t> FileContents::text_length(const files::SeenFile& seen, io::Compression packing) {
    if (packing == io::Compression::none) return seen.size;
    auto opened = open_listed(files_, seen.path, seen.id);
    if (!opened) return fail(opened.error());
    const auto source = text_of(std::move(*opened), seen.path);
    std::vector<char> bytes(mta::logs::scan_chunk_bytes);
    for (std::uint64_t length = 0;;) {
        const auto got = source->read(bytes);
        if (!got) return fail(got.error());
        if (*got == 0) return length;
        length += *got;
    }
}

std::vector<std::string> ambiguous_sources(const FeedSettings& settings, const files::FileSystem& files) {
    std::vector<std::string> notes;
    if (settings.count.format != series::RecordFormat::pmta) return notes;
    FileContents contents(settings, files);
    const files::Listing listing = files::list_files(files, settings.follow.globs, settings.follow.moved_to);
    std::set<std::uint32_t> noted;
    for (const files::SeenFile& seen : listing.files) {
        if (noted.contains(seen.source)) continue;
        const auto head = contents.head(seen.path);
        if (!head || head->records_end == 0 || head->identity != files::Identity::ambiguous) continue;
        noted.insert(seen.source);
        const std::string_view why =
            head->first_time == 0 ? "its records have no time" : "it begins with equal records";
        notes.push_back(
            fmt::format("{}: {}, so another file may begin like it and only its name tells the two apart; add "
                        "timeLogged and a column that differs, as rcpt does, to its record-fields",
                        seen.path, why));
    }
    return notes;
}

}  // namespace mtawatch::exporter::feed
