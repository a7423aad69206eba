#include "exporter/pipe/pipe_options.h"

#include <boost/test/unit_test.hpp>

using namespace mtawatch;
using namespace mtawatch::exporter::pipe;

BOOST_AUTO_TEST_SUITE(pipe_options)

BOOST_AUTO_TEST_CASE(a_name_is_enough) {
    const SpoolSettings settings = spool_settings(parse_pipe_options({"--name", "bounces"}).value());
    BOOST_TEST(settings.name == "bounces");
    BOOST_TEST(settings.folder == "/var/spool/pmta_exporter");
    BOOST_TEST(settings.file_bytes == SpoolSettings{}.file_bytes);
    BOOST_TEST(settings.max_bytes == SpoolSettings{}.max_bytes);
    BOOST_TEST((settings.wait == SpoolSettings{}.wait));
}

BOOST_AUTO_TEST_CASE(every_setting_can_be_given) {
    const SpoolSettings settings =
        spool_settings(parse_pipe_options({"--name=x", "--spool", "/data", "--file-size=4096", "--max-size", "9999",
                                           "--wait=5m", "--name", "y"})
                           .value());
    BOOST_TEST(settings.name == "y");
    BOOST_TEST(settings.folder == "/data");
    BOOST_TEST(settings.file_bytes == 4096U);
    BOOST_TEST(settings.max_bytes == 9999U);
    BOOST_TEST((settings.wait == std::chrono::minutes(5)));
}

BOOST_AUTO_TEST_CASE(what_cannot_be_right_is_named) {
    const std::vector<std::pair<std::vector<std::string>, std::string>> table{
        {{}, "--name NAME is required; see --help"},
        {{"--name"}, "--name needs a value, NAME; see --help"},
        {{"--name="}, "--name: \"\" is empty; give a value or leave the option out"},
        {{"--name", "x", "--file-size", "1G"}, "--file-size: \"1G\" is no whole number"},
        {{"--name", "x", "--max-size", "0"},
         "--max-size: \"0\" is out of range; write a number from 1 to 1000000000000000"},
        {{"--name", "x", "--spol", "/data"}, "unknown option --spol; did you mean --spool?; see --help"},
        {{"bounces"}, "stray argument \"bounces\"; every value needs its option, see --help"},
    };
    for (const auto& [arguments, text] : table) {
        const auto given = parse_pipe_options(arguments);
        BOOST_REQUIRE(!given);
        BOOST_TEST(given.error().what == text);
    }
}

BOOST_AUTO_TEST_CASE(help_and_version_need_no_name) {
    BOOST_TEST(parse_pipe_options({"--help"}).value().flag("help"));
    BOOST_TEST(parse_pipe_options({"-V"}).value().flag("version"));
}

BOOST_AUTO_TEST_SUITE_END()
