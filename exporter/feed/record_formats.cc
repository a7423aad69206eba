#include "exporter/feed/record_formats.h"

#include "exporter/series/record_counter.h"
#include "shared/mta/logs/accounting_scanner.h"
#include "shared/mta/logs/kumomta_log.h"
#include "shared/mta/logs/postfix_log.h"

namespace mtawatch::exporter::feed {
namespace {

mta::logs::PostfixLogOptions postfix_options(const FeedSettings& settings) {
    mta::logs::PostfixLogOptions options;
    options.zone = settings.count.scanner.zone;
    options.instance = settings.instance;
    return options;
}

}  // namespace

std::unique_ptr<mta::logs::RecordReader> make_reader(const FeedSettings& settings) {
    switch (settings.count.format) {
        case series::RecordFormat::postfix:
            return std::make_unique<mta::logs::PostfixLogReader>(postfix_options(settings));
        case series::RecordFormat::kumomta:
            return std::make_unique<mta::logs::KumoLogReader>();
        case series::RecordFormat::pmta:
            break;
    }
    return std::make_unique<mta::logs::AccountingScanner>(series::scanner_options(settings.count));
}

HeadInspector::HeadInspector(const FeedSettings& settings)
    : reader_(remembers_lines(settings.count.format) ? nullptr : make_reader(settings)),
      times_(settings.count.scanner.zone, mta::logs::system_now) {}

HeadFacts HeadInspector::inspect(std::string_view head) {
    return reader_ == nullptr ? inspect_lines(head) : inspect_records(head);
}

HeadFacts HeadInspector::inspect_records(std::string_view head) {
    HeadFacts facts;
    reader_->reset();
    const mta::logs::ScanCounts before = reader_->counts();
    reader_->push(head);
    for (auto records = reader_->next(); !records.empty(); records = reader_->next()) {
        if (facts.first_time == 0 && records.front().time != mta::logs::no_time) {
            facts.first_time = records.front().time;
        }
    }
    const mta::logs::ScanCounts& after = reader_->counts();
    if (after.parsed != before.parsed || after.errors != before.errors) facts.records_end = reader_->consumed();
    return facts;
}

// Few lines of a mail log are records, but every line tells the file from others, and nearly all say when they were
// written.
HeadFacts HeadInspector::inspect_lines(std::string_view head) {
    HeadFacts facts;
    const std::size_t end = head.rfind('\n');
    facts.records_end = end == std::string_view::npos ? 0 : end + 1;
    for (std::size_t at = 0; at < facts.records_end && facts.first_time == 0; at = head.find('\n', at) + 1) {
        facts.first_time = line_time(head.substr(at, head.find('\n', at) - at));
    }
    return facts;
}

// 0 for a line without a stamp.
std::int64_t HeadInspector::line_time(std::string_view line) {
    mta::logs::PostfixLine parts;
    if (journal_.read(line, 0, parts)) return times_.parse(parts.stamp).value_or(0);
    return times_.of_line(line).value_or(0);
}

}  // namespace mtawatch::exporter::feed
