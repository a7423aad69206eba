// Alerts when a mail queue holds too much, or mail that is too old.
#include <algorithm>

#include "checks/mta_options.h"
#include "shared/base/duration.h"
#include "shared/base/rounding.h"
#include "shared/base/text.h"
#include "shared/plugin/check.h"
#include "shared/probe/mta_state/mta_queue.h"

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
using plugin::Unit;
using probe::mta_state::Mta;

constexpr std::size_t named_groups = 3;    // in a line: more would not be read
constexpr std::size_t group_figures = 20;  // in the perfdata: every one is a graph
constexpr auto one_minute = std::chrono::minutes(1);
constexpr auto one_hour = std::chrono::hours(1);

options::OptionTable queue_options() {
    return {
        {.name = "mta",
         .kind = Kind::choice,
         .metavar = "pmta|postfix|kumomta",
         .help = "The MTA whose queue is checked",
         .required = true},
        {.name = "hostname",
         .letter = 'H',
         .kind = Kind::host,
         .metavar = "HOST",
         .help = "Host of PowerMTA's monitor (port 8080) or KumoMTA's API (port 8000); --url for another port or path"},
        {.name = "warning",
         .letter = 'w',
         .kind = Kind::range,
         .help = "Messages (PowerMTA: recipients) in the queue",
         .fallback_text = default_queue_warning},
        {.name = "critical",
         .letter = 'c',
         .kind = Kind::range,
         .help = "The same",
         .fallback_text = default_queue_critical},
        {.name = "url",
         .kind = Kind::url,
         .metavar = "URL",
         .help = "PowerMTA's monitor (default http://127.0.0.1:8080) or KumoMTA's API (default http://127.0.0.1:8000)"},
        {.name = "api-key-file",
         .metavar = "FILE",
         .help = "PowerMTA's http-api-key: the command interface then shows all queues, ages and the licence"},
        {.name = "pmta-program", .kind = Kind::flag, .help = "Run /usr/sbin/pmta instead of asking the monitor"},
        {.name = "sudo", .kind = Kind::flag, .help = "Run pmta through sudo -n"},
        {.name = "config-dir",
         .metavar = "DIR",
         .help = "Postfix instance; repeat it to add several up",
         .repeatable = true}};
}

options::OptionTable limit_options() {
    return {
        {.name = "warning-age", .kind = Kind::duration, .help = "Age of the oldest message"},
        {.name = "critical-age", .kind = Kind::duration, .help = "The same"},
        {.name = "by",
         .kind = Kind::choice,
         .metavar = "domain|vmta|queue|provider",
         .help = "Count in groups; Postfix knows domain, PowerMTA domain, vmta and queue, KumoMTA domain, queue and "
                 "provider"},
        {.name = "warning-group", .kind = Kind::range, .help = "Messages (recipients) in any one group of --by"},
        {.name = "critical-group", .kind = Kind::range, .help = "The same"},
        {.name = "backoff", .kind = Kind::thresholds, .help = "PowerMTA: recipients in queues in backoff"},
        {.name = "spool",
         .kind = Kind::thresholds,
         .help = "PowerMTA: percent of the most recipients that it takes",
         .fallback = "75/90"},
        {.name = "stalled",
         .kind = Kind::duration,
         .help = "PowerMTA: critical when mail is queued and nothing was delivered for so long; 1m or 1h"},
        {.name = "license",
         .kind = Kind::thresholds,
         .help = "PowerMTA: days until the licence ends, such as 30:/7:",
         .low_is_bad = "days"}};
}

options::OptionTable options() {
    return options::options_of(
        {queue_options(), limit_options(), web_options(), plugin::ssh_options(), plugin::family_options()});
}

// ------------------------------------------------------------------------------------------- what the options mean

