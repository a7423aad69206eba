// Reads the part of a log that holds the records of a time window: finds it by bisection and hands its records out.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>

#include "shared/base/deadline.h"
#include "shared/base/result.h"
#include "shared/io/byte_source.h"
#include "shared/io/command.h"
#include "shared/probe/bounce_rate/bounce_rate.h"
#include "shared/probe/bounce_rate/log_files.h"
#include "shared/probe/bounce_rate/log_format.h"

namespace mtawatch::probe::bounce_rate {

using RecordSink = std::function<void(std::span<const mta::logs::Record>)>;

struct LogWindow {
    std::int64_t begin = 0;
    std::int64_t end = 0;
    RecordSink window;  // records of the part that the window needs, and some around it
    RecordSink sample;  // records met while that part was looked for
};

// Of a Postfix log this much before the window is read too: the queue manager says the sender each time it takes a
// message in hand, which is before the delivery by the time that the message waits for its turn.
inline constexpr std::int64_t postfix_lead = 3600;

// A file's compression, by its first bytes.
[[nodiscard]] base::Result<io::Compression> file_compression(LogFile& file, const std::string& path);

// A file that can be read at any place; messages name source.path. Records are nearly, not strictly, in order: by
// seconds where stamps carry their offset; by up to two hours where they do not, because autumn repeats an hour. `text`
// reads what the window needs. Faults: permission, not_found, io, malformed (no header, no time column), deadline.
[[nodiscard]] base::Result<LogFacts> read_file_window(LogFile& file, const LogOptions& options, LogText& text,
                                                      const LogWindow& window, const base::Deadline& deadline,
                                                      LogSource& source);

// A stream, read to its end: standard input or a compressed file.
[[nodiscard]] base::Result<LogFacts> read_stream_window(const io::ReadBytes& bytes, const LogOptions& options,
                                                        LogText& text, const LogWindow& window,
                                                        const base::Deadline& deadline, LogSource& source);

// What the journal has of a unit: `journalctl --unit=UNIT`. Faults: permission, not_found (no journalctl), deadline.
[[nodiscard]] base::Result<LogFacts> read_journal_window(io::Commands& commands, const std::string& unit, LogText& text,
                                                         const LogWindow& window, const base::Deadline& deadline,
                                                         LogSource& source);

// Pieces from all over the file, for record types that the window did not show.
[[nodiscard]] base::Result<void> sample_file(LogFile& file, const LogOptions& options, const RecordSink& sample,
                                             const base::Deadline& deadline, LogSource& source);

}  // namespace mtawatch::probe::bounce_rate
