#include "shared/probe/bounce_rate/bounce_rate.h"

#include <algorithm>
#include <array>
#include <map>

#include "shared/base/text.h"
#include "shared/config/node.h"
#include "shared/io/files.h"
#include "shared/mta/logs/timestamps.h"
#include "shared/probe/bounce_rate/log_files.h"
#include "shared/probe/bounce_rate/log_window.h"
#include "shared/probe/bounce_rate/mail_tally.h"

namespace mtawatch::probe::bounce_rate {
namespace {

using base::fail;
using base::Fault;
using base::Result;

constexpr std::string_view standard_input_path = "-";
constexpr std::string_view standard_input_name = "standard input";
constexpr std::array<std::string_view, 2> compressed_names{".gz", ".zst"};
// A compressed file cannot be searched, only read through. One that was last written so long before the window has
// nothing for it; the day of grace is for stamps that do not agree with the machine's clock.
constexpr std::chrono::hours finished_before{24};
// KumoMTA stamps in seconds since 1970, by the clock that the file has its time from.
constexpr std::chrono::hours kumo_finished_before{1};
constexpr std::uint64_t sampled_text = 64U << 20U;  // some 70,000 records of KumoMTA
constexpr std::size_t max_far_files = 100;          // each costs several commands; more in a window is a wrong pattern
constexpr std::size_t max_patterns_file = 4U << 20U;  // PowerMTA's configuration files are far smaller

struct Words {
    mta::classes::Classes classes;
    std::optional<mta::classes::BouncePatterns> patterns;
};

Result<Words> read_words(const std::string& path, LogFormat format, const io::Files& files) {
    Words words;
    if (path.empty()) return words;
    const auto text = files.read(path, config::max_bytes);
    if (!text) return fail(text.error());
    // A file that is named must have content: an empty one was cut off or never written.
    if (base::trim(*text).empty()) return fail(Fault::configuration, "{}: the file is empty", path);
    auto classes = mta::classes::parse_classes(*text, path);
    if (!classes) return fail(classes.error());
    words.classes = std::move(*classes);
    // The patterns are PowerMTA's: they match the replies in its words, and the exporter has them for its files alone.
    if (format != LogFormat::pmta || words.classes.bounce_patterns_file.empty()) return words;
    const auto patterns = files.read(words.classes.bounce_patterns_file, max_patterns_file);
    if (!patterns) return fail(patterns.error());
    auto parsed = mta::classes::BouncePatterns::parse(*patterns, words.classes.bounce_patterns_file);
    if (!parsed) return fail(parsed.error());
    words.patterns = std::move(*parsed);
    return words;
}

// The name of a compressed copy without its ending; nothing for another name.
std::optional<std::string> uncompressed_name(const std::string& path) {
    for (const std::string_view ending : compressed_names) {
        if (path.ends_with(ending)) return path.substr(0, path.size() - ending.size());
    }
    return std::nullopt;
}

// The files to read, each once. x.gz beside x is a copy that is still being made.
Result<std::vector<LogEntry>> entries_of(const BounceRateQuery& query, LogFiles& files) {
    if (query.globs.empty() && query.journal.empty()) return fail(Fault::usage, "no file is named");
    std::map<std::string, base::WallTime> found;
    for (const std::string& glob : query.globs) {
        if (glob == standard_input_path) {
            if (files.far()) return fail(Fault::usage, "-f -: standard input is not on the other host; name its files");
            found.emplace(glob, base::WallTime::max());
            continue;
        }
        const auto matched = files.glob(glob);
        if (!matched) return fail(matched.error());
        for (const LogEntry& entry : *matched) found.emplace(entry.path, entry.modified);
    }
    std::vector<LogEntry> entries;
    for (const auto& [path, modified] : found) {
        const auto plain = uncompressed_name(path);
        if (!plain || !found.contains(*plain)) entries.push_back({path, modified});
    }
    if (entries.empty() && query.journal.empty()) {
        return fail(Fault::not_found, "no file matches {}{}", base::join(query.globs, " or "), files.where());
    }
    // What is remembered of a message goes from one file to the next, so the oldest is read first.
    if (query.format == LogFormat::postfix) std::ranges::stable_sort(entries, {}, &LogEntry::modified);
    return entries;
}

// What the clock of the machine says that wrote the log.
Result<mta::logs::MachineTime> time_on(const world::Machine& machine, const base::Deadline& deadline) {
    const auto printed = machine.output_of({"date", "+%Y-%m-%dT%H:%M:%S%z"}, deadline);
    if (!printed) return fail(printed.error());
    const auto now = mta::logs::parse_machine_time(*printed);
    if (!now) return fail(Fault::malformed, "date printed '{}'", base::one_line(*printed, 60));
    return *now;
}

// The configuration's columns are those of PowerMTA's files.
mta::classes::JobColumns job_columns_of(const BounceRateQuery& query, const mta::classes::Classes& classes) {
    return mta::classes::job_columns(query.format == LogFormat::pmta ? classes.job_columns
                                                                     : mta::classes::default_job_columns());
}

Result<LogOptions> read_options(const BounceRateQuery& query, const mta::classes::Classes& classes,
                                std::vector<std::string> custom_columns, const base::Clock& clock,
                                const std::optional<mta::logs::MachineTime>& there) {
    LogOptions options;
    options.format = query.format;
    options.scanner.aliases = classes.aliases;
    options.scanner.record_types = classes.record_types;
    options.scanner.custom_columns = std::move(custom_columns);
    options.postfix.now = [&clock] { return base::unix_seconds(clock.wall()); };
    if (there) {
        options.postfix.now = [seconds = there->seconds] { return seconds; };
        // Its rules for summer time are not known here: for an hour after a change, stamps without an offset are
        // read an hour off.
        options.scanner.zone = options.postfix.zone = mta::logs::Zone::fixed(there->offset);
    }
    if (!query.table.empty()) {
        auto table = parse_table(query.table);
        if (!table) return fail(table.error());
        options.table = std::move(*table);
        options.scanner.any_type = true;
    }
    if (!query.types.empty()) {
        auto types = parse_types(query.types);
        if (!types) return fail(types.error());
        for (auto& [value, type] : *types) options.scanner.record_types.insert_or_assign(value, type);
    }
    return options;
}

class Reader {
  public:
    Reader(const BounceRateQuery& query, const LogOptions& options, LogFiles& files, io::Commands* commands,
           const base::Deadline& deadline, MailTally& tally, BounceRateObservation& observation)
        : options_(options),
          text_(options),
          files_(files),
          commands_(commands),
          deadline_(deadline),
          observation_(observation),
          query_(query) {
        window_.begin = observation.begin - query.since.count();
        window_.end = observation.end;
        window_.window = [this, &tally](std::span<const mta::logs::Record> records) {
            if (!query_.table.empty() || !query_.types.empty()) count_unknown_types(records);
            tally.add(records);
        };
        window_.sample = [&tally](std::span<const mta::logs::Record> records) { tally.observe(records); };
    }