Result<void> reject_inapplicable(const Options& options, const probe::mta_state::MtaQueueQuery& query) {
    const auto only_for = [&](std::string_view option, Mta mta, std::string_view why) -> Result<void> {
        if (!options.given(option) || query.mta == mta) return {};
        return fail(Fault::usage, "--{} is for {}: {}", option, probe::mta_state::full_name(mta), why);
    };
    const auto pmta = [&](std::string_view option) { return only_for(option, Mta::pmta, "no other MTA tells that"); };
    for (const auto* option : {"backoff", "spool", "stalled", "license", "api-key-file", "pmta-program", "sudo"}) {
        if (auto done = pmta(option); !done) return done;
    }
    if (auto done = only_for("config-dir", Mta::postfix, "it names an instance"); !done) return done;
    const bool age = options.given("warning-age") || options.given("critical-age");
    if (age && query.mta == Mta::kumomta) {
        return fail(Fault::usage, "KumoMTA's metrics hold no age: leave --warning-age and --critical-age out");
    }
    if (query.web && !query.web->api_key_file && (age || options.given("license"))) {
        return fail(Fault::usage, "PowerMTA's monitor shows {} only with --api-key-file; or give --pmta-program",
                    age ? "the age of messages" : "the licence");
    }
    if (!options.given("by") && (options.given("warning-group") || options.given("critical-group"))) {
        return fail(Fault::usage, "--warning-group and --critical-group need --by");
    }
    const auto stalled = options.find_duration("stalled");
    if (stalled && *stalled != one_minute && *stalled != one_hour) {
        return fail(Fault::usage, "--stalled: write 1m or 1h, PowerMTA tells of the last minute and the last hour");
    }
    if (options.given("sudo") && query.web) return fail(Fault::usage, "--sudo is for --pmta-program");
    return {};
}

Result<void> choose_source(const Options& options, probe::mta_state::MtaQueueQuery& query) {
    const bool web_wanted = options.given("url") || options.given("hostname");
    const bool program = query.mta == Mta::postfix || options.flag("pmta-program") || query.ssh.has_value();
    if (program && web_wanted) {
        return fail(Fault::usage, "{}: {} is not asked over HTTP here; leave it out, or for another host give --ssh",
                    options.given("url") ? "--url" : "-H", probe::mta_state::full_name(query.mta));
    }
    if (query.mta == Mta::kumomta && program) {
        return fail(Fault::usage, "KumoMTA is asked over HTTP: give --url or -H instead of --ssh");
    }
    if (program) return {};
    const int port = query.mta == Mta::pmta ? 8080 : 8000;
    std::string url = fmt::format(
        "http://{}:{}", options.given("hostname") ? base::url_host(options.text("hostname")) : "127.0.0.1", port);
    if (options.given("url")) url = options.text("url");
    query.web = web_source(options, std::move(url));
    query.web->api_key_file = options.find_text("api-key-file");
    return {};
}

Result<probe::mta_state::MtaQueueQuery> query_of(const Options& options) {
    probe::mta_state::MtaQueueQuery query;
    const auto mta = probe::mta_state::mta_named(options.text("mta"));
    if (!mta) return fail(mta.error().at("--mta"));
    query.mta = *mta;
    auto ssh = ssh_target(options);
    if (!ssh) return fail(ssh.error());
    query.ssh = std::move(*ssh);
    if (auto done = choose_source(options, query); !done) return fail(done.error());
    if (auto done = reject_inapplicable(options, query); !done) return fail(done.error());
    query.sudo = options.flag("sudo");
    query.config_dirs = options.list("config-dir");
    for (const auto group : {probe::mta_state::QueueGroup::domain, probe::mta_state::QueueGroup::vmta,
                             probe::mta_state::QueueGroup::queue, probe::mta_state::QueueGroup::provider}) {
        if (options.find_text("by") == name(group)) query.group = group;
    }
    // Postfix's domains come with the listing, so the largest can be named without being asked for.
    if (query.mta == Mta::postfix && query.group == probe::mta_state::QueueGroup::none) {
        query.group = probe::mta_state::QueueGroup::domain;
    }
    query.held_queues = options.given("backoff");
    query.licence = options.given("license");
    if (query.mta == Mta::pmta) {
        for (const auto* name : {"warning-age", "critical-age"}) {
            if (const auto age = options.find_duration(name)) {
                query.older_than.push_back(std::chrono::ceil<std::chrono::seconds>(*age));
            }
        }
    }
    return query;
}

struct QueueLimits {
    Thresholds count;
    Thresholds group;
    Thresholds backoff;
    Thresholds spool;
    Thresholds license;
    std::optional<std::chrono::milliseconds> warning_age;
    std::optional<std::chrono::milliseconds> critical_age;
    std::optional<std::chrono::milliseconds> stalled;
    bool spool_given = false;
    probe::mta_state::QueueGroup by = probe::mta_state::QueueGroup::none;
};

