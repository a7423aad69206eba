#include "shared/mta/documents/pmta_config.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <tuple>

#include "shared/base/text.h"

namespace mtawatch::mta::documents {
namespace {

using base::fail;
using base::Fault;
using base::Result;

// Real configurations nest two or three deep; a file that includes itself would never end.
constexpr std::size_t max_include_depth = 8;
constexpr std::size_t max_includes = 1000;
constexpr std::size_t max_total_bytes = std::size_t{64} << 20U;

struct LongName {
    std::string_view word;
    logs::RecordType type;
};
constexpr std::array long_names{
    LongName{"delivery", logs::RecordType::d},       LongName{"bounce", logs::RecordType::b},
    LongName{"transient", logs::RecordType::t},      LongName{"transient-queue", logs::RecordType::tq},
    LongName{"receipt", logs::RecordType::r},        LongName{"received", logs::RecordType::r},
    LongName{"remote-bounce", logs::RecordType::rb}, LongName{"remote-status", logs::RecordType::rs},
    LongName{"feedback-loop", logs::RecordType::f},  LongName{"fbl", logs::RecordType::f},
};

std::optional<logs::RecordType> type_of(std::string_view word) {
    const std::string lower = base::to_lower(word);
    if (const auto code = logs::record_type_of_code(lower)) return code;
    const auto found = std::ranges::find(long_names, std::string_view(lower), &LongName::word);
    if (found == long_names.end()) return std::nullopt;
    return found->type;
}

std::string_view unquoted(std::string_view text) {
    text = base::trim(text);
    const bool quoted = text.size() >= 2 && text.front() == '"' && text.back() == '"';
    return quoted ? base::trim(text.substr(1, text.size() - 2)) : text;
}

// Without a comment, which begins at a '#' outside of quotes at the start of a word.
std::string_view without_comment(std::string_view line) {
    bool quoted = false;
    for (std::size_t i = 0; i < line.size(); ++i) {
        if (line[i] == '"') quoted = !quoted;
        const bool word_start = i == 0 || base::is_blank(line[i - 1]);
        if (line[i] == '#' && !quoted && word_start) return line.substr(0, i);
    }
    return line;
}

bool is_yes(std::string_view word) { return base::iequals(word, "yes") || base::iequals(word, "true") || word == "1"; }

std::string folder_of(std::string_view path) {
    const std::size_t slash = path.rfind('/');
    return slash == std::string_view::npos ? std::string() : std::string(path.substr(0, slash + 1));
}

struct Directive {
    std::string_view name;
    std::string_view value;
};

Directive directive_of(std::string_view line) {
    const std::size_t end = std::min(line.find_first_of(" \t"), line.size());
    return {line.substr(0, end), base::trim(line.substr(end))};
}

class Reader {
  public:
    explicit Reader(const ReadFile& read) : read_(&read) {}

    Result<void> file(const std::string& path, std::size_t depth) {
        const auto text = (*read_)(path);
        if (!text) return fail(text.error());
        total_ += text->size();
        if (total_ > max_total_bytes) return fail(Fault::limit, "{}: the configuration is over 64 MiB", path);
        std::size_t number = 0;
        std::optional<AcctFile> open;
        for (const std::string_view raw : base::split(*text, '\n')) {
            ++number;
            const std::string_view line = base::trim(without_comment(raw));
            if (line.empty()) continue;
            if (auto done = take(line, {path, number, depth}, open); !done) return done;
        }
        if (open) {
            return fail(Fault::configuration, "{} line {}: <acct-file {}> has no </acct-file>", path, open->line,
                        open->name());
        }
        return {};
    }

    PmtaConfig config;

  private:
    struct Place {
        const std::string& file;
        std::size_t line;
        std::size_t depth;
    };

    Result<void> take(std::string_view line, const Place& place, std::optional<AcctFile>& open) {
        if (line.front() == '<') return section(line, place, open);
        const Directive directive = directive_of(line);
        if (base::iequals(directive.name, "include")) return include(directive.value, place);
        if (open) {
            acct_directive(directive, place, *open);
        } else if (base::iequals(directive.name, "log-file")) {
            config.log_file = unquoted(directive.value);
        }
        return {};
    }

    Result<void> section(std::string_view line, const Place& place, std::optional<AcctFile>& open) {
        const std::size_t close = line.rfind('>');
        const std::string_view inner = base::trim(line.substr(1, close == std::string_view::npos ? close : close - 1));
        const Directive head = directive_of(inner);
        if (base::iequals(head.name, "/acct-file") && open) {
            config.acct_files.push_back(std::move(*open));
            open.reset();
        } else if (base::iequals(head.name, "bounce-category-patterns")) {
            config.bounce_patterns_file = place.file;
        } else if (base::iequals(head.name, "acct-file")) {
            if (open) {
                return fail(Fault::configuration, "{} line {}: <acct-file {}> has no </acct-file>", place.file,
                            open->line, open->name());
            }
            open.emplace();
            open->file = place.file;
            open->line = place.line;
            const std::string_view target = unquoted(head.value);
            const bool pipe = target.starts_with('|');
            (pipe ? open->pipe : open->path) = pipe ? unquoted(target.substr(1)) : target;
        }
        return {};
    }

