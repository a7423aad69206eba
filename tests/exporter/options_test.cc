#include "exporter/options.h"

#include <boost/test/unit_test.hpp>
#include <string>
#include <vector>

using namespace mtawatch;
using namespace mtawatch::exporter;

namespace {

mtawatch::base::Result<Options> parse(const std::vector<std::string>& arguments) { return parse_options(arguments); }

std::string refusal(const std::vector<std::string>& arguments) {
    const auto options = parse(arguments);
    return options ? "accepted" : options.error().what;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(options)

BOOST_AUTO_TEST_CASE(a_glob_is_enough) {
    const Options options = parse({"--acct", "/var/log/pmta/acct-*.csv"}).value();
    BOOST_TEST((options.action == Action::serve));
    BOOST_TEST(options.acct.at(0) == "/var/log/pmta/acct-*.csv");
    BOOST_TEST((options.listen.at(0) == exporter::web::ListenAddress{"", 10925, ""}));
    BOOST_TEST(!options.state_file);
    BOOST_TEST(options.telemetry_path == "/metrics");
}

BOOST_AUTO_TEST_CASE(values_stand_behind_an_equals_sign_or_apart) {
    const Options options =
        parse({"--acct=a=b.csv", "--acct", "c.csv", "--web.listen-address=[::1]:9", "--web.listen-address", "unix:/x",
               "--log.level=debug", "--log.format=json", "--state.file=none", "--once", "--format=openmetrics"})
            .value();
    BOOST_TEST((options.acct == std::vector<std::string>{"a=b.csv", "c.csv"}));
    BOOST_TEST(options.listen.size() == 2);
    BOOST_TEST((options.log_level == base::LogLevel::debug));
    BOOST_TEST((options.log_format == base::LogFormat::json));
    BOOST_TEST((options.state_file == std::string()));
    BOOST_TEST((options.action == Action::once));
    BOOST_TEST((options.format == exporter::exposition::Format::openmetrics));
}

BOOST_AUTO_TEST_CASE(help_and_version_answer_beside_anything) {
    BOOST_TEST((parse({"--acct", "x", "--version", "--no-such"}).value().action == Action::version));
    BOOST_TEST((parse({"-h"}).value().action == Action::help));
    BOOST_TEST((parse({"-V"}).value().action == Action::version));
}

BOOST_AUTO_TEST_CASE(what_cannot_be_right_is_named) {
    const std::vector<std::pair<std::vector<std::string>, std::string>> table{
        {{},
         "nothing to read: give --acct '/var/log/pmta/acct-*.csv', --postfix-log, --kumomta-log, --config.file or "
         "--pmta.config"},
        {{"--acc", "x"}, "unknown option --acc; did you mean --acct?"},
        {{"acct.csv"}, "stray argument \"acct.csv\"; every value needs its option, see --help"},
        {{"--acct"}, "--acct needs a value, GLOB; see --help"},
        {{"--acct="}, "--acct: \"\" is empty; give a value or leave the option out"},
        {{"--state.file="}, "--state.file: \"\" is empty; give a value or leave the option out"},
        {{"--backfill", "--postfix-log", "x"}, "--backfill reads PowerMTA's accounting files only: give --acct"},
        {{"--once=yes"}, "--once takes no value (\"--once=yes\")"},
        {{"--acct", "x", "--format", "xml"}, "--format: \"xml\" is not known here; write text or openmetrics"},
        {{"--acct", "x", "--log.level", "loud"},
         "--log.level: \"loud\" is not known here; write debug, info, warn or error"},
        {{"--acct", "x", "--web.listen-address", "9100"},
         "--web.listen-address: \"9100\": write :PORT, HOST:PORT, [IPV6]:PORT or unix:/path"},
        {{"--acct", "x", "--web.telemetry-path", "metrics"},
         "--web.telemetry-path: \"metrics\": write a path such as /metrics"},
        {{"--config.check"}, "--config.check needs --config.file or --pmta.config"},
        {{"--config.file", ""}, "--config.file: \"\" is empty; give a value or leave the option out"},
        {{"--acct", "x", "--backfill", "--step", "10"},
         "--step: '10' is not a duration (the unit is missing); write for example 90s, 10m, 1h30m or 2d"},
        {{"--acct", "x", "--backfill", "--step", "999ms"}, "--step: write at least 1s"},
        {{"--once", "--backfill"}, "--once and --backfill exclude each other; give one of them, or none"},
    };
    for (const auto& [arguments, text] : table) {
        BOOST_TEST(refusal(arguments) == text);
    }
}

// The unit names the configuration, and ARGS in /etc/default/pmta_exporter stands behind it.
BOOST_AUTO_TEST_CASE(a_second_configuration_overrules_that_of_the_unit) {
    const Options options = parse({"--config.file", "/etc/unit.yml", "--config.file", "/etc/own.yml"}).value();
    BOOST_TEST(options.config_file == "/etc/own.yml");
}

BOOST_AUTO_TEST_CASE(an_empty_text_can_be_explained) {
    const Options options = parse({"--explain="}).value();
    BOOST_TEST((options.action == Action::explain));
    BOOST_TEST(options.explain.empty());
}

BOOST_AUTO_TEST_SUITE_END()