Result<QueueLimits> limits_of(const Options& options, const probe::mta_state::MtaQueueQuery& query) {
    QueueLimits limits;
    limits.by = query.group;
    limits.count = options.thresholds();
    const Thresholds fallback = default_queue_limits(query.mta);
    if (!limits.count.warning) limits.count.warning = fallback.warning;
    if (!limits.count.critical) limits.count.critical = fallback.critical;
    limits.group = options.thresholds("warning-group", "critical-group");
    limits.backoff = options.find_thresholds("backoff").value_or(Thresholds{});
    limits.spool = options.find_thresholds("spool").value_or(Thresholds{});
    limits.spool_given = options.given("spool");
    limits.license = options.find_thresholds("license").value_or(Thresholds{});
    for (const auto& range : {limits.license.warning, limits.license.critical}) {
        if (range) {
            if (auto done = plugin::refuse_bare(*range, "--license", "days"); !done) return fail(done.error());
        }
    }
    limits.warning_age = options.find_duration("warning-age");
    limits.critical_age = options.find_duration("critical-age");
    limits.stalled = options.find_duration("stalled");
    return limits;
}

// --------------------------------------------------------------------------------------------------------- judging

std::string because(const Thresholds& limits, double value) {
    const std::string reason = limits.reason(value);
    return reason.empty() ? "" : " (" + reason + ")";
}

std::chrono::seconds age_of(const probe::mta_state::OldestMessage& oldest, base::WallTime now) {
    return std::chrono::duration_cast<std::chrono::seconds>(now - oldest.arrival);
}

std::string oldest_text(const probe::mta_state::OldestMessage& oldest, base::WallTime now) {
    std::string text = fmt::format("oldest {}", base::human_duration(age_of(oldest, now)));
    if (!oldest.queue.empty()) text += fmt::format(" in {}", oldest.queue);
    if (!oldest.id.empty()) text += fmt::format(" ({})", oldest.id);
    return text;
}

std::string largest_groups(const probe::mta_state::MtaQueueObservation& seen) {
    std::vector<std::string> names;
    for (const auto& group : seen.groups) {
        if (names.size() < named_groups && group.count > 0) {
            names.push_back(fmt::format("{} {}{}", group.name, seen.group_error > 0 ? "about " : "", group.count));
        }
    }
    return base::join(names, ", ");
}

void judge_count(const probe::mta_state::MtaQueueObservation& seen, const QueueLimits& limits, base::WallTime now,
                 Report& report) {
    const auto queued = static_cast<double>(seen.queued);
    std::string text = fmt::format("{} {}: {} {} queued{}", probe::mta_state::full_name(seen.mta), seen.where,
                                   seen.queued, counted_unit(seen.mta), because(limits.count, queued));
    std::vector<std::string> parts;
    for (const auto& queue : seen.queues) {
        if (queue.count > 0) parts.push_back(fmt::format("{} {}", queue.name, queue.count));
    }
    if (!parts.empty()) text += ": " + base::join(parts, ", ");
    if (seen.oldest) text += "; " + oldest_text(*seen.oldest, now);
    if (const auto groups = largest_groups(seen); !groups.empty()) text += "; most for " + groups;
    report.add(limits.count.judge(queued), text);
    report.figure(counted_unit(seen.mta), queued, Unit::none, limits.count, 0);
    for (const auto& queue : seen.queues) {
        report.figure(queue.name, static_cast<double>(queue.count), Unit::none, {}, 0);
    }
    if (seen.bytes) report.figure("size", static_cast<double>(*seen.bytes), Unit::bytes, {}, 0);
}

Thresholds age_limits(const QueueLimits& limits) {
    const auto seconds = [](const std::optional<std::chrono::milliseconds>& age) -> std::optional<plugin::Range> {
        if (!age) return std::nullopt;
        return plugin::Range::parse(base::plain(static_cast<double>(age->count()) / 1000)).value();
    };
    return {seconds(limits.warning_age), seconds(limits.critical_age)};
}

// PowerMTA only tells whether something is older than what was asked.
void judge_pmta_age(const probe::mta_state::MtaQueueObservation& seen, const QueueLimits& limits, base::WallTime now,
                    Report& report) {
    if (!seen.age) return;
    if (!seen.age->exceeded) {
        report.add(State::ok, "no message is older than the limit");
        return;
    }
    const bool critical = limits.critical_age && *seen.age->exceeded >= *limits.critical_age;
    report.add(critical ? State::critical : State::warning,
               fmt::format("mail is older than {}{}", base::human_duration(*seen.age->exceeded),
                           seen.oldest ? ", " + oldest_text(*seen.oldest, now) : std::string()));
}

