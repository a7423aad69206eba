#include "shared/probe/bounce_rate/log_window.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <optional>
#include <vector>

#include "shared/base/text.h"
#include "shared/probe/world/machine.h"

namespace mtawatch::probe::bounce_rate {
namespace {

using base::fail;
using mta::logs::Column;
using mta::logs::Record;
using mta::logs::RecordReader;

constexpr std::size_t head_limit = 64U << 10U;     // the header and the first records
constexpr std::size_t probe_bytes = 16U << 10U;    // some 40 records: enough for a vote on the time at one place
constexpr std::uint64_t near_enough = 64U << 10U;  // less than this before the window costs nothing to read
constexpr std::uint64_t max_search_reads = 25;
constexpr std::size_t voters = 5;  // one record with a wrong time stamp must not mislead the search
constexpr std::size_t sample_pieces = 16;
constexpr std::size_t sample_bytes = 64U << 10U;
// Writers append in the order of their own clock; a minute covers a step of it.
constexpr std::int64_t slack_seconds = 60;
constexpr std::int64_t slack_without_offset = std::int64_t{2} * 3600;

base::Error cut(const LogSource& source, std::uint64_t size) {
    return {base::Fault::deadline,
            fmt::format("{}: no time left after {} of {} MB; give a smaller --window or a longer --timeout",
                        source.path, source.bytes_read >> 20U, size >> 20U)};
}

void drain(RecordReader& reader, const RecordSink& sink) {
    for (auto records = reader.next(); !records.empty(); records = reader.next()) sink(records);
}

// Lines that are no records. Counted over all of a reader's sources, so a source's own are a difference.
std::uint64_t malformed_of(const RecordReader& reader) {
    return reader.counts().malformed() + reader.counts().of(mta::logs::ScanError::oversized);
}

// A source of which nothing is of the wanted format, although something is of another one.
base::Result<LogFacts> refuse_other_formats(const LogOptions& options, const LogText& text, std::uint64_t lines_before,
                                            std::string_view head, const LogSource& source,
                                            base::Result<LogFacts> facts) {
    if (facts && (options.format == LogFormat::pmta || text.own_lines() > lines_before)) return facts;
    if (!options.table.empty()) {
        return fail(base::Fault::configuration,
                    "{}: the table has no column of times; name it with --map timeLogged=COLUMN", source.path);
    }
    const std::string other = likely_format(head, options.format);
    if (!other.empty()) return fail(base::Fault::malformed, "{}: {}", source.path, other);
    if (facts && options.format == LogFormat::kumomta && source.malformed > 0) {
        return fail(base::Fault::malformed, "{}: holds no record of KumoMTA; is it a segment of its log?", source.path);
    }
    return facts;
}

// One file's search for the first record of the window.
class Search {
  public:
    Search(LogFile& file, const LogOptions& options, std::string header, const LogWindow& window, LogSource& source)
        : file_(file), text_(options), header_(std::move(header)), window_(window), source_(source) {}

    // The start of a line before which no record is as late as `wanted`; nothing when the file does not let itself be
    // bisected, because its lines are not read under its first header.
    base::Result<std::optional<std::uint64_t>> before(std::int64_t wanted) {
        std::uint64_t low = 0;
        std::uint64_t high = file_.size();
        while (high - low > near_enough && source_.search_reads < max_search_reads) {
            const std::uint64_t middle = low + (high - low) / 2;
            const auto found = place_at(middle);
            if (!found) return fail(found.error());
            if (!*found) return std::optional<std::uint64_t>();
            if ((*found)->time < wanted) {
                low = std::max(low, (*found)->line);
            } else {
                high = middle;
            }
        }
        return std::optional(low);
    }

  private:
    struct Place {
        std::uint64_t line = 0;  // where the first whole line begins
        std::int64_t time = 0;   // the middle one of the next few records' times
    };

