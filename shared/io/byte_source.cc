#include "shared/io/byte_source.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <utility>
#include <variant>

#include "shared/io/system_error.h"
#include "shared/io/zstd_reader.h"

namespace mtawatch::io {
namespace {

using base::fail;
using base::Fault;
using base::Result;

// Enough to tell every compression by.
constexpr std::size_t magic_bytes = 16;

Result<std::size_t> read_some(int file, std::string_view name, std::span<char> into) {
    for (;;) {
        const ssize_t got = ::read(file, into.data(), into.size());
        if (got >= 0) return static_cast<std::size_t>(got);
        if (errno != EINTR) return fail(file_error(name, errno));
    }
}

class DetectingSource final : public ByteSource {
  public:
    DetectingSource(ReadBytes raw, std::string name) : raw_(std::move(raw)), name_(std::move(name)) {}

    [[nodiscard]] Result<std::size_t> read(std::span<char> into) override {
        if (auto done = choose(); !done) return fail(done.error());
        if (auto* gzip = std::get_if<GzipReader>(&reader_)) return named(gzip->read(into));
        if (auto* zstd = std::get_if<ZstdReader>(&reader_)) return named(zstd->read(into));
        return next_raw(into);
    }
    [[nodiscard]] bool complete() const override {
        if (const auto* gzip = std::get_if<GzipReader>(&reader_)) return gzip->complete();
        if (const auto* zstd = std::get_if<ZstdReader>(&reader_)) return zstd->complete();
        return true;
    }
    [[nodiscard]] std::uint64_t raw_read() const override { return raw_read_; }

    // Reads the first bytes and chooses by them. Fault::malformed where they are of a compression that cannot be read.
    [[nodiscard]] Result<void> choose() {
        if (chosen_) return {};
        while (first_size_ < first_.size()) {
            const auto got = raw_(std::span(first_).subspan(first_size_));
            if (!got) return fail(got.error());
            if (*got == 0) break;
            first_size_ += *got;
            raw_read_ += *got;
        }
        chosen_ = true;
        const auto raw = [this](std::span<char> into) { return next_raw(into); };
        switch (compression_of({first_.data(), first_size_}, name_)) {
            case Compression::gzip:
                reader_.emplace<GzipReader>(raw);
                break;
            case Compression::zstd:
                reader_.emplace<ZstdReader>(raw);
                break;
            case Compression::unreadable:
                return fail(Fault::malformed,
                            "{}: is compressed with xz or bzip2, which cannot be read; gzip and zstd can", name_);
            case Compression::none:
                break;
        }
        return {};
    }

  private:
    // What was read to choose by comes first again, in one piece with what follows.
    [[nodiscard]] Result<std::size_t> next_raw(std::span<char> into) {
        const std::size_t again = std::min(first_size_ - first_given_, into.size());
        std::copy_n(first_.data() + first_given_, again, into.data());
        first_given_ += again;
        if (again == into.size()) return again;
        const auto more = raw_(into.subspan(again));
        if (!more) return again > 0 ? Result<std::size_t>(again) : fail(more.error());
        raw_read_ += *more;
        return again + *more;
    }
    // A fault of the compression says nothing of the file yet; one of reading does.
    [[nodiscard]] Result<std::size_t> named(Result<std::size_t> got) const {
        if (!got && got.error().fault == Fault::malformed) return fail(got.error().at(name_));
        return got;
    }

    ReadBytes raw_;
    std::string name_;
    std::uint64_t raw_read_ = 0;
    std::array<char, magic_bytes> first_{};
    std::size_t first_size_ = 0;
    std::size_t first_given_ = 0;
    bool chosen_ = false;
    std::variant<std::monostate, GzipReader, ZstdReader> reader_;
};

}  // namespace

Compression compression_of(std::string_view first_bytes, std::string_view name) {
    constexpr std::string_view gzip("\x1f\x8b");
    constexpr std::string_view zstd("\x28\xb5\x2f\xfd");
    constexpr std::string_view xz("\xfd\x37zXZ\0", 6);
    constexpr std::string_view bzip2_block = "1AY&SY";  // behind "BZh" and the level
    if (name.ends_with(".gz")) return Compression::gzip;
    if (first_bytes.size() < 4) return Compression::none;
    if (first_bytes.starts_with(gzip)) return Compression::gzip;
    if (first_bytes.starts_with(zstd)) return Compression::zstd;
    // A skippable frame (RFC 8878 section 3.1.2).
    const bool skippable =
        (static_cast<unsigned char>(first_bytes[0]) & 0xf0U) == 0x50U && first_bytes.substr(1, 3) == "\x2a\x4d\x18";
    if (skippable) return Compression::zstd;
    const bool bzip2 = first_bytes.starts_with("BZh") && first_bytes.substr(4).starts_with(bzip2_block);
    return bzip2 || first_bytes.starts_with(xz) ? Compression::unreadable : Compression::none;
}

std::unique_ptr<ByteSource> decompressed(ReadBytes raw, std::string name) {
    return std::make_unique<DetectingSource>(std::move(raw), std::move(name));
}

Result<std::unique_ptr<ByteSource>> open_source(const std::string& path) {
    Descriptor fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    if (!fd) return fail(file_error(path, errno));
    return open_source(std::move(fd), path);
}

Result<std::unique_ptr<ByteSource>> open_source(Descriptor fd, const std::string& path) {
    const auto file = std::make_shared<Descriptor>(std::move(fd));
    auto source = std::make_unique<DetectingSource>(
        [file, path](std::span<char> into) { return read_some(file->get(), path, into); }, path);
    if (auto done = source->choose(); !done) return fail(done.error());
    return source;
}

std::unique_ptr<ByteSource> standard_input() {
    constexpr const char* name = "standard input";
    return decompressed([](std::span<char> into) { return read_some(STDIN_FILENO, name, into); }, name);
}

}  // namespace mtawatch::io
