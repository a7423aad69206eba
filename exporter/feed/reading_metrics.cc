#include "exporter/feed/reading_metrics.h"

#include <algorithm>
#include <array>

namespace mtawatch::exporter::feed {
namespace {

using Values = std::vector<std::pair<std::string_view, std::uint64_t>>;

void write_one(exposition::ExpositionWriter& writer, std::string_view name, std::uint64_t value) {
    writer.begin(exposition::metric(name));
    writer.sample(exposition::line_head(name, {}, {}), value);
}

void write_time(exposition::ExpositionWriter& writer, std::string_view name, std::int64_t unix_seconds) {
    if (unix_seconds != 0) write_one(writer, name, static_cast<std::uint64_t>(unix_seconds));
}

// What all feeds have read, as if it were one.
Ingest::Reading together(std::span<const Ingest* const> feeds) {
    Ingest::Reading all;
    all.catching_up = false;
    for (const Ingest* feed : feeds) {
        const Ingest::Reading one = feed->reading();
        all.totals.lines_parsed += one.totals.lines_parsed;
        all.totals.lines_header += one.totals.lines_header;
        for (std::size_t i = 0; i < mta::logs::scan_error_count; ++i) {
            all.totals.scan_errors[i] += one.totals.scan_errors[i];
        }
        all.totals.future_stamps += one.totals.future_stamps;
        all.totals.read_bytes += one.totals.read_bytes;
        all.totals.rotations += one.totals.rotations;
        all.totals.truncations += one.totals.truncations;
        all.marks.last_read = std::max(all.marks.last_read, one.marks.last_read);
        all.marks.backlog_end = std::max(all.marks.backlog_end, one.marks.backlog_end);
        all.catching_up = all.catching_up || one.catching_up;
        all.behind_pages = all.behind_pages || one.behind_pages;
        all.unwatched_folders += one.unwatched_folders;
    }
    return all;
}

// What is true at any moment.
void write_progress(exposition::ExpositionWriter& writer, const Ingest::Reading& reading) {
    write_time(writer, "pmta_exporter_last_read_timestamp_seconds", reading.marks.last_read);
    write_one(writer, "pmta_exporter_catching_up", reading.catching_up ? 1 : 0);
    write_time(writer, "pmta_exporter_backlog_end_timestamp_seconds", reading.marks.backlog_end);
    write_one(writer, "pmta_exporter_unwatched_folders", reading.unwatched_folders);
}

void write_counts(exposition::ExpositionWriter& writer, const Ingest::Reading& reading) {
    const series::Totals& totals = reading.totals;
    Values reasons;
    std::uint64_t malformed = 0;
    for (std::size_t i = 0; i < mta::logs::scan_error_count; ++i) {
        const auto error = static_cast<mta::logs::ScanError>(i);
        reasons.emplace_back(name(error), totals.scan_errors[i]);
        if (error != mta::logs::ScanError::oversized) malformed += totals.scan_errors[i];
    }
    const std::uint64_t oversized = totals.scan_errors[series::index_of(mta::logs::ScanError::oversized)];
    reasons.emplace_back("future_timestamp", totals.future_stamps);
    exposition::write_by_label(writer, "pmta_exporter_lines_total", "status",
                               {{"parsed", totals.lines_parsed},
                                {"malformed", malformed},
                                {"oversized", oversized},
                                {"header", totals.lines_header}});
    exposition::write_by_label(writer, "pmta_exporter_parse_errors_total", "reason", reasons);
    write_one(writer, "pmta_exporter_read_bytes_total", totals.read_bytes);
    write_one(writer, "pmta_exporter_file_rotations_total", totals.rotations);
    write_one(writer, "pmta_exporter_file_truncations_total", totals.truncations);
}

void write_sources(exposition::ExpositionWriter& writer, const std::vector<Ingest::SourceStatus>& sources) {
    const auto each = [&](std::string_view name, auto&& value) {
        Values values;
        for (const Ingest::SourceStatus& source : sources) values.emplace_back(source.glob, value(source));
        exposition::write_by_label(writer, name, "source", values);
    };
    each("pmta_exporter_read_lag_bytes", [](const Ingest::SourceStatus& s) { return s.lag_bytes; });
    each("pmta_exporter_source_files", [](const Ingest::SourceStatus& s) { return s.files; });
    each("pmta_exporter_source_unreadable", [](const Ingest::SourceStatus& s) { return s.unreadable; });
}

}  // namespace

void write_reading_metrics(exposition::ExpositionWriter& writer, std::span<const Ingest* const> feeds) {
    std::vector<series::LockedStore> stores;
    std::vector<Ingest::SourceStatus> sources;
    for (const Ingest* feed : feeds) {
        stores.push_back(feed->locked_store());
        for (Ingest::SourceStatus& source : feed->sources()) sources.push_back(std::move(source));
    }
    const Ingest::Reading reading = together(feeds);
    if (!reading.behind_pages) {
        series::render_store_health(writer, stores);
        write_counts(writer, reading);
    }
    write_progress(writer, reading);
    write_sources(writer, sources);
}

}  // namespace mtawatch::exporter::feed
