// Which part of an accounting file holds the records of a window? Finds it by bisection and hands its records out.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>

#include "shared/base/deadline.h"
#include "shared/base/result.h"
#include "shared/io/inflate.h"
#include "shared/mta/accounting_scanner.h"
#include "shared/probe/bounce_rate.h"

namespace mtawatch::probe {

using RecordSink = std::function<void(std::span<const mta::Record>)>;

struct LogWindow {
    std::int64_t begin = 0;
    std::int64_t end = 0;
    RecordSink window;  // records of the part that the window needs, and some around it
    RecordSink sample;  // records met while that part was looked for
};

// What reading one source showed beside its records.
struct LogFacts {
    bool queue_times = false;        // no timeLogged: timeQueued was used
    bool complaint_columns = false;  // columns that only f records fill: they are logged here
};

// A file that can be read at any place; messages name source.path. Records are nearly, not strictly, in order: by
// seconds where stamps carry their offset; by up to two hours where they do not, because autumn repeats an hour.
// Faults: permission, not_found, io, malformed (no header, no time column), cut.
[[nodiscard]] base::Result<LogFacts> read_file_window(const std::string& real_path, const mta::ScannerOptions& options,
                                                      const LogWindow& window, const base::Deadline& deadline,
                                                      LogSource& source);

// A stream, read to its end: standard input or a .gz file.
[[nodiscard]] base::Result<LogFacts> read_stream_window(const io::ByteSource& bytes, const mta::ScannerOptions& options,
                                                        const LogWindow& window, const base::Deadline& deadline,
                                                        LogSource& source);

// Pieces from all over the file, for record types that the window did not show.
[[nodiscard]] base::Result<void> sample_file(const std::string& real_path, const mta::ScannerOptions& options,
                                             const RecordSink& sample, const base::Deadline& deadline,
                                             LogSource& source);

}  // namespace mtawatch::probe
