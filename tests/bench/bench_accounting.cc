// Benchmark of counting: its cost and its pauses. Drives the exporter's ingest as the program does, in one process:
//
//   bench_accounting series FILE     every opt-in group on, budgets out of the way: series, bytes a series, rates
//   bench_accounting stalls FILE     the longest pause of the reading alone, beside scrapes and beside checkpoints
//   bench_accounting checkpoint      650 000 series: memory, and how long a checkpoint holds the reading up
//   bench_accounting property        10 million records with 2 million domains: sums and memory
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <random>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "exporter/exposition/exposition.h"
#include "exporter/feed/ingest.h"
#include "exporter/series/record_counter.h"

namespace fs = std::filesystem;
using namespace mtawatch;
using namespace mtawatch::exporter::exposition;
using namespace mtawatch::exporter::series;
using namespace mtawatch::exporter::feed;

namespace {

double seconds_since(base::SteadyTime begin) {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
}

double cpu_seconds() {
    rusage usage{};
    ::getrusage(RUSAGE_SELF, &usage);
    const auto of = [](const timeval& t) {
        return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) / 1e6;
    };
    return of(usage.ru_utime) + of(usage.ru_stime);
}

double resident_mib() {
    std::ifstream statm("/proc/self/statm");
    double pages = 0;
    statm >> pages >> pages;
    return pages * static_cast<double>(::sysconf(_SC_PAGESIZE)) / (1 << 20);
}

FeedSettings wide_settings(const std::string& glob) {
    FeedSettings settings;
    settings.follow.globs = {glob};
    settings.count.groups = {"job", "recipient_domain"};
    for (const Metric& entry : catalogue()) {
        if (entry.budget != 0) settings.count.budgets[std::string(entry.name)] = 4'000'000;
    }
    return settings;
}

std::size_t series_of(SeriesStore& store) {
    std::size_t series = 0;
    for (std::size_t i = 0; i < family_count; ++i) series += store.table(static_cast<Family>(i)).size();
    return series;
}

base::Log log_to_stderr(const base::Clock& clock) {
    return {base::LogLevel::info, base::LogFormat::logfmt, clock, base::write_to_stderr};
}

int measure_series(const std::string& file) {
    const base::SystemClock clock;
    const double before = resident_mib();
    const double cpu = cpu_seconds();
    Ingest ingest(wide_settings(file), clock, log_to_stderr(clock), true);
    ingest.catch_up([] { return true; });
    const double ingest_cpu = cpu_seconds() - cpu;
    const double resident = resident_mib();
    const auto series = static_cast<double>(series_of(ingest.store()));
    std::printf("%.0f series, %.0f MiB more, %.0f bytes a series, %.2f s CPU\n", series, resident - before,
                (resident - before) * (1 << 20) / series, ingest_cpu);
    base::SteadyTime begin = std::chrono::steady_clock::now();
    std::string text;
    ExpositionWriter writer(Format::text, text);
    ingest.write(writer);
    std::printf("exposition: %.1f MB in %.1f ms\n", static_cast<double>(text.size()) / 1e6, seconds_since(begin) * 1e3);
    begin = std::chrono::steady_clock::now();
    const std::string document = ingest.checkpoint();
    std::printf("checkpoint: %.1f MB encoded in %.1f ms\n", static_cast<double>(document.size()) / 1e6,
                seconds_since(begin) * 1e3);
    return 0;
}

// The pauses between chunks while `file` is read after the baseline, with `beside` running in another thread.
void measure_stalls(const char* what, const std::string& file, const std::function<void(Ingest&)>& beside) {
    const fs::path folder = fs::temp_directory_path() / ("bench-accounting-" + std::to_string(::getpid()));
    fs::create_directories(folder);
    std::ofstream(folder / "acct-0.csv") << "type,timeLogged,rcpt\nd,2020-01-01 00:00:00+0000,a@example.org\n";
    const base::SystemClock clock;
    Ingest ingest(wide_settings(folder / "acct-*.csv"), clock, log_to_stderr(clock), false);
    ingest.catch_up([] { return true; });
    // The first half fills the store, so that both threads have work in the second.
    fs::create_symlink(fs::absolute(file), folder / "acct-1.csv");
    const auto half = fs::file_size(file) / 2;
    std::atomic<bool> done{false};
    std::vector<double> pauses;
    std::vector<double> turns;
    std::uint64_t chunks = 0;
    std::thread other;
    base::SteadyTime last = std::chrono::steady_clock::now();
    ingest.catch_up([&] {
        const base::SteadyTime now = std::chrono::steady_clock::now();
        if (++chunks * mta::logs::scan_chunk_bytes >= half) {
            if (!other.joinable()) {
                other = std::thread([&] {
                    while (!done.load() && beside) {
                        const base::SteadyTime begin = std::chrono::steady_clock::now();
                        beside(ingest);
                        turns.push_back(seconds_since(begin));
                    }
                });
            } else {
                pauses.push_back(std::chrono::duration<double>(now - last).count());
            }
        }
        last = std::chrono::steady_clock::now();
        return true;
    });
    done = true;
    if (other.joinable()) other.join();
    std::ranges::sort(pauses);
    std::ranges::sort(turns);
    std::printf("%-12s chunks %zu: median %.2f ms, 99.9 %% %.2f ms, longest %.2f ms; %zu series", what, pauses.size(),
                pauses[pauses.size() / 2] * 1e3, pauses[pauses.size() * 999 / 1000] * 1e3, pauses.back() * 1e3,
                series_of(ingest.store()));
    if (!turns.empty()) {
        std::vector<double> idle;
        for (int i = 0; i < 15; ++i) {
            const base::SteadyTime begin = std::chrono::steady_clock::now();
            beside(ingest);
            idle.push_back(seconds_since(begin));
        }
        std::ranges::sort(idle);
        std::printf("; %zu turns, median %.1f ms, %.1f ms when nothing is read", turns.size(),
                    turns[turns.size() / 2] * 1e3, idle[idle.size() / 2] * 1e3);
    }
    std::printf("\n");
    fs::remove_all(folder);
}

