// Spool of pmta_acct_pipe: splits PowerMTA's pipe into records and keeps them in files that the exporter follows, whole
// records only, within a size limit.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "shared/base/clock.h"
#include "shared/base/result.h"
#include "shared/io/descriptor.h"

namespace mtawatch::exporter::pipe {

// A record of PowerMTA is under 4 KiB; a longer "record" than this is handed on in pieces rather than kept.
inline constexpr std::size_t max_piped_record = 1U << 20U;

// Cuts a stream into records. A newline inside quotes is data, unless the next line begins like a record: then a stray
// quote has been met, and costs one record only.
class RecordSplitter {
  public:
    void add(std::string_view bytes) { bytes_.append(bytes); }
    // The next whole record with its newline, or nothing until more has come. Valid until the next call.
    [[nodiscard]] std::optional<std::string_view> next();
    // What is left and no whole record.
    [[nodiscard]] std::string_view rest() const { return std::string_view(bytes_).substr(taken_); }

  private:
    std::string bytes_;
    std::size_t taken_ = 0;
};

// Gives every record its arrival time where the header names no time of its own: "…,timeLogged" and "…,2026-…+0000".
class ArrivalStamp {
  public:
    // Appends the record, stamped where needed, to `out`; a header (first cell "type") decides for those after it.
    void append(std::string_view record, base::WallTime now, std::string& out);
    // The header in force as it is written, with its newline; empty before one.
    [[nodiscard]] const std::string& header() const { return header_; }

  private:
    std::string header_;
    bool stamp_ = false;
};

struct SpoolSettings {
    std::string folder;
    std::string name;                       // letters, digits, '_' and '-'
    std::uint64_t file_bytes = 64U << 20U;  // a file of this size is followed by a new one
    std::uint64_t max_bytes = 1ULL << 30U;  // all files of this name together; the oldest ones go first
    // How long records that cannot be written are held before anything is given up. PowerMTA waits meanwhile, but gives
    // a pipe up by itself after its write-timeout, 1 minute unless told otherwise.
    std::chrono::milliseconds wait = std::chrono::seconds(50);
};

// Waits a moment before the next attempt to write what could not be written. False: do not wait any longer.
using Pause = std::function<bool(const base::Error& error)>;

// The files are called FOLDER/NAME/NAME-20261121T035959-PID-0001.csv: the order of names is the order of time. Each is
// locked by the process that writes to it, so that two pipes of one name leave each other's files alone.
class Spool {
  public:
    // Makes the folder of that name where it is missing, and cuts off the record in which an earlier process was
    // killed. Faults: usage (a name that cannot be), not_found (no spool folder), permission, io.
    [[nodiscard]] static base::Result<Spool> open(SpoolSettings settings, const base::Clock& clock);

    // Appends whole records and waits until they are on the disk. `header` begins every new file. What cannot be
    // written is tried again, with a pause between, until settings.wait is over; then, if the disk is full, the oldest
    // files are given up. After an Error the next records are not waited for, until some have been written. kept()
    // tells whether records are in the file after all: then they are there to be read, but may be lost with the
    // machine.
    [[nodiscard]] base::Result<void> append(std::string_view records, std::string_view header, const Pause& pause = {});
    [[nodiscard]] bool kept() const { return kept_; }
    // Files given up because of the limit or a full disk.
    [[nodiscard]] std::uint64_t dropped_files() const { return dropped_files_; }
    // Files that ended in the middle of a record when the spool was opened.
    [[nodiscard]] std::uint64_t torn_files() const { return torn_files_; }

  private:
    Spool(SpoolSettings settings, const base::Clock& clock) : settings_(std::move(settings)), clock_(&clock) {}
    [[nodiscard]] base::Result<void> append_once(std::string_view records, std::string_view header);
    [[nodiscard]] base::Result<void> begin_file(std::string_view header);
    [[nodiscard]] base::Result<void> write_whole(std::string_view bytes);
    [[nodiscard]] base::Result<void> sync();
    [[nodiscard]] bool may_wait(const base::Error& error, const Pause& pause);
    // The Error of errno; also sets full_ when the disk is full.
    [[nodiscard]] base::Failure not_kept(std::string_view doing);
    void cut_back();
    void cut_torn_files();
    bool give_up(const std::string& name);
    bool give_up_oldest();
    void keep_limit();

    SpoolSettings settings_;
    const base::Clock* clock_;
    io::Descriptor folder_;
    io::Descriptor fd_;
    std::string path_;
    bool new_entry_ = false;  // the folder does not hold the file for good yet
    std::optional<base::SteadyTime> stuck_since_;
    bool given_up_ = false;  // since then something was lost
    bool kept_ = false;
    std::uint64_t size_ = 0;
    std::uint64_t number_ = 0;
    std::uint64_t dropped_files_ = 0;
    std::uint64_t torn_files_ = 0;
    bool full_ = false;
};

}  // namespace mtawatch::exporter::pipe
