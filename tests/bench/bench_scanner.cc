// Benchmark of the scanner, alone and with the keys that a count by (type, vmta, bounceCat) needs. Prints one line a
// run.
#include <fcntl.h>
#include <fmt/core.h>
#include <sys/resource.h>
#include <unistd.h>

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

#include "shared/mta/logs/accounting_scanner.h"

namespace {

using namespace mtawatch;

double cpu_seconds() {
    rusage usage{};
    getrusage(RUSAGE_SELF, &usage);
    const auto seconds = [](const timeval& time) {
        return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) * 1e-6;
    };
    return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

// Groups by the raw bytes of two cells: a small open table, as any user of the scanner would have.
class Groups {
  public:
    void add(mta::logs::RecordType type, std::string_view vmta, std::string_view category) {
        std::uint64_t hash = static_cast<std::uint64_t>(type) + 1;
        for (const std::string_view text : {vmta, category}) {
            for (const char c : text) hash = (hash ^ static_cast<std::uint8_t>(c)) * 0x100000001b3U;
            hash = (hash ^ 0xffU) * 0x100000001b3U;
        }
        Slot* slot = &slots_[(hash >> 20) % slots];
        while (slot->count > 0 && slot->hash != hash) slot = slot == &slots_[slots - 1] ? &slots_[0] : slot + 1;
        slot->hash = hash;
        ++slot->count;
    }
    [[nodiscard]] std::size_t size() const {
        std::size_t used = 0;
        for (const Slot& slot : slots_) used += slot.count > 0 ? 1 : 0;
        return used;
    }

  private:
    static constexpr std::size_t slots = 4096;  // the generator makes under 1000 groups
    struct Slot {
        std::uint64_t hash = 0;
        std::uint64_t count = 0;
    };
    Slot slots_[slots];
};

int run(const char* path, bool keys, mta::logs::ScanPath scan_path) {
    const int file = open(path, O_RDONLY | O_CLOEXEC);
    if (file < 0) {
        fmt::print(stderr, "bench_scanner: {}: cannot be opened\n", path);
        return 1;
    }
    mta::logs::ScannerOptions options;
    options.path = scan_path;
    mta::logs::AccountingScanner scanner(options);
    Groups groups;
    const double before = cpu_seconds();
    const auto begun = std::chrono::steady_clock::now();
    for (;;) {
        const auto space = scanner.space();
        const ssize_t got = read(file, space.data(), space.size());
        if (got <= 0) break;
        scanner.commit(static_cast<std::size_t>(got));
        for (auto records = scanner.next(); !records.empty(); records = scanner.next()) {
            if (!keys) continue;
            for (const mta::logs::Record& record : records) {
                groups.add(record.type, record.raw(mta::logs::Column::vmta), record.raw(mta::logs::Column::bounce_cat));
            }
        }
    }
    close(file);
    const double cpu = cpu_seconds() - before;
    const std::chrono::duration<double> wall = std::chrono::steady_clock::now() - begun;
    const auto megabytes = static_cast<double>(scanner.committed()) / 1e6;
    fmt::print("{:8} {:5} {} records {} groups {} malformed: {:.3f} s cpu, {:.3f} s wall, {:.0f} MB/s (cpu)\n",
               name(scan_path), keys ? "keys" : "scan", scanner.counts().parsed, groups.size(),
               scanner.counts().malformed(), cpu, wall.count(), megabytes / cpu);
    return 0;
}

}  // namespace

int main(int argc, char** argv) {
    if (argc < 2) {
        fmt::print(stderr, "usage: bench_scanner FILE\n");
        return 2;
    }
    for (const mta::logs::ScanPath path : mta::logs::scan_paths) {
        for (const bool keys : {false, true}) {
            if (run(argv[1], keys, path) != 0) return 1;
        }
    }
    return 0;
}
