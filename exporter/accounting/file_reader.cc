#include "exporter/accounting/file_reader.h"

#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <system_error>

#include "exporter/accounting/byte_source.h"

namespace mtawatch::exporter {
namespace {

using base::fail;
using base::Fault;
using base::Result;

// First a piece that holds most headers, then, for a longer first line, the rest.
constexpr std::size_t kHeadPiece = 4U << 10U;
// A smaller .gz is inflated sooner than a thread is started for it.
constexpr std::uint64_t kWorthAThread = 256U << 10U;
// A .gz that was met half-written is inflated from its beginning again: not for every write to it.
constexpr std::chrono::seconds kGzipQuiet{1};

// As much of the beginning as a fingerprint may cover.
Result<std::string> source_head(ByteSource& source) {
    std::string bytes;
    std::array<char, kHeadPiece> piece;
    while (bytes.size() < full_fingerprint_length(bytes) && bytes.size() < kMaxHeaderBytes + kFingerprintBytes) {
        const auto got = source.read(piece);
        if (!got) return fail(got.error());
        if (*got == 0) break;
        bytes.append(piece.data(), *got);
    }
    bytes.resize(std::min(bytes.size(), full_fingerprint_length(bytes)));
    return bytes;
}

std::string why_not(const std::string& path, int error) { return path + ": " + std::generic_category().message(error); }

// Reads at `offset` until `into` is full or the file ends.
Result<std::size_t> read_at(int fd, char* into, std::size_t size, std::uint64_t offset, const std::string& path) {
    std::size_t have = 0;
    while (have < size) {
        const ssize_t got = ::pread(fd, into + have, size - have, static_cast<off_t>(offset + have));
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) return fail(Fault::io, "{}", why_not(path, errno));
        if (got == 0) break;
        have += static_cast<std::size_t>(got);
    }
    return have;
}

}  // namespace

FileReader::FileReader(const AccountingSettings& settings, const base::Clock& clock, SeriesStore& store, TurnLock& lock)
    : clock_(clock),
      store_(store),
      lock_(lock),
      counter_(settings, store),
      feeds_(settings),
      scanner_(scanner_options(settings)),
      head_scanner_(scanner_options(settings)) {}

Result<std::string> FileReader::plain_head(int fd, const std::string& path) const {
    std::string bytes(kHeadPiece, '\0');
    auto got = read_at(fd, bytes.data(), bytes.size(), 0, path);
    if (got && *got == kHeadPiece && full_fingerprint_length(bytes) > kHeadPiece) {
        bytes.resize(kMaxHeaderBytes + kFingerprintBytes);
        got = read_at(fd, bytes.data(), bytes.size(), 0, path);
    }
    if (!got) return fail(got.error());
    bytes.resize(*got);
    bytes.resize(std::min(bytes.size(), full_fingerprint_length(bytes)));
    return bytes;
}

Result<Head> FileReader::head(const std::string& path) {
    Head head;
    if (is_gzip_name(path)) {
        auto source = open_source(path);
        if (!source) return fail(source.error());
        auto bytes = source_head(**source);
        if (!bytes) return fail(bytes.error());
        head.bytes = std::move(*bytes);
        head.growing = !(*source)->complete();
    } else {
        auto fd = open_to_read(path);
        if (!fd) return fail(fd.error());
        auto bytes = plain_head(fd->get(), path);
        if (!bytes) return fail(bytes.error());
        head.bytes = std::move(*bytes);
    }
    head_scanner_.reset();
    const mta::ScanCounts before = head_scanner_.counts();
    head_scanner_.feed(head.bytes);
    for (auto records = head_scanner_.next(); !records.empty(); records = head_scanner_.next()) {
        if (head.first_time == 0 && records.front().time != mta::kNoTime) head.first_time = records.front().time;
    }
    const mta::ScanCounts& after = head_scanner_.counts();
    if (after.parsed != before.parsed || after.errors != before.errors) head.records_end = head_scanner_.consumed();
    return head;
}

