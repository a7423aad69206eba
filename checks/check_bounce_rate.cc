// check_bounce_rate: does too large a share of mail bounce, wait or draw complaints?
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <ctime>
#include <utility>

#include "shared/base/duration.h"
#include "shared/base/json.h"
#include "shared/plugin/check.h"
#include "shared/probe/bounce_rate.h"

namespace mtawatch::checks {
namespace {

using base::Fault;
using base::Result;
using plugin::Kind;
using plugin::Options;
using plugin::Report;
using plugin::State;
using plugin::Thresholds;
using probe::BounceRateObservation;
using probe::MailCounts;
using probe::MailKey;

// What a metric divides by what, in one place.
struct Metric {
    std::string_view name;
    std::string_view verb;  // "3.1 % bounced"
    std::string_view warning;
    std::string_view critical;
    std::uint64_t (*part)(const MailCounts&);
    std::uint64_t (*whole)(const MailCounts&);
};

std::uint64_t ended(const MailCounts& counts) { return counts.delivered + counts.bounced(); }

constexpr std::array<Metric, 7> kMetrics{{
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

struct Limits {
    Metric metric = kMetrics.front();
    Thresholds share;
    std::uint64_t min_volume = 100;
    std::chrono::seconds max_age{86400};
    State idle = State::unknown;
    MailKey by = MailKey::none;
};

plugin::OptionTable options() {
    return {{.name = "file",
             .letter = 'f',
             .metavar = "GLOB",
             .help = "Accounting files, also compressed ones (.gz); - is standard input",
             .fallback_text = "/var/log/pmta/acct-*.csv and .csv.gz",
             .repeatable = true},
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
             .help = "Fewer messages are shown and not judged",
             .fallback = "100",
             .least = 0},
            {.name = "by", .kind = Kind::choice, .metavar = probe::mail_key_names, .help = "Judge each of these apart"},
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

std::string time_text(std::int64_t seconds) {
    std::tm parts{};
    const std::time_t time = seconds;
    gmtime_r(&time, &parts);
    std::array<char, 32> text{};
    std::strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:%SZ", &parts);
    return text.data();
}

std::string grouped(std::uint64_t number) {
    std::string text = std::to_string(number);
    for (std::size_t at = text.size(); at > 3;) text.insert(at -= 3, ",");
    return text;
}

double percent(const Metric& metric, const MailCounts& counts) {
    const auto whole = static_cast<double>(metric.whole(counts));
    // More digits than four say nothing about a count of messages, and fill the line.
    constexpr double digits = 1e4;
    return whole > 0 ? std::round(100 * digits * static_cast<double>(metric.part(counts)) / whole) / digits : 0;
}

// Two digits that matter: 2.93, 0.012.
std::string percent_text(double value) {
    if (value == 0 || value >= 0.1) return fmt::format("{:.2f} %", value);
    return fmt::format("{:.2g} %", value);
}

Result<Limits> read_limits(const Options& given) {
    Limits limits;
    const std::string wanted = given.text("metric");
    limits.metric = *std::ranges::find_if(kMetrics, [&](const Metric& metric) { return metric.name == wanted; });
    const auto range = [&](std::string_view option, std::string_view fallback) -> Result<plugin::Range> {
        const auto own = given.find_range(option);
        if (!own) return plugin::Range::parse(fallback);
        if (wanted == "delivery") {
            if (const auto fine = plugin::refuse_bare(*own, fmt::format("--{}", option), "percent"); !fine) {
                return base::fail(fine.error());
            }
        }
        return *own;
    };
    auto warning = range("warning", limits.metric.warning);
    if (!warning) return base::fail(warning.error());
    auto critical = range("critical", limits.metric.critical);
    if (!critical) return base::fail(critical.error());
    limits.share = Thresholds{std::move(*warning), std::move(*critical)};
    limits.min_volume = static_cast<std::uint64_t>(given.integer("min-volume"));
    limits.max_age = std::chrono::duration_cast<std::chrono::seconds>(given.duration("max-age"));
    limits.idle = plugin::parse_state(given.text("idle")).value_or(State::unknown);
    if (const auto by = given.find_text("by")) limits.by = probe::mail_key_of_name(*by).value_or(MailKey::none);
    return limits;
}

Result<probe::BounceRateQuery> read_query(const Options& given, const Limits& limits, const base::Clock& clock) {
    probe::BounceRateQuery query;
    query.globs = given.list("file");
    if (query.globs.empty()) query.globs = {"/var/log/pmta/acct-*.csv", "/var/log/pmta/acct-*.csv.gz"};
    const bool complaints = limits.metric.name == "complaint";
    const auto window = given.find_duration("window").value_or(std::chrono::hours(complaints ? 24 : 1));
    query.window = std::chrono::duration_cast<std::chrono::seconds>(window);
    if (query.window < std::chrono::seconds(1)) return base::fail(Fault::usage, "--window: must be at least 1s");
    query.end = given.find_time("at").value_or(clock.wall());
    query.by = limits.by;
    query.needed.complaints = complaints;
    query.needed.deferrals = limits.metric.name == "deferral";
    query.classes_file = given.find_text("classes").value_or("");
    for (const std::string& text : given.list("only")) {
        const std::size_t equals = text.find('=');
        const auto key = probe::mail_key_of_name(std::string_view(text).substr(0, equals));
        if (equals == std::string::npos || !key) {
            return base::fail(Fault::usage, "--only \"{}\": write KEY=VALUE with one of the keys {}", text,
                              probe::mail_key_names);
        }
        query.only.emplace_back(*key, text.substr(equals + 1));
    }
    return query;
}

// Each bounce category's share is of all mail: deliveries have no category of their own.
MailCounts counts_of_group(const BounceRateObservation& seen, const Limits& limits, const MailCounts& group) {
    if (limits.by != MailKey::category) return group;
    MailCounts counts = group;
    // Puts the rest of the mail into the denominator, whatever the numerator of the metric is.
    counts.delivered = seen.total.delivered + seen.total.bounced() - group.bounced();
    return counts;
}

std::string share_text(const Metric& metric, const MailCounts& counts) {
    return fmt::format("{} {} ({} of {})", percent_text(percent(metric, counts)), metric.verb,
                       grouped(metric.part(counts)), grouped(metric.whole(counts)));
}

// One share: judged when there is enough mail, else shown.
void judge_share(const std::string& name, const MailCounts& counts, const Limits& limits, Report& report) {
    const std::string text = name + share_text(limits.metric, counts);
    if (limits.metric.whole(counts) < limits.min_volume) {
        report.add(State::ok, fmt::format("{}; too little mail to judge (--min-volume {})", text, limits.min_volume));
        return;
    }
    const double share = percent(limits.metric, counts);
    const State state = limits.share.judge(share);
    report.add(state, state == State::ok ? text : fmt::format("{}, {}", text, limits.share.reason(share)));
}

// Why the figure cannot be had, although records were read; "" when it can.
std::string missing_type(const BounceRateObservation& seen, const Limits& limits) {
    const auto say = [](std::string_view type, std::string_view add) {
        return fmt::format("PowerMTA does not log {} records here: add `records {}`", type, add);
    };
    if (!seen.logged.deliveries) return say("d", "d,b");
    if (limits.metric.name == "deferral" && !seen.logged.deferrals) return say("t", "d,b,t");
    if (limits.metric.name == "complaint" && !seen.logged.complaints) return say("f", "d,b,f");
    return {};
}

void judge_sources(const BounceRateObservation& seen, Report& report) {
    for (const probe::LogSource& source : seen.sources) {
        if (!source.problem.empty()) {
            report.add(State::unknown, fmt::format("not all of the mail was seen: {}", source.problem));
        } else if (source.skipped) {
            report.note(2, fmt::format("{}: finished before the window, not read", source.path));
        } else {
            report.note(2, fmt::format("{}: {} bytes read, {} reads to find the window", source.path,
                                       grouped(source.bytes_read), source.search_reads));
        }
        if (source.malformed > 0) {
            report.note(1, fmt::format("{}: {} lines that are no records were skipped", source.path, source.malformed));
        }
    }
}

void judge_age(const BounceRateObservation& seen, const Limits& limits, Report& report) {
    if (!seen.newest) {
        report.add(State::unknown,
                   "the accounting files hold no record up to then; PowerMTA has not written any, or the "
                   "files are others");
        return;
    }
    const std::chrono::seconds age(seen.end - *seen.newest);
    if (age <= limits.max_age) return;
    report.add(
        State::critical,
        fmt::format("the newest record is {} old ({}): PowerMTA sends nothing, or writes its accounting elsewhere",
                    base::human_duration(age), time_text(*seen.newest)));
}

void add_figures(const BounceRateObservation& seen, const Limits& limits, Report& report) {
    const auto number = [](std::uint64_t value) { return std::optional<double>(static_cast<double>(value)); };
    const MailCounts& total = seen.total;
    if (limits.metric.whole(total) > 0) {
        report.figure(limits.metric.name, percent(limits.metric, total), plugin::Unit::percent, limits.share, 0, 100);
    }
    report.figure("delivered", number(total.delivered), plugin::Unit::none, {}, 0);
    report.figure("bounced", number(total.bounced()), plugin::Unit::none, {}, 0);
    if (seen.logged.deferrals) report.figure("deferred", number(total.deferred), plugin::Unit::none, {}, 0);
    if (seen.logged.complaints) report.figure("complaints", number(total.complaints), plugin::Unit::none, {}, 0);
}

void write_counts(base::JsonWriter& json, const MailCounts& counts) {
    json.member("delivered", counts.delivered).member("hard", counts.hard).member("soft", counts.soft);
    json.member("block", counts.block).member("other", counts.other).member("deferred", counts.deferred);
    json.member("complaints", counts.complaints).member("local_delivered", counts.local_delivered);
    json.member("local_bounced", counts.local_bounced);
}

std::string observation_json(const BounceRateObservation& seen, const Limits& limits) {
    base::JsonWriter json;
    const auto share = [&](const MailCounts& counts) -> std::optional<double> {
        if (limits.metric.whole(counts) == 0) return std::nullopt;
        return percent(limits.metric, counts);
    };
    json.object().member("metric", limits.metric.name).member("begin", time_text(seen.begin));
    json.member("end", time_text(seen.end)).member("percent", share(seen.total)).member("records", seen.records);
    json.key("newest").value(seen.newest ? std::optional(time_text(*seen.newest)) : std::nullopt);
    json.key("total").object();
    write_counts(json, seen.total);
    json.end();
    json.key("logged").object().member("d", seen.logged.deliveries).member("b", seen.logged.bounces);
    json.member("t", seen.logged.deferrals).member("f", seen.logged.complaints).end();
    json.key("groups").array();
    for (const auto& [name, counts] : seen.groups) {
        json.object().member("name", name).member("percent", share(counts_of_group(seen, limits, counts)));
        write_counts(json, counts);
        json.end();
    }
    json.end().key("sources").array();
    for (const probe::LogSource& source : seen.sources) {
        json.object().member("path", source.path).member("bytes_read", source.bytes_read);
        json.member("search_reads", source.search_reads).member("malformed", source.malformed);
        json.member("skipped", source.skipped);
        json.key("problem").value(source.problem.empty() ? std::nullopt : std::optional(source.problem));
        json.end();
    }
    return json.end().end().take();
}

// The groups, worst share first, so that the details that are cut off are the harmless ones.
void judge_groups(const BounceRateObservation& seen, const Limits& limits, Report& report) {
    std::vector<std::pair<std::string, MailCounts>> groups;
    for (const auto& [group, counts] : seen.groups) groups.emplace_back(group, counts_of_group(seen, limits, counts));
    const bool low_is_bad = limits.metric.name == "delivery";
    std::ranges::stable_sort(groups, [&](const auto& a, const auto& b) {
        const double left = percent(limits.metric, a.second);
        const double right = percent(limits.metric, b.second);
        return low_is_bad ? left < right : left > right;
    });
    for (const auto& [group, counts] : groups) {
        if (limits.metric.whole(counts) == 0) continue;
        judge_share(fmt::format("{} {}: ", probe::name(limits.by), group), counts, limits, report);
    }
    if (seen.groups_folded) {
        report.note(1, fmt::format("more than {} values of {}: the rest is counted as \"other\"",
                                   grouped(probe::kMaxMailGroups), probe::name(limits.by)));
    }
}

Report judge(const BounceRateObservation& seen, const Limits& limits) {
    Report report;
    report.observation = observation_json(seen, limits);
    judge_sources(seen, report);
    judge_age(seen, limits, report);
    const std::string window = base::human_duration(std::chrono::seconds(seen.end - seen.begin));
    if (!seen.newest) return report;
    const std::string missing = missing_type(seen, limits);
    if (!missing.empty()) {
        report.add(State::unknown, missing);
        return report;
    }
    if (limits.metric.whole(seen.total) == 0) {
        report.add(limits.idle, fmt::format("no {} between {} and {} ({}); the newest record is from {}",
                                            seen.records == 0 ? "record" : "such mail", time_text(seen.begin),
                                            time_text(seen.end), window, time_text(*seen.newest)));
        return report;
    }
    add_figures(seen, limits, report);
    if (!seen.logged.bounces) {
        report.note(1, "no b record was met; if PowerMTA does not log them here, add `records d,b`");
    }
    if (seen.queue_times) {
        report.note(1, "without timeLogged in the files, the time of queueing decides what lies in the window");
    }
    judge_share(fmt::format("last {}: ", window), seen.total, limits, report);
    judge_groups(seen, limits, report);
    return report;
}

Result<Report> run(const Options& given, const base::Deadline& deadline, probe::World& world) {
    const auto limits = read_limits(given);
    if (!limits) return base::fail(limits.error());
    const auto query = read_query(given, *limits, *world.clock);
    if (!query) return base::fail(query.error());
    const auto seen = probe::bounce_rate(*query, deadline, world);
    if (!seen) return base::fail(seen.error());
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
