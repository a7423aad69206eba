#include "exporter/feed/type_filter.h"

#include <boost/test/unit_test.hpp>
#include <filesystem>
#include <fstream>
#include <string>

#include "exporter/exposition/exposition.h"
#include "exporter/feed/accounting.h"
#include "tests/support/fake_clock.h"
#include "tests/support/log_capture.h"

using namespace mtawatch::exporter::exposition;
using namespace mtawatch::exporter::feed;
using mtawatch::mta::logs::RecordType;

BOOST_AUTO_TEST_SUITE(type_filter)

BOOST_AUTO_TEST_CASE(a_file_is_told_by_its_name_in_any_folder) {
    FeedSettings settings;
    settings.types_by_glob["/var/log/pmta/diag-[0-9]*.csv"] = {RecordType::t, RecordType::f};
    const TypeFilter filter(settings);
    const TypeMask both = mask_of(RecordType::t) | mask_of(RecordType::f);
    BOOST_TEST(filter.types_of("/var/log/pmta/diag-2026-01-05-0000.csv") == both);
    BOOST_TEST(filter.types_of("/old/diag-2026-01-05-0000.csv.gz") == both);
    BOOST_TEST(filter.types_of("diag-2026-01-05-0000.csv") == both);
    BOOST_TEST(filter.types_of("/var/log/pmta/acct-2026-01-05-0000.csv") == all_types);
    BOOST_TEST(TypeFilter({}).types_of("/x.csv") == all_types);
}

BOOST_AUTO_TEST_CASE(a_type_that_two_files_log_is_counted_once) {
    const auto folder = std::filesystem::temp_directory_path() / "mtawatch-feed-test";
    std::filesystem::create_directories(folder);
    const std::string head = "type,timeLogged,rcpt\n";
    std::ofstream(folder / "acct-1.csv") << head << "d,2023-01-05 10:00:00+0000,a@gmail.com\n"
                                         << "b,2023-01-05 10:00:01+0000,b@gmail.com\n";
    std::ofstream(folder / "diag-1.csv") << head << "b,2023-01-05 10:00:01+0000,b@gmail.com\n"
                                         << "t,2023-01-05 10:00:02+0000,c@gmail.com\n";
    FeedSettings settings;
    settings.follow.globs = {(folder / "acct-*.csv").string(), (folder / "diag-*.csv").string()};
    settings.types_by_glob[settings.follow.globs[1]] = {RecordType::t};
    const mtawatch::test::FakeClock clock;
    std::string text;
    ExpositionWriter writer(Format::text, text);
    const auto done = run_once({settings}, clock, mtawatch::test::quiet_log(clock), {}, writer);
    std::filesystem::remove_all(folder);
    BOOST_REQUIRE(done);
    for (const char* type : {"d", "b", "t"}) {
        const std::string line = "\npmta_accounting_records_total{record_type=\"" + std::string(type) + "\"} 1\n";
        BOOST_TEST_CONTEXT(type) { BOOST_TEST(text.find(line) != std::string::npos); }
    }
}

BOOST_AUTO_TEST_SUITE_END()
