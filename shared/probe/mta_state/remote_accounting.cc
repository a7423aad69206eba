#include "shared/probe/mta_state/remote_accounting.h"

#include <algorithm>
#include <chrono>
#include <optional>

#include "shared/base/text.h"
#include "shared/mta/classes/classes_config.h"
#include "shared/mta/logs/accounting_scanner.h"
#include "shared/probe/bounce_rate/mail_tally.h"

namespace mtawatch::probe::mta_state {

namespace {

using base::fail;
using base::Fault;
using base::Result;

constexpr std::int64_t one_hour = 3600;
constexpr std::size_t max_find_output = 4U << 20U;  // some 50 000 files in the folder
constexpr std::size_t max_files = 64;  // PowerMTA writes to one at a time; this many in an hour is a wrong pattern

// The records of one file, from pieces of its end.
class Tail {
  public:
    // `header` is empty when the pieces begin at the file's own beginning.
    Tail(const mta::logs::ScannerOptions& options, std::string header, bounce_rate::MailTally& tally)
        : scanner_(options), header_(std::move(header)), in_line_(!header_.empty()), tally_(tally) {}

    void take(std::string_view piece) {
        bytes_ += piece.size();
        if (in_line_) {  // the first line is cut off
            const std::size_t newline = piece.find('\n');
            if (newline == std::string_view::npos) return;
            piece.remove_prefix(newline + 1);
            in_line_ = false;
            scanner_.resume(header_, 0);
        }
        while (!piece.empty()) {
            piece.remove_prefix(scanner_.push(piece));
            drain();
        }
    }
    void finish() {
        scanner_.finish();
        drain();
    }
    [[nodiscard]] bool has_header() const { return bytes_ == 0 || !scanner_.header().empty(); }
    [[nodiscard]] std::optional<std::int64_t> first() const { return first_; }

  private:
    void drain() {
        for (auto records = scanner_.next(); !records.empty(); records = scanner_.next()) {
            if (!first_ && records.front().time != mta::logs::no_time) first_ = records.front().time;
            tally_.add(records);
        }
    }
    mta::logs::AccountingScanner scanner_;
    std::string header_;
    bool in_line_;
    bounce_rate::MailTally& tally_;
    std::size_t bytes_ = 0;
    std::optional<std::int64_t> first_;
};

base::Error readable(base::Error error) {
    if (error.fault == Fault::permission) {
        error.what += "; the user of the connection must be able to read the accounting files (group pmta)";
    }
    return error;
}

Result<std::vector<RemoteFile>> written_lately(const world::Machine& machine, const std::string& glob,
                                               std::int64_t since, const base::Deadline& deadline) {
    const std::size_t slash = glob.rfind('/');
    const std::string folder = glob.substr(0, std::max<std::size_t>(slash == std::string::npos ? 0 : slash, 1));
    if (!glob.starts_with('/') || folder.find_first_of("*?[") != std::string::npos || slash + 1 == glob.size()) {
        return fail(Fault::usage,
                    "accounting files '{}': over SSH write an absolute path with a pattern in its last part", glob);
    }
    auto printed = machine.output_of({"find", "-L", folder, "-maxdepth", "1", "-type", "f", "-name",
                                      glob.substr(slash + 1), "-printf", "%T@ %s %p\\n"},
                                     deadline, max_find_output);
    if (!printed) return fail(readable(printed.error()));
    auto files = read_find(*printed);
    if (!files) return fail(files.error());
    if (files->empty()) return fail(Fault::not_found, "no file matches {} {}", glob, machine.commands().where());
    std::erase_if(*files, [since](const RemoteFile& file) { return file.modified < since || file.bytes == 0; });
    if (files->size() > max_files) {
        return fail(Fault::limit, "{} files matching {} were written to in the last hour", files->size(), glob);
    }
    return files;
}

// One file into the tally; when its first record that was read lies.
Result<std::optional<std::int64_t>> read_file(const world::Machine& machine, const RemoteFile& file,
                                              bounce_rate::MailTally& tally, const base::Deadline& deadline) {
    std::string header;
    if (file.bytes > max_remote_tail) {
        auto first = machine.output_of({"head", "-n", "1", "--", file.path}, deadline);
        if (!first) return fail(readable(first.error()));
        header = base::trim(*first);
    }
    Tail tail({}, header, tally);
    auto result = machine.commands().stream(
        {"tail", "-c", std::to_string(max_remote_tail), "--", file.path},
        [&tail](std::string_view piece) {
            tail.take(piece);
            return true;
        },
        deadline);
    if (!result) return fail(result.error());
    if (result->exit_status != 0) return fail(readable(world::failed_program("tail", machine.commands(), *result)));
    tail.finish();
    if (!tail.has_header()) {
        return fail(Fault::malformed, "{}: no header line; is it an accounting file of PowerMTA?", file.path);
    }
    return header.empty() ? std::nullopt : tail.first();
}

}  // namespace

Result<std::vector<RemoteFile>> read_find(std::string_view text) {
    std::vector<RemoteFile> files;
    while (!text.empty()) {
        const std::string_view line = base::take_line(text);
        if (line.empty()) continue;
        const std::size_t first = std::min(line.find(' '), line.size());
        const std::size_t second = std::min(line.find(' ', first + 1), line.size());
        const auto modified = base::to_double(line.substr(0, first));
        const auto bytes = base::to_number<std::uint64_t>(line.substr(std::min(first + 1, second), second - first - 1));
        if (!modified || !bytes || second + 1 >= line.size() || *modified < 0 || *modified > 1e11) {
            return fail(Fault::malformed, "find printed '{}'", base::one_line(line, 80));
        }
        files.push_back({std::string(line.substr(second + 1)), *bytes, static_cast<std::int64_t>(*modified)});
    }
    return files;
}

Result<DeliveryFacts> remote_deliveries(const world::Machine& machine, const std::string& glob,
                                        const base::Deadline& deadline) {
    // That machine's clock wrote the stamps, so it says what the last hour is.
    auto printed = machine.output_of({"date", "+%s"}, deadline);
    if (!printed) return fail(printed.error());
    const auto now = base::to_number<std::int64_t>(base::trim(*printed));
    if (!now) return fail(Fault::malformed, "date printed '{}'", base::one_line(*printed, 60));
    const auto files = written_lately(machine, glob, *now - one_hour, deadline);
    if (!files) return fail(files.error());
    bounce_rate::BounceRateObservation seen;
    seen.begin = *now - one_hour;
    seen.end = *now + 1;
    const bounce_rate::BounceRateQuery query;
    const mta::classes::Classes classes;
    bounce_rate::MailTally tally(query, classes, std::nullopt, {}, seen);
    DeliveryFacts facts;
    for (const RemoteFile& file : *files) {
        const auto first = read_file(machine, file, tally, deadline);
        if (!first) return fail(first.error());
        if (*first && **first > seen.begin) {
            facts.seconds = std::min(facts.seconds, std::max<std::int64_t>(*now - **first, 0));
        }
    }
    tally.finish();
    if (seen.newest && !seen.logged.deliveries) {
        return fail(Fault::configuration, "PowerMTA does not log d records here: add `records d,b`");
    }
    facts.delivered = static_cast<std::int64_t>(seen.total.delivered);
    facts.bounced = static_cast<std::int64_t>(seen.total.bounced());
    return facts;
}

}  // namespace mtawatch::probe::mta_state
