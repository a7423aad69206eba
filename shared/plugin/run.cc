#include "shared/plugin/run.h"

#include <fmt/format.h>

#include <algorithm>
#include <exception>

#include "shared/base/text.h"
#include "shared/plugin/extra_opts.h"
#include "shared/plugin/stages.h"

namespace mtawatch::plugin {

namespace {

Report report_of(State state, std::string text) { return Report{}.add(state, std::move(text)); }

// A catch-all's text: what the exception says, without trusting it to be one line.
Report mistake(std::string_view what) {
    return report_of(State::unknown, fmt::format("internal mistake: {}; please report it", what));
}

// The form asked for on a command line that could not be read.
bool wants_json(const std::vector<std::string>& arguments) {
    for (std::size_t i = 0; i < arguments.size(); ++i) {
        const std::string& argument = arguments[i];
        if (argument == "-ojson" || argument == "--output=json") return true;
        if ((argument == "-o" || argument == "--output") && i + 1 < arguments.size() && arguments[i + 1] == "json") {
            return true;
        }
    }
    return false;
}

// Of --warning and --critical, where a program has both. A critical range alone may be stricter than the default
// warning one: then only it is wanted.
base::Result<void> refuse_swapped(const options::OptionTable& table, const Options& given) {
    const auto is_range = [&table](std::string_view name) {
        return std::ranges::any_of(
            table, [name](const options::Option& option) { return option.name == name && option.kind == Kind::range; });
    };
    if (!is_range("warning") || !is_range("critical") || !given.given("warning")) return {};
    return given.thresholds().refuse_swapped();
}

Report judged(const Check& check, const Options& options, const base::Deadline& whole, const RunContext& context) {
    const auto share = std::chrono::duration_cast<base::Duration>(options.timeout() * target_share);
    auto result = check.run(options, whole.within(share), context.world);
    const bool cut = whole.expired() || (!result && result.error().fault == base::Fault::deadline);
    if (cut) return cut_short(options, "timed out", context);
    if (!result) return report_of(state_of(result.error().fault), result.error().what);
    return *std::move(result);
}

}  // namespace

Outcome rendered(const Check& check, const Report& report, bool json, int verbosity) {
    const std::string program = program_name(check);
    const Rendering how{program, options::version(), verbosity};
    return {exit_code(report.state()), json ? as_json(report, how) : as_text(report, how)};
}

Report cut_short(const Options& options, std::string_view why, const RunContext& context) {
    const double seconds = static_cast<double>(options.timeout().count()) / 1000;
    std::string text = fmt::format("{} (-t {} s)", why, base::plain(seconds));
    const std::string step = context.progress != nullptr ? context.progress->last() : "";
    if (!step.empty()) text += " while " + step;
    Report report = report_of(options.timeout_state(), std::move(text));
    return report;
}

Prepared prepare(const Check& check, const std::vector<std::string>& arguments, const RunContext& context) {
    try {
        const options::Program program = program_of(check);
        const options::ParseRules rules{.load = extra_loader(program.name, context.files, context.ini_path)};
        auto given = options::Options::parse(program.options, arguments, rules);
        if (!given) {
            return {std::nullopt,
                    rendered(check, report_of(State::unknown, given.error().what), wants_json(arguments), 0)};
        }
        if (given->flag("help")) return {std::nullopt, {exit_code(State::unknown), options::help_text(program)}};
        if (given->flag("version")) return {std::nullopt, {exit_code(State::unknown), options::version_text(program)}};
        Options ready(*std::move(given));
        if (auto done = refuse_swapped(program.options, ready); !done) {
            return {std::nullopt,
                    rendered(check, report_of(State::unknown, done.error().what), wants_json(arguments), 0)};
        }
        return {std::move(ready), {}};
    } catch (const std::exception& error) {
        return {std::nullopt, rendered(check, mistake(error.what()), wants_json(arguments), 0)};
    }
}

Outcome execute(const Check& check, const Options& options, const RunContext& context) {
    const base::Deadline whole(context.clock, options.timeout(), context.progress);
    Report report;
    try {
        report = judged(check, options, whole, context);
        return rendered(check, report, options.json(), options.verbosity());
    } catch (const std::exception& error) {
        report = mistake(error.what());
    } catch (...) {
        report = mistake("an exception of unknown type");
    }
    return rendered(check, report, options.json(), options.verbosity());
}

Outcome run(const Check& check, const std::vector<std::string>& arguments, const RunContext& context) {
    Prepared prepared = prepare(check, arguments, context);
    if (!prepared.options) return std::move(prepared.answer);
    return execute(check, *prepared.options, context);
}

}  // namespace mtawatch::plugin