    // One source into the observation. An Error only when time is up.
    // `newest`: no other file was written to later.
    Result<void> read(const LogEntry& entry, bool newest) {
        LogSource& source = observation_.sources.emplace_back();
        source.path = entry.path == standard_input_path ? std::string(standard_input_name) : entry.path;
        return record_source(source, facts_of(entry, newest, source));
    }
    Result<void> read_journal() {
        LogSource& source = observation_.sources.emplace_back();
        source.path = journal_name();
        deadline_.doing("reading the " + source.path);
        return record_source(source,
                             read_journal_window(*commands_, query_.journal, text_, window_, deadline_, source));
    }
    // Names the sources whose file was exchanged while it was read. An Error when that cannot be told.
    Result<void> check_identity() {
        for (LogSource& source : observation_.sources) {
            const bool read = source.bytes_read > 0 && source.problem.empty() && source.path != journal_name();
            if (!read) continue;
            auto exchanged = files_.exchanged(source.path);
            if (!exchanged) return fail(exchanged.error());
            source.problem = std::move(*exchanged);
        }
        return {};
    }
    // Looks for needed record types outside the window, where it did not show them.
    void search_outside_window() {
        for (LogSource& source : observation_.sources) {
            if (types_are_shown()) return;
            const bool searched = source.search_reads > 0;  // a plain file
            if (!source.problem.empty() || !searched) continue;
            const auto file = files_.open(source.path);
            const auto done = file ? sample_file(**file, options_, window_.sample, deadline_, source)
                                   : Result<void>(fail(file.error()));
            if (!done) source.problem = done.error().what;
        }
        // Of KumoMTA's log only compressed segments are there: the ones before the window, newest first.
        std::uint64_t left = options_.format == LogFormat::kumomta ? sampled_text : 0;
        for (std::size_t i = observation_.sources.size(); i > 0; --i) {
            if (observation_.sources[i - 1].skipped) sample_skipped(observation_.sources[i - 1], left);
        }
    }

