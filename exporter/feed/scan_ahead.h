// Parser thread: reads and parses one file ahead of the caller, which counts the records, so that two cores share the
// work.
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

// A piece of the file: its records, and the reader's state behind them.
struct ScannedPiece {
    mta::logs::RecordCopies records;
    std::uint64_t consumed = 0;
    std::string header;
    mta::logs::ScanCounts counts;
    std::optional<base::Error> error;  // the file could be read no further
    bool last = false;                 // nothing follows: the file's end, or the error
};

// The pieces come in file order and hold the same records as reading without it, so the counts are the same. For
// formats whose lines do not depend on each other. The destructor ends the thread.
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
    static constexpr std::size_t pieces = 4;  // one at each thread, and room for the other to go on

    void scan();
    [[nodiscard]] bool scan_chunk();
    [[nodiscard]] ScannedPiece* free_piece();
    void copy_state(ScannedPiece& piece) const;
    void hand_over();

    std::unique_ptr<mta::logs::RecordReader> reader_;
    int fd_;
    std::string path_;
    std::array<ScannedPiece, pieces> pieces_;
    std::size_t written_ = 0;  // pieces handed over so far; the thread's own
    std::mutex lock_;
    std::condition_variable changed_;
    std::size_t ready_ = 0;
    std::size_t taken_ = 0;  // the caller's own
    bool stopping_ = false;
    std::thread thread_;
};

}  // namespace mtawatch::exporter::feed
