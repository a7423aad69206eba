#include "exporter/pmta_sources.h"

#include <fmt/format.h>

#include <algorithm>

#include "exporter/pipe/pipe_options.h"
#include "shared/base/text.h"

namespace mtawatch::exporter {
namespace {

using base::fail;
using base::Fault;

std::string codes(const std::set<mta::logs::RecordType>& types) {
    std::string text;
    for (const mta::logs::RecordType type : types) text += (text.empty() ? "" : ",") + std::string(name(type));
    return text;
}

// Why no records of this section are counted.
std::string ignored_because(const mta::documents::AcctFile& file, const base::Result<std::string>& glob) {
    if (file.records.empty()) return "it logs no records";
    if (base::iends_with(file.path, ".json")) return "JSON accounting files cannot be read; log CSV beside it";
    if (!glob) return glob.error().what;
    return "other sections log the same record types, and a record must be counted once";
}

void add_counted_file(const mta::documents::CountedFile& counted, ExporterConfig& config) {
    const mta::documents::AcctFile& file = *counted.source;
    const auto found = file.pipe.empty() ? base::Result<std::string>(file.glob()) : spool_glob(file.pipe);
    const std::string glob = found.value_or("");
    const std::string place = fmt::format("{} line {}: <acct-file {}>", file.file, file.line, file.name());
    if (counted.types.empty()) {
        config.notes.push_back(fmt::format("{} is ignored: {}", place, ignored_because(file, found)));
        return;
    }
    feed::FeedSettings& accounting = config.accounting;
    std::vector<std::string>& globs = accounting.follow.globs;
    if (std::ranges::find(globs, glob) == globs.end()) globs.push_back(glob);
    if (!file.move_to.empty() &&
        std::ranges::find(accounting.follow.moved_to, file.move_to) == accounting.follow.moved_to.end()) {
        accounting.follow.moved_to.push_back(file.move_to);
    }
    if (counted.types == file.records) return;
    accounting.types_by_glob[glob] = counted.types;
    config.notes.push_back(
        fmt::format("{} is counted for {} only: other sections log the rest too", place, codes(counted.types)));
}

}  // namespace

base::Result<std::string> spool_glob(std::string_view command) {
    const auto words = base::words(command);
    const std::string_view program = words.empty() ? std::string_view() : words[0].substr(words[0].rfind('/') + 1);
    if (program != "pmta_acct_pipe") {
        return fail(Fault::configuration, "the records go to another program; log them to a file beside it");
    }
    const auto given = pipe::parse_pipe_options({words.begin() + 1, words.end()});
    if (!given) return fail(Fault::configuration, "{}: {}", program, given.error().what);
    if (!given->given("name")) return fail(Fault::configuration, "{}: --name is missing", program);
    const pipe::SpoolSettings settings = pipe::spool_settings(*given);
    return fmt::format("{}/{}/*.csv", settings.folder, settings.name);
}

void add_pmta_sources(const mta::documents::PmtaConfig& pmta, ExporterConfig& config) {
    config.notes.insert(config.notes.end(), pmta.notes.begin(), pmta.notes.end());
    const auto ours = [](const mta::documents::AcctFile& file) { return spool_glob(file.pipe).has_value(); };
    std::set<mta::logs::RecordType> fed;
    for (const mta::documents::CountedFile& file : mta::documents::choose_acct_files(pmta, ours)) {
        add_counted_file(file, config);
        fed.insert(file.types.begin(), file.types.end());
    }
    using enum mta::logs::RecordType;
    std::set<mta::logs::RecordType> missing{d, b, t, f};
    std::erase_if(missing, [&](mta::logs::RecordType type) { return fed.contains(type); });
    if (!missing.empty()) {
        config.notes.push_back(
            fmt::format("PowerMTA logs no {} records that can be followed: add them to the records "
                        "of an <acct-file>",
                        codes(missing)));
    }
    // What PowerMTA is told to log exists from the start, at 0, so that the first one is seen as a rise.
    config.accounting.count.expected_types.insert(fed.begin(), fed.end());
    std::string& patterns = config.accounting.count.bounce_patterns_file;
    if (patterns.empty()) patterns = pmta.bounce_patterns_file;
    if (!pmta.log_file.empty()) config.accounting.log_globs.push_back(pmta.log_file);
}

}  // namespace mtawatch::exporter
