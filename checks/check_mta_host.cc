// Alerts when a mail host as a whole is degraded or unhealthy.
#include <algorithm>

#include "checks/mta_options.h"
#include "checks/unit_judgement.h"
#include "shared/base/duration.h"
#include "shared/base/rounding.h"
#include "shared/base/text.h"
#include "shared/plugin/check.h"
#include "shared/probe/mta_state/mta_host.h"

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

constexpr std::int64_t enough_mail = 100;  // below it a share of bounces says nothing
constexpr std::int64_t an_hour = 3600;
constexpr double seconds_of_a_day = 86'400;

options::OptionTable options() {
    return options::options_of(
        {{{.name = "hostname",
           .letter = 'H',
           .metavar = "HOST",
           .help = "Check that host, over SSH; the same as --ssh"},
          {.name = "mta",
           .kind = Kind::choice,
           .metavar = "pmta|postfix|kumomta",
           .help = "The mail server there: its services, queue and spool"},
          {.name = "services",
           .metavar = "UNIT,...",
           .help = "Systemd units that must be active",
           .fallback_text = "those of --mta"},
          {.name = "queue",
           .kind = Kind::thresholds,
           .help = "Messages (PowerMTA: recipients) in the queue",
           .fallback_text = default_queue_text},
          {.name = "url",
           .kind = Kind::url,
           .metavar = "URL",
           .help = "PowerMTA's monitor or KumoMTA's API, to ask it instead of a program"},
          {.name = "sudo", .kind = Kind::flag, .help = "Run pmta through sudo -n"},
          {.name = "disk",
           .metavar = "PATH",
           .help = "A path in each file system to look at",
           .fallback_text = "/ and the spool of --mta",
           .repeatable = true},
          {.name = "disk-limits", .kind = Kind::thresholds, .help = "Percent used", .fallback = "80/90"},
          {.name = "delivery",
           .kind = Kind::thresholds,
           .help = "Percent of mail delivered in the last hour, from 100 mails on; Postfix by its log, PowerMTA by its "
                   "accounting files",
           .fallback = "95:/85:",
           .low_is_bad = "percent"},
          {.name = "acct",
           .metavar = "GLOB",
           .help = "PowerMTA's accounting files; \"\" looks at no deliveries",
           .fallback = "/var/log/pmta/acct-*.csv",
           .may_be_empty = true},
          {.name = "cert",
           .metavar = "ENDPOINT",
           .help = "A certificate that the host serves, such as "
                   "smtp://mx1.example.net; warned 30 and critical 7 days before "
                   "its end"},
          {.name = "log-errors",
           .kind = Kind::thresholds,
           .help = "Errors in the mail log of the last hour",
           .fallback = "0/100"}},
         web_options(),
         plugin::ssh_options(),
         plugin::family_options()});
}

// ------------------------------------------------------------------------------------------- what the options mean

// The units that are asked for, as alternatives of which one is judged.
Result<UnitGroups> groups_of(const Options& options) {
    UnitGroups groups;
    if (const auto list = options.find_text("services")) {
        for (const auto unit : base::split(*list, ',')) {
            const auto name = base::trim(unit);
            if (name.empty() || name.starts_with('-') || name.find(' ') != std::string_view::npos) {
                return fail(Fault::usage, "--services '{}': write unit names separated by commas", *list);
            }
            groups.push_back({std::string(name)});
        }
    } else if (const auto mta = options.find_text("mta")) {
        groups = probe::mta_state::preset_units(*mta);
    }
    return groups;
}

std::string spool_of(const std::string& mta) {
    return mta == "postfix" ? "/var/spool/postfix" : mta == "pmta" ? "/var/spool/pmta" : "/var/spool/kumomta";
}