int measure_all_stalls(const std::string& file) {
    measure_stalls("alone", file, nullptr);
    measure_stalls("scrapes", file, [](Ingest& ingest) {
        std::string text;
        ExpositionWriter writer(Format::text, text);
        ingest.write(writer);
    });
    measure_stalls("checkpoints", file, [](Ingest& ingest) { (void)ingest.checkpoint(); });
    return 0;
}

// 650 000 series: how long the reading stands still for a checkpoint (the copy), and how long the rest takes beside it.
int measure_checkpoint() {
    constexpr int series_metric = 650'000;
    const FeedSettings settings = wide_settings("unused");
    const double before = resident_mib();
    SeriesStore store(settings.count);
    RecordCounter counter(settings.count, store);
    for (int i = 0; i < series_metric; ++i) {
        const mta::logs::OwnedRecord delivery(mta::logs::RecordType::d, 1'700'000'000,
                                              {{mta::logs::Column::rcpt, "x@domain" + std::to_string(i) + ".example"}});
        const mta::logs::Record view = delivery.view();
        counter.count({&view, 1}, 1'800'000'000);
    }
    std::printf("%zu series, %.0f bytes a series\n", series_of(store),
                (resident_mib() - before) * (1 << 20) / series_metric);
    std::vector<double> stalls;
    for (int i = 0; i < 21; ++i) {
        CheckpointCopy copy;
        reserve_copy(sizes_of(store), store, copy);
        base::SteadyTime begin = std::chrono::steady_clock::now();
        copy_store(store, copy);
        stalls.push_back(seconds_since(begin) * 1e3);
        begin = std::chrono::steady_clock::now();
        const std::string document = encode_checkpoint(copy, store);
        if (i == 0) {
            std::printf("document %.1f MB, encoded in %.0f ms beside the reading\n",
                        static_cast<double>(document.size()) / 1e6, seconds_since(begin) * 1e3);
        }
    }
    std::ranges::sort(stalls);
    std::printf("copy under the lock: median %.1f ms, longest %.1f ms\n", stalls[stalls.size() / 2], stalls.back());
    return 0;
}

// The same property as the unit test, at its full size and with the packaged budgets.
int measure_property() {
    constexpr std::uint64_t record_total = 10'000'000;
    constexpr unsigned domains = 2'000'000;
    FeedSettings settings;
    settings.count.groups = {"job", "recipient_domain"};
    SeriesStore store(settings.count);
    RecordCounter counter(settings.count, store);
    std::mt19937 random(7);  // NOLINT(cert-msc32-c,cert-msc51-cpp): the same numbers in every run
    for (std::uint64_t i = 0; i < record_total; ++i) {
        const std::uint64_t domain = (i * 7919U) % domains;
        const mta::logs::OwnedRecord delivery(
            mta::logs::RecordType::d, 1'700'000'000 + static_cast<std::int64_t>(i / 8),
            {{mta::logs::Column::rcpt, "x@d" + std::to_string(domain) + ".example"},
             {mta::logs::Column::orig, "x@s" + std::to_string(random() % 20'000) + ".example"},
             {mta::logs::Column::dlv_source_ip, "192.0.2." + std::to_string(random() % 250)},
             {mta::logs::Column::job_id, "job" + std::to_string(i / 2000)}});
        const mta::logs::Record view = delivery.view();
        counter.count({&view, 1}, 1'800'000'000);
    }
    bool right = true;
    for (const Family family :
         {Family::deliveries, Family::sender_deliveries, Family::sender_lifetime, Family::source_ip_deliveries,
          Family::job_deliveries, Family::recipient_domain_deliveries}) {
        const SeriesTable& table = store.table(family);
        std::uint64_t sum = store.retired[index_of(family)];
        for (std::uint32_t row = 0; row < table.size(); ++row) sum += table.counts()[row * table.width()];
        std::printf("%-45s %6u series + retired %9llu = %llu\n", std::string(metric_name(family)).c_str(), table.size(),
                    static_cast<unsigned long long>(store.retired[index_of(family)]),
                    static_cast<unsigned long long>(sum));
        right = right && sum == record_total;
    }
    std::printf("%llu records, %u domains, resident %.1f MiB: %s\n", static_cast<unsigned long long>(record_total),
                domains, resident_mib(), right ? "every record is in one series or retired" : "WRONG");
    return right ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
    const std::string_view what = argc > 1 ? argv[1] : "";
    if (what == "series" && argc == 3) return measure_series(argv[2]);
    if (what == "stalls" && argc == 3) return measure_all_stalls(argv[2]);
    if (what == "checkpoint" && argc == 2) return measure_checkpoint();
    if (what == "property" && argc == 2) return measure_property();
    std::fprintf(stderr, "usage: bench_accounting series FILE | stalls FILE | checkpoint | property\n");
    return 2;
}
