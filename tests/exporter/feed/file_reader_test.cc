// The pause before a file that cannot be read to its end is tried again.
#include "exporter/feed/file_reader.h"

#include <sys/stat.h>

#include <boost/test/unit_test.hpp>
#include <filesystem>
#include <fstream>
#include <random>

#include "exporter/series/series_store.h"
#include "shared/base/turn_lock.h"
#include "shared/io/byte_source.h"
#include "shared/io/gzip_encode.h"

namespace fs = std::filesystem;
using namespace mtawatch;
using namespace mtawatch::exporter::series;
using namespace mtawatch::exporter::feed;

namespace {

// Each look at it takes a second, so whatever is done between two looks takes one.
class SlowClock final : public base::Clock {
  public:
    [[nodiscard]] base::SteadyTime steady() const override { return now_ += std::chrono::seconds(1); }
    [[nodiscard]] base::WallTime wall() const override { return base::WallTime(std::chrono::seconds(1'700'000'000)); }
    void advance(base::Duration by) { now_ += by; }

  private:
    mutable base::SteadyTime now_{std::chrono::hours(1)};
};

constexpr std::uint64_t record_total = 2'000;
constexpr std::size_t first_member_bytes = 50'000;  // bytes of the first member

std::string content() {
    std::string text = "type,timeLogged,orig,rcpt,vmta\n";
    std::mt19937 random(1);
    for (std::uint64_t i = 0; i < record_total; ++i) {
        text += "d,2026-01-05 10:00:00+0000,a@example.net," + std::to_string(random()) + "@example.com,v1\n";
    }
    return text;
}

// A .gz of two members. The second one's header is damaged, and can be mended as if nothing had been written.
struct DamagedGz {
    std::string path = fs::temp_directory_path() / ("mtawatch-damaged-" + std::to_string(::getpid()) + ".csv.gz");
    std::string first = io::gzip_encode(content().substr(0, first_member_bytes)).value();
    std::string whole = first + io::gzip_encode(content().substr(first_member_bytes)).value();
    SlowClock clock;
    FeedSettings settings;
    base::TurnLock lock;
    exporter::files::TrackedFile file;

    DamagedGz() {
        std::string damaged = whole;
        damaged[first.size() + 2] = '\x7f';  // the compression method
        write(damaged);
        struct stat info {};
        BOOST_REQUIRE(::stat(path.c_str(), &info) == 0);
        file.path = path;
        file.device = info.st_dev;
        file.inode = info.st_ino;
        file.size = damaged.size();
        file.fingerprint = exporter::files::fingerprint_of(content(), 100);
        file.serial = 1;
        file.packing = io::Compression::gzip;
        file.grown = clock.steady();
        settings.count.scanner.zone = mta::logs::Zone::utc();
    }
    DamagedGz(const DamagedGz&) = delete;
    DamagedGz& operator=(const DamagedGz&) = delete;
    ~DamagedGz() { fs::remove(path); }
    void write(const std::string& bytes) const { std::ofstream(path, std::ios::binary) << bytes; }
};

bool always() { return true; }

}  // namespace

BOOST_AUTO_TEST_SUITE(file_reader)

BOOST_AUTO_TEST_CASE(a_damaged_gz_is_not_unpacked_again_at_every_rescan) {
    DamagedGz gz;
    SeriesStore store(gz.settings.count);
    FileReader reader(gz.settings, gz.clock, store, gz.lock, true);
    BOOST_TEST((reader.read(gz.file, always) == FileReader::Outcome::unreadable));
    const std::uint64_t before = store.totals.lines_parsed;
    BOOST_TEST(before < record_total);

    gz.write(gz.whole);
    BOOST_TEST((reader.read(gz.file, always) == FileReader::Outcome::up_to_date));
    BOOST_TEST(gz.file.unreadable);
    BOOST_TEST(store.totals.lines_parsed == before);

    // Not given up either: a repair may leave the size and the time as they were.
    gz.clock.advance(std::chrono::minutes(1));
    BOOST_TEST((reader.read(gz.file, always) == FileReader::Outcome::up_to_date));
    BOOST_TEST(!gz.file.unreadable);
    BOOST_TEST(store.totals.lines_parsed == record_total);
}

BOOST_AUTO_TEST_CASE(a_damaged_gz_that_was_written_to_is_read_once_it_is_quiet) {
    DamagedGz gz;
    SeriesStore store(gz.settings.count);
    FileReader reader(gz.settings, gz.clock, store, gz.lock, true);
    BOOST_TEST((reader.read(gz.file, always) == FileReader::Outcome::unreadable));
    gz.write(gz.whole);
    gz.file.grown = gz.clock.steady();
    BOOST_TEST((reader.read(gz.file, always) == FileReader::Outcome::up_to_date));
    BOOST_TEST(!gz.file.unreadable);
    BOOST_TEST(store.totals.lines_parsed == record_total);
}

BOOST_AUTO_TEST_SUITE_END()
