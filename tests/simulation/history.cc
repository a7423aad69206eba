#include "tests/simulation/history.h"

#include <fmt/format.h>

#include <map>

#include "exporter/exposition/exposition.h"
#include "exporter/feed/ingest.h"
#include "tests/simulation/disk.h"
#include "tests/simulation/world.h"

namespace mtawatch::simulation {
namespace {

using exporter::feed::FeedSettings;
using exporter::feed::Ingest;

// How often an exporter may look until it has counted everything: the longest rest that it waits for is ten seconds.
constexpr int rounds_to_settle = 60;

// Thrown where the exporter counted what the model forbids.
struct Difference {
    std::string what;
};

class History {
  public:
    History(std::uint64_t seed, std::vector<std::string>* trace)
        : trace_(trace), disk_(clock_), world_(seed, disk_, clock_), random_(world_.random) {
        world_.trace = trace;
        disk_.watches = random_.chance(75);
        disk_.server_ahead = random_.chance(30) ? (random_.chance(50) ? 3600 : -3600) * std::int64_t{1'000'000'000} : 0;
        failing_reads_ = random_.chance(20);
        disk_.before_call = [this] { before_call(); };
        disk_.while_waiting = [this] { return while_waiting(); };
        disk_.read_fails = [this] { return failing_reads_ && !settling_ && random_.below(200) == 0; };
        settings_.count.scanner.zone = mta::logs::Zone::utc();
        settings_.follow.moved_to = {"/done"};
        if (world_.kumomta()) {
            settings_.count.format = exporter::series::RecordFormat::kumomta;
            settings_.follow.globs = {"/log/*"};
        } else {
            settings_.follow.globs = {"/log/acct-*.csv*"};
        }
    }

    HistoryResult run() {
        try {
            const std::uint64_t lives = random_.between(2, 5);
            for (std::uint64_t life = 1; life <= lives; ++life) live(life == lives);
        } catch (const Difference& difference) {
            result_.fault = difference.what;
        }
        result_.records = world_.written();
        return result_;
    }

  private:
    void note(const std::string& text) {
        if (trace_ != nullptr) trace_->push_back(text);
    }
    base::Log log() {
        return {trace_ != nullptr ? base::LogLevel::debug : base::LogLevel::error, base::LogFormat::logfmt, clock_,
                [this](std::string_view line) {
                    if (trace_ != nullptr)
                        note("    exporter: " +
                             std::string(line.substr(line.find("msg=") + 4, line.size() - line.find("msg=") - 5)));
                }};
    }

    void before_call() {
        ++result_.calls;
        if (calls_left_ != 0 && --calls_left_ == 0) throw Crash{};
        if (!settling_ && random_.chance(12)) world_.step();
    }
    bool while_waiting() {
        world_.pass_time();
        if (!settling_ && random_.chance(60)) world_.step();
        return true;
    }

    // A start, what follows, and an end: a crash at any call of the system, or in good order.
    void live(bool last) {
        const bool crashes = !last && random_.chance(65);
        calls_left_ = crashes ? random_.between(1, random_.chance(30) ? 30 : 600) : 0;
        note(fmt::format("start{}", crashes ? fmt::format(", to crash after {} calls", calls_left_) : ""));
        try {
            Ingest ingest(settings_, clock_, log(), false, disk_);
            if (!saved_.empty() && !ingest.restore(saved_)) throw Difference{"the saved state is refused"};
            ingest.catch_up([&] { return between_chunks(ingest); });
            const std::uint64_t rounds = random_.between(1, 12);
            for (std::uint64_t i = 0; i < rounds; ++i) {
                ingest.follow(-1, [&] { return between_chunks(ingest); });
                if (random_.chance(30)) save(ingest);
                check_upper(ingest);
            }
            calls_left_ = 0;
            if (last || random_.chance(40)) settle(ingest);
            if (last || random_.chance(70)) save(ingest);
            check_upper(ingest);
        } catch (const Crash&) {
            calls_left_ = 0;
            ++result_.crashes;
            note("crash");
        }
        if (last) return;
        const std::uint64_t meanwhile = random_.below(60);
        for (std::uint64_t i = 0; i < meanwhile; ++i) {
            world_.step();
            if (random_.chance(30)) world_.pass_time();
        }
    }

    bool between_chunks(const Ingest& ingest) {
        if (random_.chance(15)) save(ingest);
        return true;
    }
    // A state that could not be written leaves the one before it.
    void save(const Ingest& ingest) {
        if (random_.chance(5)) return;
        saved_ = ingest.checkpoint();
        note("saved");
    }

    // What the exporter knows of the files, for a trace.
    void note_state(const Ingest& ingest) {
        if (trace_ == nullptr) return;
        exporter::series::SeriesStore store(settings_.count);
        const auto state = exporter::feed::decode_checkpoint(ingest.checkpoint(), store);
        std::string text = fmt::format("  counted {} of {}:", ingest.amount().records, world_.written());
        for (const auto& file : state->files) {
            text +=
                fmt::format(" {}[{}]{}{}", file.path, file.id.inode, file.vanished_at != 0 ? "gone" : "@", file.offset);
        }
        note(text);
    }

    void check_upper(const Ingest& ingest) {
        note_state(ingest);
        const std::uint64_t counted = ingest.amount().records;
        if (counted > world_.written()) {
            throw Difference{fmt::format("{} records counted, {} were written", counted, world_.written())};
        }
    }

    // Nothing more happens; the exporter looks until it has counted everything.
    void settle(Ingest& ingest) {
        world_.finish();
        settling_ = true;
        note("settle");
        int rounds = 0;
        while (rounds < rounds_to_settle && ingest.amount().records != world_.expected()) {
            ingest.follow(-1, [] { return true; });
            ++rounds;
        }
        // What was counted stays so, whatever a later look at the files finds.
        for (int i = 0; i < 3; ++i) ingest.follow(-1, [] { return true; });
        settling_ = false;
        compare(ingest);
        saved_ = ingest.checkpoint();
        world_.clean();
    }

    void compare(const Ingest& ingest) const {
        std::string text;
        exporter::exposition::ExpositionWriter writer(exporter::exposition::Format::text, text);
        ingest.write(writer);
        const std::string family =
            world_.kumomta() ? "\nkumomta_log_deliveries_total{egress_source=\"" : "\npmta_deliveries_total{vmta=\"";
        std::map<std::string, std::uint64_t> counted;
        for (std::size_t at = text.find(family); at != std::string::npos; at = text.find(family, at + 1)) {
            const std::size_t name = at + family.size();
            const std::size_t value = text.find("} ", name) + 2;
            counted[text.substr(name, text.find('"', name) - name)] += std::stoull(text.substr(value));
        }
        std::string difference;
        for (const auto& log : world_.logs()) {
            if (counted[log->name()] == log->expected()) continue;
            difference += fmt::format("log {} (rotation {}{}): {} records counted, {} expected; ", log->name(),
                                      static_cast<int>(log->rotation()), log->timeless() ? ", without times" : "",
                                      counted[log->name()], log->expected());
        }
        if (difference.empty()) return;
        for (const auto& [path, inode] : disk_.names()) {
            difference += fmt::format("{} inode {} {} bytes; ", path, inode->number, inode->bytes.size());
        }
        throw Difference{difference};
    }

    std::vector<std::string>* trace_;
    test::FakeClock clock_{base::WallTime(std::chrono::seconds(1'795'168'800))};
    Disk disk_;
    World world_;
    Random& random_;
    FeedSettings settings_;
    std::string saved_;
    std::uint64_t calls_left_ = 0;  // until the crash; 0: none comes
    bool failing_reads_ = false;
    bool settling_ = false;
    HistoryResult result_;
};

}  // namespace

HistoryResult run_history(std::uint64_t seed, std::vector<std::string>* trace) { return History(seed, trace).run(); }

}  // namespace mtawatch::simulation