    Result<void> include(std::string_view value, const Place& place) {
        if (place.depth >= max_include_depth || ++includes_ > max_includes) {
            return fail(Fault::limit, "{} line {}: too many files include each other", place.file, place.line);
        }
        std::string path(unquoted(value));
        if (!path.starts_with('/')) path = folder_of(place.file) + path;
        auto done = file(path, place.depth + 1);
        // A mistake inside an included file is an error; that it is missing is only a note.
        if (!done && (done.error().fault == Fault::not_found || done.error().fault == Fault::permission)) {
            config.notes.push_back(fmt::format("{} line {}: include: {}", place.file, place.line, done.error().what));
            return {};
        }
        return done;
    }

    void acct_directive(const Directive& directive, const Place& place, AcctFile& open) {
        if (base::iequals(directive.name, "records")) {
            records(directive.value, place, open);
        } else if (base::iequals(directive.name, "move-to")) {
            open.move_to = unquoted(directive.value);
            while (open.move_to.size() > 1 && open.move_to.ends_with('/')) open.move_to.pop_back();
        } else if (base::iequals(directive.name, "queue-filter")) {
            open.queue_filter = !directive.value.empty();
        } else if (base::iequals(directive.name, "record-fields")) {
            // "record-fields TYPE LIST"; the shortest list of any type is what the file can be relied on for.
            const Directive fields = directive_of(directive.value);
            const auto names = base::split(fields.value, ',');
            const bool all = std::ranges::any_of(names, [](std::string_view name) { return base::trim(name) == "*"; });
            const auto left_out = static_cast<std::size_t>(
                std::ranges::count_if(names, [](std::string_view name) { return base::trim(name).starts_with('!'); }));
            const std::size_t columns = all ? AcctFile::all_columns - std::min(left_out, names.size()) : names.size();
            open.columns = std::min(open.columns, columns);
        } else if (base::iequals(directive.name, "enabled") && !is_yes(unquoted(directive.value))) {
            open.records.clear();
        }
    }

    void records(std::string_view value, const Place& place, AcctFile& open) {
        open.records.clear();
        for (const std::string_view word : base::split(unquoted(value), ',')) {
            const std::string_view code = base::trim(word);
            if (code.empty()) continue;
            if (const auto type = type_of(code)) {
                open.records.insert(*type);
            } else {
                config.notes.push_back(fmt::format("{} line {}: records: no such type: {}", place.file, place.line,
                                                   base::one_line(code, 80)));
            }
        }
    }

    const ReadFile* read_;
    std::size_t total_ = 0;
    std::size_t includes_ = 0;
};

bool is_json(const AcctFile& file) { return base::iends_with(file.path, ".json"); }

// Of the sections that log a type, the one with the smallest rank is counted.
auto rank(const AcctFile& file) {
    return std::make_tuple(!file.pipe.empty(), file.queue_filter, AcctFile::all_columns - file.columns);
}

}  // namespace

std::string AcctFile::glob() const {
    if (path.empty()) return {};
    const std::size_t slash = path.rfind('/');
    const std::size_t name_at = slash == std::string::npos ? 0 : slash + 1;
    const std::size_t dot = path.rfind('.');
    const std::size_t name_end = dot != std::string::npos && dot > name_at ? dot : path.size();
    // The date and number that PowerMTA puts there begin with a digit: "acct-2026-01-31-0000.csv", never
    // "acct-other.csv".
    return path.substr(0, name_end) + "-[0-9]*" + path.substr(name_end);
}

Result<PmtaConfig> read_pmta_config(const std::string& path, const ReadFile& read) {
    Reader reader(read);
    if (auto done = reader.file(path, 0); !done) return fail(done.error());
    return std::move(reader.config);
}

std::vector<CountedFile> choose_acct_files(const PmtaConfig& config,
                                           const std::function<bool(const AcctFile&)>& our_pipe) {
    std::vector<CountedFile> counted;
    for (const AcctFile& file : config.acct_files) counted.push_back({&file, {}});
    for (std::size_t i = 0; i < logs::record_type_count; ++i) {
        const auto type = static_cast<logs::RecordType>(i);
        CountedFile* best = nullptr;
        for (CountedFile& candidate : counted) {
            const AcctFile& file = *candidate.source;
            const bool readable = file.pipe.empty() ? !file.path.empty() && !is_json(file) : our_pipe(file);
            if (!file.records.contains(type) || !readable) continue;
            if (best == nullptr || rank(file) < rank(*best->source)) best = &candidate;
        }
        if (best != nullptr) best->types.insert(type);
    }
    return counted;
}

}  // namespace mtawatch::mta::documents