    [[nodiscard]] const std::optional<base::Error>& first_error() const { return first_error_; }

  private:
    [[nodiscard]] std::string journal_name() const { return "journal of " + query_.journal; }

    Result<void> record_source(LogSource& source, const Result<LogFacts>& facts) {
        if (facts) {
            observation_.queue_times |= facts->queue_times;
            observation_.logged.complaints |= facts->complaint_columns;
            return {};
        }
        if (facts.error().fault == Fault::deadline) return fail(facts.error());
        source.problem = facts.error().what;
        if (!first_error_) first_error_ = facts.error();
        return {};
    }

    void count_unknown_types(std::span<const mta::logs::Record> records) {
        for (const mta::logs::Record& record : records) {
            const std::string_view value = record.raw(mta::logs::Column::type);
            const bool inside = record.time >= observation_.begin && record.time < window_.end;
            if (!inside || record.type != mta::logs::RecordType::other ||
                options_.scanner.record_types.contains(value)) {
                continue;
            }
            auto& unknown = observation_.unknown_types;
            std::string name = base::one_line(value, 40);
            if (unknown.contains(name) || unknown.size() < max_unknown_types) ++unknown[std::move(name)];
        }
    }

    Result<LogFacts> facts_of(const LogEntry& entry, bool newest, LogSource& source) {
        const std::string& path = entry.path;
        deadline_.doing("reading " + source.path + files_.where());
        if (path == standard_input_path) return read_source(*io::standard_input(), source);
        const bool finished = finished_before_window(entry.modified);
        // The newest file is read all the same: it says how old the newest record is.
        if (files_.far() && finished && !newest) return skip(source);
        const auto file = files_.open(path);
        if (!file) return fail(file.error());
        const auto compression = file_compression(**file, path);
        if (!compression) return fail(compression.error());
        // A file whose name ends in .gz or the like is read as compressed, so that a damaged one is reported as
        // damaged.
        const bool compressed = *compression != io::Compression::none || uncompressed_name(path).has_value();
        if (!compressed && options_.table.empty()) {
            return read_file_window(**file, options_, text_, window_, deadline_, source);
        }
        if (compressed && finished) return skip(source);
        auto bytes = files_.open_source(path);
        if (!bytes) return fail(bytes.error());
        return read_source(**bytes, source);
    }

    static LogFacts skip(LogSource& source) {
        source.skipped = true;
        return LogFacts{};
    }

    Result<LogFacts> read_source(io::ByteSource& bytes, LogSource& source) {
        bool damaged = false;
        const io::ReadBytes text = [&](std::span<char> into) {
            auto got = bytes.read(into);
            damaged = !got;
            return got;
        };
        auto facts = read_stream_window(text, options_, text_, window_, deadline_, source);
        const bool cut_by_us = !facts && facts.error().fault == Fault::deadline;
        if (damaged || cut_by_us || bytes.complete()) return facts;
        // KumoMTA compresses as it writes, so its newest segment never has its end.
        source.growing = options_.format == LogFormat::kumomta;
        if (source.growing) return facts;
        return fail(Fault::malformed, "{}: is cut off, or still being written", source.path);
    }

    [[nodiscard]] bool types_are_shown() const {
        const LoggedTypes& logged = observation_.logged;
        const NeededTypes& needed = query_.needed;
        return (logged.deliveries || !needed.deliveries) && (logged.deferrals || !needed.deferrals) &&
               (logged.complaints || !needed.complaints);
    }

