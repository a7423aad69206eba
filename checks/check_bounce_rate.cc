// check_bounce_rate: alerts when too large a share of mail bounces, is deferred or draws complaints.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <ctime>
#include <utility>

#include "checks/bounce_rate_query.h"
#include "shared/base/duration.h"
#include "shared/base/json.h"
#include "shared/plugin/check.h"
#include "shared/probe/bounce_rate/bounce_rate.h"

namespace mtawatch::checks {
namespace {

using base::fail;
using base::Result;
using plugin::Options;
using plugin::Report;
using plugin::State;
using probe::bounce_rate::BounceRateObservation;
using probe::bounce_rate::LogFormat;
using probe::bounce_rate::MailCounts;
using probe::bounce_rate::MailKey;

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

// Why the share cannot be computed, although records were read; "" when it can.
std::string missing_type(const BounceRateObservation& seen, const Limits& limits) {
    const auto say = [&](std::string_view type, std::string_view add, std::string_view kumo, std::string_view what) {
        if (limits.table) {
            return fmt::format("the table holds no {}: name the value that stands for one with --types VALUE={}", what,
                               type);
        }
        return fmt::format(fmt::runtime(words_of(limits.format).unlogged), type, add, kumo);
    };
    if (!seen.logged.deliveries) return say("d", "d,b", "Delivery", "delivery");
    if (limits.metric.name == "deferral" && !seen.logged.deferrals) {
        return say("t", "d,b,t", "TransientFailure", "deferral");
    }
    if (limits.metric.name == "complaint" && !seen.logged.complaints) {
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
void judge_types(const BounceRateObservation& seen, const Limits& limits, Report& report) {
    if (!limits.table || seen.unknown_types.empty()) return;
    std::vector<std::string> shown;
    for (const auto& [value, count] : seen.unknown_types) {
        shown.push_back(fmt::format("\"{}\" ({})", value, grouped(count)));
    }
    report.add(State::unknown,
               fmt::format("not all of the mail is counted: --types does not say what {} {} in the type "
                           "column; write VALUE=d, b, t or f, or VALUE=other to leave it out",
                           fmt::join(shown, ", "), shown.size() == 1 ? "means" : "mean"));
}

// The sources that held no record. Those that could not be read are reported apart, and old ones were not opened.
std::string nothing_recorded(const BounceRateObservation& seen, const Limits& limits) {
    std::vector<std::string> read;
    for (const probe::bounce_rate::LogSource& source : seen.sources) {
        if (source.problem.empty() && !source.skipped) read.push_back(source.path);
    }
    if (read.empty()) return fmt::format("no readable file was written to in the window up to {}", time_text(seen.end));
    std::string where = read.front();
    if (read.size() > 1) where += fmt::format(" and {} more", read.size() - 1);
    if (limits.table) {
        return fmt::format("{}: no row up to {}; look at the query, and at --map timeLogged=...", where,
                           time_text(seen.end));
    }
    return fmt::format("{}: no record of {} up to {}; it has not written any, or it writes elsewhere", where,
                       words_of(limits.format).program, time_text(seen.end));
}

void judge_age(const BounceRateObservation& seen, const Limits& limits, Report& report) {
    if (!seen.newest) {
        report.add(State::unknown, nothing_recorded(seen, limits));
        return;
    }
    const std::chrono::seconds age(seen.end - *seen.newest);
    if (age <= limits.max_age) return;
    report.add(State::critical,
               limits.table
                   ? fmt::format("the newest row is {} old ({})", base::human_duration(age), time_text(*seen.newest))
                   : fmt::format("the newest record is {} old ({}): {} sends nothing, or writes its {} elsewhere",
                                 base::human_duration(age), time_text(*seen.newest), words_of(limits.format).program,
                                 limits.format == LogFormat::pmta ? "accounting" : "log"));
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
    json.object().member("format", name(limits.format)).member("metric", limits.metric.name);
    json.member("begin", time_text(seen.begin));
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
    for (const probe::bounce_rate::LogSource& source : seen.sources) {
        json.object().member("path", source.path).member("bytes_read", source.bytes_read);
        json.member("search_reads", source.search_reads).member("malformed", source.malformed);
        json.member("skipped", source.skipped);
        json.key("problem").value(source.problem.empty() ? std::nullopt : std::optional(source.problem));
        json.end();
    }
    json.end().key("unknown_types").array();
    for (const auto& [value, count] : seen.unknown_types) {
        json.object().member("value", value).member("records", count).end();
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
        judge_share(fmt::format("{} {}: ", name(limits.by), group), counts, limits, report);
    }
    if (seen.groups_folded) {
        report.note(1, fmt::format("more than {} values of {}: the rest is counted as \"other\"",
                                   grouped(probe::bounce_rate::max_mail_groups), name(limits.by)));
    }
}

Report judge(const BounceRateObservation& seen, const Limits& limits) {
    Report report;
    report.observation = observation_json(seen, limits);
    judge_sources(seen, report);
    judge_types(seen, limits, report);
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
    if (!seen.logged.bounces && limits.format == LogFormat::pmta && !limits.table) {
        report.note(1, "no b record was met; if PowerMTA does not log them here, add `records d,b`");
    }
    if (seen.queue_times) {
        report.note(1, "without timeLogged in the files, the time of queueing decides what lies in the window");
    }
    judge_share(fmt::format("last {}: ", window), seen.total, limits, report);
    judge_groups(seen, limits, report);
    return report;
}

Result<Report> run(const Options& given, const base::Deadline& deadline, probe::world::World& world) {
    const auto limits = read_limits(given);
    if (!limits) return fail(limits.error());
    const auto query = read_query(given, *limits, *world.clock);
    if (!query) return fail(query.error());
    const auto seen = probe::bounce_rate::bounce_rate(*query, deadline, world);
    if (!seen) return fail(seen.error());
    Limits judged = *limits;
    judged.format = query->format;
    judged.table = !query->table.empty() || !query->types.empty();
    return judge(*seen, judged);
}

}  // namespace

plugin::Check bounce_rate() {
    return {
        .name = "bounce_rate",
        .purpose = "Alerts when too large a share of mail bounces, is deferred or draws complaints in a time window",
        .options = bounce_rate_options(),
        .run = run,
        .example = "check_bounce_rate --metric hard --by provider -w 2 -c 5"};
}

}  // namespace mtawatch::checks
