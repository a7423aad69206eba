#include "checks/bounce_rate_query.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <string>
#include <utility>
#include <vector>

namespace mtawatch::checks {
namespace {

using base::fail;
using base::Fault;
using base::Result;
using plugin::Kind;
using plugin::Options;
using plugin::State;
using plugin::Thresholds;
using probe::bounce_rate::LogFormat;
using probe::bounce_rate::MailCounts;
using probe::bounce_rate::MailKey;

std::uint64_t ended(const MailCounts& counts) { return counts.delivered + counts.bounced(); }

constexpr std::array<Metric, 7> metrics{{
    {"bounce", "bounced", "5", "10", [](const MailCounts& c) { return c.bounced(); }, ended},
    {"hard", "bounced hard", "2", "5", [](const MailCounts& c) { return c.hard; }, ended},
    {"soft", "bounced soft", "10", "20", [](const MailCounts& c) { return c.soft; }, ended},
    {"block", "blocked", "1", "3", [](const MailCounts& c) { return c.block; }, ended},
    {"deferral", "deferred", "15", "30", [](const MailCounts& c) { return c.deferred; },
     [](const MailCounts& c) { return ended(c) + c.deferred; }},
    {"complaint", "complained about", "0.1", "0.3", [](const MailCounts& c) { return c.complaints; },
     [](const MailCounts& c) { return c.delivered; }},
    {"delivery", "delivered", "95:", "85:", [](const MailCounts& c) { return c.delivered; }, ended},
}};

std::vector<std::string> default_files(LogFormat format) {
    switch (format) {
        case LogFormat::postfix:
            return {"/var/log/mail.log", "/var/log/mail.log.*"};
        case LogFormat::kumomta:
            return {"/var/log/kumomta/*"};
        case LogFormat::pmta:
            break;
    }
    return {"/var/log/pmta/acct-*.csv", "/var/log/pmta/acct-*.csv.gz"};
}

// What is read, and in which form.
Result<void> read_sources(const Options& given, probe::bounce_rate::BounceRateQuery& query) {
    query.format = probe::bounce_rate::log_format_of_name(given.text("format")).value_or(LogFormat::pmta);
    query.globs = given.list("file");
    query.journal = given.find_text("journal").value_or("");
    query.table = given.find_text("map").value_or("");
    query.types = given.find_text("types").value_or("");
    if (!query.journal.empty() && query.format != LogFormat::postfix) {
        return fail(Fault::usage, "--journal is for --format postfix: {} writes its own files",
                    words_of(query.format).program);
    }
    if (!query.journal.empty() && !query.globs.empty()) {
        return fail(Fault::usage, "--journal and --file would count the same mail twice; give one of them");
    }
    if (!(query.table.empty() && query.types.empty()) && query.format != LogFormat::pmta) {
        return fail(Fault::usage, "--map and --types are for tables; leave --format out");
    }
    if (query.globs.empty() && query.journal.empty()) query.globs = default_files(query.format);
    return {};
}

// Keys and metrics that the records of a format do not have.
Result<void> check_format(const probe::bounce_rate::BounceRateQuery& query, const Limits& limits) {
    std::vector<std::pair<std::string_view, MailKey>> keys;
    for (const auto& wanted : query.only) keys.emplace_back("only", wanted.first);
    if (limits.by != MailKey::none) keys.emplace_back("by", limits.by);
    for (const auto& [option, key] : keys) {
        if (probe::bounce_rate::knows_key(query.format, key)) continue;
        if (key == MailKey::relay) {
            return fail(Fault::usage, "--{} relay is Postfix's; the word for {} is vmta", option,
                        words_of(query.format).program);
        }
        return fail(Fault::usage,
                    "--{} {}: a Postfix log does not say it; write one of "
                    "relay, provider, sender-domain and recipient-domain",
                    option, name(key));
    }
    if (query.format == LogFormat::postfix && query.needed.complaints) {
        return fail(Fault::usage, "--metric complaint: a Postfix log has no complaints");
    }
    return {};
}

}  // namespace

const FormatWords& words_of(LogFormat format) {
    static constexpr std::array<FormatWords, 3> words{
        {{"PowerMTA", "PowerMTA does not log {0} records here: add `records {1}`"},
         {"Postfix", ""},
         {"KumoMTA", "KumoMTA does not log {2} records here: enable them under per_record of configure_local_logs"}}};
    return words[static_cast<std::size_t>(format)];
}

plugin::OptionTable bounce_rate_options() {
    return {
        {.name = "file",
         .letter = 'f',
         .metavar = "GLOB",
         .help = "Log files, also compressed ones (gzip, zstd); - is standard input",
         .fallback_text = "pmta /var/log/pmta/acct-*.csv and .csv.gz, postfix /var/log/mail.log and mail.log.*, "
                          "kumomta /var/log/kumomta/*",
         .repeatable = true},
        {.name = "format",
         .kind = Kind::choice,
         .metavar = "pmta|postfix|kumomta",
         .help = "Format of the log",
         .fallback = "pmta"},
        {.name = "journal", .metavar = "UNIT", .help = "Postfix: read the journal of this unit, not files"},
        {.name = "map",
         .metavar = "COLUMN=NAME,...",
         .help =
             "For a table of another program, with a header line: PowerMTA's columns and the table's names for them, "
             "timeLogged=created_at,type=status,rcpt=recipient"},
        {.name = "types",
         .metavar = "VALUE=TYPE,...",
         .help = "What the values of the type column mean: sent=d,bounced=b,deferred=t, f for a complaint, other to "
                 "leave them out"},
        {.name = "metric",
         .kind = Kind::choice,
         .metavar = "bounce|hard|soft|block|deferral|complaint|delivery",
         .help = "Share of mail to judge, in percent",
         .fallback = "bounce"},
        {.name = "window",
         .kind = Kind::duration,
         .help = "Length of time to judge",
         .fallback_text = "1h; 24h for complaints"},
        {.name = "at", .kind = Kind::time, .help = "End of that time", .fallback_text = "now"},
        {.name = "warning",
         .letter = 'w',
         .kind = Kind::range,
         .help = "Percent",
         .fallback_text = "bounce 5, hard 2, soft 10, block 1, deferral 15, complaint 0.1, delivery 95:"},
        {.name = "critical",
         .letter = 'c',
         .kind = Kind::range,
         .help = "Percent",
         .fallback_text = "bounce 10, hard 5, soft 20, block 3, deferral 30, complaint 0.3, delivery 85:"},
        {.name = "min-volume",
         .kind = Kind::integer,
         .metavar = "N",
         .help = "Least number of messages to judge; fewer are only shown",
         .fallback = "100",
         .least = 0},
        {.name = "by",
         .kind = Kind::choice,
         .metavar = probe::bounce_rate::mail_key_names,
         .help = "Judge each of these apart"},
        {.name = "only",
         .metavar = "KEY=VALUE",
         .help = "Count only this mail, with the keys of --by",
         .repeatable = true},
        {.name = "max-age",
         .kind = Kind::duration,
         .help = "CRITICAL when the newest record is older",
         .fallback = "1d"},
        {.name = "idle",
         .kind = Kind::choice,
         .metavar = "ok|warning|critical|unknown",
         .help = "State when there is no mail in that time",
         .fallback = "unknown"},
        {.name = "classes",
         .metavar = "FILE",
         .help = "The exporter's configuration, for its providers, bounce classes and aliases"}};
}

Result<Limits> read_limits(const Options& given) {
    Limits limits;
    const std::string wanted = given.text("metric");
    limits.metric = *std::ranges::find_if(metrics, [&](const Metric& metric) { return metric.name == wanted; });
    const auto range = [&](std::string_view option, std::string_view fallback) -> Result<plugin::Range> {
        const auto own = given.find_range(option);
        if (!own) return plugin::Range::parse(fallback);
        if (wanted == "delivery") {
            if (const auto done = plugin::refuse_bare(*own, fmt::format("--{}", option), "percent"); !done) {
                return fail(done.error());
            }
        }
        return *own;
    };
    auto warning = range("warning", limits.metric.warning);
    if (!warning) return fail(warning.error());
    auto critical = range("critical", limits.metric.critical);
    if (!critical) return fail(critical.error());
    limits.share = Thresholds{std::move(*warning), std::move(*critical)};
    limits.min_volume = static_cast<std::uint64_t>(given.integer("min-volume"));
    limits.max_age = std::chrono::duration_cast<std::chrono::seconds>(given.duration("max-age"));
    limits.idle = plugin::parse_state(given.text("idle")).value_or(State::unknown);
    if (const auto by = given.find_text("by")) {
        limits.by = probe::bounce_rate::mail_key_of_name(*by).value_or(MailKey::none);
    }
    return limits;
}

Result<probe::bounce_rate::BounceRateQuery> read_query(const Options& given, const Limits& limits,
                                                       const base::Clock& clock) {
    probe::bounce_rate::BounceRateQuery query;
    if (const auto done = read_sources(given, query); !done) return fail(done.error());
    const bool complaints = limits.metric.name == "complaint";
    const auto window = given.find_duration("window").value_or(std::chrono::hours(complaints ? 24 : 1));
    query.window = std::chrono::duration_cast<std::chrono::seconds>(window);
    if (query.window < std::chrono::seconds(1)) return fail(Fault::usage, "--window: must be at least 1s");
    query.end = given.find_time("at").value_or(clock.wall());
    query.by = limits.by;
    query.needed.complaints = complaints;
    query.needed.deferrals = limits.metric.name == "deferral";
    query.classes_file = given.find_text("classes").value_or("");
    for (const std::string& text : given.list("only")) {
        const std::size_t equals = text.find('=');
        const auto key = probe::bounce_rate::mail_key_of_name(std::string_view(text).substr(0, equals));
        if (equals == std::string::npos || !key) {
            return fail(Fault::usage, "--only \"{}\": write KEY=VALUE with one of the keys {}", text,
                        probe::bounce_rate::mail_key_names);
        }
        query.only.emplace_back(*key, text.substr(equals + 1));
    }
    if (const auto done = check_format(query, limits); !done) return fail(done.error());
    return query;
}

}  // namespace mtawatch::checks
