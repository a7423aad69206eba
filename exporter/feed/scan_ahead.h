// How do two cores read one file? A thread of its own takes the bytes apart while the caller counts the records.
#pragma once

#include <array>
#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

#include "shared/base/result.h"
#include "shared/mta/logs/record_copies.h"
#include "shared/mta/logs/record_reader.h"

namespace mtawatch::exporter::feed {

// A piece of the file: its records, and how things stand behind them.
struct ScannedPiece {
    mta::logs::RecordCopies records;
    std::uint64_t consumed = 0;
    std::string header;
    mta::logs::ScanCounts counts;
    std::optional<base::Error> error;  // the file could be read no further
    bool last = false;                 // nothing follows: the file's end, or the error
};

// The pieces come in file order and are the same as without this, so that what they add up to is too. For formats of
// which every line speaks for itself. The destructor ends the thread.
class ScanAhead {
  public:
    // `reader` stands at the byte to begin with. `fd` is read at places, to its present end, and stays the caller's;
    // `path` is for messages.
    ScanAhead(std::unique_ptr<mta::logs::RecordReader> reader, int fd, std::string path);
    ScanAhead(const ScanAhead&) = delete;
    ScanAhead& operator=(const ScanAhead&) = delete;
    ~ScanAhead();

    // The next piece, valid until the next call; not to be called after the last one.
    [[nodiscard]] ScannedPiece& next();

  private:
    static constexpr std::size_t kPieces = 4;  // one at each thread, and room for the other to go on

    void scan();
    [[nodiscard]] bool scan_chunk();
    [[nodiscard]] ScannedPiece* free_piece();
    void note(ScannedPiece& piece) const;
    void hand_over();

    std::unique_ptr<mta::logs::RecordReader> reader_;
    int fd_;
    std::string path_;
    std::array<ScannedPiece, kPieces> pieces_;
    std::size_t written_ = 0;  // pieces handed over so far; the thread's own
    std::mutex lock_;
    std::condition_variable changed_;
    std::size_t ready_ = 0;
    std::size_t taken_ = 0;  // the caller's own
    bool stopping_ = false;
    std::thread thread_;
};

}  // namespace mtawatch::exporter::feed
