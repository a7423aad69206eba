#include "shared/mta/classes/bounce_patterns.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include <algorithm>
#include <array>

#include "shared/base/text.h"
#include "shared/mta/classes/reply_text.h"

namespace mtawatch::mta::classes {
namespace {

using base::fail;

constexpr std::string_view open_tag = "<bounce-category-patterns>";
constexpr std::string_view close_tag = "</bounce-category-patterns>";
constexpr std::size_t max_patterns = 2000;      // PowerMTA's own list has about 200
constexpr std::uint32_t match_limit = 100'000;  // steps of one match: a runaway pattern must not stop the counting

struct FreeCode {
    void operator()(pcre2_code* code) const { pcre2_code_free(code); }
};
struct FreeMatch {
    void operator()(pcre2_match_data* data) const { pcre2_match_data_free(data); }
};
struct FreeContext {
    void operator()(pcre2_match_context* context) const { pcre2_match_context_free(context); }
};

struct Pattern {
    std::unique_ptr<pcre2_code, FreeCode> code;
    std::string category;
};

// "/regex/ category # note" in its two parts.
struct Line {
    std::string_view regex;
    std::string_view category;
};

std::string_view without_note(std::string_view text) { return base::trim(text.substr(0, text.find('#'))); }

base::Result<Line> split_line(std::string_view line) {
    std::size_t end = 1;
    while (end < line.size() && line[end] != '/') end += line[end] == '\\' ? 2 : 1;
    if (line.front() != '/' || end >= line.size()) {
        return fail(base::Fault::configuration, "\"{}\" is no pattern; write /regular expression/ category",
                    base::one_line(line, 80));
    }
    const auto names = base::words(without_note(line.substr(end + 1)));
    if (names.size() != 1) {
        return fail(base::Fault::configuration, "the pattern /{}/ needs one category after it",
                    base::one_line(line.substr(1, end - 1), 80));
    }
    return Line{line.substr(1, end - 1), names.front()};
}

base::Result<Pattern> compile(const Line& line) {
    int error = 0;
    PCRE2_SIZE at = 0;
    const auto* text = reinterpret_cast<PCRE2_SPTR>(line.regex.data());
    pcre2_code* code = pcre2_compile(text, line.regex.size(), PCRE2_CASELESS, &error, &at, nullptr);
    if (code == nullptr) {
        std::array<PCRE2_UCHAR, 160> message{};
        pcre2_get_error_message(error, message.data(), message.size());
        return fail(base::Fault::configuration, "the pattern /{}/ is wrong at its byte {}: {}",
                    base::one_line(line.regex, 80), at + 1, reinterpret_cast<const char*>(message.data()));
    }
    pcre2_jit_compile(code, PCRE2_JIT_COMPLETE);  // slower without it, never wrong
    return Pattern{std::unique_ptr<pcre2_code, FreeCode>(code), std::string(line.category)};
}

}  // namespace

struct BouncePatterns::Compiled {
    std::vector<Pattern> patterns;
    std::unique_ptr<pcre2_match_data, FreeMatch> match{pcre2_match_data_create(1, nullptr)};
    std::unique_ptr<pcre2_match_context, FreeContext> context{pcre2_match_context_create(nullptr)};
    std::string subject;
};

BouncePatterns::BouncePatterns(std::unique_ptr<Compiled> compiled) : compiled_(std::move(compiled)) {}
BouncePatterns::BouncePatterns(BouncePatterns&&) noexcept = default;
BouncePatterns& BouncePatterns::operator=(BouncePatterns&&) noexcept = default;
BouncePatterns::~BouncePatterns() = default;

std::size_t BouncePatterns::size() const { return compiled_->patterns.size(); }

base::Result<BouncePatterns> BouncePatterns::parse(std::string_view text, std::string_view file) {
    auto compiled = std::make_unique<Compiled>();
    pcre2_set_match_limit(compiled->context.get(), match_limit);
    const bool tagged = base::icontains(text, open_tag);
    bool inside = !tagged;
    std::size_t number = 0;
    for (const std::string_view whole : base::split(text, '\n')) {
        ++number;
        const std::string_view line = base::trim(whole);
        if (base::iequals(line.substr(0, open_tag.size()), open_tag)) {
            inside = true;
        } else if (base::iequals(line.substr(0, close_tag.size()), close_tag)) {
            inside = false;
        } else if (inside && !line.empty() && line.front() != '#') {
            const std::string place = fmt::format("{} line {}", file, number);
            const auto parts = split_line(line);
            if (!parts) return fail(parts.error().at(place));
            if (compiled->patterns.size() == max_patterns) {
                return fail(base::Fault::limit, "{}: more than {} patterns", place, max_patterns);
            }
            auto pattern = compile(*parts);
            if (!pattern) return fail(pattern.error().at(place));
            compiled->patterns.push_back(std::move(*pattern));
        }
    }
    if (compiled->patterns.empty()) {
        return fail(base::Fault::configuration, "{}: no bounce category pattern in it", file);
    }
    return BouncePatterns(std::move(compiled));
}

std::string_view BouncePatterns::category(std::string_view dsn_status, std::string_view dsn_diag) const {
    if (base::iequals(dsn_diag.substr(0, 5), "smtp;")) dsn_diag.remove_prefix(5);
    std::string& subject = compiled_->subject;
    subject.assign(dsn_status.substr(0, dsn_status.find(' ')));
    subject += ';';
    subject += dsn_diag.substr(0, max_reply_bytes);
    for (const Pattern& pattern : compiled_->patterns) {
        const int matches = pcre2_match(pattern.code.get(), reinterpret_cast<PCRE2_SPTR>(subject.data()),
                                        subject.size(), 0, 0, compiled_->match.get(), compiled_->context.get());
        if (matches >= 0) return pattern.category;
    }
    return {};
}

}  // namespace mtawatch::mta::classes
