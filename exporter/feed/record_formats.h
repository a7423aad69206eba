// Reader of a feed's format, and inspection of the beginning of a file in that format.
#pragma once

#include <cstdint>
#include <memory>
#include <string_view>

#include "exporter/feed/feed_settings.h"
#include "shared/mta/logs/postfix_line.h"
#include "shared/mta/logs/record_reader.h"

namespace mtawatch::exporter::feed {

[[nodiscard]] std::unique_ptr<mta::logs::RecordReader> make_reader(const FeedSettings& settings);

// Whether lines depend on earlier lines: such files are read strictly one after the other.
[[nodiscard]] constexpr bool remembers_lines(series::RecordFormat format) {
    return format == series::RecordFormat::postfix;
}

[[nodiscard]] constexpr files::ReadingOrder reading_order(series::RecordFormat format) {
    return remembers_lines(format) ? files::ReadingOrder::oldest_first : files::ReadingOrder::independent;
}

// What the beginning of a file shows.
struct HeadFacts {
    std::size_t records_end = 0;  // up to which byte it is complete lines that say something; 0: none
    std::int64_t first_time = 0;  // of the first of them; 0 when it says none
};
// One for each thread.
class HeadInspector {
  public:
    explicit HeadInspector(const FeedSettings& settings);
    [[nodiscard]] HeadFacts inspect(std::string_view head);

  private:
    [[nodiscard]] HeadFacts inspect_records(std::string_view head);
    [[nodiscard]] HeadFacts inspect_lines(std::string_view head);
    [[nodiscard]] std::int64_t line_time(std::string_view line);

    std::unique_ptr<mta::logs::RecordReader> reader_;  // none for logs that are looked at line by line
    mta::logs::LogTimes times_;
    mta::logs::JournalLines journal_;
};

}  // namespace mtawatch::exporter::feed