Result<probe::mta_state::MtaQueueQuery> queue_query_of(const Options& options, const std::string& mta, bool over_ssh) {
    probe::mta_state::MtaQueueQuery queue;
    const auto named = probe::mta_state::mta_named(mta);
    if (!named) return fail(named.error().at("--mta"));
    queue.mta = *named;
    queue.sudo = options.flag("sudo");
    if (options.given("url")) {
        if (queue.mta == probe::mta_state::Mta::postfix) {
            return fail(Fault::usage, "--url: Postfix is not asked over HTTP");
        }
        queue.web = web_source(options, options.text("url"));
    } else if (queue.mta == probe::mta_state::Mta::kumomta) {
        if (over_ssh) return fail(Fault::usage, "KumoMTA's queue is asked over HTTP: give --url");
        queue.web = web_source(options, "http://127.0.0.1:8000");
    }
    return queue;
}

Result<probe::mta_state::MtaHostQuery> query_of(const Options& options) {
    probe::mta_state::MtaHostQuery query;
    auto ssh = ssh_target(options, "hostname");
    if (!ssh) return fail(ssh.error());
    query.ssh = std::move(*ssh);
    const auto mta = options.find_text("mta");
    const auto groups = groups_of(options);
    if (!groups) return fail(groups.error());
    query.units = units_of(*groups);
    if (mta) {
        auto queue = queue_query_of(options, *mta, query.ssh.has_value());
        if (!queue) return fail(queue.error());
        query.queue = std::move(*queue);
    }
    query.disks = options.list("disk");
    for (const auto& path : query.disks) {
        if (!path.starts_with('/')) return fail(Fault::usage, "--disk '{}': write an absolute path", path);
    }
    if (query.disks.empty()) {
        query.disks.emplace_back("/");
        if (mta) query.disks.push_back(spool_of(*mta));
    }
    query.log = true;
    if (!mta && options.given("delivery")) {
        return fail(Fault::usage, "--delivery: say whose mail it is with --mta postfix or pmta");
    }
    // KumoMTA's are not seen yet, so they are looked at, and named as unseen, only where they are asked for.
    query.deliveries = mta == "postfix" || mta == "pmta" || options.given("delivery");
    if (mta != "postfix") {
        query.accounting = options.text("acct");
        query.deliveries = query.deliveries && !query.accounting.empty();
    }
    query.certificate = options.find_text("cert").value_or("");
    if (!query.certificate.empty()) {
        if (auto done = probe::mail_server::parse_cert_endpoint(query.certificate); !done) {
            return fail(done.error().at("--cert"));
        }
    }
    return query;
}

struct HostLimits {
    UnitGroups groups;
    Thresholds queue;
    Thresholds disk;
    Thresholds delivery;
    Thresholds log_errors;
    Thresholds certificate;
};

Result<Thresholds> queue_limits_of(const Options& options, const std::string& mta) {
    const auto named = probe::mta_state::mta_named(mta);
    if (!named) return fail(named.error().at("--mta"));
    const Thresholds fallback = default_queue_limits(*named);
    Thresholds limits = options.find_thresholds("queue").value_or(fallback);
    if (options.given("queue") && options.text("queue").find('/') == std::string::npos) {
        limits.critical = fallback.critical;  // as with the options that have one default
    }
    return limits;
}

Result<HostLimits> limits_of(const Options& options) {
    HostLimits limits;
    auto groups = groups_of(options);
    if (!groups) return fail(groups.error());
    limits.groups = std::move(*groups);
    if (const auto mta = options.find_text("mta")) {
        const auto queue = queue_limits_of(options, *mta);
        if (!queue) return fail(queue.error());
        limits.queue = *queue;
    }
    limits.disk = *options.find_thresholds("disk-limits");
    limits.delivery = *options.find_thresholds("delivery");
    limits.log_errors = *options.find_thresholds("log-errors");
    limits.certificate = Thresholds::parse("30:/7:").value();
    for (const auto& range : {limits.delivery.warning, limits.delivery.critical}) {
        if (range) {
            if (auto done = plugin::refuse_bare(*range, "--delivery", "percent"); !done) return fail(done.error());
        }
    }
    return limits;
}

