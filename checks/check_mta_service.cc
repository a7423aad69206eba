// Alerts when a service that mail needs is not in the wanted state, or keeps restarting.
#include "checks/mta_options.h"
#include "checks/unit_judgement.h"
#include "shared/base/text.h"
#include "shared/plugin/check.h"
#include "shared/probe/mta_state/mta_service.h"

namespace mtawatch::checks {

namespace {

using base::fail;
using base::Fault;
using base::Result;
using plugin::Kind;
using plugin::Options;
using plugin::Report;
using plugin::State;
using plugin::Unit;

constexpr int smtp_ready = 220;  // RFC 5321 4.2.3
constexpr int http_ok = 200;

options::OptionTable options() {
    return options::options_of(
        {{{.name = "hostname",
           .letter = 'H',
           .metavar = "HOST",
           .help = "Check that host, over SSH; the same as --ssh"},
          {.name = "unit",
           .letter = 'u',
           .metavar = "UNIT",
           .help = "Unit of systemd; a name without a type is a service",
           .repeatable = true},
          {.name = "mta",
           .kind = Kind::choice,
           .metavar = "pmta|postfix|kumomta|dovecot|opendkim",
           .help = "The units of that program, whatever the distribution calls them"},
          {.name = "state",
           .kind = Kind::choice,
           .metavar = "active|inactive",
           .help = "Wanted state",
           .fallback = "active"},
          {.name = "enabled", .kind = Kind::flag, .help = "Warn when a unit does not start at boot"},
          {.name = "restarts",
           .kind = Kind::thresholds,
           .help = "Automatic restarts since the unit was last started by hand, such as 3/10"},
          {.name = "min-uptime", .kind = Kind::duration, .help = "Warn when a unit was started less than that ago"},
          {.name = "banner", .metavar = "HOST:PORT", .help = "This port must also greet with 220"},
          {.name = "url",
           .kind = Kind::url,
           .metavar = "URL",
           .help = "This must also answer with 200; for KumoMTA the path may be left out"}},
         web_options(),
         plugin::ssh_options(),
         plugin::family_options()});
}

// The units that are asked for, as alternatives of which one is judged.
Result<UnitGroups> groups_of(const Options& options) {
    UnitGroups groups;
    for (const auto& unit : options.list("unit")) {
        for (const char c : unit) {
            if (base::is_blank(c) || c == '*' || c == '?' || c == '[') {
                return fail(Fault::usage, "--unit '{}': write the name of one unit, without blanks and patterns",
                            base::one_line(unit, 80));
            }
        }
        if (unit.starts_with('-')) return fail(Fault::usage, "--unit '{}': a unit does not begin with '-'", unit);
        groups.push_back({unit});
    }
    if (const auto mta = options.find_text("mta")) {
        for (const auto& group : probe::mta_state::preset_units(*mta)) groups.push_back(group);
    }
    return groups;
}

Result<probe::mta_state::MtaServiceQuery> query_of(const Options& options) {
    probe::mta_state::MtaServiceQuery query;
    auto ssh = ssh_target(options, "hostname");
    if (!ssh) return fail(ssh.error());
    query.ssh = std::move(*ssh);
    const auto groups = groups_of(options);
    if (!groups) return fail(groups.error());
    query.units = units_of(*groups);
    if (options.given("banner")) {
        auto banner = probe::mta_state::parse_host_port(options.text("banner"));
        if (!banner) return fail(banner.error().at("--banner"));
        query.banner = *banner;
    }
    if (options.given("url")) {
        std::string url = options.text("url");
        // scheme://host[:port] alone is KumoMTA's liveness question.
        const auto scheme = url.find("://");
        const bool no_path = scheme != std::string::npos && url.find('/', scheme + 3) == std::string::npos;
        if (options.find_text("mta") == "kumomta" && no_path) url += "/api/check-liveness/v1";
        query.web = web_source(options, std::move(url));
    }
    if (query.units.empty() && !query.banner && !query.web) {
        return fail(Fault::usage, "nothing to look at: give --unit, --mta, --banner or --url");
    }
    if (query.units.empty() && query.ssh) {
        return fail(Fault::usage, "over SSH units are looked at: give --unit or --mta");
    }
    return query;
}

struct ServiceLimits {
    UnitGroups groups;
    UnitLimits units;
};

Result<ServiceLimits> limits_of(const Options& options) {
    ServiceLimits limits;
    auto groups = groups_of(options);
    if (!groups) return fail(groups.error());
    limits.groups = std::move(*groups);
    limits.units.wanted = options.text("state");
    limits.units.enabled = options.flag("enabled");
    limits.units.restarts = options.find_thresholds("restarts").value_or(plugin::Thresholds{});
    limits.units.min_uptime = options.find_duration("min-uptime");
    return limits;
}

double in_seconds(base::Duration took) {
    return std::chrono::duration<double>(std::chrono::round<std::chrono::milliseconds>(took)).count();
}

void judge_banner(const probe::mta_state::BannerFacts& banner, Report& report) {
    if (!banner.failure.empty()) {
        report.add(State::critical, fmt::format("{} does not greet: {}", banner.endpoint, banner.failure));
    } else if (banner.code != smtp_ready) {
        report.add(State::critical, fmt::format("{} greets with \"{}\", not with 220", banner.endpoint, banner.text));
    } else {
        report.add(State::ok, fmt::format("{} greets: {}", banner.endpoint, banner.text));
    }
    report.figure("banner_time", in_seconds(banner.took), Unit::seconds, {}, 0);
}

void judge_url(const probe::mta_state::UrlFacts& url, Report& report) {
    if (!url.status) {
        report.add(State::critical,
                   fmt::format("{} {}: {}", url.url, url.answered_wrongly ? "answers wrongly" : "does not answer",
                               url.failure));
    } else {
        report.add(*url.status == http_ok ? State::ok : State::critical,
                   fmt::format("{} answers {}{}", url.url, *url.status, *url.status == http_ok ? "" : ", not 200"));
    }
    report.figure("url_time", in_seconds(url.took), Unit::seconds, {}, 0);
}

Report judge(const probe::mta_state::MtaServiceObservation& seen, const ServiceLimits& limits, base::WallTime now) {
    Report report;
    for (const auto& unit : probe::mta_state::choose_units(limits.groups, seen.units)) {
        judge_unit(unit, limits.units, now, report);
    }
    if (seen.banner) judge_banner(*seen.banner, report);
    if (seen.url) judge_url(*seen.url, report);
    report.observation = to_json(seen);
    return report;
}

Result<Report> run(const Options& options, const base::Deadline& deadline, probe::world::World& world) {
    const auto query = query_of(options);
    if (!query) return fail(query.error());
    const auto limits = limits_of(options);
    if (!limits) return fail(limits.error());
    const auto seen = probe::mta_state::mta_service(*query, deadline, world);
    if (!seen && seen.error().fault == Fault::usage) return fail(seen.error());
    // systemctl or SSH failed: whether the services run is unknown.
    if (!seen) {
        Report report;
        return report.add(State::unknown, seen.error().what);
    }
    return judge(*seen, *limits, world.clock->wall());
}

}  // namespace

plugin::Check mta_service() {
    return {.name = "mta_service",
            .purpose = "Alerts when a service that mail needs is not in the wanted state, or keeps restarting",
            .options = options(),
            .run = run,
            .example = "check_mta_service --mta postfix --enabled --restarts 3/10 --banner localhost:25"};
}

}  // namespace mtawatch::checks