FileReader::Outcome FileReader::unreadable(TrackedFile& file, std::string why) {
    file.unreadable = true;
    file.fd.reset();
    problem_ = std::move(why);
    return Outcome::unreadable;
}

FileReader::Outcome FileReader::read(TrackedFile& file, const AfterChunk& after_chunk) {
    file.dirty = false;
    return is_gzip_name(file.path) && !file.detached ? read_gzip(file, after_chunk) : read_plain(file, after_chunk);
}

bool FileReader::same_beginning(const TrackedFile& file) {
    std::string bytes(file.fingerprint.length, '\0');
    const auto got = read_at(file.fd.get(), bytes.data(), bytes.size(), 0, file.path);
    return got && *got == bytes.size() && fingerprint_of(bytes, bytes.size()) == file.fingerprint;
}

// The scanner goes on where it stopped when this is the file it stopped in: the beginning of a long last line need
// not be read again each time it grows.
void FileReader::resume(const TrackedFile& file) {
    if (at_ == file.serial && scanner_.consumed() == file.offset) return;
    scanner_.resume(file.header, file.offset);
    at_ = file.serial;
}

FileReader::Outcome FileReader::read_plain(TrackedFile& file, const AfterChunk& after_chunk) {
    if (!file.fd.open()) {
        auto fd = open_to_read(file.path);
        if (!fd) return unreadable(file, fd.error().what);
        file.fd = std::move(*fd);
    }
    struct stat info {};
    if (::fstat(file.fd.get(), &info) != 0) return unreadable(file, why_not(file.path, errno));
    const auto size = static_cast<std::uint64_t>(info.st_size);
    file.unreadable = false;
    if (!file.detached) {
        if (info.st_ino != file.inode || size < file.offset || !same_beginning(file)) return Outcome::changed;
    } else if (size < file.offset) {
        return Outcome::up_to_date;
    }
    resume(file);
    for (;;) {
        const auto space = scanner_.space();
        const auto got = read_at(file.fd.get(), space.data(), std::min(space.size(), mta::kScanChunkBytes),
                                 scanner_.committed(), file.path);
        if (!got) return unreadable(file, got.error().what);
        if (*got == 0) break;
        scanner_.commit(*got);
        count_scanned(&file);
        if (!after_chunk()) {
            file.dirty = true;
            return Outcome::interrupted;
        }
    }
    file.size = std::max(size, scanner_.committed());
    file.disk_read = file.size;
    if (file.finish) finish(file);
    const auto head = plain_head(file.fd.get(), file.path);
    if (head) lengthen_fingerprint(file, *head);
    return Outcome::up_to_date;
}

// Compressed bytes cannot be entered in the middle: what is counted already is inflated again and skipped.
FileReader::Outcome FileReader::read_gzip(TrackedFile& file, const AfterChunk& after_chunk) {
    const bool waiting = file.disk_read != 0 && !file.finished;
    if (file.finished || (waiting && clock_.steady() - file.grown < kGzipQuiet)) return Outcome::up_to_date;
    auto source = open_source(file.path);
    if (!source) return unreadable(file, source.error().what);
    if (file.size >= kWorthAThread) *source = read_ahead(std::move(*source));
    const auto same = skip_counted(file, **source);
    if (!same) return unreadable(file, same.error().what);
    if (!*same) return Outcome::changed;
    file.unreadable = false;
    scanner_.resume(file.header, file.offset);
    at_ = 0;
    for (;;) {
        const auto got = (*source)->read(scanner_.space().first(mta::kScanChunkBytes));
        file.disk_read = (*source)->disk_read();
        if (!got) return unreadable(file, got.error().what);
        if (*got == 0) break;
        scanner_.commit(*got);
        count_scanned(&file);
        if (!after_chunk()) {
            file.dirty = true;
            file.disk_read = 0;
            return Outcome::interrupted;
        }
    }
    if ((*source)->complete()) {
        finish(file);
        return Outcome::up_to_date;
    }
    return unreadable(file, file.path + ": ends before its trailer; it is read on when it is whole");
}

