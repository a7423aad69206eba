#include "exporter/options.h"

#include <array>
#include <utility>

#include "shared/options/values.h"

namespace mtawatch::exporter {
namespace {

using base::fail;
using base::Fault;
using base::Result;
using options::Kind;

Result<void> accept_listen_address(const options::Option&, std::string_view text) {
    return options::without_value(web::parse_listen_address(text));
}

Result<void> accept_telemetry_path(const options::Option&, std::string_view text) {
    const bool path = text.starts_with('/') && text != "/" && !text.starts_with("/-/") &&
                      text.find_first_of(" ?#\"<>") == std::string_view::npos;
    if (!path) return fail(Fault::usage, "{}: write a path such as /metrics", options::quoted(text));
    return {};
}

constexpr Kind listen_address{"listen-address", "[HOST]:PORT", accept_listen_address};
constexpr Kind telemetry_path{"telemetry-path", "PATH", accept_telemetry_path};

constexpr std::array actions{std::pair{"help", Action::help},
                             std::pair{"version", Action::version},
                             std::pair{"once", Action::once},
                             std::pair{"backfill", Action::backfill},
                             std::pair{"catalog", Action::catalog},
                             std::pair{"explain", Action::explain},
                             std::pair{"config.check", Action::check_config}};

options::OptionTable input_options() {
    return {
        {.name = "acct",
         .metavar = "GLOB",
         .help = "Accounting files to follow; enough to run without a configuration",
         .repeatable = true},
        {.name = "postfix-log",
         .metavar = "GLOB",
         .help = "Postfix logs to follow, counted as postfix_*",
         .repeatable = true},
        {.name = "kumomta-log",
         .metavar = "GLOB",
         .help = "KumoMTA log segments to follow, counted as kumomta_log_*",
         .repeatable = true},
        {.name = "config.file", .metavar = "FILE", .help = "The configuration (YAML)"},
        {.name = "config.check",
         .kind = Kind::flag,
         .help = "Read the configuration, say what is wrong with it, and exit",
         .one_of = "action"},
        {.name = "pmta.config",
         .metavar = "FILE",
         .help = "PowerMTA's own configuration: its accounting files are followed"},
    };
}

options::OptionTable serving_options() {
    return {
        {.name = "web.listen-address",
         .kind = listen_address,
         .help = "Where to listen; unix:/path too",
         .fallback = ":10925",
         .repeatable = true},
        {.name = "web.config.file",
         .metavar = "FILE",
         .help = "TLS, client certificates and basic authentication (exporter-toolkit format)"},
        {.name = "web.telemetry-path", .kind = telemetry_path, .help = "Where the metrics are", .fallback = "/metrics"},
        {.name = "web.enable-lifecycle", .kind = Kind::flag, .help = "Let POST /-/reload read the configuration again"},
        {.name = "state.file",
         .metavar = "FILE",
         .help = "Where offsets and counters are kept; none keeps no state",
         .fallback_text = "/var/lib/pmta_exporter/state; none with --once and --backfill"},
        {.name = "log.level",
         .kind = Kind::choice,
         .metavar = "debug|info|warn|error",
         .help = "The least severe lines that are logged",
         .fallback = "info"},
        {.name = "log.format",
         .kind = Kind::choice,
         .metavar = "logfmt|json",
         .help = "Form of the log lines",
         .fallback = "logfmt"},
    };
}

options::OptionTable printing_options() {
    return {
        {.name = "once", .kind = Kind::flag, .help = "Read everything, print the metrics, exit", .one_of = "action"},
        {.name = "format",
         .kind = Kind::choice,
         .metavar = "text|openmetrics",
         .help = "Format of --once",
         .fallback = "text"},
        {.name = "backfill",
         .kind = Kind::flag,
         .help = "Print OpenMetrics with the records' time stamps, for promtool tsdb create-blocks-from",
         .one_of = "action"},
        {.name = "step",
         .kind = Kind::duration,
         .help = "Interval between the samples of --backfill, at least 1s",
         .fallback = "1h"},
        {.name = "catalog",
         .kind = Kind::flag,
         .help = "Print the metric catalogue as JSON and exit",
         .one_of = "action"},
        {.name = "explain",
         .metavar = "TEXT|FILE|-",
         .help =
             "Say what a reply means, and by which rule; of a log, a file with a reply a line or standard input, of "
             "each",
         .may_be_empty = true,
         .one_of = "action"},
        {.name = "unknown", .kind = Kind::flag, .help = "With --explain, only the kinds of reply that no rule knows"},
    };
}

Result<void> check_together(const Options& options) {
    const bool reads = options.action == Action::once || options.action == Action::backfill;
    const bool has_log = !options.postfix_log.empty() || !options.kumomta_log.empty();
    const bool has_input =
        !options.acct.empty() || has_log || !options.config_file.empty() || !options.pmta_config.empty();
    if ((reads || options.action == Action::serve) && !has_input) {
        return fail(Fault::usage,
                    "nothing to read: give --acct '/var/log/pmta/acct-*.csv', --postfix-log, --kumomta-log, "
                    "--config.file or --pmta.config");
    }
    if (options.action == Action::backfill && has_log) {
        return fail(Fault::usage, "--backfill reads PowerMTA's accounting files only: give --acct");
    }
    if (options.action == Action::check_config && options.config_file.empty() && options.pmta_config.empty()) {
        return fail(Fault::usage, "--config.check needs --config.file or --pmta.config");
    }
    if (options.unknown && options.action != Action::explain) {
        return fail(Fault::usage, "--unknown needs --explain");
    }
    if (options.step < std::chrono::seconds(1)) return fail(Fault::usage, "--step: write at least 1s");
    return {};
}

}  // namespace

options::Program exporter_program() {
    return {.name = "pmta_exporter",
            .purpose = "Exports metrics of PowerMTA and its neighbours to Prometheus",
            .options = options::options_of(
                {input_options(), serving_options(), printing_options(), options::help_and_version()}),
            .description =
                "Follows PowerMTA's accounting files, Postfix logs and KumoMTA log segments, asks what its "
                "configuration names, and publishes what it counts over HTTP for Prometheus.",
            .example = "pmta_exporter --acct '/var/log/pmta/acct-*.csv'",
            .notes =
                "A DURATION is numbers with units: 90s, 10m, 1h30m, 2d.\n"
                "SIGHUP reads the configuration again, SIGTERM and SIGINT stop it.\n"
                "Exit codes: 0 done or stopped, 1 something failed, 2 a bad command line.\n"};
}

Result<Options> parse_options(std::span<const std::string> arguments) {
    // A service's unit names the configuration; its defaults file may name another one behind it.
    const auto given = options::Options::parse(exporter_program().options, {arguments.begin(), arguments.end()},
                                               {.later_counts = true});
    if (!given) return fail(given.error());
    Options options;
    for (const auto& [name, action] : actions) {
        if (given->given(name)) options.action = action;
    }
    if (options.action == Action::help || options.action == Action::version) return options;
    options.acct = given->list("acct");
    options.postfix_log = given->list("postfix-log");
    options.kumomta_log = given->list("kumomta-log");
    options.config_file = given->find_text("config.file").value_or("");
    options.pmta_config = given->find_text("pmta.config").value_or("");
    for (const std::string& address : given->list("web.listen-address")) {
        options.listen.push_back(web::parse_listen_address(address).value());
    }
    options.web_config_file = given->find_text("web.config.file").value_or("");
    options.telemetry_path = given->text("web.telemetry-path");
    options.enable_lifecycle = given->flag("web.enable-lifecycle");
    options.state_file = given->find_text("state.file");
    if (options.state_file == "none") options.state_file = "";
    const bool openmetrics = given->text("format") == "openmetrics";
    options.format = openmetrics ? exposition::Format::openmetrics : exposition::Format::text;
    options.step = std::chrono::duration_cast<std::chrono::seconds>(given->duration("step"));
    options.explain = given->find_text("explain").value_or("");
    options.unknown = given->flag("unknown");
    options.log_level = base::log_level_of(given->text("log.level")).value();
    options.log_format = given->text("log.format") == "json" ? base::LogFormat::json : base::LogFormat::logfmt;
    if (auto done = check_together(options); !done) return fail(done.error());
    return options;
}

}  // namespace mtawatch::exporter