    // A segment that was left alone, as far as it takes to meet the types, and `left` bytes of text at most. One that
    // cannot be read shows nothing.
    void sample_skipped(LogSource& source, std::uint64_t& left) {
        if (left == 0 || types_are_shown()) return;
        auto bytes = files_.open_source(source.path);
        if (!bytes) return;
        LogText text(options_);
        mta::logs::RecordReader& reader = text.reader();
        while (left > 0 && !types_are_shown() && !deadline_.expired()) {
            const auto got = (*bytes)->read(reader.space());
            if (!got || *got == 0) return;
            reader.commit(*got);
            left -= std::min<std::uint64_t>(left, *got);
            source.bytes_read += *got;
            for (auto records = reader.next(); !records.empty(); records = reader.next()) window_.sample(records);
        }
    }

    [[nodiscard]] bool finished_before_window(base::WallTime modified) const {
        const std::chrono::seconds grace =
            options_.format == LogFormat::kumomta ? kumo_finished_before : finished_before;
        return modified != base::WallTime::max() && base::unix_seconds(modified) + grace.count() < window_.begin;
    }

    const LogOptions& options_;
    LogText text_;
    LogFiles& files_;
    io::Commands* commands_;
    const base::Deadline& deadline_;
    BounceRateObservation& observation_;
    const BounceRateQuery& query_;
    LogWindow window_;
    std::optional<base::Error> first_error_;
};

}  // namespace

namespace {

Result<void> read_all(const BounceRateQuery& query, const std::vector<LogEntry>& entries, LogFiles& files,
                      Reader& reader) {
    if (!query.journal.empty()) {
        if (auto done = reader.read_journal(); !done) return done;
    }
    if (files.far() && entries.size() > max_far_files) {
        return fail(Fault::limit, "{} files match {}{}: more than {} are not read over SSH", entries.size(),
                    base::join(query.globs, " or "), files.where(), max_far_files);
    }
    const auto newest = std::ranges::max_element(entries, {}, &LogEntry::modified);
    for (auto entry = entries.begin(); entry != entries.end(); ++entry) {
        if (auto done = reader.read(*entry, entry == newest); !done) return done;
    }
    return {};
}

}  // namespace

Result<BounceRateObservation> bounce_rate(const BounceRateQuery& query, const base::Deadline& deadline,
                                          world::World& world) {
    const base::SteadyTime begun = world.clock->steady();
    auto words = read_words(query.classes_file, query.format, *world.files);
    if (!words) return fail(words.error());
    std::optional<world::Machine> machine;
    std::optional<mta::logs::MachineTime> there;
    if (query.ssh) {
        auto opened = world::Machine::open(world, query.ssh, deadline);
        if (!opened) return fail(opened.error());
        machine = std::move(*opened);
        const auto time = time_on(*machine, deadline);
        if (!time) return fail(time.error());
        there = *time;
    }
    const auto files = machine ? remote_log_files(*machine, deadline) : local_log_files(*world.files);
    const auto entries = entries_of(query, *files);
    if (!entries) return fail(entries.error());

    BounceRateObservation observation;
    observation.format = query.format;
    observation.table = !query.table.empty() || !query.types.empty();
    observation.metric = query.metric;
    observation.by = query.by;
    observation.since = query.since;
    observation.end = query.end ? base::unix_seconds(*query.end)
                      : there   ? there->seconds
                                : base::unix_seconds(world.clock->wall());
    observation.begin = observation.end - query.window.count();
    mta::classes::JobColumns jobs = job_columns_of(query, words->classes);
    MailTally tally(query, words->classes, std::move(words->patterns), std::move(jobs.cells), observation);
    const auto options = read_options(query, words->classes, std::move(jobs.custom), *world.clock, there);
    if (!options) return fail(options.error());
    Reader reader(query, *options, *files, machine ? &machine->commands() : world.commands, deadline, tally,
                  observation);
    if (const auto done = read_all(query, *entries, *files, reader); !done) return fail(done.error());
    const bool none = std::ranges::all_of(observation.sources, [](const LogSource& s) { return !s.problem.empty(); });
    if (none) return fail(*reader.first_error());
    reader.search_outside_window();
    if (const auto done = reader.check_identity(); !done) return fail(done.error());
    tally.finish();
    // Every delivery of Postfix is in its log, whatever became of it; what is missing there has not happened.
    if (query.format == LogFormat::postfix && observation.newest) {
        observation.logged = {.deliveries = true, .bounces = true, .deferrals = true, .complaints = false};
    }
    observation.took = world.clock->steady() - begun;
    return observation;
}

}  // namespace mtawatch::probe::bounce_rate
