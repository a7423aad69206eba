#include "exporter/feed/file_reader.h"

#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <system_error>
#include <thread>

#include "exporter/files/open_file.h"
#include "shared/io/read_ahead.h"

namespace mtawatch::exporter::feed {
namespace {

using base::fail;
using base::Fault;
using base::Result;

// First a piece that holds most headers, then, for a longer first line, the rest.
constexpr std::size_t head_piece = 4U << 10U;
// A smaller packed file is inflated sooner than a thread is started for it.
constexpr std::uint64_t worth_a_thread = 256U << 10U;
// A backlog worth a second core; what is appended to a live file comes in pieces far smaller.
constexpr std::uint64_t worth_scanning_ahead = 16U << 20U;
// A packed file that was met half-written is unpacked from its beginning again: not for every write to it. A .gz is
// waited for until it is quiet; a segment that is written to for minutes, and a .gz that is damaged and does not
// change, are looked at again and again, for at most this part of the time.
constexpr std::chrono::seconds packed_quiet{1};
constexpr int pause_per_unpacking = 20;

// As much of the beginning as a fingerprint may cover.
Result<std::string> source_head(io::ByteSource& source) {
    std::string bytes;
    std::array<char, head_piece> piece;
    while (bytes.size() < files::full_fingerprint_length(bytes) &&
           bytes.size() < files::max_header_bytes + files::fingerprint_bytes) {
        const auto got = source.read(piece);
        if (!got) return fail(got.error());
        if (*got == 0) break;
        bytes.append(piece.data(), *got);
    }
    bytes.resize(std::min(bytes.size(), files::full_fingerprint_length(bytes)));
    return bytes;
}

std::string why_not(const std::string& path, int error) { return path + ": " + std::generic_category().message(error); }

}  // namespace

FileReader::FileReader(const FeedSettings& settings, const base::Clock& clock, series::SeriesStore& store,
                       base::TurnLock& lock, bool one_thread)
    : settings_(settings),
      uses_two_cores_(!one_thread && !remembers_lines(settings.count.format) &&
                      std::thread::hardware_concurrency() > 1),
      clock_(clock),
      store_(store),
      lock_(lock),
      counter_(settings.count, store),
      filter_(settings),
      reader_(make_reader(settings)),
      inspector_(settings) {}

Result<std::string> FileReader::plain_head(int fd, const std::string& path) const {
    std::string bytes(head_piece, '\0');
    auto got = files::read_at(fd, bytes, 0, path);
    if (got && *got == head_piece && files::full_fingerprint_length(bytes) > head_piece) {
        bytes.resize(files::max_header_bytes + files::fingerprint_bytes);
        got = files::read_at(fd, bytes, 0, path);
    }
    if (!got) return fail(got.error());
    bytes.resize(*got);
    bytes.resize(std::min(bytes.size(), files::full_fingerprint_length(bytes)));
    return bytes;
}

Result<files::Head> FileReader::head(const std::string& path) {
    auto fd = files::open_to_read(path);
    if (!fd) return fail(fd.error());
    const auto id = files::id_of(fd->get(), path);
    if (!id) return fail(id.error());
    auto bytes = plain_head(fd->get(), path);
    if (!bytes) return fail(bytes.error());
    files::Head head;
    head.id = *id;
    head.packing = io::compression_of(*bytes, path);
    if (head.packing == io::Compression::none) {
        head.bytes = std::move(*bytes);
    } else {
        auto source = io::open_source(std::move(*fd), path);
        if (!source) return fail(source.error());
        bytes = source_head(**source);
        if (!bytes) return fail(bytes.error());
        head.bytes = std::move(*bytes);
        head.growing = !(*source)->complete();
    }
    const HeadFacts facts = inspector_.inspect(head.bytes);
    head.records_end = facts.records_end;
    head.first_time = facts.first_time;
    return head;
}

FileReader::Outcome FileReader::unreadable(files::TrackedFile& file, std::string why) {
    file.unreadable = true;
    file.fd.reset();
    problem_ = std::move(why);
    return Outcome::unreadable;
}

FileReader::Outcome FileReader::read(files::TrackedFile& file, const AfterChunk& after_chunk) {
    file.dirty = false;
    const bool packed = file.packing != io::Compression::none && !file.detached;
    return packed ? read_packed(file, after_chunk) : read_plain(file, after_chunk);
}

bool FileReader::same_beginning(const files::TrackedFile& file) {
    std::string bytes(file.fingerprint.length, '\0');
    const auto got = files::read_at(file.fd.get(), bytes, 0, file.path);
    return got && *got == bytes.size() && files::fingerprint_of(bytes, bytes.size()) == file.fingerprint;
}

// The reader goes on where it stopped when this is the file it stopped in: the beginning of a long last line need not
// be read again each time it grows.
void FileReader::resume(const files::TrackedFile& file) {
    if (at_ == file.serial && reader_->consumed() == file.offset) return;
    const base::WriterTurn turn(lock_);  // its memory may be copied meanwhile
    reader_->resume(file.header, file.offset);
    at_ = file.serial;
}

// The path may lead to another file by now, whose lines must not be counted as those of this one.
Result<io::Descriptor> FileReader::open_located(const files::TrackedFile& file) {
    auto fd = files::open_to_read(file.path);
    if (!fd) return fd;
    const auto id = files::id_of(fd->get(), file.path);
    if (!id) return fail(id.error());
    if (*id != files::FileId{file.device, file.inode}) {
        return fail(Fault::not_found, "{}: is another file now", file.path);
    }
    return fd;
}

FileReader::Outcome FileReader::not_opened(files::TrackedFile& file, const base::Error& error) {
    return error.fault == Fault::not_found ? Outcome::changed : unreadable(file, error.what);
}

void FileReader::limit_to_present_size(files::TrackedFile& file) {
    file.read_to = UINT64_MAX;
    if (file.packing != io::Compression::none && !file.detached) return;
    if (!file.fd) {
        if (auto fd = open_located(file); fd) file.fd = std::move(*fd);
    }
    struct stat info {};
    if (file.fd && ::fstat(file.fd.get(), &info) == 0) file.read_to = static_cast<std::uint64_t>(info.st_size);
}

FileReader::Outcome FileReader::read_plain(files::TrackedFile& file, const AfterChunk& after_chunk) {
    if (!file.fd) {
        auto fd = open_located(file);
        if (!fd) return not_opened(file, fd.error());
        file.fd = std::move(*fd);
    }
    struct stat info {};
    if (::fstat(file.fd.get(), &info) != 0) return unreadable(file, why_not(file.path, errno));
    const auto size = static_cast<std::uint64_t>(info.st_size);
    file.unreadable = false;
    if (!file.detached) {
        if (size < file.offset || !same_beginning(file)) return Outcome::changed;
    } else if (size < file.offset) {
        return Outcome::up_to_date;
    }
    if (size - file.offset >= worth_scanning_ahead && uses_two_cores_) {
        const Outcome outcome = read_with_two_cores(file, after_chunk);
        if (outcome != Outcome::up_to_date) return outcome;
    }
    resume(file);
    for (;;) {
        const auto space = reader_->space();
        const std::uint64_t left = file.read_to - std::min(file.read_to, reader_->committed());
        const auto room = std::min<std::size_t>({space.size(), mta::logs::scan_chunk_bytes, left});
        const auto got = files::read_at(file.fd.get(), space.first(room), reader_->committed(), file.path);
        if (!got) return unreadable(file, got.error().what);
        if (*got == 0) break;
        reader_->commit(*got);
        count_scanned(&file);
        if (!after_chunk()) {
            file.dirty = true;
            return Outcome::interrupted;
        }
    }
    file.size = std::max(size, reader_->committed());
    file.disk_read = file.size;
    file.dirty = reader_->committed() < size;
    if (file.finish && !file.dirty) finish(file);
    const auto head = plain_head(file.fd.get(), file.path);
    if (head) lengthen_fingerprint(file, *head);
    return Outcome::up_to_date;
}

// What came meanwhile, and a last line without an end, are left to the reading that follows.
FileReader::Outcome FileReader::read_with_two_cores(files::TrackedFile& file, const AfterChunk& after_chunk) {
    auto reader = make_reader(settings_);
    reader->resume(file.header, file.offset);
    at_ = 0;
    mta::logs::ScanCounts counted;
    ScanAhead ahead(std::move(reader), file.fd.get(), file.path);
    for (;;) {
        ScannedPiece& piece = ahead.next();
        if (piece.error) return unreadable(file, piece.error->what);
        count_piece(file, piece, counted);
        if (piece.last) return Outcome::up_to_date;
        if (!after_chunk()) {
            file.dirty = true;
            return Outcome::interrupted;
        }
    }
}

bool FileReader::wait_to_unpack(const files::TrackedFile& file) const {
    if (file.disk_read == 0) return false;
    const base::SteadyTime now = clock_.steady();
    const bool was_damaged = file.unreadable && file.grown <= file.unpacked;
    if (file.packing == io::Compression::zstd || was_damaged) {
        return now - file.unpacked < std::max<base::Duration>(packed_quiet, file.unpacking * pause_per_unpacking);
    }
    return now - file.grown < packed_quiet;
}

FileReader::Outcome FileReader::read_packed(files::TrackedFile& file, const AfterChunk& after_chunk) {
    if (file.finished || wait_to_unpack(file)) return Outcome::up_to_date;
    const base::SteadyTime begun = clock_.steady();
    const Outcome outcome = unpack(file, after_chunk);
    if (outcome != Outcome::interrupted) {
        file.unpacked = clock_.steady();
        file.unpacking = file.unpacked - begun;
    }
    return outcome;
}

// Compressed bytes cannot be entered in the middle: what is counted already is unpacked again and skipped.
FileReader::Outcome FileReader::unpack(files::TrackedFile& file, const AfterChunk& after_chunk) {
    auto fd = open_located(file);
    if (!fd) return not_opened(file, fd.error());
    // Nothing of it is skipped and compared on the way, so it is compared first.
    if (file.offset < file.fingerprint.length && !begins_as_known(file)) return Outcome::changed;
    if (counted_to_its_end(file, fd->get())) {
        file.disk_read = file.size;
        file.unreadable = false;
        file.finish = false;
        file.finished = true;
        return Outcome::up_to_date;
    }
    auto source = io::open_source(std::move(*fd), file.path);
    if (!source) return unreadable(file, source.error().what);
    if (file.size >= worth_a_thread) *source = io::read_ahead(std::move(*source));
    const auto skipped = skip_counted(file, **source);
    if (!skipped) {
        file.disk_read = (*source)->raw_read();
        return unreadable(file, skipped.error().what);
    }
    if (*skipped == Skipped::other_content) return Outcome::changed;
    if (*skipped == Skipped::not_all_there) {
        file.disk_read = (*source)->raw_read();
        return end_of_packed(file, false);
    }
    file.unreadable = false;
    at_ = 0;
    resume(file);
    at_ = 0;
    for (;;) {
        const auto got = (*source)->read(reader_->space().first(mta::logs::scan_chunk_bytes));
        file.disk_read = (*source)->raw_read();
        if (!got) return unreadable(file, got.error().what);
        if (*got == 0) break;
        reader_->commit(*got);
        count_scanned(&file);
        if (!after_chunk()) {
            file.dirty = true;
            file.disk_read = 0;
            return Outcome::interrupted;
        }
    }
    return end_of_packed(file, (*source)->complete());
}

// A segment of a log is written to while it is read; a rotated file that has no end is damaged, or not all there yet.
FileReader::Outcome FileReader::end_of_packed(files::TrackedFile& file, bool complete) {
    if (complete) {
        finish(file);
        return Outcome::up_to_date;
    }
    if (file.packing == io::Compression::zstd) return Outcome::up_to_date;
    return unreadable(file, file.path + ": ends before its trailer; it is read on when it is whole");
}

// A .gz says at its end how long its text is (RFC 1952, ISIZE): the one that a counted file became, and at a start
// every old one, need not be unpacked to learn that nothing is left in it, while the live files wait.
bool FileReader::counted_to_its_end(const files::TrackedFile& file, int fd) {
    std::array<char, 4> end{};
    // Of a file that is not read yet an empty last member would say the same.
    if (file.packing != io::Compression::gzip || file.offset == 0 || file.size <= end.size()) return false;
    const auto got = files::read_at(fd, end, file.size - end.size(), file.path);
    if (!got || *got != end.size()) return false;
    std::uint32_t length = 0;
    for (std::size_t i = end.size(); i-- > 0;) length = length << 8U | static_cast<unsigned char>(end[i]);
    return length == static_cast<std::uint32_t>(file.offset) && begins_as_known(file);
}

// Inodes are used again at once: what lies under the file's name and inode can have another beginning by now.
bool FileReader::begins_as_known(const files::TrackedFile& file) {
    const auto beginning = head(file.path);
    return beginning && beginning->id == files::FileId{file.device, file.inode} &&
           beginning->bytes.size() >= file.fingerprint.length &&
           files::fingerprint_of(beginning->bytes, file.fingerprint.length) == file.fingerprint;
}

// Reads over the bytes before file.offset.
Result<FileReader::Skipped> FileReader::skip_counted(const files::TrackedFile& file, io::ByteSource& source) {
    std::vector<char> bytes(mta::logs::scan_chunk_bytes);
    std::string head;
    std::uint64_t at = 0;
    while (at < file.offset) {
        const auto got = source.read(
            {bytes.data(), static_cast<std::size_t>(std::min<std::uint64_t>(bytes.size(), file.offset - at))});
        if (!got) return fail(got.error());
        if (*got == 0) return Skipped::not_all_there;
        if (head.size() < file.fingerprint.length) {
            head.append(bytes.data(), std::min(*got, file.fingerprint.length - head.size()));
        }
        at += *got;
    }
    const std::size_t length = std::min<std::size_t>(head.size(), file.fingerprint.length);
    const bool same = length < file.fingerprint.length || files::fingerprint_of(head, length) == file.fingerprint;
    return same ? Skipped::all : Skipped::other_content;
}

void FileReader::read_stream(int fd, const AfterChunk& after_chunk) {
    reader_->reset();
    at_ = 0;
    for (;;) {
        const auto space = reader_->space();
        const ssize_t got = ::read(fd, space.data(), std::min(space.size(), mta::logs::scan_chunk_bytes));
        if (got < 0 && errno == EINTR) continue;
        if (got <= 0) break;
        reader_->commit(static_cast<std::size_t>(got));
        count_scanned(nullptr);
        if (!after_chunk()) return;
    }
    reader_->finish();
    count_scanned(nullptr);
}

void FileReader::finish(files::TrackedFile& file) {
    reader_->finish();
    count_scanned(&file);
    file.finish = false;
    file.finished = true;
    at_ = 0;
}

std::span<const mta::logs::Record> FileReader::select_types(std::span<const mta::logs::Record> records,
                                                            TypeMask types) {
    selected_.clear();
    for (const mta::logs::Record& record : records) {
        if ((types & mask_of(record.type)) != 0) selected_.push_back(record);
    }
    return selected_;
}

void FileReader::count_scanned(files::TrackedFile* file) {
    const std::int64_t now = base::unix_seconds(clock_.wall());
    const base::WriterTurn turn(lock_);
    const TypeMask types = file == nullptr ? all_types : filter_.types_of(file->path);
    for (auto records = reader_->next(); !records.empty(); records = reader_->next()) {
        counter_.count(types == all_types ? records : select_types(records, types), now);
    }
    add_counts(reader_->counts(), counted_);
    if (file != nullptr) move_on(*file, reader_->consumed(), reader_->header());
}

void FileReader::count_piece(files::TrackedFile& file, ScannedPiece& piece, mta::logs::ScanCounts& counted) {
    const std::int64_t now = base::unix_seconds(clock_.wall());
    const base::WriterTurn turn(lock_);
    const TypeMask types = filter_.types_of(file.path);
    const auto records = piece.records.records();
    counter_.count(types == all_types ? records : select_types(records, types), now);
    add_counts(piece.counts, counted);
    move_on(file, piece.consumed, piece.header);
}

void FileReader::add_counts(const mta::logs::ScanCounts& counts, mta::logs::ScanCounts& counted) {
    series::Totals& totals = store_.totals;
    totals.lines_parsed += counts.parsed - counted.parsed;
    totals.lines_header += counts.headers - counted.headers;
    for (std::size_t i = 0; i < mta::logs::scan_error_count; ++i) {
        totals.scan_errors[i] += counts.errors[i] - counted.errors[i];
    }
    counted = counts;
}

void FileReader::move_on(files::TrackedFile& file, std::uint64_t consumed, const std::string& header) {
    store_.totals.read_bytes += consumed - file.offset;
    file.offset = consumed;
    if (file.header != header) file.header = header;
}

// The fingerprint of a short file covers the few bytes that it had; it is extended as the file grows.
void FileReader::lengthen_fingerprint(files::TrackedFile& file, std::string_view head) {
    const std::size_t full = files::full_fingerprint_length(head);
    const auto length = static_cast<std::size_t>(std::min<std::uint64_t>({full, file.offset, head.size()}));
    if (length <= file.fingerprint.length) return;
    // Truncated and written anew since it was read: the new beginning is not this file's.
    if (files::fingerprint_of(head, file.fingerprint.length) != file.fingerprint) return;
    const base::WriterTurn turn(lock_);
    file.fingerprint = files::fingerprint_of(head, length);
}

}  // namespace mtawatch::exporter::feed
