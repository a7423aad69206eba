#include "exporter/feed/scan_ahead.h"

#include <algorithm>
#include <system_error>

#include "exporter/files/open_file.h"

namespace mtawatch::exporter::feed {

ScanAhead::ScanAhead(std::unique_ptr<mta::logs::RecordReader> reader, int fd, std::string path)
    : reader_(std::move(reader)), fd_(fd), path_(std::move(path)) {
    try {
        thread_ = std::thread([this] { scan(); });
    } catch (const std::system_error&) {  // no further thread is to be had: next() scans
    }
}

ScanAhead::~ScanAhead() {
    {
        const std::lock_guard turn(lock_);
        stopping_ = true;
    }
    changed_.notify_all();
    if (thread_.joinable()) thread_.join();
}

ScannedPiece& ScanAhead::next() {
    std::unique_lock turn(lock_);
    if (taken_ > 0) {
        --ready_;
        changed_.notify_all();
    }
    while (!thread_.joinable() && ready_ == 0) {
        turn.unlock();
        static_cast<void>(scan_chunk());
        turn.lock();
    }
    changed_.wait(turn, [this] { return ready_ > 0; });
    return pieces_[taken_++ % pieces];
}

// Until the end, an error or the destructor.
void ScanAhead::scan() {
    while (scan_chunk()) {
    }
}

// The piece that is filled now, which is this thread's until it is handed over; null when the object ends.
ScannedPiece* ScanAhead::free_piece() {
    std::unique_lock turn(lock_);
    changed_.wait(turn, [this] { return ready_ < pieces || stopping_; });
    if (stopping_) return nullptr;
    ScannedPiece& piece = pieces_[written_ % pieces];
    piece.records.clear();
    piece.last = false;
    return &piece;
}

// Copies the reader's state behind the records that are in the piece.
void ScanAhead::copy_state(ScannedPiece& piece) const {
    piece.consumed = reader_->consumed();
    if (piece.header != reader_->header()) piece.header = reader_->header();
    piece.counts = reader_->counts();
}

void ScanAhead::hand_over() {
    ++written_;
    {
        const std::lock_guard turn(lock_);
        ++ready_;
    }
    changed_.notify_all();
}

bool ScanAhead::scan_chunk() {
    ScannedPiece* piece = free_piece();
    if (piece == nullptr) return false;
    const auto space = reader_->space();
    const auto got = files::read_at(fd_, space.first(std::min(space.size(), mta::logs::scan_chunk_bytes)),
                                    reader_->committed(), path_);
    if (!got) piece->error = got.error();
    piece->last = !got || *got == 0;
    if (!piece->last) reader_->commit(*got);
    copy_state(*piece);
    for (auto records = reader_->next(); !records.empty(); records = reader_->next()) {
        if (!piece->records.add(records)) {
            // These records are behind another header: the present piece, with the state before them, is handed over
            // first.
            hand_over();
            piece = free_piece();
            if (piece == nullptr) return false;
            (void)piece->records.add(records);
        }
        copy_state(*piece);
    }
    copy_state(*piece);
    const bool more = !piece->last;
    hand_over();
    return more;
}

}  // namespace mtawatch::exporter::feed
