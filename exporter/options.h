// Command-line options of the exporter.
#pragma once

#include <chrono>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "exporter/exposition/exposition.h"
#include "exporter/web/listen_address.h"
#include "shared/base/log.h"
#include "shared/base/result.h"
#include "shared/options/help.h"

namespace mtawatch::exporter {

enum class Action { serve, once, backfill, catalog, explain, check_config, version, help };

struct Options {
    Action action = Action::serve;
    std::vector<std::string> acct;  // globs
    std::vector<std::string> postfix_log;
    std::vector<std::string> kumomta_log;
    std::string config_file;
    std::string pmta_config;
    std::vector<web::ListenAddress> listen;
    std::string web_config_file;
    std::string telemetry_path = "/metrics";
    bool enable_lifecycle = false;
    std::optional<std::string> state_file;  // "none" is an empty path; absent: the default of the action
    exposition::Format format = exposition::Format::text;
    std::chrono::seconds step{3600};
    std::string explain;   // a reply, "-" or a file
    bool unknown = false;  // with explain: only what no rule knows
    base::LogLevel log_level = base::LogLevel::info;
    base::LogFormat log_format = base::LogFormat::logfmt;
};

inline constexpr std::string_view default_state_file = "/var/lib/pmta_exporter/state";

// The option table, and what --help and the man page say beside it.
[[nodiscard]] options::Program exporter_program();

// `arguments` without the program's name, by the rules of options::Options; of an option that is given twice and is not
// repeatable the later one counts. Fault::usage names the option, the value and what to write instead.
[[nodiscard]] base::Result<Options> parse_options(std::span<const std::string> arguments);

}  // namespace mtawatch::exporter