    // The time at a place: of the records after the next line end.
    base::Result<std::optional<Place>> place_at(std::uint64_t at) {
        for (const std::size_t size : {probe_bytes, 2 * mta::logs::max_record_bytes}) {
            bytes_.resize(size);
            ++source_.search_reads;
            const auto got = file_.read(at, bytes_);
            if (!got) return fail(got.error());
            source_.bytes_read += *got;
            const std::string_view text(bytes_.data(), *got);
            const std::size_t newline = text.find('\n');
            if (newline == std::string_view::npos) continue;
            const std::uint64_t line = at + newline + 1;
            const auto times = times_of(text.substr(newline + 1), line);
            if (!times.empty()) return std::optional(Place{line, times[times.size() / 2]});
        }
        return std::optional<Place>();
    }

    std::vector<std::int64_t> times_of(std::string_view text, std::uint64_t line) {
        std::vector<std::int64_t> times;
        RecordReader& reader = text_.reader();
        reader.resume(header_, line);
        while (!text.empty() && times.size() < voters) {
            text.remove_prefix(reader.push(text));
            drain(reader, [&](std::span<const Record> records) {
                window_.sample(records);
                for (const Record& record : records) {
                    if (record.time != mta::logs::no_time && times.size() < voters) times.push_back(record.time);
                }
            });
        }
        std::ranges::sort(times);
        return times;
    }

