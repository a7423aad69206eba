// Which reader understands the files of a feed, and what do their first lines say?
#pragma once

#include <cstdint>
#include <memory>
#include <string_view>

#include "exporter/accounting/settings.h"
#include "shared/mta/postfix_line.h"
#include "shared/mta/record_reader.h"

namespace mtawatch::exporter {

[[nodiscard]] std::unique_ptr<mta::RecordReader> make_reader(const AccountingSettings& settings);

// Whether a line is understood by what lines before it said: such files are read strictly one after the other.
[[nodiscard]] constexpr bool remembers_lines(RecordFormat format) { return format == RecordFormat::postfix; }

// What the beginning of a file shows.
struct HeadFacts {
    std::size_t records_end = 0;  // up to which byte it is complete lines that say something; 0: none
    std::int64_t first_time = 0;  // of the first of them; 0 when it says none
};
// One for each thread.
class HeadInspector {
  public:
    explicit HeadInspector(const AccountingSettings& settings);
    [[nodiscard]] HeadFacts look(std::string_view head);

  private:
    [[nodiscard]] HeadFacts look_at_records(std::string_view head);
    [[nodiscard]] HeadFacts look_at_lines(std::string_view head);
    [[nodiscard]] std::int64_t line_time(std::string_view line);

    std::unique_ptr<mta::RecordReader> reader_;  // none for logs that are looked at line by line
    mta::LogTimes times_;
    mta::JournalLines journal_;
};

}  // namespace mtawatch::exporter