// --------------------------------------------------------------------------------------------------------- judging

std::string because(const Thresholds& limits, double value) {
    const std::string reason = limits.reason(value);
    return reason.empty() ? "" : " (" + reason + ")";
}

void judge_queue(const probe::mta_state::MtaQueueObservation& queue, const HostLimits& limits, base::WallTime now,
                 Report& report) {
    const auto count = static_cast<double>(queue.queued);
    std::string text =
        fmt::format("{} {} queued{}", queue.queued, counted_unit(queue.mta), because(limits.queue, count));
    if (queue.oldest) {
        text += fmt::format(
            ", oldest {}",
            base::human_duration(std::chrono::duration_cast<std::chrono::seconds>(now - queue.oldest->arrival)));
    }
    report.add(limits.queue.judge(count), text);
    report.figure("queue", count, Unit::none, limits.queue, 0);
    if (queue.pmta && queue.pmta->state != "running") {
        report.add(State::critical, fmt::format("PowerMTA is {}, not running", queue.pmta->state));
    }
}

void judge_disks(const std::vector<probe::mta_state::DiskFacts>& disks, const HostLimits& limits, Report& report) {
    std::vector<std::string> seen;
    for (const auto& disk : disks) {
        if (std::ranges::find(seen, disk.mountpoint) != seen.end()) continue;
        seen.push_back(disk.mountpoint);
        const double used = base::one_decimal(disk.used_percent());
        report.add(limits.disk.judge(used),
                   fmt::format("{} is {} % full{}{}", disk.mountpoint, base::plain(used), because(limits.disk, used),
                               disk.path == disk.mountpoint ? "" : fmt::format(", with {} on it", disk.path)));
        report.figure(disk.mountpoint == "/" ? "disk_root" : "disk" + disk.mountpoint, used, Unit::percent, limits.disk,
                      0, 100);
    }
}

void judge_log(const probe::mta_state::MailLogFacts& log, const HostLimits& limits, Report& report) {
    const auto errors = static_cast<double>(log.errors);
    std::string text = fmt::format("{} errors in the mail log of the last hour ({}){}", log.errors, log.source,
                                   because(limits.log_errors, errors));
    if (log.rejects) text += fmt::format(", {} rejects", *log.rejects);
    if (!log.last_error.empty()) text += ": " + log.last_error;
    report.add(limits.log_errors.judge(errors), text);
    report.figure("log_errors", errors, Unit::none, limits.log_errors, 0);
}

void judge_deliveries(const probe::mta_state::DeliveryFacts& mail, const HostLimits& limits, Report& report) {
    const auto percent = mail.delivered_percent();
    const auto all = mail.delivered + mail.bounced;
    const std::string span = mail.seconds >= an_hour ? "hour" : fmt::format("{} min", mail.seconds / 60);
    if (!percent || all < enough_mail) {
        report.add(State::ok, fmt::format("{} mails ended in the last {}, {} of them bounced: too few to judge", all,
                                          span, mail.bounced));
        return;
    }
    const double delivered = base::one_decimal(*percent);
    report.add(limits.delivery.judge(delivered),
               fmt::format("{} % of {} mails were delivered in the last {}{}", base::plain(delivered), all, span,
                           because(limits.delivery, delivered)));
    report.figure("delivered", delivered, Unit::percent, limits.delivery, 0, 100);
}

