#include "exporter/feed/file_reader.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <thread>

#include "shared/io/read_ahead.h"

namespace mtawatch::exporter::feed {
namespace {

using base::fail;
using base::Fault;
using base::Result;

// A smaller packed file is inflated sooner than a thread is started for it.
constexpr std::uint64_t worth_a_thread = 256U << 10U;
// A backlog worth a second core; what is appended to a live file comes in pieces far smaller.
constexpr std::uint64_t worth_scanning_ahead = 16U << 20U;
// A packed file that was met half-written is unpacked from its beginning again: not for every write to it. A .gz is
// waited for until it is quiet; a segment that is written to for minutes, and a .gz that is damaged and does not
// change, are looked at again and again, for at most this part of the time.
constexpr std::chrono::seconds packed_quiet{1};
constexpr int pause_per_unpacking = 20;

// A .gz of more text is not unpacked to learn that it is one member: what it takes to hold its first text says so.
constexpr std::uint64_t sampled_text = 4U << 20U;
// Of the bytes that the whole text should take by that.
constexpr std::uint64_t suspicious_percent = 150;

}  // namespace

FileReader::FileReader(const FeedSettings& settings, const files::FileSystem& files, const base::Clock& clock,
                       series::SeriesStore& store, base::TurnLock& lock, bool one_thread)
    : settings_(settings),
      files_(files),
      uses_two_cores_(!one_thread && !remembers_lines(settings.count.format) &&
                      std::thread::hardware_concurrency() > 1),
      clock_(clock),
      store_(store),
      lock_(lock),
      counter_(settings.count, store),
      filter_(settings),
      reader_(make_reader(settings)),
      contents_(settings, files) {}

FileReader::Outcome FileReader::unreadable(files::TrackedFile& file, std::string why) {
    file.unreadable = true;
    file.open.reset();
    problem_ = std::move(why);
    return Outcome::unreadable;
}

FileReader::Outcome FileReader::read(files::TrackedFile& file, const AfterChunk& after_chunk) {
    file.dirty = false;
    const bool packed = file.packing != io::Compression::none && !file.detached;
    return packed ? read_packed(file, after_chunk) : read_plain(file, after_chunk);
}

// The reader goes on where it stopped when this is the file it stopped in: the beginning of a long last line need not
// be read again each time it grows.
void FileReader::resume(const files::TrackedFile& file) {
    if (at_ == file.serial && reader_->consumed() == file.offset) return;
    const base::WriterTurn turn(lock_);  // its memory may be copied meanwhile
    reader_->resume(file.header, file.offset);
    at_ = file.serial;
}

FileReader::Outcome FileReader::not_opened(files::TrackedFile& file, const base::Error& error) {
    return error.fault == Fault::not_found ? Outcome::changed : unreadable(file, error.what);
}

void FileReader::limit_to_present_size(files::TrackedFile& file) {
    file.read_to = UINT64_MAX;
    if (file.packing != io::Compression::none && !file.detached) return;
    if (!file.open) {
        if (auto opened = open_listed(files_, file.path, file.id); opened) file.open = std::move(*opened);
    }
    if (!file.open) return;
    if (const auto facts = file.open->facts(); facts) file.read_to = facts->size;
}

FileReader::Outcome FileReader::read_plain(files::TrackedFile& file, const AfterChunk& after_chunk) {
    if (!file.open) {
        auto opened = open_listed(files_, file.path, file.id);
        if (!opened) return not_opened(file, opened.error());
        file.open = std::move(*opened);
    }
    const auto facts = file.open->facts();
    if (!facts) return unreadable(file, facts.error().what);
    const std::uint64_t size = facts->size;
    file.unreadable = false;
    const auto same = compare_plain(file, *file.open, size);
    // Where nothing but the open file leads to it, there is nothing to find again.
    if (!same) return unreadable(file, same.error().what);
    if (*same != files::Comparison::same) return file.detached ? Outcome::up_to_date : Outcome::changed;
    if (size - file.offset >= worth_scanning_ahead && uses_two_cores_) {
        const Outcome outcome = read_with_two_cores(file, after_chunk);
        if (outcome != Outcome::up_to_date) return outcome;
    }
    resume(file);
    for (;;) {
        const auto space = reader_->space();
        const std::uint64_t left = file.read_to - std::min(file.read_to, reader_->committed());
        const auto room = std::min<std::size_t>({space.size(), mta::logs::scan_chunk_bytes, left});
        const auto got = file.open->read_at(space.first(room), reader_->committed());
        if (!got) return unreadable(file, got.error().what);
        if (*got == 0) break;
        reader_->commit(*got);
        count_scanned(&file);
        remember_tail(file);
        if (!after_chunk()) {
            file.dirty = true;
            return Outcome::interrupted;
        }
    }
    file.size = std::max(size, reader_->committed());
    file.disk_read = file.size;
    file.dirty = reader_->committed() < size;
    if (file.finish && !file.dirty) finish(file);
    if (file.tail.end != file.offset) remember_tail(file);
    if (!file.known_whole) lengthen_fingerprint(file);
    return Outcome::up_to_date;
}

// What came meanwhile, and a last line without an end, are left to the reading that follows.
FileReader::Outcome FileReader::read_with_two_cores(files::TrackedFile& file, const AfterChunk& after_chunk) {
    auto reader = make_reader(settings_);
    reader->resume(file.header, file.offset);
    at_ = 0;
    mta::logs::ScanCounts counted;
    ScanAhead ahead(std::move(reader), *file.open);
    for (;;) {
        ScannedPiece& piece = ahead.next();
        if (piece.error) return unreadable(file, piece.error->what);
        count_piece(file, piece, counted);
        remember_tail(file);
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
    auto opened = open_listed(files_, file.path, file.id);
    if (!opened) return not_opened(file, opened.error());
    const std::shared_ptr<const files::OpenFile> packed = std::move(*opened);
    // Nothing of it is skipped and compared on the way, so it is compared first.
    if (file.offset < file.begin + file.fingerprint.length && !begins_as_known(file)) return Outcome::changed;
    if (nothing_left(file, packed)) {
        all_counted(file);
        return Outcome::up_to_date;
    }
    auto source = text_of(packed, file.path);
    if (file.size >= worth_a_thread) source = io::read_ahead(std::move(source));
    RecentText recent(0);
    const auto skipped = skip_counted(file, *source, recent, after_chunk);
    file.disk_read = source->raw_read();
    if (!skipped) return unreadable(file, skipped.error().what);
    switch (*skipped) {
        case Skipped::other_content:
            return Outcome::changed;
        case Skipped::not_all_there:
            if (!source->complete()) return end_of_packed(file, false);
            all_counted(file);  // it is older than the file that was read
            return Outcome::up_to_date;
        case Skipped::interrupted:
            file.dirty = true;
            file.disk_read = 0;
            return Outcome::interrupted;
        case Skipped::all:
            break;
    }
    file.unreadable = false;
    return count_packed(file, *source, recent, after_chunk);
}

FileReader::Outcome FileReader::count_packed(files::TrackedFile& file, io::ByteSource& source, RecentText& recent,
                                             const AfterChunk& after_chunk) {
    at_ = 0;
    resume(file);
    at_ = 0;
    for (;;) {
        const auto space = reader_->space().first(mta::logs::scan_chunk_bytes);
        const auto got = source.read(space);
        file.disk_read = source.raw_read();
        if (!got) return unreadable(file, got.error().what);
        if (*got == 0) break;
        recent.add({space.data(), *got});
        reader_->commit(*got);
        count_scanned(&file);
        remember_tail(file, recent.piece_before(file.begin, file.offset));
        if (!after_chunk()) {
            file.dirty = true;
            file.disk_read = 0;
            return Outcome::interrupted;
        }
    }
    return end_of_packed(file, source.complete());
}

// A segment of a log is written to while it is read; a rotated file that has no end is damaged, or not all there yet.
FileReader::Outcome FileReader::end_of_packed(files::TrackedFile& file, bool complete) {
    if (complete) {
        finish(file);
        all_counted(file);
        return Outcome::up_to_date;
    }
    if (file.packing == io::Compression::zstd) return Outcome::up_to_date;
    return unreadable(file, file.path + ": ends before its trailer; it is read on when it is whole");
}

void FileReader::all_counted(files::TrackedFile& file) {
    file.disk_read = file.size;
    file.unreadable = false;
    file.finish = false;
    file.finished = true;
    const base::WriterTurn turn(lock_);
    file.packed_size = file.size;
}

// Whether all of a packed file's text is counted, without unpacking it: at a start every old one would have to be, and
// the live files would wait. It is what it was when it was unpacked to its end; or it is a .gz that says at its end how
// long its text is (RFC 1952, ISIZE): the one that a counted file became. The last of several members says only its own
// length, so what is small is unpacked, and what is large must be as large as its beginning lets expect.
bool FileReader::nothing_left(const files::TrackedFile& file, const std::shared_ptr<const files::OpenFile>& packed) {
    if (file.packed_size != 0 && file.packed_size == file.size) return begins_as_known(file);
    std::array<char, 4> end{};
    const bool sampled = file.packing == io::Compression::gzip && file.offset > sampled_text && file.size > end.size();
    if (!sampled || file.packed_size != 0) return false;
    const auto got = packed->read_at(end, file.size - end.size());
    if (!got || *got != end.size()) return false;
    std::uint32_t length = 0;
    for (std::size_t i = end.size(); i-- > 0;) length = length << 8U | static_cast<unsigned char>(end[i]);
    if (length != static_cast<std::uint32_t>(file.offset) || !begins_as_known(file)) return false;
    const auto source = text_of(packed, file.path);
    std::vector<char> bytes(mta::logs::scan_chunk_bytes);
    std::uint64_t text = 0;
    while (text < sampled_text) {
        const auto read = source->read(bytes);
        if (!read || *read == 0) return false;
        text += *read;
    }
    return file.size <= source->raw_read() * file.offset / text * suspicious_percent / 100;
}

// Inodes are used again at once: what lies under the file's name and inode can have another beginning by now.
bool FileReader::begins_as_known(const files::TrackedFile& file) {
    const auto beginning = contents_.head(file.path);
    return beginning && beginning->id == file.id && beginning->begin == file.begin &&
           beginning->bytes.size() >= file.fingerprint.length &&
           files::fingerprint_of(beginning->bytes, file.fingerprint.length) == file.fingerprint;
}

// Reads over the text before file.offset, and compares its beginning and its end with what is known of them.
Result<FileReader::Skipped> FileReader::skip_counted(const files::TrackedFile& file, io::ByteSource& source,
                                                     RecentText& recent, const AfterChunk& after_chunk) {
    std::vector<char> bytes(mta::logs::scan_chunk_bytes);
    std::string head;
    std::uint64_t at = 0;
    while (at < file.offset) {
        const std::uint64_t stop = at < file.tail.end ? std::min(file.tail.end, file.offset) : file.offset;
        const auto got =
            source.read({bytes.data(), static_cast<std::size_t>(std::min<std::uint64_t>(bytes.size(), stop - at))});
        if (!got) return fail(got.error());
        if (*got == 0) return Skipped::not_all_there;
        const std::string_view text(bytes.data(), *got);
        if (at + text.size() > file.begin && head.size() < file.fingerprint.length) {
            const std::string_view known = text.substr(std::max(at, file.begin) - at);
            head += known.substr(0, file.fingerprint.length - head.size());
        }
        recent.add(text);
        at += text.size();
        const files::Piece piece = recent.piece_before(file.begin, at);
        if (at == file.tail.end && file.tail.length != 0 && piece != file.tail) return Skipped::other_content;
        if (!after_chunk()) return Skipped::interrupted;
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

// What is known of the file's content moves on with what is counted of it.
void FileReader::remember_tail(files::TrackedFile& file, const files::Piece& tail) {
    const base::WriterTurn turn(lock_);
    file.tail = tail;
}

void FileReader::remember_tail(files::TrackedFile& file) {
    const auto tail = files::piece_before(*file.open, file.begin, file.offset);
    if (tail && tail->end == file.offset) remember_tail(file, *tail);
}

// The fingerprint of a short file covers the few bytes that it had; it is extended as the file grows.
void FileReader::lengthen_fingerprint(files::TrackedFile& file) {
    const auto beginning = plain_beginning(*file.open, file.path);
    if (!beginning || beginning->begin != file.begin) return;
    const std::string_view head = beginning->bytes;
    const std::size_t full = files::full_fingerprint_length(head);
    const auto length =
        static_cast<std::size_t>(std::min<std::uint64_t>({full, file.offset - file.begin, head.size()}));
    file.known_whole = length == full;
    if (length <= file.fingerprint.length) return;
    // Truncated and written anew since it was read: the new beginning is not this file's.
    if (files::fingerprint_of(head, file.fingerprint.length) != file.fingerprint) return;
    const files::Identity identity = contents_.identity(head);
    const base::WriterTurn turn(lock_);
    file.fingerprint = files::fingerprint_of(head, length);
    file.identity = identity;
}

}  // namespace mtawatch::exporter::feed
