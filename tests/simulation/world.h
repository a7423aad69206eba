// Everything that happens to log files around an exporter: writers, rotation, compression, copies, full disks; and the
// model of what must be counted. One step of one actor at a time, chosen by the seed.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "tests/simulation/disk.h"

namespace mtawatch::simulation {

class Random {
  public:
    explicit Random(std::uint64_t seed) : state_(seed * 0x9e3779b97f4a7c15U + 1) {}
    // 0 to `limit` - 1.
    [[nodiscard]] std::uint64_t below(std::uint64_t limit);
    [[nodiscard]] std::uint64_t between(std::uint64_t from, std::uint64_t to) { return from + below(to - from + 1); }
    [[nodiscard]] bool chance(unsigned percent) { return below(100) < percent; }

  private:
    std::uint64_t state_;
};

// How a log's files follow each other.
enum class Rotation : std::uint8_t {
    numbered,      // acct-a-0001.csv, acct-a-0002.csv; finished ones may move to another folder
    renamed,       // acct.csv, acct.csv.1, acct.csv.2.gz
    dated,         // acct.csv, acct.csv-20261121
    copytruncate,  // the same names as renamed, but the file in use stays the same inode
    copied_over,   // one file that another host's copy is copied over again and again
    segments,      // of KumoMTA: zstd, written piece by piece
};
inline constexpr std::uint64_t rotation_count = 6;

class World;

// A log: its writer, and what is done to its files. What has several steps is a script, of which one step happens at a
// time.
class Log {
  public:
    Log(World& world, std::string name, Rotation rotation, bool timeless);

    // One step of whatever the seed chooses.
    void step();
    // Ends every script and every half-written record.
    void finish();
    // Deletes what is old and counted, and what only a copy is of.
    void clean();
    [[nodiscard]] const std::string& name() const { return name_; }
    [[nodiscard]] bool timeless() const { return timeless_; }
    [[nodiscard]] Rotation rotation() const { return rotation_; }
    // Records written so far, and those that a file which is followed holds whole.
    [[nodiscard]] std::uint64_t written() const { return written_; }
    [[nodiscard]] std::uint64_t expected() const { return expected_; }
    [[nodiscard]] const std::vector<std::string>& files() const { return files_; }

  private:
    using Step = std::function<bool()>;  // true when it is done

    [[nodiscard]] std::string record();
    [[nodiscard]] std::string header() const;
    [[nodiscard]] std::string path(const std::string& suffix = "") const;
    void begin_file();
    void write();
    void write_segment();
    void rotate();
    void rotate_numbered();
    void rotate_renamed();
    void rotate_dated();
    void rotate_copytruncate();
    void copy_over();
    void shift_numbers();
    void then(Step step) { script_.push_back(std::move(step)); }
    void then_compress(const std::function<std::string()>& path, bool keep);
    void then_copy(const std::function<std::string()>& from, const std::string& to);
    void track(const std::string& path) { files_.push_back(path); }
    void renamed(const std::string& from, const std::string& to);
    void removed(const std::string& path);

    World& world_;
    std::string name_;
    Rotation rotation_;
    bool timeless_;
    bool appends_;           // or goes on at its old place after a truncation
    InodePtr open_;          // being written
    std::string open_path_;  // where it was created
    std::string pending_;    // the rest of what the writer wants to write
    std::uint64_t in_pending_ = 0;
    std::size_t place_ = 0;  // of a writer that does not append
    std::uint64_t generation_ = 0;
    std::uint64_t records_ = 0;
    std::uint64_t written_ = 0;
    std::uint64_t expected_ = 0;
    std::string source_;  // what the other host has, of a file that is copied over
    std::vector<std::string> files_;
    std::vector<std::string> extra_;  // copies, to be removed some day
    std::deque<Step> script_;
    bool blocked_ = false;  // the writer waits for the script
};

class World {
  public:
    World(std::uint64_t seed, Disk& disk, test::FakeClock& clock);

    void step();
    void finish();
    void clean();
    // How time passes while nobody calls anything.
    void pass_time();
    [[nodiscard]] const std::vector<std::unique_ptr<Log>>& logs() const { return logs_; }
    [[nodiscard]] bool kumomta() const { return kumomta_; }
    [[nodiscard]] std::uint64_t written() const;
    [[nodiscard]] std::uint64_t expected() const;
    void note(const std::string& text);

    Random random;
    Disk& disk;
    test::FakeClock& clock;
    std::int64_t mta_clock = 1'795'168'800;  // what the MTA's stamps say; it never goes back
    std::vector<std::string>* trace = nullptr;
    bool quiet = false;  // no new scripts

  private:
    std::vector<std::unique_ptr<Log>> logs_;
    bool kumomta_;
};

}  // namespace mtawatch::simulation
