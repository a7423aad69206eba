// Proves that a file that cannot be read is an error with its reason, never an empty answer.
#include <sys/stat.h>
#include <boost/test/unit_test.hpp>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "shared/io/files.h"

using namespace mtawatch;
using base::Fault;

namespace {

struct Fixture {
    Fixture() {
        std::string name = "/tmp/mtawatch-XXXXXX";
        BOOST_REQUIRE(mkdtemp(name.data()) != nullptr);
        root = name;
        files = io::Files(root.string());
    }
    ~Fixture() { std::filesystem::remove_all(root); }
    void write(const std::string& path, const std::string& text) const {
        std::filesystem::create_directories((root / path.substr(1)).parent_path());
        std::ofstream(root / path.substr(1), std::ios::binary) << text;
    }
    std::filesystem::path root;
    io::Files files;
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(files_below_a_root, Fixture)

BOOST_AUTO_TEST_CASE(a_file_is_read_whole) {
    write("/etc/a", std::string("x\0y", 3));
    BOOST_TEST(files.read("/etc/a", 100).value() == std::string("x\0y", 3));
    write("/empty", "");
    BOOST_TEST(files.read("/empty", 100).value() == "");
    write("/large", std::string(200'000, 'z'));
    BOOST_TEST(files.read("/large", 200'000).value().size() == 200'000U);
}

BOOST_AUTO_TEST_CASE(what_cannot_be_read_is_an_error_that_names_the_path) {
    write("/etc/a", "12345");
    BOOST_TEST((files.read("/etc/a", 4).error().fault == Fault::limit));
    BOOST_TEST(files.read("/etc/a", 4).error().what == "/etc/a: larger than 4 bytes");
    BOOST_TEST((files.read("/etc/none", 4).error().fault == Fault::not_found));
    BOOST_TEST(files.read("/etc/none", 4).error().what == "/etc/none: No such file or directory");
    BOOST_TEST((files.read("/etc/a/b", 4).error().fault == Fault::not_found));
    BOOST_TEST(files.read("/etc", 4).error().what == "/etc: is a directory, a file is needed");
}

BOOST_AUTO_TEST_CASE(a_fifo_does_not_hold_the_reader) {
    BOOST_REQUIRE(::mkfifo((root / "pipe").c_str(), 0600) == 0);
    // It read as empty, and an empty file can be a valid one.
    BOOST_TEST(files.read("/pipe", 4).error().what == "/pipe: is a pipe, a file is needed");
}

BOOST_AUTO_TEST_CASE(endless_files_end_at_the_limit) {
    const io::Files real;
    BOOST_TEST((real.read("/dev/zero", 100'000).error().fault == Fault::limit));
}

BOOST_AUTO_TEST_CASE(info_tells_size_mode_and_kind) {
    write("/etc/a", "12345");
    std::filesystem::permissions(root / "etc/a", std::filesystem::perms(0640));
    const auto info = files.info("/etc/a");
    BOOST_REQUIRE(info.has_value());
    BOOST_TEST(info->size == 5U);
    BOOST_TEST(info->mode == 0640U);
    BOOST_TEST(!info->is_directory);
    BOOST_TEST(files.info("/etc").value().is_directory);
    BOOST_TEST((files.info("/none").error().fault == Fault::not_found));
}

BOOST_AUTO_TEST_CASE(a_glob_is_sorted_and_no_match_is_empty) {
    for (const char* name : {"/log/acct-2.csv", "/log/acct-1.csv", "/log/other"}) write(name, "");
    BOOST_TEST(
        files.glob("/log/acct-*.csv").value() == (std::vector<std::string>{"/log/acct-1.csv", "/log/acct-2.csv"}),
        boost::test_tools::per_element());
    BOOST_TEST(files.glob("/log/none-*").value().empty());
    BOOST_TEST(files.glob("/nowhere/*").value().empty());
}

BOOST_AUTO_TEST_SUITE_END()
