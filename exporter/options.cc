#include "exporter/options.h"

#include <fmt/format.h>

#include <array>
#include <functional>

#include "shared/base/duration.h"

namespace mtawatch::exporter {
namespace {

using base::fail;
using base::Fault;
using base::Result;
using Set = Result<void> (*)(Options&, const std::string& value);

struct Option {
    std::string_view name;
    std::string_view value;  // what --help calls it; "" for a switch
    std::string_view help;
    Set set;
};

Result<void> set_format(Options& options, const std::string& value) {
    if (value != "text" && value != "openmetrics") {
        return fail(Fault::usage, "--format {}: write text or openmetrics", value);
    }
    options.format = value == "text" ? exposition::Format::text : exposition::Format::openmetrics;
    return {};
}

Result<void> set_log_level(Options& options, const std::string& value) {
    const auto level = base::log_level_of(value);
    if (!level) return fail(Fault::usage, "--log.level {}: write debug, info, warn or error", value);
    options.log_level = *level;
    return {};
}

Result<void> set_log_format(Options& options, const std::string& value) {
    if (value != "logfmt" && value != "json") {
        return fail(Fault::usage, "--log.format {}: write logfmt or json", value);
    }
    options.log_format = value == "json" ? base::LogFormat::json : base::LogFormat::logfmt;
    return {};
}

Result<void> set_step(Options& options, const std::string& value) {
    const auto step = base::parse_duration(value);
    if (!step) return fail(step.error().at("--step " + value));
    if (*step < std::chrono::seconds(1)) return fail(Fault::usage, "--step {}: at least 1s", value);
    options.step = std::chrono::duration_cast<std::chrono::seconds>(*step);
    return {};
}

Result<void> add_listen(Options& options, const std::string& value) {
    auto address = web::parse_listen_address(value);
    if (!address) return fail(address.error());
    options.listen.push_back(std::move(*address));
    return {};
}

Result<void> set_telemetry_path(Options& options, const std::string& value) {
    if (!value.starts_with('/') || value == "/" || value.starts_with("/-/") ||
        value.find_first_of(" ?#\"<>") != std::string::npos) {
        return fail(Fault::usage, "--web.telemetry-path {}: write a path such as /metrics", value);
    }
    options.telemetry_path = value;
    return {};
}

Result<void> set_action(Options& options, Action action, std::string_view name) {
    if (options.action != Action::serve && options.action != action) {
        return fail(Fault::usage,
                    "{} cannot stand beside another action (--once, --backfill, --catalog, "
                    "--explain, --config.check)",
                    name);
    }
    options.action = action;
    return {};
}

template <Action action>
Result<void> act(Options& options, const std::string& name) {
    return set_action(options, action, name);
}

template <std::string Options::*member>
Result<void> assign(Options& options, const std::string& value) {
    if (value.empty()) return fail(Fault::usage, "an empty file name");
    options.*member = value;
    return {};
}

template <std::vector<std::string> Options::*member>
Result<void> add_glob(Options& options, const std::string& value) {
    if (value.empty()) return fail(Fault::usage, "needs a file name or a pattern");
    (options.*member).push_back(value);
    return {};
}

// A switch gets its own name as the value, for messages.
constexpr std::array options_table{
    Option{"--acct", "GLOB", "Accounting files to follow; repeatable. Enough to run without a configuration.",
           add_glob<&Options::acct>},
    Option{"--postfix-log", "GLOB", "Postfix logs to follow, counted as postfix_*; repeatable.",
           add_glob<&Options::postfix_log>},
    Option{"--kumomta-log", "GLOB", "KumoMTA log segments to follow, counted as kumomta_log_*; repeatable.",
           add_glob<&Options::kumomta_log>},
    Option{"--config.file", "FILE", "The configuration (YAML).", assign<&Options::config_file>},
    Option{"--config.check", "", "Read the configuration, say what is wrong with it, and exit.",
           act<Action::check_config>},
    Option{"--pmta.config", "FILE", "PowerMTA's own configuration: its accounting files are followed.",
           assign<&Options::pmta_config>},
    Option{"--web.listen-address", "[HOST]:PORT", "Where to listen; repeatable; unix:/path too. Default :10925.",
           add_listen},
    Option{"--web.config.file", "FILE", "TLS, client certificates and basic authentication (exporter-toolkit format).",
           assign<&Options::web_config_file>},
    Option{"--web.telemetry-path", "PATH", "Where the metrics are. Default /metrics.", set_telemetry_path},
    Option{"--web.enable-lifecycle", "", "Let POST /-/reload read the configuration again.",
           [](Options& o, const std::string&) -> Result<void> {
               o.enable_lifecycle = true;
               return {};
           }},
    Option{"--state.file", "FILE",
           "Where offsets and counters are kept; none keeps no state.\n"
           "Default /var/lib/pmta_exporter/state; none with --once and --backfill.",
           [](Options& o, const std::string& v) -> Result<void> {
               if (v.empty()) return fail(Fault::usage, "--state.file needs a file name or none");
               o.state_file = v == "none" ? std::string() : v;
               return {};
           }},
    Option{"--once", "", "Read everything, print the metrics, exit.", act<Action::once>},
    Option{"--format", "text|openmetrics", "Format of --once. Default text.", set_format},
    Option{"--backfill", "", "Print OpenMetrics with the records' time stamps, for promtool tsdb create-blocks-from.",
           act<Action::backfill>},
    Option{"--step", "DURATION", "Interval between the samples of --backfill. Default 1h.", set_step},
    Option{"--catalog", "", "Print the metric catalogue as JSON and exit.", act<Action::catalog>},
    Option{"--explain", "TEXT", "Say which reply class a diagnostic text has, and by which rule.",
           [](Options& o, const std::string& v) {
               o.explain = v;
               return set_action(o, Action::explain, "--explain");
           }},
    Option{"--log.level", "LEVEL", "debug, info, warn or error. Default info.", set_log_level},
    Option{"--log.format", "FORMAT", "logfmt or json. Default logfmt.", set_log_format},
    Option{"--version", "", "Print the version and exit.", nullptr},
    Option{"--help", "", "Print this text and exit.", nullptr},
};

const Option* find_option(std::string_view name) {
    if (name == "-h") name = "--help";
    if (name == "-V") name = "--version";
    for (const Option& option : options_table) {
        if (option.name == name) return &option;
    }
    return nullptr;
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
    return {};
}

}  // namespace

Result<Options> parse_options(std::span<const std::string> arguments) {
    Options options;
    for (std::size_t i = 0; i < arguments.size(); ++i) {
        const std::string& argument = arguments[i];
        const std::size_t equals = argument.find('=');
        const bool joined = argument.starts_with("--") && equals != std::string::npos;
        const std::string name = joined ? argument.substr(0, equals) : argument;
        const Option* option = find_option(name);
        if (option == nullptr) return fail(Fault::usage, "{}: no such option; --help lists them", name);
        if (option->set == nullptr) {
            options.action = option->name == "--help" ? Action::help : Action::version;
            return options;
        }
        if (option->value.empty() && joined) return fail(Fault::usage, "{} takes no value", name);
        if (!option->value.empty() && !joined && i + 1 == arguments.size()) {
            return fail(Fault::usage, "{} needs a value: {}", name, option->value);
        }
        std::string value = name;
        if (joined) value = argument.substr(equals + 1);
        if (!option->value.empty() && !joined) value = arguments[++i];
        if (auto done = option->set(options, value); !done) {
            const bool named = done.error().what.starts_with("--");
            return fail(named ? done.error() : done.error().at(name));
        }
    }
    if (options.listen.empty()) options.listen.push_back(*web::parse_listen_address(default_listen_address));
    if (auto done = check_together(options); !done) return fail(done.error());
    return options;
}

std::string help_text() {
    std::string text =
        "Usage: pmta_exporter [options]\n"
        "Follows PowerMTA's accounting files, Postfix logs and KumoMTA log segments, and publishes what it\n"
        "counts to Prometheus.\n\n";
    for (const Option& option : options_table) {
        std::string head = fmt::format("  {}{}{}", option.name, option.value.empty() ? "" : " ", option.value);
        std::string help(option.help);
        for (std::size_t at = 0; (at = help.find('\n', at)) != std::string::npos; at += 34) {
            help.replace(at, 1, "\n" + std::string(33, ' '));
        }
        if (head.size() > 31) {
            head += "\n" + std::string(33, ' ');
        } else {
            head.resize(33, ' ');
        }
        text += head + help + "\n";
    }
    text += "\nSIGHUP reads the configuration again, SIGTERM and SIGINT stop the exporter cleanly.\n";
    return text;
}

}  // namespace mtawatch::exporter
