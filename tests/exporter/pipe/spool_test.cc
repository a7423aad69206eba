// The pipe's spool: whole records only, stamped where they have no time, bounded.
#include "exporter/pipe/spool.h"

#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <boost/test/unit_test.hpp>
#include <cerrno>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <optional>
#include <sstream>

#include "tests/support/fake_clock.h"

namespace fs = std::filesystem;
using namespace mtawatch;
using namespace mtawatch::exporter::pipe;

namespace {

bool disk_fails = false;

}  // namespace

// In the place of the C library's: a disk that fails to keep what was written cannot be had otherwise.
extern "C" int fdatasync(int fd) {
    if (!disk_fails) return static_cast<int>(::syscall(SYS_fdatasync, fd));
    errno = EIO;
    return -1;
}

namespace {

std::vector<std::string> records_of(const std::vector<std::string>& pieces) {
    RecordSplitter splitter;
    std::vector<std::string> records;
    for (const std::string& piece : pieces) {
        splitter.add(piece);
        while (const auto record = splitter.next()) records.emplace_back(*record);
    }
    return records;
}

struct Folder {
    fs::path path = fs::temp_directory_path() / ("mtawatch-spool-" + std::to_string(::getpid()));
    Folder() {
        fs::remove_all(path);
        fs::create_directories(path);
    }
    Folder(const Folder&) = delete;
    Folder& operator=(const Folder&) = delete;
    ~Folder() { fs::remove_all(path); }
    [[nodiscard]] std::vector<std::string> contents(const std::string& name) const {
        std::vector<fs::path> files(fs::directory_iterator(path / name), fs::directory_iterator());
        std::ranges::sort(files);
        std::vector<std::string> texts;
        for (const fs::path& file : files) {
            std::ostringstream text;
            text << std::ifstream(file).rdbuf();
            texts.push_back(text.str());
        }
        return texts;
    }
};

// An open spool of the name "bounces".
struct Bounces {
    explicit Bounces(SpoolSettings settings = {}) {
        settings.folder = folder.path;
        settings.name = "bounces";
        auto made = Spool::open(settings, clock);
        BOOST_REQUIRE(made.has_value());
        spool.emplace(std::move(*made));
    }
    [[nodiscard]] std::vector<std::string> contents() const { return folder.contents("bounces"); }
    [[nodiscard]] std::string newest() const {
        std::string last;
        for (const auto& entry : fs::directory_iterator(folder.path / "bounces")) {
            last = std::max(last, entry.path().filename().string());
        }
        return last;
    }
    Folder folder;
    test::FakeClock clock;
    std::optional<Spool> spool;
};

const std::string header = "type,rcpt\n";

}  // namespace

BOOST_AUTO_TEST_SUITE(spool)

BOOST_AUTO_TEST_CASE(a_record_comes_out_when_it_is_whole) {
    BOOST_TEST((records_of({"d,a", ",b\nd,", "c\n"}) == std::vector<std::string>{"d,a,b\n", "d,c\n"}));
    BOOST_TEST(records_of({"d,no newline yet"}).empty());
}

BOOST_AUTO_TEST_CASE(a_newline_inside_quotes_is_data) {
    BOOST_TEST(
        (records_of({"d,\"two\nlines\",x\nd,y\n"}) == std::vector<std::string>{"d,\"two\nlines\",x\n", "d,y\n"}));
}

BOOST_AUTO_TEST_CASE(a_stray_quote_costs_one_record) {
    BOOST_TEST((records_of({"d,\"stray,x\nb,second,row\nd,y\n"}) ==
                std::vector<std::string>{"d,\"stray,x\n", "b,second,row\n", "d,y\n"}));
}

BOOST_AUTO_TEST_CASE(an_endless_record_is_handed_on_in_pieces) {
    RecordSplitter splitter;
    splitter.add(std::string(max_piped_record + 10, 'x'));
    BOOST_TEST(splitter.next().has_value());
    BOOST_TEST(splitter.rest().empty());
}

