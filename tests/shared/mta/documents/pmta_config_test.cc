#include "shared/mta/documents/pmta_config.h"

#include <boost/test/unit_test.hpp>
#include <map>

using namespace mtawatch;
using namespace mtawatch::mta::documents;
using mtawatch::base::Fault;
using mtawatch::base::Result;

namespace {

using Tree = std::map<std::string, std::string>;

Result<PmtaConfig> read(const Tree& tree) {
    return read_pmta_config("/etc/pmta/config", [&](const std::string& path) -> Result<std::string> {
        const auto found = tree.find(path);
        if (found == tree.end()) return mtawatch::base::fail(Fault::not_found, "{}: no such file", path);
        return found->second;
    });
}

PmtaConfig config_of(const std::string& text) { return read({{"/etc/pmta/config", text}}).value(); }

std::string codes(const std::set<mta::logs::RecordType>& types) {
    std::string text;
    for (const mta::logs::RecordType type : types) text += (text.empty() ? "" : " ") + std::string(name(type));
    return text;
}

// "path: types" of every section.
std::string feeders_of(const PmtaConfig& config) {
    std::string text;
    for (const CountedFile& file :
         choose_acct_files(config, [](const AcctFile& file) { return file.pipe.starts_with("/usr/bin/ours"); })) {
        text += file.source->name() + ": " + codes(file.types) + "\n";
    }
    return text;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(pmta_config)

BOOST_AUTO_TEST_CASE(a_section_with_everything) {
    const PmtaConfig config = config_of(
        "# accounting\n"
        "LOG-FILE \"/var/log/pmta/pmta.log\"   # where it talks\n"
        "<domain *>\n  max-smtp-out 20\n  some-new-directive <x> y\n</domain>\n"
        "<Acct-File \"/var/log/pmta/acct.csv\">\r\n"
        "    records Delivery, bounce,f , tq\r\n"
        "    record-fields d timeLogged,rcpt , vmta\n"
        "    move-interval 5m\n"
        "    move-to /var/log/pmta/old/\n"
        "    queue-filter example.com/*\n"
        "</acct-file>\n");
    BOOST_REQUIRE(config.acct_files.size() == 1);
    const AcctFile& file = config.acct_files[0];
    BOOST_TEST(file.path == "/var/log/pmta/acct.csv");
    BOOST_TEST(file.glob() == "/var/log/pmta/acct-[0-9]*.csv");
    BOOST_TEST(codes(file.records) == "d b tq f");
    BOOST_TEST(file.move_to == "/var/log/pmta/old");
    BOOST_TEST(file.queue_filter);
    BOOST_TEST(file.columns == 3);
    BOOST_TEST(file.line == 7);
    BOOST_TEST(config.log_file == "/var/log/pmta/pmta.log");
    BOOST_TEST(config.notes.empty());
}

BOOST_AUTO_TEST_CASE(defaults_are_those_of_powermta) {
    const AcctFile file = config_of("<acct-file /logs/bounces>\n</acct-file>\n").acct_files.at(0);
    BOOST_TEST(codes(file.records) == "d b");
    BOOST_TEST(file.columns == AcctFile::all_columns);
    BOOST_TEST(file.glob() == "/logs/bounces-[0-9]*");
    BOOST_TEST(!file.queue_filter);
    BOOST_TEST(file.move_to.empty());
}

BOOST_AUTO_TEST_CASE(pipes_keep_their_arguments) {
    const PmtaConfig config = config_of(
        "<acct-file |/usr/bin/ours --name bounces>\nrecords b\n</acct-file>\n"
        "<acct-file \"|/usr/bin/other.pl\">\n</acct-file>\n");
    BOOST_TEST(config.acct_files.at(0).pipe == "/usr/bin/ours --name bounces");
    BOOST_TEST(config.acct_files.at(0).path.empty());
    BOOST_TEST(config.acct_files.at(0).glob().empty());
    BOOST_TEST(config.acct_files.at(1).pipe == "/usr/bin/other.pl");
}

BOOST_AUTO_TEST_CASE(includes_are_followed_and_a_missing_one_is_a_note) {
    const auto config =
        read({{"/etc/pmta/config", "include sub/a.conf\ninclude /elsewhere/b.conf\ninclude gone.conf\n"},
              {"/etc/pmta/sub/a.conf", "include more.conf\n"},
              {"/etc/pmta/sub/more.conf", "<acct-file /a.csv>\n</acct-file>\n"},
              {"/elsewhere/b.conf", "<acct-file /b.csv>\n</acct-file>\n"}});
    BOOST_REQUIRE(config);
    BOOST_TEST(config->acct_files.size() == 2);
    BOOST_TEST(config->acct_files[0].file == "/etc/pmta/sub/more.conf");
    BOOST_REQUIRE(config->notes.size() == 1);
    BOOST_TEST(config->notes[0] == "/etc/pmta/config line 3: include: /etc/pmta/gone.conf: no such file");
}

BOOST_AUTO_TEST_CASE(files_that_include_each_other_end) {
    const auto config = read({{"/etc/pmta/config", "include config\n"}});
    BOOST_REQUIRE(!config);
    BOOST_TEST((config.error().fault == Fault::limit));
}

BOOST_AUTO_TEST_CASE(a_section_that_does_not_end_is_an_error) {
    BOOST_TEST(read({{"/etc/pmta/config", "\n<acct-file /a.csv>\nrecords d\n"}}).error().what ==
               "/etc/pmta/config line 2: <acct-file /a.csv> has no </acct-file>");
    BOOST_TEST(!read({{"/etc/pmta/config", "<acct-file /a>\n<acct-file /b>\n</acct-file>\n"}}));
    BOOST_TEST(read({}).error().what == "/etc/pmta/config: no such file");
}

BOOST_AUTO_TEST_CASE(an_unknown_record_type_is_a_note) {
    const PmtaConfig config = config_of("<acct-file /a.csv>\nrecords d,zz\n</acct-file>\n");
    BOOST_TEST(codes(config.acct_files.at(0).records) == "d");
    BOOST_TEST(config.notes.at(0) == "/etc/pmta/config line 2: records: no such type: zz");
}

BOOST_AUTO_TEST_CASE(one_feeder_for_each_record_type) {
    const PmtaConfig config = config_of(
        "<acct-file |/usr/bin/ours --name all>\nrecords d,b,t,f\n</acct-file>\n"
        "<acct-file /some.csv>\nrecords d,b\nqueue-filter x\n</acct-file>\n"
        "<acct-file /few.csv>\nrecords d\nrecord-fields d rcpt,vmta\n</acct-file>\n"
        "<acct-file /full.csv>\nrecords d,r\n</acct-file>\n"
        "<acct-file /again.csv>\nrecords r\n</acct-file>\n"
        "<acct-file /x.json>\nrecords rs\n</acct-file>\n"
        "<acct-file |/usr/bin/other>\nrecords rb\n</acct-file>\n");
    BOOST_TEST(feeders_of(config) ==
               "|/usr/bin/ours --name all: t f\n/some.csv: b\n/few.csv: \n/full.csv: d r\n/again.csv: \n/x.json: \n"
               "|/usr/bin/other: \n");
}

BOOST_AUTO_TEST_SUITE_END()