void judge_age(const probe::mta_state::MtaQueueObservation& seen, const QueueLimits& limits, base::WallTime now,
               Report& report) {
    if (seen.mta == Mta::pmta) return judge_pmta_age(seen, limits, now, report);
    const Thresholds ages = age_limits(limits);
    if (!seen.oldest) return;
    const auto age = static_cast<double>(age_of(*seen.oldest, now).count());
    if (ages.any()) {
        const State state = ages.judge(age);
        const auto& limit = state == State::critical ? limits.critical_age : limits.warning_age;
        report.add(state, oldest_text(*seen.oldest, now) +
                              (state == State::ok
                                   ? std::string()
                                   : fmt::format(" (over {})", base::human_duration(
                                                                   std::chrono::floor<std::chrono::seconds>(*limit)))));
    }
    report.figure("oldest", std::max(age, 0.0), Unit::seconds, ages, 0);
}

void judge_groups(const probe::mta_state::MtaQueueObservation& seen, const QueueLimits& limits, Report& report) {
    if (!limits.group.any()) return;
    std::size_t figures = 0;
    std::size_t fine = 0;
    for (const auto& one : seen.groups) {
        const auto count = static_cast<double>(one.count);
        if (figures++ < group_figures) report.figure(one.name, count, Unit::none, limits.group, 0);
        const State state = limits.group.judge(count);
        if (state == State::ok) {
            ++fine;
        } else {
            report.add(state, fmt::format("{} {}: {} {}{}", name(limits.by), one.name, one.count,
                                          counted_unit(seen.mta), because(limits.group, count)));
        }
    }
    if (fine == seen.groups.size() && (fine > 0 || seen.groups_complete)) {
        report.add(State::ok, fine == 0 ? fmt::format("no {} has mail queued", name(limits.by))
                                        : fmt::format("{} {}s are within the limits", fine, name(limits.by)));
    }
    if (seen.groups_complete) return;
    // Missing groups are smaller than the listed ones, so they matter only where no listed group exceeds the limit.
    const std::string text =
        seen.group_error > 0
            ? fmt::format("there are too many to count each: the figures are at most {} too high", seen.group_error)
            : fmt::format("only the {} largest are seen{}", seen.groups.size(),
                          seen.mta == Mta::pmta ? "; for all of them give --api-key-file or --pmta-program" : "");
    report.note(1, text);
}

void judge_held(const probe::mta_state::HeldQueues& held, std::string_view kind, const Thresholds& limits,
                Report& report) {
    const auto recipients = static_cast<double>(held.recipients);
    std::vector<std::string> names;
    for (const auto& queue : held.queues) {
        if (names.size() < named_groups) {
            names.push_back(fmt::format("{}/{} {}{}", queue.domain, queue.vmta, queue.recipients,
                                        queue.reason.empty() ? "" : " (" + base::one_line(queue.reason, 80) + ")"));
        }
    }
    std::string text = fmt::format("{} recipients {}{}", held.recipients, kind, because(limits, recipients));
    if (!names.empty()) text += ": " + base::join(names, ", ");
    const State state = limits.judge(recipients);
    if (held.complete || state == State::critical) {
        report.add(state, text);
    } else {
        report.add(plugin::worse(state, State::unknown),
                   text + "; PowerMTA showed only a part, so it may be more: give --api-key-file or --pmta-program");
    }
}

void judge_pmta_state(const mta::documents::PmtaStatus& status, Report& report) {
    if (status.state != "running") {
        report.add(State::critical, fmt::format("PowerMTA is {}, not running", status.state));
    }
    if (status.shutting_down.value_or(false)) report.add(State::warning, "PowerMTA is shutting down");
    if (status.spool_initialized_percent && *status.spool_initialized_percent < 100) {
        report.add(State::warning, fmt::format("PowerMTA is still reading its spool: {} %",
                                               base::plain(*status.spool_initialized_percent)));
    }
}

void judge_spool(const probe::mta_state::MtaQueueObservation& seen, const QueueLimits& limits, Report& report) {
    if (!seen.spool_percent) {
        if (limits.spool_given) report.add(State::unknown, "PowerMTA does not tell how full its spool is");
        return;
    }
    const double percent = base::one_decimal(*seen.spool_percent);
    report.add(
        limits.spool.judge(percent),
        fmt::format("spool {} % full{}: {} of {} recipients{}", base::plain(percent), because(limits.spool, percent),
                    *seen.pmta->spool_recipients, *seen.pmta->spool_max_recipients,
                    limits.spool.judge(percent) == State::ok ? "" : "; when it is full no mail is taken"));
    report.figure("spool", percent, Unit::percent, limits.spool, 0, 100);
}