    LogFile& file_;
    LogText text_;
    std::string header_;
    const LogWindow& window_;
    LogSource& source_;
    std::vector<char> bytes_;
};

// Hands out the records from the scanner's place to the window's end.
base::Result<void> read_on(LogFile& file, RecordReader& scanner, const LogWindow& window, std::int64_t slack,
                           const base::Deadline& deadline, LogSource& source) {
    bool past = false;
    const std::uint64_t malformed = malformed_of(scanner);
    const RecordSink sink = [&](std::span<const Record> records) {
        window.window(records);
        past = past || records.back().time > window.end + slack;
    };
    std::uint64_t at = scanner.committed();
    while (!past) {
        if (deadline.expired()) return fail(cut(source, file.size()));
        const auto space = scanner.space();
        const auto got = file.read(at, space);
        if (!got) return fail(got.error());
        if (*got == 0) break;
        at += *got;
        source.bytes_read += *got;
        scanner.commit(*got);
        drain(scanner, sink);
    }
    // The file may be growing: a last line that is not whole yet is no error.
    const std::uint64_t cut_off = scanner.counts().of(mta::logs::ScanError::cut_off);
    if (!past) {
        scanner.finish();
        drain(scanner, sink);
    }
    source.malformed +=
        malformed_of(scanner) - malformed - (scanner.counts().of(mta::logs::ScanError::cut_off) - cut_off);
    return {};
}

// Whether the first stamp in the text carries its offset.
bool stamps_have_offsets(RecordReader& scanner, const RecordSink& sink) {
    std::optional<bool> answer;
    mta::logs::TimestampParser parser(mta::logs::Zone::utc());
    drain(scanner, [&](std::span<const Record> records) {
        sink(records);
        for (const Record& record : records) {
            if (answer) return;
            if (parser.parse(record.raw(Column::time_logged))) answer = parser.had_offset();
        }
    });
    return answer.value_or(false);
}

// The same of a log line: only "Nov 21 03:05:00" is without one.
bool lines_have_offsets(RecordReader& reader, std::string_view text, const RecordSink& sink) {
    drain(reader, sink);
    if (text.starts_with('<')) text.remove_prefix(std::min(text.find('>'), text.size() - 1) + 1);
    return !text.empty() && (text.front() == '{' || (text.front() >= '0' && text.front() <= '9'));
}

// The first line of a table as PowerMTA's header; the reader goes on behind it. Nothing while the line is not whole.
base::Result<bool> parse_table_header(std::string_view text, bool ended, const LogOptions& options, LogText& log) {
    const std::size_t end = text.find('\n');
    if (end == std::string_view::npos && !ended) return text.size() > head_limit;
    const auto header = table_header(text.substr(0, end), options);
    if (!header) return fail(header.error());
    const std::size_t size = end == std::string_view::npos ? text.size() : end + 1;
    log.reader().resume(*header, size);
    log.reader().push(text.substr(size));
    return true;
}

}  // namespace

base::Result<io::Compression> file_compression(LogFile& file, const std::string& path) {
    std::array<char, 16> first{};
    const auto got = file.read(0, first);
    if (!got) return fail(got.error());
    return io::compression_of({first.data(), *got}, path);
}

base::Result<LogFacts> read_file_window(LogFile& file, const LogOptions& options, LogText& text,
                                        const LogWindow& window, const base::Deadline& deadline, LogSource& source) {
    if (file.size() == 0) return LogFacts{};  // just created: nothing in it yet
    const bool accounting = options.format == LogFormat::pmta;
    LogText head(options);
    std::string head_bytes(head_limit, '\0');
    const auto got = file.read(0, head_bytes);
    if (!got) return fail(got.error());
    head_bytes.resize(*got);
    source.bytes_read += *got;
    ++source.search_reads;
    head.reader().push(head_bytes);
    const bool offsets = accounting ? stamps_have_offsets(head.reader(), window.sample)
                                    : lines_have_offsets(head.reader(), head_bytes, window.sample);
    if (accounting && head.reader().header().empty() && *got == file.size()) {
        head.reader().finish();
        drain(head.reader(), window.sample);
    }
    const std::int64_t slack = offsets ? slack_seconds : slack_without_offset;
    const std::int64_t lead = options.format == LogFormat::postfix ? postfix_lead : 0;
    // Without a header at its beginning, or with times that are not those of writing, a file is read through.
    auto facts = head.header_facts(source.path);
    if (!facts && !(head.reader().header().empty() && *got < file.size())) {
        return refuse_other_formats(options, head, 0, head_bytes, source, facts);
    }
    text.reader().reset();
    if (facts && !facts->queue_times) {
        Search search(file, options, head.reader().header(), window, source);
        const auto start = search.before(window.begin - slack - lead);
        if (!start) return fail(start.error());
        if (*start && **start > 0) text.reader().resume(head.reader().header(), **start);
    }
    const std::uint64_t lines_before = text.own_lines() - std::min(text.own_lines(), head.own_lines());
    const auto read = read_on(file, text.reader(), window, slack, deadline, source);
    if (!read) return fail(read.error());
    if (!facts) facts = text.header_facts(source.path);
    return refuse_other_formats(options, text, lines_before, head_bytes, source, facts);
}

base::Result<LogFacts> read_stream_window(const io::ReadBytes& bytes, const LogOptions& options, LogText& text,
                                          const LogWindow& window, const base::Deadline& deadline, LogSource& source) {
    RecordReader& reader = text.reader();
    reader.reset();
    const std::uint64_t malformed = malformed_of(reader);
    const std::uint64_t lines_before = text.own_lines();
    std::optional<base::Error> damage;
    std::string head;
    bool waits = !options.table.empty();  // for the table's header
    const auto apply_header = [&](bool ended) -> base::Result<void> {
        const auto taken = parse_table_header(head, ended, options, text);
        if (!taken) return fail(taken.error().at(source.path));
        waits = !*taken;
        return {};
    };
    for (;;) {
        if (deadline.expired()) return fail(cut(source, source.bytes_read));
        const auto space = reader.space();
        const auto got = bytes(space);
        // What came before the damage is right, and counts.
        if (!got) damage = got.error();
        if (!got || *got == 0) break;
        source.bytes_read += *got;
        if (waits || head.size() < head_limit) head.append(space.data(), *got);
        if (waits) {
            if (const auto done = apply_header(false); !done) return fail(done.error());
        } else {
            reader.commit(*got);
        }
        drain(reader, window.window);
    }
    if (waits && !head.empty()) {
        if (const auto done = apply_header(true); !done) return fail(done.error());
    }
    // A segment of KumoMTA's that is still being written may end anywhere.
    const std::uint64_t cut_off = reader.counts().of(mta::logs::ScanError::cut_off);
    reader.finish();
    drain(reader, window.window);
    source.malformed += malformed_of(reader) - malformed;
    if (options.format == LogFormat::kumomta) {
        source.malformed -= reader.counts().of(mta::logs::ScanError::cut_off) - cut_off;
    }
    if (damage) return fail(*damage);
    if (source.bytes_read == 0) return LogFacts{};
    return refuse_other_formats(options, text, lines_before, head, source, text.header_facts(source.path));
}

base::Result<LogFacts> read_journal_window(io::Commands& commands, const std::string& unit, LogText& text,
                                           const LogWindow& window, const base::Deadline& deadline, LogSource& source) {
    RecordReader& reader = text.reader();
    reader.reset();
    bool whole_lines = true;
    const auto take = [&](std::string_view piece) {
        source.bytes_read += piece.size();
        whole_lines = piece.ends_with('\n');
        while (!piece.empty()) {
            piece.remove_prefix(reader.push(piece));
            drain(reader, window.window);
        }
        return true;
    };
    const auto done = commands.stream(
        {"journalctl", "--no-pager", "--unit=" + unit, "--output=short-iso-precise",
         fmt::format("--since=@{}", window.begin - postfix_lead), fmt::format("--until=@{}", window.end)},
        take, deadline);
    // A journal that takes too long is a failed probe, and says nothing about the mail.
    if (!done && done.error().fault == base::Fault::timeout) {
        return fail(base::Fault::deadline,
                    "{}: no time left after {} MB; give a smaller --window or a longer --timeout", source.path,
                    source.bytes_read >> 20U);
    }
    if (!done) return fail(done.error());
    const std::string said = base::one_line(base::trim(done->error_text), 100);
    // journalctl exits with 0 and shows only our own messages where it may not show all: that is a failed probe.
    for (const std::string_view refusal : {"not seeing messages", "insufficient permissions", "no journal files"}) {
        if (!base::icontains(said, refusal)) continue;
        return fail(base::Fault::permission,
                    "journalctl {}: the journal cannot be read ({}): add this user to the group systemd-journal",
                    commands.where(), said);
    }
    if (done->exit_status != 0) return fail(world::failed_program("journalctl", commands, *done));
    // It ends every line; what does not was cut off, and nobody knows how much of it is missing.
    if (!whole_lines) {
        return fail(base::Fault::malformed, "journalctl {} was cut off in the middle of a line", commands.where());
    }
    reader.finish();
    drain(reader, window.window);
    return LogFacts{};
}

base::Result<void> sample_file(LogFile& file, const LogOptions& options, const RecordSink& sample,
                               const base::Deadline& deadline, LogSource& source) {
    LogText head(options);
    LogText later(options);
    std::vector<char> bytes(sample_bytes);
    for (std::size_t piece = 0; piece < sample_pieces && !deadline.expired(); ++piece) {
        const std::uint64_t at = file.size() / sample_pieces * piece;
        const auto got = file.read(at, bytes);
        if (!got) return fail(got.error());
        source.bytes_read += *got;
        std::string_view text(bytes.data(), *got);
        RecordReader& reader = piece == 0 ? head.reader() : later.reader();
        if (piece > 0) {
            const std::size_t newline = text.find('\n');
            if (newline == std::string_view::npos) continue;
            text.remove_prefix(newline + 1);
            reader.resume(head.reader().header(), at + newline + 1);
        }
        while (!text.empty()) {
            text.remove_prefix(reader.push(text));
            drain(reader, sample);
        }
    }
    return {};
}

}  // namespace mtawatch::probe::bounce_rate
