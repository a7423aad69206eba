#include "exporter/config.h"

#include <boost/test/unit_test.hpp>
#include <filesystem>
#include <fstream>
#include <string>

#include "exporter/pmta_sources.h"

using namespace mtawatch;
using namespace mtawatch::exporter;
using mtawatch::mta::logs::RecordType;

namespace {

std::string refusal(const std::string& text) {
    const auto config = parse_config(text, "config.yml");
    return config ? "accepted" : config.error().what;
}

mtawatch::mta::documents::PmtaConfig pmta(const std::string& text) {
    return mtawatch::mta::documents::read_pmta_config(
               "/etc/pmta/config", [&](const std::string&) { return mtawatch::base::Result<std::string>(text); })
        .value();
}

ExporterConfig from_pmta(const std::string& text) {
    ExporterConfig config;
    add_pmta_sources(pmta(text), config);
    return config;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(configuration)

BOOST_AUTO_TEST_CASE(the_first_value_of_a_series) {
    BOOST_TEST(parse_config("{}", "config.yml")->zero_first);
    BOOST_TEST(parse_config("web: {first_value: zero}", "config.yml")->zero_first);
    BOOST_TEST(!parse_config("web: {first_value: true}", "config.yml")->zero_first);
    BOOST_TEST(refusal("web: {first_value: one}") ==
               "config.yml line 1: web.first_value: \"one\" is not known here; write one of: zero, true");
    BOOST_TEST(refusal("web: {first: zero}") == "config.yml line 1: web.first: unknown key; known here: first_value");
}

BOOST_AUTO_TEST_CASE(the_accounting_section) {
    const auto config = parse_config(
        "accounting:\n"
        "  files: [/var/log/pmta/acct-*.csv, /var/log/pmta/fbl-*.csv]\n"
        "  moved_to: /var/log/pmta/old\n"
        "  pmta_log: /var/log/pmta/pmta.log\n"
        "  time_zone: Europe/Berlin\n"
        "  expect: [d, b, f]\n"
        "  groups: [job]\n"
        "  budgets: {pmta_job_deliveries_total: 100}\n"
        "  job_columns: [header_X-Job]\n"
        "  idle_limit: 2d\n",
        "config.yml");
    BOOST_REQUIRE_MESSAGE(config, (config ? "" : config.error().what));
    const exporter::feed::FeedSettings& accounting = config->accounting;
    BOOST_TEST(accounting.follow.globs.size() == 2);
    BOOST_TEST(accounting.follow.moved_to.at(0) == "/var/log/pmta/old");
    BOOST_TEST(accounting.log_globs.at(0) == "/var/log/pmta/pmta.log");
    BOOST_TEST(accounting.count.expected_types.contains(RecordType::f));
    BOOST_TEST(accounting.count.groups.contains("job"));
    BOOST_TEST(accounting.count.budgets.at("pmta_job_deliveries_total") == 100);
    BOOST_TEST(accounting.count.job_columns.at(0) == "header_X-Job");
    BOOST_TEST(accounting.count.idle_limit.count() == 48);
}

BOOST_AUTO_TEST_CASE(an_empty_file_is_a_configuration_too) {
    BOOST_TEST(parse_config("", "config.yml").has_value());
    BOOST_TEST(parse_config("accounting:\ncollectors:\n", "config.yml").has_value());
}

BOOST_AUTO_TEST_CASE(errors_name_file_line_and_key) {
    const std::vector<std::pair<std::string, std::string>> table{
        {"accounting:\n  file: x\n", "config.yml line 2: accounting.file: "},
        {"accounting:\n  files: x\n  files: y\n", "config.yml line 3: "},
        {"accounting:\n  groups: [jobs]\n",
         "config.yml line 2: accounting.groups[0]: no such group; those that can be turned on: job, "
         "recipient_domain"},
        {"accounting:\n  budgets:\n    pmta_up: 3\n", "config.yml line 3: accounting.budgets.pmta_up: no family"},
        {"accounting:\n  budgets:\n    pmta_job_deliveries_total: 0\n",
         "config.yml line 3: accounting.budgets.pmta_job_deliveries_total: "},
        {"accounting:\n  expect: [d, x]\n",
         "config.yml line 2: accounting.expect[1]: write one of the record types: d b t tq r rb rs f"},
        {"postfix:\n  groups: [job]\n",
         "config.yml line 2: postfix.groups[0]: no such group; those that can be turned on: recipient_domain"},
        {"postfix:\n  budgets:\n    pmta_deliveries_total: 3\n",
         "config.yml line 3: postfix.budgets.pmta_deliveries_total: no family"},
        {"postfix:\n  expect: [d, f]\n", "config.yml line 2: postfix.expect[1]: write one of the record types: d b t"},
        {"postfix:\n  job_columns: [x]\n", "config.yml line 2: postfix.job_columns: "},
        {"kumomta_log:\n  expect: [tq]\n",
         "config.yml line 2: kumomta_log.expect[0]: write one of the record types: d b t r rb f"},
        {"kumomta_log:\n  time_zone: UTC\n", "config.yml line 2: kumomta_log.time_zone: "},
        {"kumomta_log:\n  instance: x\n", "config.yml line 2: kumomta_log.instance: "},
        {"accounting:\n  time_zone: Mars/Olympus\n", "config.yml line 2: accounting.time_zone: "},
        {"accounting:\n  idle_limit: 7\n", "config.yml line 2: accounting.idle_limit: "},
        {"collectors:\n  nothing: {}\n", "config.yml line 2: collectors.nothing: "},
        {"- a\n", "config.yml line 1: "},
        {"accounting: [\n", "config.yml line "},
    };
    for (const auto& [text, start] : table) {
        BOOST_TEST_CONTEXT(text << refusal(text)) { BOOST_TEST(refusal(text).starts_with(start)); }
    }
}

// The packaged file, and the same with every commented setting switched on.
BOOST_AUTO_TEST_CASE(the_packaged_configuration_is_good) {
    std::ifstream file(MTAWATCH_SOURCE_DIR "/packaging/exporter/config.yml");
    std::string plain;
    std::string everything;
    for (std::string line; std::getline(file, line);) {
        plain += line + "\n";
        // Settings that are commented out look like "# key:" or "#   key:" or "# - item"; prose has no such beginning.
        const std::size_t hash = line.find_first_not_of(' ');
        const bool commented = hash != std::string::npos && line.compare(hash, 2, "# ") == 0;
        const std::string rest = commented ? line.substr(hash + 2) : "";
        const std::size_t start = rest.find_first_not_of(' ');
        const std::size_t word =
            start == std::string::npos ? start : rest.find_first_not_of("abcdefghijklmnopqrstuvwxyz_0123456789", start);
        const bool setting = word != std::string::npos && word > start && rest[word] == ':';
        const bool item = start != std::string::npos && rest.compare(start, 2, "- ") == 0;
        everything += (setting || item ? line.substr(0, hash) + rest : line) + "\n";
    }
    const auto packaged = parse_config(plain, "config.yml");
    BOOST_TEST(packaged.has_value(), (packaged ? "" : packaged.error().what));
    const auto full = parse_config(everything, "config.yml");
    BOOST_TEST(full.has_value(), (full ? "" : full.error().what));
    BOOST_TEST(everything.find("\nclasses:\n") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(files_of_the_command_line_come_beside_those_of_the_configuration) {
    const auto folder = std::filesystem::temp_directory_path() / "mtawatch-config-test";
    std::filesystem::create_directories(folder);
    const std::string file = (folder / "config.yml").string();
    std::ofstream(file) << "accounting: {files: /a.csv}\n";
    const std::vector<std::string> arguments{"--config.file", file, "--acct", "/b.csv"};
    const auto config = load_config(parse_options(arguments).value());
    std::filesystem::remove_all(folder);
    BOOST_REQUIRE(config);
    BOOST_TEST((config->accounting.follow.globs == std::vector<std::string>{"/a.csv", "/b.csv"}));
    BOOST_TEST(config->accounting.state_file == "/var/lib/pmta_exporter/state");
    BOOST_TEST(load_config(parse_options(arguments).value()).error().what.find(file) != std::string::npos);
}

BOOST_AUTO_TEST_CASE(every_kind_of_log_is_a_feed_with_a_state_of_its_own) {
    const auto config = parse_config(
        "classes: {bounce_classes: {hard: [our-bad-address]}}\n"
        "postfix: {files: /var/log/mail.log, instance: postfix-out, time_zone: UTC,\n"
        "          budgets: {postfix_deliveries_total: 7}, groups: [recipient_domain]}\n"
        "kumomta_log: {files: /var/log/kumomta/*, expect: [d, f], groups: [job]}\n",
        "config.yml");
    BOOST_REQUIRE(config);
    const auto feeds = config->feeds();
    BOOST_REQUIRE(feeds.size() == 2U);
    const exporter::feed::FeedSettings& postfix = feeds[0];
    BOOST_TEST((postfix.count.format == exporter::series::RecordFormat::postfix));
    BOOST_TEST(postfix.instance == "postfix-out");
    BOOST_TEST(postfix.count.budgets.at("postfix_deliveries_total") == 7U);
    BOOST_TEST(
        (postfix.count.bounce_classes.of_category("our-bad-address") == mtawatch::mta::classes::BounceClass::hard));
    BOOST_TEST((feeds[1].count.format == exporter::series::RecordFormat::kumomta));
    BOOST_TEST(feeds[1].count.expected_types.contains(RecordType::f));

    const std::vector<std::string> arguments{
        "--postfix-log", "/var/log/mail.log", "--kumomta-log", "/k/*", "--acct", "/a.csv", "--state.file", "/s"};
    const auto all = load_config(parse_options(arguments).value()).value().feeds();
    BOOST_REQUIRE(all.size() == 3U);
    BOOST_TEST(all[0].state_file == "/s");
    BOOST_TEST(all[1].state_file == "/s.postfix");
    BOOST_TEST(all[2].state_file == "/s.kumomta");
    BOOST_TEST(all[2].follow.globs.at(0) == "/k/*");
}

BOOST_AUTO_TEST_CASE(once_keeps_no_state_unless_asked) {
    const auto state = [](std::vector<std::string> more) {
        more.insert(more.begin(), {"--acct", "x"});
        return load_config(parse_options(more).value()).value().accounting.state_file;
    };
    BOOST_TEST(state({"--once"}).empty());
    BOOST_TEST(state({"--once", "--state.file", "/s"}) == "/s");
    BOOST_TEST(state({"--state.file", "none"}).empty());
}

BOOST_AUTO_TEST_CASE(sources_that_powermta_names) {
    const ExporterConfig config = from_pmta(
        "log-file /var/log/pmta/pmta.log\n"
        "<bounce-category-patterns>\n/quota/ quota-issues\n</bounce-category-patterns>\n"
        "<acct-file /var/log/pmta/acct.csv>\nrecords d,b\nmove-to /var/log/pmta/old\n</acct-file>\n"
        "<acct-file /var/log/pmta/diag.csv>\nrecords b,t\nqueue-filter x\n</acct-file>\n"
        "<acct-file /var/log/pmta/web.json>\nrecords d\n</acct-file>\n"
        "<acct-file |/usr/bin/pmta_acct_pipe --name loops>\nrecords f\n</acct-file>\n"
        "<acct-file |/usr/local/bin/notify.pl>\nrecords rb\n</acct-file>\n");
    BOOST_TEST((config.accounting.follow.globs == std::vector<std::string>{"/var/log/pmta/acct-[0-9]*.csv",
                                                                           "/var/log/pmta/diag-[0-9]*.csv",
                                                                           "/var/spool/pmta_exporter/loops/*.csv"}));
    BOOST_TEST(config.accounting.count.bounce_patterns_file == "/etc/pmta/config");
    BOOST_TEST(config.accounting.follow.moved_to.at(0) == "/var/log/pmta/old");
    BOOST_TEST(config.accounting.log_globs.at(0) == "/var/log/pmta/pmta.log");
    BOOST_TEST(
        (config.accounting.types_by_glob.at("/var/log/pmta/diag-[0-9]*.csv") == std::set<RecordType>{RecordType::t}));
    BOOST_TEST(config.accounting.types_by_glob.size() == 1);
    BOOST_TEST((config.accounting.count.expected_types ==
                std::set<RecordType>{RecordType::d, RecordType::b, RecordType::t, RecordType::f}));
    BOOST_REQUIRE(config.notes.size() == 3);
    BOOST_TEST(config.notes[0] ==
               "/etc/pmta/config line 9: <acct-file /var/log/pmta/diag.csv> is counted for t only: other sections log "
               "the rest too");
    BOOST_TEST(
        config.notes[1] ==
        "/etc/pmta/config line 13: <acct-file /var/log/pmta/web.json> is ignored: JSON accounting files cannot be "
        "read; log CSV beside it");
    BOOST_TEST(config.notes[2] ==
               "/etc/pmta/config line 19: <acct-file |/usr/local/bin/notify.pl> is ignored: the records go to another "
               "program; log them to a file beside it");
}

BOOST_AUTO_TEST_CASE(types_that_nobody_logs_are_named) {
    BOOST_TEST(from_pmta("<acct-file /a.csv>\n</acct-file>\n").notes.at(0) ==
               "PowerMTA logs no t,f records that can be followed: add them to the records of an <acct-file>");
}

BOOST_AUTO_TEST_CASE(our_pipe_is_known_by_its_name) {
    const auto glob = [](std::string_view command) {
        const auto found = spool_glob(command);
        return found ? *found : found.error().what;
    };
    const std::string other = "the records go to another program; log them to a file beside it";
    BOOST_TEST(glob("/usr/bin/pmta_acct_pipe --name=x --spool /data") == "/data/x/*.csv");
    BOOST_TEST(glob("pmta_acct_pipe --name y") == "/var/spool/pmta_exporter/y/*.csv");
    BOOST_TEST(glob("/usr/bin/pmta_acct_pipe") == "pmta_acct_pipe: --name NAME is required; see --help");
    BOOST_TEST(glob("/usr/bin/pmta_acct_pipe --name x --file-size 1G") ==
               "pmta_acct_pipe: --file-size: \"1G\" is no whole number");
    BOOST_TEST(glob("pmta_acct_pipe --help") == "pmta_acct_pipe: --name is missing");
    BOOST_TEST(glob("/usr/bin/other --name x") == other);
    BOOST_TEST(glob("") == other);
}

BOOST_AUTO_TEST_SUITE_END()