BOOST_AUTO_TEST_CASE(arrival_time_is_added_where_the_header_has_none) {
    const test::FakeClock clock(base::WallTime(std::chrono::seconds(1'700'000'000)));
    ArrivalStamp stamp;
    std::string out;
    stamp.append("type,rcpt\r\n", clock.wall(), out);
    stamp.append("d,a@example.org\r\n", clock.wall(), out);
    BOOST_TEST(out == "type,rcpt,timeLogged\nd,a@example.org,2023-11-14 22:13:20+0000\n");
    BOOST_TEST(stamp.header() == "type,rcpt,timeLogged\n");
}

BOOST_AUTO_TEST_CASE(records_with_a_time_of_their_own_stay_as_they_are) {
    const test::FakeClock clock;
    ArrivalStamp stamp;
    std::string out;
    stamp.append("type,timeLogged,rcpt\n", clock.wall(), out);
    stamp.append("d,2026-11-21 04:00:00+0000,a@example.org\n", clock.wall(), out);
    BOOST_TEST(out == "type,timeLogged,rcpt\nd,2026-11-21 04:00:00+0000,a@example.org\n");
}

BOOST_AUTO_TEST_CASE(every_file_begins_with_the_header_and_the_oldest_go_first) {
    SpoolSettings settings;
    settings.file_bytes = 30;
    settings.max_bytes = 120;
    Bounces bounces(settings);
    BOOST_TEST(bounces.spool->append(header + "d,record-00@example.org\n", header).has_value());
    for (int i = 1; i < 6; ++i) {
        BOOST_TEST(bounces.spool->append("d,record-0" + std::to_string(i) + "@example.org\n", header).has_value());
    }
    const auto texts = bounces.contents();
    BOOST_TEST(bounces.spool->dropped_files() > 0U);
    BOOST_TEST(texts.back() == header + "d,record-05@example.org\n");
    std::size_t sum = 0;
    for (const std::string& text : texts) {
        BOOST_TEST(text.starts_with(header));
        sum += text.size();
    }
    BOOST_TEST(sum <= settings.max_bytes);
}

BOOST_AUTO_TEST_CASE(records_whose_sync_failed_are_said_and_there_once) {
    Bounces bounces;
    BOOST_TEST(bounces.spool->append("d,first@example.org\n", header).has_value());
    disk_fails = true;
    const auto failed = bounces.spool->append("d,second@example.org\n", header);
    disk_fails = false;
    BOOST_REQUIRE(!failed.has_value());
    BOOST_TEST(failed.error().what.find("syncing") != std::string::npos);
    BOOST_TEST(bounces.spool->append("d,third@example.org\n", header).has_value());
    const std::vector<std::string> expected{header +
                                            "d,first@example.org\nd,second@example.org\nd,third@example.org\n"};
    BOOST_TEST(bounces.contents() == expected, boost::test_tools::per_element());
}

// PowerMTA's own header comes with its first records; a file that lost both went on without one.
BOOST_AUTO_TEST_CASE(a_file_whose_first_records_were_not_kept_does_not_go_on_without_a_header) {
    Bounces bounces;
    ::signal(SIGXFSZ, SIG_IGN);
    struct rlimit all {};
    BOOST_REQUIRE(::getrlimit(RLIMIT_FSIZE, &all) == 0);
    const struct rlimit few { 5, all.rlim_max };
    BOOST_REQUIRE(::setrlimit(RLIMIT_FSIZE, &few) == 0);
    const auto failed = bounces.spool->append(header + "d,first@example.org\n", header);
    BOOST_REQUIRE(::setrlimit(RLIMIT_FSIZE, &all) == 0);
    BOOST_TEST(!failed.has_value());
    BOOST_TEST(bounces.spool->append("d,second@example.org\n", header).has_value());
    const std::vector<std::string> expected{header + "d,second@example.org\n"};
    BOOST_TEST(bounces.contents() == expected, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(what_cannot_be_written_is_held_until_it_can_or_the_time_is_over) {
    SpoolSettings settings;
    settings.wait = std::chrono::seconds(50);
    Bounces bounces(settings);
    BOOST_TEST(bounces.spool->append(header + "d,first@example.org\n", header).has_value());
    ::signal(SIGXFSZ, SIG_IGN);
    struct rlimit all {};
    BOOST_REQUIRE(::getrlimit(RLIMIT_FSIZE, &all) == 0);
    const auto limit_files = [&](rlim_t size) {
        const struct rlimit few { size, all.rlim_max };
        BOOST_REQUIRE(::setrlimit(RLIMIT_FSIZE, &few) == 0);
    };
    int pauses = 0;
    const auto ten_seconds = [&](const base::Error&) {
        bounces.clock.advance(std::chrono::seconds(10));
        ++pauses;
        return true;
    };
    limit_files(5);
    const auto held = bounces.spool->append("d,second@example.org\n", header, [&](const base::Error& error) {
        if (pauses == 2) limit_files(all.rlim_cur);
        return ten_seconds(error);
    });
    BOOST_TEST(held.has_value());
    BOOST_TEST(pauses == 3);
    // Longer than the time: these are lost, and those after them are not waited for.
    limit_files(5);
    const auto lost = bounces.spool->append("d,third@example.org\n", header, ten_seconds);
    const auto lost_too = bounces.spool->append("d,fourth@example.org\n", header, ten_seconds);
    limit_files(all.rlim_cur);
    BOOST_TEST(!lost.has_value());
    BOOST_TEST(!lost_too.has_value());
    BOOST_TEST(!bounces.spool->kept());
    BOOST_TEST(pauses == 3 + 5);
    // Whoever is asked to stop does not wait.
    BOOST_TEST(bounces.spool->append("d,fifth@example.org\n", header, ten_seconds).has_value());
    limit_files(5);
    const auto stopped =
        bounces.spool->append("d,sixth@example.org\n", header, [](const base::Error&) { return false; });
    limit_files(all.rlim_cur);
    BOOST_TEST(!stopped.has_value());
    const std::vector<std::string> expected{header +
                                            "d,first@example.org\nd,second@example.org\nd,fifth@example.org\n"};
    BOOST_TEST(bounces.contents() == expected, boost::test_tools::per_element());
}

// A process that is killed leaves half a record, and the reader took it for one.
BOOST_AUTO_TEST_CASE(a_record_in_which_a_process_was_killed_is_cut_off_at_the_next_start) {
    const Folder folder;
    const test::FakeClock clock;
    SpoolSettings settings;
    settings.folder = folder.path;
    settings.name = "bounces";
    fs::create_directories(folder.path / "bounces");
    const auto file = [&](const std::string& number) {
        return folder.path / "bounces" / ("bounces-20261121T03595" + number + "-77-0001.csv");
    };
    std::ofstream(file("1")) << header << "d,whole@example.org\n";
    std::ofstream(file("2")) << header << "d,whole@example.org\nd,\"two\nlines\",x\nd,\"torn\nin quo";
    std::ofstream(file("3")) << header << "d,whole@example.org\nd,torn@exam";
    std::ofstream(file("4")) << "type,rc";
    std::ofstream(file("5")).flush();
    std::ofstream(folder.path / "bounces" / "other.csv") << "d,not ours";
    const auto made = Spool::open(settings, clock);
    BOOST_REQUIRE(made.has_value());
    BOOST_TEST(made->torn_files() == 3U);
    const std::vector<std::string> expected{header + "d,whole@example.org\n",
                                            header + "d,whole@example.org\nd,\"two\nlines\",x\n",
                                            header + "d,whole@example.org\n", "", "d,not ours"};
    BOOST_TEST(folder.contents("bounces") == expected, boost::test_tools::per_element());
}

// The one that began a file beyond the limit deleted the file of the other, which went on writing into nothing.
BOOST_AUTO_TEST_CASE(two_pipes_of_one_name_leave_each_others_live_files_alone) {
    SpoolSettings settings;
    settings.file_bytes = 30;
    settings.max_bytes = 60;
    Bounces first(settings);
    BOOST_TEST(first.spool->append(header + "d,first@example.org\n", header).has_value());
    settings.folder = first.folder.path;
    settings.name = "bounces";
    first.clock.advance(std::chrono::seconds(1));
    {
        // Half of what the first one writes is not its end either.
        std::ofstream(first.folder.path / "bounces" / first.newest(), std::ios::app) << "d,on its w";
        auto second = Spool::open(settings, first.clock);
        BOOST_REQUIRE(second.has_value());
        BOOST_TEST(second->torn_files() == 0U);
        for (int i = 0; i < 5; ++i) {
            first.clock.advance(std::chrono::seconds(1));
            BOOST_TEST(second->append("d,another-record@example.org\n", header).has_value());
        }
        BOOST_TEST(second->dropped_files() > 0U);
    }
    BOOST_TEST(first.contents().front().starts_with(header + "d,first@example.org\nd,on its w"));
}

BOOST_AUTO_TEST_CASE(a_name_that_could_leave_the_folder_is_refused) {
    const Folder folder;
    const test::FakeClock clock;
    for (const char* name : {"", "../x", "a/b", "a b"}) {
        SpoolSettings settings;
        settings.folder = folder.path;
        settings.name = name;
        const auto made = Spool::open(settings, clock);
        BOOST_REQUIRE(!made.has_value());
        BOOST_TEST((made.error().fault == base::Fault::usage));
    }
}

BOOST_AUTO_TEST_SUITE_END()
