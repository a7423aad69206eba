#include "shared/probe/log_window.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <optional>
#include <vector>

#include "shared/io/descriptor.h"
#include "shared/io/system_error.h"

namespace mtawatch::probe {
namespace {

using mta::AccountingScanner;
using mta::Column;
using mta::Record;

constexpr std::size_t kHeadBytes = 64U << 10U;     // the header and the first records
constexpr std::size_t kProbeBytes = 16U << 10U;    // some 40 records: enough for a vote on the time at one place
constexpr std::uint64_t kNearEnough = 64U << 10U;  // less than this before the window costs nothing to read
constexpr std::uint64_t kMaxSearchReads = 25;
constexpr std::size_t kVoters = 5;  // one record with a stray stamp must not send the search astray
constexpr std::size_t kSamplePieces = 16;
constexpr std::size_t kSampleBytes = 64U << 10U;
// Writers append in the order of their own clock; a minute covers a step of it.
constexpr std::int64_t kSlack = 60;
constexpr std::int64_t kSlackWithoutOffset = 2 * 3600;

class File {
  public:
    static base::Result<File> open(const std::string& real_path, const std::string& path) {
        // Non-blocking, so that a FIFO put in the file's place cannot hold the plugin.
        io::Descriptor descriptor(::open(real_path.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK));
        if (!descriptor) return base::fail(io::file_error(path, errno));
        struct stat status {};
        if (::fstat(descriptor.get(), &status) != 0) return base::fail(io::file_error(path, errno));
        if (S_ISDIR(status.st_mode)) {
            return base::fail(base::Fault::io, "{}: is a directory; write a pattern for the files in it", path);
        }
        if (!S_ISREG(status.st_mode)) {
            return base::fail(base::Fault::io, "{}: is no regular file; give its text on standard input with -f -",
                              path);
        }
        return File(path, std::move(descriptor), static_cast<std::uint64_t>(status.st_size));
    }

    [[nodiscard]] std::uint64_t size() const { return size_; }
    [[nodiscard]] base::Result<std::size_t> read(std::uint64_t at, std::span<char> into) const {
        std::size_t filled = 0;
        while (filled < into.size()) {
            const ssize_t got =
                ::pread(descriptor_.get(), into.data() + filled, into.size() - filled, static_cast<off_t>(at + filled));
            if (got < 0 && errno == EINTR) continue;
            if (got < 0) return base::fail(io::file_error(path_, errno));
            if (got == 0) break;
            filled += static_cast<std::size_t>(got);
        }
        return filled;
    }

  private:
    File(std::string path, io::Descriptor descriptor, std::uint64_t size)
        : path_(std::move(path)), descriptor_(std::move(descriptor)), size_(size) {}
    std::string path_;
    io::Descriptor descriptor_;
    std::uint64_t size_;
};

base::Error cut(const LogSource& source, std::uint64_t size) {
    return {base::Fault::cut,
            fmt::format("{}: no time left after {} of {} MB; give a smaller --window or a longer --timeout",
                        source.path, source.bytes_read >> 20U, size >> 20U)};
}

void drain(AccountingScanner& scanner, const RecordSink& sink) {
    for (auto records = scanner.next(); !records.empty(); records = scanner.next()) sink(records);
}

// The header's facts; an Error when its records cannot be placed in time.
base::Result<LogFacts> facts_of(const AccountingScanner& scanner, const LogSource& source) {
    if (scanner.header().empty()) {
        return base::fail(base::Fault::malformed, "{}: no header line; is it an accounting file of PowerMTA?",
                          source.path);
    }
    const auto has = [&](Column column) { return scanner.columns()[static_cast<std::size_t>(column)] != mta::kAbsent; };
    if (!has(Column::time_logged) && !has(Column::time_queued)) {
        return base::fail(
            base::Fault::malformed,
            "{}: its header has neither timeLogged nor timeQueued, so its records cannot be placed in time; "
            "add timeLogged to record-fields",
            source.path);
    }
    return LogFacts{!has(Column::time_logged), has(Column::feedback_type) || has(Column::reported_domain)};
}

// One file's search for the first record of the window.
class Search {
  public:
    Search(const File& file, const mta::ScannerOptions& options, std::string header, const LogWindow& window,
           LogSource& source)
        : file_(file), scanner_(options), header_(std::move(header)), window_(window), source_(source) {}