void judge_stalled(const probe::mta_state::MtaQueueObservation& seen, const QueueLimits& limits, Report& report) {
    if (!limits.stalled) return;
    const bool minute = *limits.stalled == one_minute;
    const auto left = minute ? seen.left_last_minute : seen.left_last_hour;
    const std::string_view span = minute ? "minute" : "hour";
    if (!left) {
        report.add(State::unknown, fmt::format("PowerMTA does not tell what left in the last {}", span));
    } else if (*left == 0 && seen.queued > 0) {
        report.add(State::critical,
                   fmt::format("stalled: {} recipients are queued and nothing left in the last {}", seen.queued, span));
    } else {
        report.add(State::ok, fmt::format("{} recipients left in the last {}", *left, span));
    }
}

void judge_licence(const probe::mta_state::MtaQueueObservation& seen, const QueueLimits& limits, base::WallTime now,
                   Report& report) {
    if (!limits.license.any()) return;
    if (!seen.licence_expires) {
        const bool unseen =
            std::ranges::any_of(seen.unseen, [](const auto& part) { return part.part == "the licence"; });
        if (!unseen) report.add(State::ok, "the licence has no end");
        return;
    }
    const auto days = std::chrono::floor<std::chrono::days>(*seen.licence_expires - now).count();
    const auto value = static_cast<double>(days);
    report.add(limits.license.judge(value),
               days < 0 ? fmt::format("the licence ended {} days ago", -days)
                        : fmt::format("the licence ends in {} days{}", days, because(limits.license, value)));
    report.figure("license_days", value, Unit::none, limits.license);
}

void judge_suspended(const probe::mta_state::MtaQueueObservation& seen, Report& report) {
    for (const auto& one : seen.suspended) {
        report.add(State::warning, fmt::format("source {} is suspended by KumoMTA: {}", one.source, one.reason));
    }
}

Report judge(const probe::mta_state::MtaQueueObservation& seen, const QueueLimits& limits, base::WallTime now) {
    Report report;
    judge_count(seen, limits, now, report);
    if (seen.pmta) judge_pmta_state(*seen.pmta, report);
    judge_age(seen, limits, now, report);
    judge_groups(seen, limits, report);
    if (seen.backoff) judge_held(*seen.backoff, "in backoff", limits.backoff, report);
    if (seen.paused && seen.paused->recipients > 0) judge_held(*seen.paused, "paused", {}, report);
    if (seen.mta == Mta::pmta) judge_spool(seen, limits, report);
    judge_stalled(seen, limits, report);
    judge_licence(seen, limits, now, report);
    judge_suspended(seen, report);
    for (const auto& part : seen.unseen) {
        report.add(State::unknown, fmt::format("{} could not be seen: {}", part.part, part.why.what));
    }
    if (seen.backoff) {
        report.figure("backoff", static_cast<double>(seen.backoff->recipients), Unit::none, limits.backoff, 0);
    }
    if (report.state() == State::ok) report.summary = report.details.front().text;
    report.observation = to_json(seen);
    return report;
}

Result<Report> run(const Options& options, const base::Deadline& deadline, probe::world::World& world) {
    const auto query = query_of(options);
    if (!query) return fail(query.error());
    const auto limits = limits_of(options, *query);
    if (!limits) return fail(limits.error());
    const auto seen = probe::mta_state::mta_queue(*query, deadline, world);
    if (!seen && seen.error().fault == Fault::usage) return fail(seen.error());
    // Whatever prevented reading the queue, a silent or closed port included: how much mail waits is unknown.
    if (!seen) {
        Report report;
        return report.add(State::unknown, fmt::format("{}'s queue could not be read: {}",
                                                      probe::mta_state::full_name(query->mta), seen.error().what));
    }
    return judge(*seen, *limits, world.clock->wall());
}

}  // namespace

plugin::Check mta_queue() {
    return {.name = "mta_queue",
            .purpose = "Alerts when a mail queue holds too much, or mail that is too old",
            .options = options(),
            .run = run,
            .example = "check_mta_queue --mta postfix -w 100 -c 500 --critical-age 4h --ssh nagios@mx1.example.net"};
}

}  // namespace mtawatch::checks