// Reads over the bytes before file.offset; whether they begin as this file did.
Result<bool> FileReader::skip_counted(const TrackedFile& file, ByteSource& source) {
    std::vector<char> bytes(mta::kScanChunkBytes);
    std::string head;
    std::uint64_t at = 0;
    while (at < file.offset) {
        const auto got = source.read(
            {bytes.data(), static_cast<std::size_t>(std::min<std::uint64_t>(bytes.size(), file.offset - at))});
        if (!got) return fail(got.error());
        if (*got == 0) return true;  // not all of it is written yet
        if (head.size() < file.fingerprint.length) {
            head.append(bytes.data(), std::min(*got, file.fingerprint.length - head.size()));
        }
        at += *got;
    }
    const std::size_t length = std::min<std::size_t>(head.size(), file.fingerprint.length);
    return length < file.fingerprint.length || fingerprint_of(head, length) == file.fingerprint;
}

void FileReader::read_stream(int fd, const AfterChunk& after_chunk) {
    scanner_.reset();
    at_ = 0;
    for (;;) {
        const auto space = scanner_.space();
        const ssize_t got = ::read(fd, space.data(), std::min(space.size(), mta::kScanChunkBytes));
        if (got < 0 && errno == EINTR) continue;
        if (got <= 0) break;
        scanner_.commit(static_cast<std::size_t>(got));
        count_scanned(nullptr);
        if (!after_chunk()) return;
    }
    scanner_.finish();
    count_scanned(nullptr);
}

void FileReader::finish(TrackedFile& file) {
    scanner_.finish();
    count_scanned(&file);
    file.finish = false;
    file.finished = true;
    at_ = 0;
}

std::span<const mta::Record> FileReader::heard(std::span<const mta::Record> records, TypeMask types) {
    heard_.clear();
    for (const mta::Record& record : records) {
        if ((types & mask_of(record.type)) != 0) heard_.push_back(record);
    }
    return heard_;
}

void FileReader::count_scanned(TrackedFile* file) {
    const std::int64_t now = base::unix_seconds(clock_.wall());
    const WriterTurn turn(lock_);
    const TypeMask types = file == nullptr ? kAllTypes : feeds_.types_of(file->path);
    for (auto records = scanner_.next(); !records.empty(); records = scanner_.next()) {
        counter_.count(types == kAllTypes ? records : heard(records, types), now);
    }
    Totals& totals = store_.totals;
    const mta::ScanCounts& counts = scanner_.counts();
    totals.lines_parsed += counts.parsed - counted_.parsed;
    totals.lines_header += counts.headers - counted_.headers;
    for (std::size_t i = 0; i < mta::kScanErrors; ++i) totals.scan_errors[i] += counts.errors[i] - counted_.errors[i];
    counted_ = counts;
    if (file == nullptr) return;
    totals.read_bytes += scanner_.consumed() - file->offset;
    file->offset = scanner_.consumed();
    if (file->header != scanner_.header()) file->header = scanner_.header();
}

// A young file is known by the few bytes it had; as it grows, by more of them.
void FileReader::lengthen_fingerprint(TrackedFile& file, std::string_view head) {
    const std::size_t full = full_fingerprint_length(head);
    const auto length = static_cast<std::size_t>(std::min<std::uint64_t>({full, file.offset, head.size()}));
    if (length <= file.fingerprint.length) return;
    // Truncated and written anew since it was read: the new beginning is not this file's.
    if (fingerprint_of(head, file.fingerprint.length) != file.fingerprint) return;
    const WriterTurn turn(lock_);
    file.fingerprint = fingerprint_of(head, length);
}

}  // namespace mtawatch::exporter
