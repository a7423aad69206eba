// check_bounce_rate: alerts when too large a share of mail bounces, is deferred or draws complaints.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <string>
#include <utility>
#include <vector>

#include "checks/mta_options.h"
#include "shared/base/duration.h"
#include "shared/base/utc.h"
#include "shared/plugin/check.h"
#include "shared/probe/bounce_rate/bounce_rate.h"

namespace mtawatch::checks {
namespace {

using base::fail;
using base::Fault;
using base::Result;
using plugin::Kind;
using plugin::Options;
using plugin::Report;
using plugin::State;
using plugin::Thresholds;
using probe::bounce_rate::BounceRateObservation;
using probe::bounce_rate::LogFormat;
using probe::bounce_rate::MailCounts;
using probe::bounce_rate::MailKey;
using probe::bounce_rate::MailMetric;

// How an answer speaks of a format.
struct FormatWords {
    std::string_view program;
    std::string_view unlogged;  // {0}, a record type, is not in it: {1} is PowerMTA's word to add, {2} KumoMTA's
};

const FormatWords& words_of(LogFormat format) {
    static constexpr std::array<FormatWords, 3> words{
        {{"PowerMTA", "PowerMTA does not log {0} records here: add `records {1}`"},
         {"Postfix", ""},
         {"KumoMTA", "KumoMTA does not log {2} records here: enable them under per_record of configure_local_logs"}}};
    return words[static_cast<std::size_t>(format)];
}

// How an answer speaks of a metric, and its limits where none are given.
struct MetricWords {
    std::string_view verb;  // "3.1 % bounced"
    std::string_view warning;
    std::string_view critical;
};

// By MailMetric.
constexpr std::array<MetricWords, 7> metric_words{{{"bounced", "5", "10"},
                                                   {"bounced hard", "2", "5"},
                                                   {"bounced soft", "10", "20"},
                                                   {"blocked", "1", "3"},
                                                   {"deferred", "15", "30"},
                                                   {"complained about", "0.1", "0.3"},
                                                   {"delivered", "95:", "85:"}}};

const MetricWords& words_of(MailMetric metric) { return metric_words[static_cast<std::size_t>(metric)]; }

options::OptionTable log_options() {
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
                 "leave them out"}};
}

