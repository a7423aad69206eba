#include "shared/probe/bounce_rate.h"

#include <algorithm>
#include <set>

#include "shared/base/text.h"
#include "shared/config/node.h"
#include "shared/io/files.h"
#include "shared/probe/log_window.h"
#include "shared/probe/mail_tally.h"

namespace mtawatch::probe {
namespace {

using base::Fault;
using base::Result;

constexpr std::string_view kStandardInput = "-";
constexpr std::string_view kStandardInputName = "standard input";
constexpr std::string_view kGzip = ".gz";
// A compressed file cannot be searched, only read through. One that was last written so long before the window has
// nothing for it; the day of grace is for stamps that do not agree with the machine's clock.
constexpr std::chrono::hours kFinishedBefore{24};
constexpr std::size_t kMaxPatternsFile = 4U << 20U;  // PowerMTA's configuration files are far smaller

struct Words {
    mta::Classes classes;
    std::optional<mta::BouncePatterns> patterns;
};

Result<Words> read_words(const std::string& path, const io::Files& files) {
    Words words;
    if (path.empty()) return words;
    const auto text = files.read(path, config::max_bytes);
    if (!text) return base::fail(text.error());
    auto classes = mta::parse_classes(*text, path);
    if (!classes) return base::fail(classes.error());
    words.classes = std::move(*classes);
    if (words.classes.bounce_patterns_file.empty()) return words;
    const auto patterns = files.read(words.classes.bounce_patterns_file, kMaxPatternsFile);
    if (!patterns) return base::fail(patterns.error());
    auto parsed = mta::BouncePatterns::parse(*patterns, words.classes.bounce_patterns_file);
    if (!parsed) return base::fail(parsed.error());
    words.patterns = std::move(*parsed);
    return words;
}

// The files to read, each once. x.gz beside x is a copy that is still being made.
Result<std::vector<std::string>> paths_of(const BounceRateQuery& query, const io::Files& files) {
    if (query.globs.empty()) return base::fail(Fault::usage, "no accounting file is named");
    std::set<std::string> found;
    for (const std::string& glob : query.globs) {
        if (glob == kStandardInput) {
            found.insert(glob);
            continue;
        }
        const auto matched = files.glob(glob);
        if (!matched) return base::fail(matched.error());
        found.insert(matched->begin(), matched->end());
    }
    std::vector<std::string> paths;
    for (const std::string& path : found) {
        if (path.ends_with(kGzip) && found.contains(path.substr(0, path.size() - kGzip.size()))) continue;
        paths.push_back(path);
    }
    if (paths.empty()) {
        return base::fail(Fault::not_found, "no file matches {}", base::join(query.globs, " or "));
    }
    return paths;
}

class Reader {
  public:
    Reader(const BounceRateQuery& query, const mta::ScannerOptions& options, const io::Files& files,
           const base::Deadline& deadline, MailTally& tally, BounceRateObservation& observation)
        : options_(options), files_(files), deadline_(deadline), observation_(observation), query_(query) {
        window_.begin = observation.begin;
        window_.end = observation.end;
        window_.window = [&tally](std::span<const mta::Record> records) { tally.add(records); };
        window_.sample = [&tally](std::span<const mta::Record> records) { tally.note(records); };
    }

    // One source into the observation. An Error only when time is up.
    Result<void> read(const std::string& path) {
        LogSource& source = observation_.sources.emplace_back();
        source.path = path == kStandardInput ? std::string(kStandardInputName) : path;
        const auto facts = facts_of(path, source);
        if (facts) {
            observation_.queue_times |= facts->queue_times;
            observation_.logged.complaints |= facts->complaint_columns;
            return {};
        }
        if (facts.error().fault == Fault::cut) return base::fail(facts.error());
        source.problem = facts.error().what;
        if (!first_error_) first_error_ = facts.error();
        return {};
    }

    // Looks for needed record types outside the window, where it did not show them.
    void look_further() {
        for (LogSource& source : observation_.sources) {
            const LoggedTypes& logged = observation_.logged;
            const NeededTypes& needed = query_.needed;
            const bool complete = (logged.deliveries || !needed.deliveries) &&
                                  (logged.deferrals || !needed.deferrals) && (logged.complaints || !needed.complaints);
            if (complete) return;
            if (!source.problem.empty() || source.path == kStandardInputName || source.path.ends_with(kGzip)) continue;
            if (const auto done =
                    sample_file(files_.real_path(source.path), options_, window_.sample, deadline_, source);
                !done) {
                source.problem = done.error().what;
            }
        }
    }

    [[nodiscard]] const std::optional<base::Error>& first_error() const { return first_error_; }

  private:
    Result<LogFacts> facts_of(const std::string& path, LogSource& source) {
        deadline_.doing("reading " + source.path);
        if (path == kStandardInput)
            return read_stream_window(io::standard_input(), options_, window_, deadline_, source);
        const std::string real = files_.real_path(path);
        if (!path.ends_with(kGzip)) return read_file_window(real, options_, window_, deadline_, source);
        if (const auto info = files_.info(path); info && finished_before_window(*info)) {
            source.skipped = true;
            return LogFacts{};
        }
        auto compressed = io::open_source(real);
        if (!compressed) return base::fail(compressed.error());
        io::GzipReader reader(std::move(*compressed));
        bool damaged = false;
        const io::ByteSource text = [&](std::span<char> into) {
            auto got = reader.read(into);
            damaged = !got;
            return got;
        };
        auto facts = read_stream_window(text, options_, window_, deadline_, source);
        const bool cut_by_us = !facts && facts.error().fault == Fault::cut;
        if (!damaged && !cut_by_us && !reader.complete()) {
            return base::fail(Fault::malformed, "{}: is cut off, or still being written", path);
        }
        return facts;
    }

    [[nodiscard]] bool finished_before_window(const io::FileInfo& info) const {
        return base::unix_seconds(info.modified) + std::chrono::seconds(kFinishedBefore).count() < window_.begin;
    }

    const mta::ScannerOptions& options_;
    const io::Files& files_;
    const base::Deadline& deadline_;
    BounceRateObservation& observation_;
    const BounceRateQuery& query_;
    LogWindow window_;
    std::optional<base::Error> first_error_;
};

}  // namespace

Result<BounceRateObservation> bounce_rate(const BounceRateQuery& query, const base::Deadline& deadline, World& world) {
    const base::SteadyTime begun = world.clock->steady();
    auto words = read_words(query.classes_file, *world.files);
    if (!words) return base::fail(words.error());
    const auto paths = paths_of(query, *world.files);
    if (!paths) return base::fail(paths.error());

    BounceRateObservation observation;
    observation.end = base::unix_seconds(query.end);
    observation.begin = observation.end - query.window.count();
    MailTally tally(query, words->classes, std::move(words->patterns), observation);
    mta::ScannerOptions options;
    options.aliases = words->classes.aliases;
    options.record_types = words->classes.record_types;
    options.custom_columns = {"header_X-job", "header_BatchId"};
    Reader reader(query, options, *world.files, deadline, tally, observation);
    for (const std::string& path : *paths) {
        if (const auto done = reader.read(path); !done) return base::fail(done.error());
    }
    const bool none = std::ranges::all_of(observation.sources, [](const LogSource& s) { return !s.problem.empty(); });
    if (none) return base::fail(*reader.first_error());
    reader.look_further();
    tally.finish();
    observation.took = world.clock->steady() - begun;
    return observation;
}

}  // namespace mtawatch::probe
