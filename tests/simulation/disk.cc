#include "tests/simulation/disk.h"

#include <fnmatch.h>

#include <algorithm>

namespace mtawatch::simulation {
namespace {

using base::fail;
using base::Fault;
using base::Result;
using namespace exporter::files;

std::string folder_of(const std::string& path) { return path.substr(0, path.rfind('/')); }

}  // namespace

class Disk::SimulatedFile final : public OpenFile {
  public:
    SimulatedFile(const Disk& disk, InodePtr inode, std::string path)
        : disk_(disk), inode_(std::move(inode)), path_(std::move(path)) {}

    [[nodiscard]] Result<std::size_t> read_at(std::span<char> into, std::uint64_t offset) const override {
        disk_.before_call();
        if (disk_.read_fails && disk_.read_fails()) return fail(Fault::io, "{}: Input/output error", path_);
        if (offset >= inode_->bytes.size()) return std::size_t{0};
        return inode_->bytes.copy(into.data(), into.size(), offset);
    }
    [[nodiscard]] Result<FileFacts> facts() const override {
        disk_.before_call();
        return disk_.facts_of(*inode_);
    }
    [[nodiscard]] Result<std::uint64_t> data_from(std::uint64_t offset) const override {
        disk_.before_call();
        const std::size_t data = inode_->bytes.find_first_not_of('\0', offset);
        return std::min<std::uint64_t>(data, std::max<std::uint64_t>(offset, inode_->bytes.size()));
    }

  private:
    const Disk& disk_;
    InodePtr inode_;
    std::string path_;
};

class Disk::SimulatedWatcher final : public Watcher {
  public:
    explicit SimulatedWatcher(const Disk& disk) : disk_(disk) {}

    void watch(const std::set<std::string>& folders) override {
        disk_.before_call();
        unwatched_ = {};
        if (!disk_.watches) {
            unwatched_ = {folders.size(),
                          "inotify: No space left on device; raise the sysctl fs.inotify.max_user_watches"};
            return;
        }
        if (events_ == nullptr) {
            events_ = std::make_shared<Events>();
            disk_.watchers_.push_back(events_);
        }
        events_->folders = folders;
    }
    [[nodiscard]] const Unwatched& unwatched() const override { return unwatched_; }
    [[nodiscard]] Changes wait(std::chrono::milliseconds timeout, int /*wake_fd*/) override {
        disk_.before_call();
        const base::SteadyTime until = disk_.clock_.steady() + timeout;
        const auto changed = [&] { return events_ != nullptr && (events_->moved || !events_->grown.empty()); };
        while (!changed() && disk_.clock_.steady() < until && disk_.while_waiting()) {
        }
        Changes changes;
        if (events_ == nullptr) return changes;
        changes.grown = std::exchange(events_->grown, {});
        changes.moved = std::exchange(events_->moved, false);
        return changes;
    }

  private:
    const Disk& disk_;
    std::shared_ptr<Events> events_;
    Unwatched unwatched_;
};

std::vector<std::string> Disk::matches(const std::string& pattern) const {
    before_call();
    std::vector<std::string> paths;
    for (const auto& [path, inode] : names_) {
        if (::fnmatch(pattern.c_str(), path.c_str(), FNM_PATHNAME | FNM_PERIOD) == 0) paths.push_back(path);
    }
    return paths;
}

FileFacts Disk::facts_of(const Inode& inode) const {
    return {{1, inode.number}, FileKind::regular, inode.bytes.size(), inode.modified};
}

Result<FileFacts> Disk::facts(const std::string& path) const {
    before_call();
    if (folders_.contains(path)) return FileFacts{{1, 1}, FileKind::folder, 0, 0};
    const InodePtr inode = find(path);
    if (inode == nullptr) return fail(Fault::not_found, "No such file or directory");
    return facts_of(*inode);
}

Result<void> Disk::may_list(const std::string& /*folder*/) const {
    before_call();
    return {};
}

Result<std::unique_ptr<OpenFile>> Disk::open(const std::string& path) const {
    before_call();
    InodePtr inode = find(path);
    if (inode == nullptr) return fail(Fault::not_found, "{}: No such file or directory", path);
    return std::make_unique<SimulatedFile>(*this, std::move(inode), path);
}

std::unique_ptr<Watcher> Disk::watcher() const { return std::make_unique<SimulatedWatcher>(*this); }

InodePtr Disk::find(const std::string& path) const {
    const auto found = names_.find(path);
    return found == names_.end() ? nullptr : found->second;
}

InodePtr Disk::create(const std::string& path) {
    if (exists(path)) remove(path);
    std::uint64_t number = next_number_;
    if (free_->empty()) {
        ++next_number_;
    } else {
        number = free_->back();
        free_->pop_back();
    }
    // A number is free when no name and no open file leads to its inode.
    InodePtr inode(new Inode{number, {}, 0}, [free = free_](const Inode* gone) {
        free->push_back(gone->number);
        delete gone;
    });
    names_[path] = inode;
    touched(inode);
    renamed(path);
    return inode;
}

void Disk::append(const InodePtr& inode, std::string_view bytes) {
    inode->bytes += bytes;
    touched(inode);
}

void Disk::overwrite(const InodePtr& inode, std::size_t at, std::string_view bytes) {
    if (inode->bytes.size() < at + bytes.size()) inode->bytes.resize(at + bytes.size(), '\0');
    inode->bytes.replace(at, bytes.size(), bytes);
    touched(inode);
}

void Disk::truncate(const InodePtr& inode, std::size_t size) {
    inode->bytes.resize(size, '\0');
    touched(inode);
}

void Disk::rename(const std::string& from, const std::string& to) {
    const InodePtr inode = find(from);
    names_.erase(from);
    names_[to] = inode;
    renamed(from);
    renamed(to);
}

void Disk::remove(const std::string& path) {
    names_.erase(path);
    renamed(path);
}

void Disk::touched(const InodePtr& inode) {
    inode->modified = std::chrono::nanoseconds(clock_.wall().time_since_epoch()).count() + server_ahead;
    for (const auto& [path, of] : names_) {
        if (of != inode) continue;
        for (const auto& watcher : watchers_) {
            const auto events = watcher.lock();
            if (events && events->folders.contains(folder_of(path))) events->grown.insert(path);
        }
    }
}

void Disk::renamed(const std::string& path) {
    std::erase_if(watchers_, [](const auto& watcher) { return watcher.expired(); });
    for (const auto& watcher : watchers_) {
        const auto events = watcher.lock();
        if (events->folders.contains(folder_of(path))) events->moved = true;
    }
}

}  // namespace mtawatch::simulation