options::OptionTable judging_options() {
    return {{.name = "metric",
             .kind = Kind::choice,
             .metavar = "bounce|hard|soft|block|deferral|complaint|delivery",
             .help = "Share of mail to judge, in percent",
             .fallback = "bounce"},
            {.name = "window",
             .kind = Kind::duration,
             .help = "Length of time to judge",
             .fallback_text = "1h; 24h for complaints"},
            {.name = "at",
             .kind = Kind::time,
             .help = "End of that time",
             .fallback_text = "now, by the clock of the host that wrote the log"},
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
            {.name = "top",
             .kind = Kind::integer,
             .metavar = "N",
             .help = "Show only the first N of them, and any that alert",
             .fallback_text = "10 with reason, code or reply, else all",
             .least = 1},
            {.name = "since",
             .kind = Kind::duration,
             .help = "With --by reason, code or reply: mark what was not met in this time before the window"},
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

options::OptionTable options() {
    return options::options_of({log_options(), judging_options(), plugin::ssh_options(), plugin::family_options()});
}

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
Result<void> read_sources(const Options& options, probe::bounce_rate::BounceRateQuery& query) {
    query.format = probe::bounce_rate::log_format_of_name(options.text("format")).value_or(LogFormat::pmta);
    query.globs = options.list("file");
    query.journal = options.find_text("journal").value_or("");
    query.table = options.find_text("map").value_or("");
    query.types = options.find_text("types").value_or("");
    auto ssh = ssh_target(options);
    if (!ssh) return fail(ssh.error());
    query.ssh = std::move(*ssh);
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
Result<void> check_format(const probe::bounce_rate::BounceRateQuery& query) {
    std::vector<std::pair<std::string_view, MailKey>> keys;
    for (const auto& wanted : query.only) keys.emplace_back("only", wanted.first);
    if (query.by != MailKey::none) keys.emplace_back("by", query.by);
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
    const bool of_reply = is_of_failures(query.by) && query.by != MailKey::category;
    if (of_reply && query.metric == MailMetric::complaint) {
        return fail(Fault::usage, "--by {}: a complaint has no reply; write another --metric", name(query.by));
    }
    if (query.since.count() > 0 && !of_reply) return fail(Fault::usage, "--since needs --by reason, code or reply");
    if (query.format == LogFormat::postfix && query.needed.complaints) {
        return fail(Fault::usage, "--metric complaint: a Postfix log has no complaints");
    }
    return {};
}

MailMetric metric_of(const Options& options) {
    return probe::bounce_rate::mail_metric_of_name(options.text("metric")).value_or(MailMetric::bounce);
}

Result<probe::bounce_rate::BounceRateQuery> query_of(const Options& options) {
    probe::bounce_rate::BounceRateQuery query;
    if (const auto done = read_sources(options, query); !done) return fail(done.error());
    query.metric = metric_of(options);
    const bool complaints = query.metric == MailMetric::complaint;
    const auto window = options.find_duration("window").value_or(std::chrono::hours(complaints ? 24 : 1));
    query.window = std::chrono::duration_cast<std::chrono::seconds>(window);
    if (query.window < std::chrono::seconds(1)) return fail(Fault::usage, "--window: must be at least 1s");
    query.end = options.find_time("at");
    if (const auto by = options.find_text("by")) {
        query.by = probe::bounce_rate::mail_key_of_name(*by).value_or(MailKey::none);
    }
    if (const auto since = options.find_duration("since")) {
        query.since = std::chrono::duration_cast<std::chrono::seconds>(*since);
    }
    query.needed.complaints = complaints;
    query.needed.deferrals = query.metric == MailMetric::deferral;
    query.classes_file = options.find_text("classes").value_or("");
    for (const std::string& text : options.list("only")) {
        const std::size_t equals = text.find('=');
        const auto key = probe::bounce_rate::mail_key_of_name(std::string_view(text).substr(0, equals));
        if (equals == std::string::npos || !key) {
            return fail(Fault::usage, "--only \"{}\": write KEY=VALUE with one of the keys {}", text,
                        probe::bounce_rate::mail_key_names);
        }
        query.only.emplace_back(*key, text.substr(equals + 1));
    }
    if (const auto done = check_format(query); !done) return fail(done.error());
    return query;
}

struct BounceRateLimits {
    Thresholds share;
    std::uint64_t min_volume = 100;
    std::chrono::seconds max_age{86400};
    State idle = State::unknown;
    bool judges_replies = false;  // limits were given: groups of replies are judged by them, else only shown
    std::optional<std::size_t> top;
};

Result<BounceRateLimits> limits_of(const Options& options) {
    BounceRateLimits limits;
    const MailMetric metric = metric_of(options);
    const auto range = [&](std::string_view option, std::string_view fallback) -> Result<plugin::Range> {
        const auto own = options.find_range(option);
        if (!own) return plugin::Range::parse(fallback);
        if (metric == MailMetric::delivery) {
            if (const auto done = plugin::refuse_bare(*own, fmt::format("--{}", option), "percent"); !done) {
                return fail(done.error());
            }
        }
        return *own;
    };
    auto warning = range("warning", words_of(metric).warning);
    if (!warning) return fail(warning.error());
    auto critical = range("critical", words_of(metric).critical);
    if (!critical) return fail(critical.error());
    limits.share = Thresholds{std::move(*warning), std::move(*critical)};
    limits.min_volume = static_cast<std::uint64_t>(options.integer("min-volume"));
    limits.max_age = std::chrono::duration_cast<std::chrono::seconds>(options.duration("max-age"));
    limits.judges_replies = options.find_range("warning").has_value() || options.find_range("critical").has_value();
    if (const auto top = options.find_integer("top")) limits.top = static_cast<std::size_t>(*top);
    limits.idle = plugin::parse_state(options.text("idle")).value_or(State::unknown);
    return limits;
}

std::string grouped(std::uint64_t number) {
    std::string text = std::to_string(number);
    for (std::size_t at = text.size(); at > 3;) text.insert(at -= 3, ",");
    return text;
}

// Two digits that matter: 2.93, 0.012.
std::string percent_text(double value) {
    if (value == 0 || value >= 0.1) return fmt::format("{:.2f} %", value);
    return fmt::format("{:.2g} %", value);
}

std::string share_text(MailMetric metric, const MailCounts& counts) {
    return fmt::format("{} {} ({} of {})", percent_text(percent(metric, counts).value_or(0)), words_of(metric).verb,
                       grouped(part(metric, counts)), grouped(whole(metric, counts)));
}

// One share: judged when there is enough mail, else shown.
void judge_share(const std::string& name, MailMetric metric, const MailCounts& counts, const BounceRateLimits& limits,
                 Report& report) {
    const std::string text = name + share_text(metric, counts);
    const auto share = percent(metric, counts);
    if (!share || whole(metric, counts) < limits.min_volume) {
        report.add(State::ok, fmt::format("{}; too little mail to judge (--min-volume {})", text, limits.min_volume));
        return;
    }
    const State state = limits.share.judge(*share);
    report.add(state, state == State::ok ? text : fmt::format("{}, {}", text, limits.share.reason(*share)));
}

State state_of(MailMetric metric, const MailCounts& counts, const BounceRateLimits& limits) {
    const auto share = percent(metric, counts);
    return share && whole(metric, counts) >= limits.min_volume ? limits.share.judge(*share) : State::ok;
}

// " (new: not in the 7 d before)" of a group that only the window has.
std::string news_of(const BounceRateObservation& seen, const std::string& group) {
    if (seen.since.count() == 0 || seen.records_before == 0 || seen.groups_before.contains(group)) return {};
    return fmt::format(" (new: not in the {} before)", base::human_duration(seen.since));
}

// Why the share cannot be computed, although records were read; "" when it can.
std::string missing_type(const BounceRateObservation& seen) {
    const auto say = [&](std::string_view type, std::string_view add, std::string_view kumo, std::string_view what) {
        if (seen.table) {
            return fmt::format("the table holds no {}: name the value that stands for one with --types VALUE={}", what,
                               type);
        }
        return fmt::format(fmt::runtime(words_of(seen.format).unlogged), type, add, kumo);
    };
    if (!seen.logged.deliveries) return say("d", "d,b", "Delivery", "delivery");
    if (seen.metric == MailMetric::deferral && !seen.logged.deferrals) {
        return say("t", "d,b,t", "TransientFailure", "deferral");
    }
    if (seen.metric == MailMetric::complaint && !seen.logged.complaints) {
        return say("f", "d,b,f", "Feedback", "complaint");
    }
    return {};
}

void judge_sources(const BounceRateObservation& seen, Report& report) {
    for (const probe::bounce_rate::LogSource& source : seen.sources) {
        if (!source.problem.empty()) {
            report.add(State::unknown, fmt::format("not all of the mail was seen: {}", source.problem));
        } else if (source.skipped) {
            report.note(2, fmt::format("{}: finished before the window, not read", source.path));
        } else {
            report.note(2, fmt::format("{}: {} bytes read, {} reads to find the window", source.path,
                                       grouped(source.bytes_read), source.search_reads));
        }
        if (source.growing) report.note(2, fmt::format("{}: is still being written", source.path));
        if (source.malformed > 0) {
            report.note(1, fmt::format("{}: {} lines that are no records were skipped", source.path, source.malformed));
        }
    }
}

// Values that --types does not explain may be deliveries or bounces: without them no share is right.
void judge_types(const BounceRateObservation& seen, Report& report) {
    if (!seen.table || seen.unknown_types.empty()) return;
    std::vector<std::string> shown;
    for (const auto& [value, count] : seen.unknown_types) {
        shown.push_back(fmt::format("\"{}\" ({})", value, grouped(count)));
    }
    report.add(State::unknown,
               fmt::format("not all of the mail is counted: --types does not say what {} {} in the type "
                           "column; write VALUE=d, b, t or f, or VALUE=other to leave it out",
                           fmt::join(shown, ", "), shown.size() == 1 ? "means" : "mean"));
}

// Categories of the operator's own: the reply decided, and a line in the configuration would.
void judge_categories(const BounceRateObservation& seen, Report& report) {
    if (seen.unknown_categories.empty()) return;
    std::vector<std::string> shown;
    for (const auto& [category, count] : seen.unknown_categories) {
        shown.push_back(fmt::format("\"{}\" ({})", category, grouped(count)));
    }
    report.note(1, fmt::format("categories that nothing explains, so the receivers' replies decided: {}; "
                               "classes.bounce_classes of --classes FILE can say what they mean",
                               fmt::join(shown, ", ")));
}

// The sources that held no record. Those that could not be read are reported apart, and old ones were not opened.
std::string nothing_recorded(const BounceRateObservation& seen) {
    std::vector<std::string> read;
    for (const probe::bounce_rate::LogSource& source : seen.sources) {
        if (source.problem.empty() && !source.skipped) read.push_back(source.path);
    }
    if (read.empty()) {
        return fmt::format("no readable file was written to in the window up to {}", base::utc_time(seen.end));
    }
    std::string where = read.front();
    if (read.size() > 1) where += fmt::format(" and {} more", read.size() - 1);
    if (seen.table) {
        return fmt::format("{}: no row up to {}; look at the query, and at --map timeLogged=...", where,
                           base::utc_time(seen.end));
    }
    return fmt::format("{}: no record of {} up to {}; it has not written any, or it writes elsewhere", where,
                       words_of(seen.format).program, base::utc_time(seen.end));
}

void judge_age(const BounceRateObservation& seen, const BounceRateLimits& limits, Report& report) {
    if (!seen.newest) {
        report.add(State::unknown, nothing_recorded(seen));
        return;
    }
    const std::chrono::seconds age(seen.end - *seen.newest);
    if (age <= limits.max_age) return;
    report.add(
        State::critical,
        seen.table
            ? fmt::format("the newest row is {} old ({})", base::human_duration(age), base::utc_time(*seen.newest))
            : fmt::format("the newest record is {} old ({}): {} sends nothing, or writes its {} elsewhere",
                          base::human_duration(age), base::utc_time(*seen.newest), words_of(seen.format).program,
                          seen.format == LogFormat::pmta ? "accounting" : "log"));
}

void add_figures(const BounceRateObservation& seen, const BounceRateLimits& limits, Report& report) {
    const auto number = [](std::uint64_t value) { return std::optional<double>(static_cast<double>(value)); };
    const MailCounts& total = seen.total;
    if (const auto share = percent(seen.metric, total)) {
        report.figure(name(seen.metric), *share, plugin::Unit::percent, limits.share, 0, 100);
    }
    report.figure("delivered", number(total.delivered), plugin::Unit::none, {}, 0);
    report.figure("bounced", number(total.bounced()), plugin::Unit::none, {}, 0);
    if (seen.logged.deferrals) report.figure("deferred", number(total.deferred), plugin::Unit::none, {}, 0);
    if (seen.logged.complaints) report.figure("complaints", number(total.complaints), plugin::Unit::none, {}, 0);
}

// The groups, worst share first, so that the details that are cut off are the harmless ones.
void judge_groups(const BounceRateObservation& seen, const BounceRateLimits& limits, Report& report) {
    std::vector<std::pair<std::string, MailCounts>> groups;
    for (const auto& [group, counts] : seen.groups) groups.emplace_back(group, counts_of_group(seen, counts));
    const bool low_is_bad = seen.metric == MailMetric::delivery;
    std::ranges::stable_sort(groups, [&](const auto& a, const auto& b) {
        const double left = percent(seen.metric, a.second).value_or(0);
        const double right = percent(seen.metric, b.second).value_or(0);
        return low_is_bad ? left < right : left > right;
    });
    const bool of_reply = is_of_failures(seen.by) && seen.by != MailKey::category;
    constexpr std::size_t rows_of_replies = 10;
    const std::size_t rows = limits.top.value_or(of_reply ? rows_of_replies : groups.size());
    std::size_t shown = 0;
    std::uint64_t hidden = 0;
    std::size_t hidden_groups = 0;
    for (const auto& [group, counts] : groups) {
        if (whole(seen.metric, counts) == 0 || (of_reply && part(seen.metric, counts) == 0)) continue;
        const State state = of_reply && !limits.judges_replies ? State::ok : state_of(seen.metric, counts, limits);
        if (shown >= rows && state == State::ok) {
            ++hidden_groups;
            hidden += part(seen.metric, counts);
            continue;
        }
        ++shown;
        const std::string label = fmt::format("{} {}{}: ", name(seen.by), group, news_of(seen, group));
        if (of_reply && !limits.judges_replies) {
            report.add(State::ok, label + share_text(seen.metric, counts));
        } else {
            judge_share(label, seen.metric, counts, limits, report);
        }
    }
    if (hidden_groups > 0) {
        report.add(State::ok, fmt::format("{} more of {}, {} {} together (--top)", grouped(hidden_groups),
                                          name(seen.by), grouped(hidden), words_of(seen.metric).verb));
    }
    if (seen.since.count() > 0 && seen.records_before == 0) {
        report.note(1, fmt::format("nothing was logged in the {} before the window, so nothing can be called new",
                                   base::human_duration(seen.since)));
    }
    if (seen.groups_folded) {
        report.note(1, fmt::format("more than {} values of {}: the rest is counted as \"other\"",
                                   grouped(probe::bounce_rate::max_mail_groups), name(seen.by)));
    }
}

Report judge(const BounceRateObservation& seen, const BounceRateLimits& limits) {
    Report report;
    report.observation = to_json(seen);
    judge_sources(seen, report);
    judge_types(seen, report);
    judge_categories(seen, report);
    judge_age(seen, limits, report);
    const std::string window = base::human_duration(std::chrono::seconds(seen.end - seen.begin));
    if (!seen.newest) return report;
    const std::string missing = missing_type(seen);
    if (!missing.empty()) {
        report.add(State::unknown, missing);
        return report;
    }
    if (whole(seen.metric, seen.total) == 0) {
        report.add(limits.idle, fmt::format("no {} between {} and {} ({}); the newest record is from {}",
                                            seen.records == 0 ? "record" : "such mail", base::utc_time(seen.begin),
                                            base::utc_time(seen.end), window, base::utc_time(*seen.newest)));
        return report;
    }
    add_figures(seen, limits, report);
    if (!seen.logged.bounces && seen.format == LogFormat::pmta && !seen.table) {
        report.note(1, "no b record was met; if PowerMTA does not log them here, add `records d,b`");
    }
    if (seen.queue_times) {
        report.note(1, "without timeLogged in the files, the time of queueing decides what lies in the window");
    }
    judge_share(fmt::format("last {}: ", window), seen.metric, seen.total, limits, report);
    judge_groups(seen, limits, report);
    return report;
}

Result<Report> run(const Options& options, const base::Deadline& deadline, probe::world::World& world) {
    const auto limits = limits_of(options);
    if (!limits) return fail(limits.error());
    const auto query = query_of(options);
    if (!query) return fail(query.error());
    const auto seen = probe::bounce_rate::bounce_rate(*query, deadline, world);
    // A host that cannot be reached says nothing about its mail.
    if (!seen && query->ssh && seen.error().fault != Fault::usage) {
        Report report;
        return report.add(State::unknown, fmt::format("the log could not be read: {}", seen.error().what));
    }
    if (!seen) return fail(seen.error());
    return judge(*seen, *limits);
}

}  // namespace

plugin::Check bounce_rate() {
    return {
        .name = "bounce_rate",
        .purpose = "Alerts when too large a share of mail bounces, is deferred or draws complaints in a time window",
        .options = options(),
        .run = run,
        .example = "check_bounce_rate --metric hard --by provider -w 2 -c 5"};
}

}  // namespace mtawatch::checks
