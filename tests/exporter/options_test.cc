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
        {{"--acc", "x"}, "--acc: no such option; --help lists them"},
        {{"acct.csv"}, "acct.csv: no such option; --help lists them"},
        {{"--acct"}, "--acct needs a value: GLOB"},
        {{"--acct="}, "--acct: needs a file name or a pattern"},
        {{"--postfix-log", ""}, "--postfix-log: needs a file name or a pattern"},
        {{"--kumomta-log="}, "--kumomta-log: needs a file name or a pattern"},
        {{"--backfill", "--postfix-log", "x"}, "--backfill reads PowerMTA's accounting files only: give --acct"},
        {{"--once=yes"}, "--once takes no value"},
        {{"--acct", "x", "--format", "xml"}, "--format xml: write text or openmetrics"},
        {{"--acct", "x", "--log.level", "loud"}, "--log.level loud: write debug, info, warn or error"},
        {{"--acct", "x", "--web.listen-address", "9100"},
         "--web.listen-address 9100: write :PORT, HOST:PORT, [IPV6]:PORT or unix:/path"},
        {{"--acct", "x", "--web.telemetry-path", "metrics"},
         "--web.telemetry-path metrics: write a path such as /metrics"},
        {{"--config.check"}, "--config.check needs --config.file or --pmta.config"},
        {{"--config.file", ""}, "--config.file: an empty file name"},
        {{"--acct", "x", "--backfill", "--step", "10"}, ""},
        {{"--once", "--backfill"},
         "--backfill cannot stand beside another action (--once, --backfill, --catalog, --explain, --config.check)"},
    };
    for (const auto& [arguments, text] : table) {
        if (text.empty()) {
            BOOST_TEST(refusal(arguments).starts_with("--step"));
        } else {
            BOOST_TEST(refusal(arguments) == text);
        }
    }
}

BOOST_AUTO_TEST_CASE(help_names_every_option_within_a_terminal) {
    const std::string help = help_text();
    for (const char* name :
         {"--acct", "--config.file", "--config.check", "--pmta.config", "--web.listen-address", "--web.config.file",
          "--web.telemetry-path", "--web.enable-lifecycle", "--state.file", "--once", "--format", "--backfill",
          "--step", "--catalog", "--explain", "--log.level", "--log.format", "--version", "--help"}) {
        BOOST_TEST_CONTEXT(name) { BOOST_TEST(help.find(name) != std::string::npos); }
    }
    std::size_t longest = 0;
    for (std::size_t at = 0, end = 0; (end = help.find('\n', at)) != std::string::npos; at = end + 1) {
        longest = std::max(longest, end - at);
    }
    BOOST_TEST(longest <= 130);
}

BOOST_AUTO_TEST_SUITE_END()
