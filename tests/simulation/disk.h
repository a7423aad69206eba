// Simulated file system: names, inodes whose numbers are used again at once, holes as NULs, and news of changes. Every
// call of the exporter is announced before it is answered, so that anything may happen in between, a crash too.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "exporter/files/file_system.h"
#include "tests/support/fake_clock.h"

namespace mtawatch::simulation {

// Thrown out of a call of the exporter: the process ends there.
struct Crash {};

struct Inode {
    std::uint64_t number = 0;
    std::string bytes;
    std::int64_t modified = 0;
};
using InodePtr = std::shared_ptr<Inode>;

class Disk final : public exporter::files::FileSystem {
  public:
    explicit Disk(const test::FakeClock& clock) : clock_(clock) {}

    // The exporter's side.
    [[nodiscard]] std::vector<std::string> matches(const std::string& pattern) const override;
    [[nodiscard]] base::Result<exporter::files::FileFacts> facts(const std::string& path) const override;
    [[nodiscard]] base::Result<void> may_list(const std::string& folder) const override;
    [[nodiscard]] base::Result<std::unique_ptr<exporter::files::OpenFile>> open(const std::string& path) const override;
    [[nodiscard]] std::unique_ptr<exporter::files::Watcher> watcher() const override;

    // Called before each of these and before each reading of an open file.
    std::function<void()> before_call;
    // Called while the exporter waits, until it says that the time is over or something changed.
    std::function<bool()> while_waiting;
    bool watches = true;               // whether folders can be watched
    std::int64_t server_ahead = 0;     // of its clock, nanoseconds
    std::function<bool()> read_fails;  // whether this call meets a passing fault of the disk

    // The writers' side.
    [[nodiscard]] InodePtr find(const std::string& path) const;
    [[nodiscard]] bool exists(const std::string& path) const { return names_.contains(path); }
    InodePtr create(const std::string& path);  // replaces what has the name
    void append(const InodePtr& inode, std::string_view bytes);
    void overwrite(const InodePtr& inode, std::size_t at, std::string_view bytes);
    void truncate(const InodePtr& inode, std::size_t size);
    void rename(const std::string& from, const std::string& to);
    void remove(const std::string& path);
    [[nodiscard]] const std::map<std::string, InodePtr>& names() const { return names_; }

  private:
    class SimulatedFile;
    class SimulatedWatcher;
    struct Events {
        std::set<std::string> folders;
        std::set<std::string> grown;
        bool moved = false;
    };
    void touched(const InodePtr& inode);
    void renamed(const std::string& path);
    [[nodiscard]] exporter::files::FileFacts facts_of(const Inode& inode) const;

    const test::FakeClock& clock_;
    std::map<std::string, InodePtr> names_;
    std::set<std::string> folders_{"/log", "/done"};
    // Outlives the inodes that give their numbers back.
    std::shared_ptr<std::vector<std::uint64_t>> free_ = std::make_shared<std::vector<std::uint64_t>>();
    std::uint64_t next_number_ = 10;
    mutable std::vector<std::weak_ptr<Events>> watchers_;
};

}  // namespace mtawatch::simulation