    // The start of a line before which no record is as late as `wanted`; nothing when the file does not let itself be
    // bisected, because its lines are not read under its first header.
    base::Result<std::optional<std::uint64_t>> before(std::int64_t wanted) {
        std::uint64_t low = 0;
        std::uint64_t high = file_.size();
        while (high - low > kNearEnough && source_.search_reads < kMaxSearchReads) {
            const std::uint64_t middle = low + (high - low) / 2;
            const auto found = look(middle);
            if (!found) return base::fail(found.error());
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
    base::Result<std::optional<Place>> look(std::uint64_t at) {
        for (const std::size_t size : {kProbeBytes, 2 * mta::kMaxRecordBytes}) {
            bytes_.resize(size);
            ++source_.search_reads;
            const auto got = file_.read(at, bytes_);
            if (!got) return base::fail(got.error());
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
        scanner_.resume(header_, line);
        while (!text.empty() && times.size() < kVoters) {
            text.remove_prefix(scanner_.feed(text));
            drain(scanner_, [&](std::span<const Record> records) {
                window_.sample(records);
                for (const Record& record : records) {
                    if (record.time != mta::kNoTime && times.size() < kVoters) times.push_back(record.time);
                }
            });
        }
        std::sort(times.begin(), times.end());
        return times;
    }

    const File& file_;
    AccountingScanner scanner_;
    std::string header_;
    const LogWindow& window_;
    LogSource& source_;
    std::vector<char> bytes_;
};

// Hands out the records from the scanner's place to the window's end.
base::Result<void> read_on(const File& file, AccountingScanner& scanner, const LogWindow& window, std::int64_t slack,
                           const base::Deadline& deadline, LogSource& source) {
    bool past = false;
    const RecordSink sink = [&](std::span<const Record> records) {
        window.window(records);
        past = past || records.back().time > window.end + slack;
    };
    std::uint64_t at = scanner.committed();
    while (!past) {
        if (deadline.expired()) return base::fail(cut(source, file.size()));
        const auto space = scanner.space();
        const auto got = file.read(at, space);
        if (!got) return base::fail(got.error());
        if (*got == 0) break;
        at += *got;
        source.bytes_read += *got;
        scanner.commit(*got);
        drain(scanner, sink);
    }
    // The file may be growing: a last line that is not whole yet is no error.
    const std::uint64_t cut_off = scanner.counts().of(mta::ScanError::cut_off);
    if (!past) {
        scanner.finish();
        drain(scanner, sink);
    }
    source.malformed += scanner.counts().malformed() + scanner.counts().of(mta::ScanError::oversized) -
                        (scanner.counts().of(mta::ScanError::cut_off) - cut_off);
    return {};
}

// Whether the first stamp in the text carries its offset.
bool stamps_have_offsets(AccountingScanner& scanner, const RecordSink& sink) {
    std::optional<bool> answer;
    mta::TimestampParser parser(mta::Zone::utc());
    drain(scanner, [&](std::span<const Record> records) {
        sink(records);
        for (const Record& record : records) {
            if (answer) return;
            if (parser.parse(record.raw(Column::time_logged))) answer = parser.had_offset();
        }
    });
    return answer.value_or(false);
}

}  // namespace

base::Result<LogFacts> read_file_window(const std::string& real_path, const mta::ScannerOptions& options,
                                        const LogWindow& window, const base::Deadline& deadline, LogSource& source) {
    const auto file = File::open(real_path, source.path);
    if (!file) return base::fail(file.error());
    if (file->size() == 0) return LogFacts{};  // just created: nothing in it yet
    AccountingScanner head(options);
    const auto space = head.space().first(kHeadBytes);
    const auto got = file->read(0, space);
    if (!got) return base::fail(got.error());
    source.bytes_read += *got;
    ++source.search_reads;
    head.commit(*got);
    const bool offsets = stamps_have_offsets(head, window.sample);
    if (head.header().empty() && *got == file->size()) {
        head.finish();
        drain(head, window.sample);
    }
    const std::int64_t slack = offsets ? kSlack : kSlackWithoutOffset;
    AccountingScanner scanner(options);
    // Without a header at its beginning, or with times that are not those of writing, a file is read through.
    auto facts = facts_of(head, source);
    if (!facts && !(head.header().empty() && *got < file->size())) return facts;
    if (facts && !facts->queue_times) {
        Search search(*file, options, head.header(), window, source);
        const auto start = search.before(window.begin - slack);
        if (!start) return base::fail(start.error());
        if (*start && **start > 0) scanner.resume(head.header(), **start);
    }
    const auto read = read_on(*file, scanner, window, slack, deadline, source);
    if (!read) return base::fail(read.error());
    return facts ? facts : facts_of(scanner, source);
}

base::Result<LogFacts> read_stream_window(const io::ByteSource& bytes, const mta::ScannerOptions& options,
                                          const LogWindow& window, const base::Deadline& deadline, LogSource& source) {
    AccountingScanner scanner(options);
    std::optional<base::Error> damage;
    for (;;) {
        if (deadline.expired()) return base::fail(cut(source, source.bytes_read));
        const auto space = scanner.space();
        const auto got = bytes(space);
        // What came before the damage is right, and counts.
        if (!got) damage = got.error().at(source.path);
        if (!got || *got == 0) break;
        source.bytes_read += *got;
        scanner.commit(*got);
        drain(scanner, window.window);
    }
    scanner.finish();
    drain(scanner, window.window);
    source.malformed += scanner.counts().malformed() + scanner.counts().of(mta::ScanError::oversized);
    if (damage) return base::fail(*damage);
    if (source.bytes_read == 0) return LogFacts{};
    return facts_of(scanner, source);
}

base::Result<void> sample_file(const std::string& real_path, const mta::ScannerOptions& options,
                               const RecordSink& sample, const base::Deadline& deadline, LogSource& source) {
    const auto file = File::open(real_path, source.path);
    if (!file) return base::fail(file.error());
    AccountingScanner head(options);
    AccountingScanner scanner(options);
    std::vector<char> bytes(kSampleBytes);
    for (std::size_t piece = 0; piece < kSamplePieces && !deadline.expired(); ++piece) {
        const std::uint64_t at = file->size() / kSamplePieces * piece;
        const auto got = file->read(at, bytes);
        if (!got) return base::fail(got.error());
        source.bytes_read += *got;
        std::string_view text(bytes.data(), *got);
        AccountingScanner& reader = piece == 0 ? head : scanner;
        if (piece > 0) {
            const std::size_t newline = text.find('\n');
            if (newline == std::string_view::npos) continue;
            text.remove_prefix(newline + 1);
            scanner.resume(head.header(), at + newline + 1);
        }
        while (!text.empty()) {
            text.remove_prefix(reader.feed(text));
            drain(reader, sample);
        }
    }
    return {};
}

}  // namespace mtawatch::probe