// The soonest end in the verified path decides; whether it verifies too.
void judge_certificate(const probe::mail_server::CertLook& look, const HostLimits& limits, base::WallTime now,
                       Report& report) {
    if (look.error) {
        const State state = plugin::state_of(look.error->fault);
        report.add(state, fmt::format("certificate of {}: {}", look.target, look.error->what));
        return;
    }
    if (look.outcome != probe::mail_server::CertOutcome::shown) {
        report.add(State::critical, fmt::format("{} shows no certificate: {}", look.target, look.reason));
        return;
    }
    if (look.verified == false || look.name_matches == false) {
        report.add(State::critical, fmt::format("the certificate of {} {}", look.target,
                                                look.verified == false ? "does not verify" : "is for another name"));
    }
    std::optional<std::int64_t> soonest;
    for (const auto& certificate : look.path) {
        if (const auto end = certificate.not_after; end && (!soonest || *end < *soonest)) soonest = *end;
    }
    if (!soonest) return;
    const double days = base::one_decimal(
        (static_cast<double>(*soonest) - static_cast<double>(base::unix_seconds(now))) / seconds_of_a_day);
    report.add(limits.certificate.judge(days), fmt::format("the certificate of {} ends in {} days{}", look.target,
                                                           base::plain(days), because(limits.certificate, days)));
    report.figure("certificate_days", days, Unit::none, limits.certificate);
}

std::string_view health(State state) {
    switch (state) {
        case State::ok:
            return "healthy";
        case State::warning:
            return "degraded";
        case State::critical:
            return "unhealthy";
        case State::unknown:
            break;
    }
    return "unknown";
}

std::string summary_of(const Report& report, const std::string& where) {
    const State state = report.state();
    std::string text = fmt::format("{} is {}", where.starts_with("on ") ? where.substr(3) : where, health(state));
    const auto worst =
        std::ranges::find_if(report.details, [&](const plugin::Detail& detail) { return detail.state == state; });
    if (state == State::ok || worst == report.details.end()) {
        return text + fmt::format(": {} things looked at", report.details.size());
    }
    const auto bad =
        std::ranges::count_if(report.details, [](const plugin::Detail& detail) { return detail.state != State::ok; });
    text += ": " + worst->text;
    if (bad > 1) text += fmt::format(" (and {} more)", bad - 1);
    return text;
}

Report judge(const probe::mta_state::MtaHostObservation& seen, const HostLimits& limits, base::WallTime now) {
    Report report;
    if (seen.units) {
        for (const auto& unit : probe::mta_state::choose_units(limits.groups, *seen.units)) {
            judge_unit(unit, {}, now, report);
        }
    }
    if (seen.queue) judge_queue(*seen.queue, limits, now, report);
    judge_disks(seen.disks, limits, report);
    if (seen.log) judge_log(*seen.log, limits, report);
    if (seen.deliveries) judge_deliveries(*seen.deliveries, limits, report);
    if (seen.certificate) {
        for (const auto& look : seen.certificate->looks) judge_certificate(look, limits, now, report);
    }
    for (const auto& part : seen.unseen) {
        report.add(State::unknown, fmt::format("{} could not be seen: {}", part.part, part.why.what));
    }
    report.summary = summary_of(report, seen.where);
    report.observation = to_json(seen, health(report.state()));
    return report;
}

Result<Report> run(const Options& options, const base::Deadline& deadline, probe::world::World& world) {
    const auto query = query_of(options);
    if (!query) return fail(query.error());
    const auto limits = limits_of(options);
    if (!limits) return fail(limits.error());
    const auto seen = probe::mta_state::mta_host(*query, deadline, world);
    if (!seen && seen.error().fault == Fault::usage) return fail(seen.error());
    if (!seen) {
        Report report;
        return report.add(State::unknown, fmt::format("the host could not be looked at: {}", seen.error().what));
    }
    return judge(*seen, *limits, world.clock->wall());
}

}  // namespace

plugin::Check mta_host() {
    return {.name = "mta_host",
            .purpose = "Alerts when a mail host as a whole is degraded or unhealthy",
            .options = options(),
            .run = run,
            .example = "check_mta_host --mta postfix --ssh nagios@mx1.example.net --cert smtp://mx1.example.net"};
}

}  // namespace mtawatch::checks
