// What a restart gets back, and what a damaged or foreign state file does.
#include "exporter/feed/checkpoint.h"

#include <sys/stat.h>

#include <boost/test/unit_test.hpp>
#include <filesystem>
#include <fstream>

#include "exporter/exposition/exposition.h"
#include "exporter/feed/checkpoint_file.h"
#include "exporter/series/record_counter.h"

namespace fs = std::filesystem;
using namespace mtawatch;
using namespace mtawatch::exporter::exposition;
using namespace mtawatch::exporter::series;
using namespace mtawatch::exporter::feed;
using mta::logs::Column;

namespace {

constexpr std::int64_t test_now = 1'700'000'000;

void count(SeriesStore& store, const FeedSettings& settings, int records) {
    RecordCounter counter(settings.count, store);
    for (int i = 0; i < records; ++i) {
        const mta::logs::OwnedRecord delivery(
            mta::logs::RecordType::d, test_now + i,
            {{Column::time_logged, "x"},
             {Column::total_seconds_queued, std::to_string(i * 7)},
             {Column::rcpt, "u" + std::to_string(i) + "@example" + std::to_string(i % 5) + ".org"},
             {Column::orig, "b@s" + std::to_string(i % 3) + ".example.com"},
             {Column::vmta, "v\"\"" + std::to_string(i % 2)},
             {Column::dlv_source_ip, "192.0.2.1"},
             {Column::dlv_size, "1000"}});
        const mta::logs::Record view = delivery.view();
        counter.count({&view, 1}, test_now + 100'000);
    }
}

std::string document(const SeriesStore& store, std::vector<exporter::files::FileState> files = {}) {
    CheckpointCopy copy;
    copy_store(store, copy);
    copy.files = std::move(files);
    copy.marks.baseline = Baseline::done;
    copy.marks.log_events = {1, 2, 3, 4};
    return encode_checkpoint(copy, store);
}

std::string exposition(const SeriesStore& store) {
    std::string text;
    ExpositionWriter writer(Format::text, text);
    base::TurnLock lock;
    render_store(writer, store, lock);
    return text;
}

struct Folder {
    fs::path path = fs::temp_directory_path() / ("mtawatch-state-" + std::to_string(::getpid()));
    Folder() {
        fs::remove_all(path);
        fs::create_directories(path);
    }
    Folder(const Folder&) = delete;
    Folder& operator=(const Folder&) = delete;
    ~Folder() { fs::remove_all(path); }
};

}  // namespace

BOOST_AUTO_TEST_SUITE(checkpoint)

BOOST_AUTO_TEST_CASE(everything_comes_back_as_it_was) {
    const FeedSettings settings;
    SeriesStore before(settings.count);
    count(before, settings, 100);
    before.totals.truncations = 3;
    const exporter::files::FileState file{"/var/log/pmta/acct.csv", 1,    2, {100, 200},
                                          "type,timeLogged",        4711, 0, test_now};
    exporter::files::FileState unknown = file;
    unknown.fingerprint.length = 0;
    SeriesStore after(settings.count);
    const auto restored = decode_checkpoint(document(before, {file, unknown}), after);
    BOOST_REQUIRE(restored.has_value());
    BOOST_TEST(exposition(after) == exposition(before));
    BOOST_TEST((after.totals == before.totals));
    BOOST_TEST((restored->files == std::vector<exporter::files::FileState>{file}));
    BOOST_TEST(restored->marks.log_events[3] == 4U);
    BOOST_TEST(restored->restarted.empty());
    // And counting goes on in the same rows.
    count(before, settings, 50);
    count(after, settings, 50);
    BOOST_TEST(exposition(after) == exposition(before));
}

BOOST_AUTO_TEST_CASE(a_family_whose_budget_changed_starts_anew_and_the_others_stay) {
    const FeedSettings settings;
    SeriesStore before(settings.count);
    count(before, settings, 10);
    FeedSettings changed;
    changed.count.budgets = {{"pmta_deliveries_total", 7}, {"pmta_sender_lifetime_records_total", 9}};
    SeriesStore after(changed.count);
    const auto restored = decode_checkpoint(document(before), after);
    BOOST_REQUIRE(restored.has_value());
    BOOST_TEST((restored->restarted == std::vector<std::string>{"pmta_deliveries_total"}));
    BOOST_TEST(after.table(Family::deliveries).size() == 0U);
    BOOST_TEST(after.table(Family::sender_deliveries).size() == before.table(Family::sender_deliveries).size());
    BOOST_TEST(after.table(Family::sender_lifetime).size() == 3U);
}

BOOST_AUTO_TEST_CASE(a_document_cut_or_changed_anywhere_is_refused) {
    const FeedSettings settings;
    SeriesStore store(settings.count);
    count(store, settings, 20);
    const std::string whole = document(store);
    for (std::size_t size = 0; size < whole.size(); size += size < 64 ? 1 : 97) {
        SeriesStore target(settings.count);
        BOOST_TEST(!decode_checkpoint(whole.substr(0, size), target).has_value());
    }
    for (std::size_t at = 0; at < whole.size(); at += at < 64 ? 1 : 89) {
        std::string damaged = whole;
        damaged[at] = static_cast<char>(damaged[at] ^ 0x41);
        SeriesStore target(settings.count);
        BOOST_TEST(!decode_checkpoint(damaged, target).has_value());
    }
    SeriesStore target(settings.count);
    BOOST_TEST(!decode_checkpoint(whole + "x", target).has_value());
}

BOOST_AUTO_TEST_CASE(what_scrapers_have_seen_comes_back) {
    const FeedSettings settings;
    SeriesStore before(settings.count);
    count(before, settings, 1);
    const std::uint32_t first = before.begin_page();
    const std::uint32_t second = before.begin_page();
    count(before, settings, 100);
    CheckpointCopy copy;
    copy.scrapers = {before.next_page(), first, {{17, second, 15}}};
    copy.final = true;
    copy_store(before, copy);
    SeriesStore after(settings.count);
    const auto restored = decode_checkpoint(encode_checkpoint(copy, before), after);
    BOOST_REQUIRE(restored.has_value());
    BOOST_TEST((restored->scrapers == copy.scrapers));
    BOOST_TEST(restored->final);
    for (const Family family : {Family::deliveries, Family::sender_deliveries}) {
        const SeriesTable& table = after.table(family);
        BOOST_TEST(table.size() > 1U);
        BOOST_TEST(table.first_born_after(second) == 1U);
        BOOST_TEST(table.first_born_after(before.next_page()) == table.size());
    }
    // Pages that were begun after the copy have other numbers than those of the next process.
    BOOST_TEST(after.next_page() > before.next_page() + 100);
    BOOST_TEST(after.youngest() >= before.youngest());
}

// Written by version 0.1.0 before it knew scrapers.
BOOST_AUTO_TEST_CASE(a_state_of_an_older_version_is_read_and_all_of_it_was_seen) {
    const auto read = [](const std::string& name, RecordFormat format) {
        std::ifstream file(std::string(MTAWATCH_SOURCE_DIR) + "/tests/fixtures/state/" + name, std::ios::binary);
        const std::string bytes{std::istreambuf_iterator<char>(file), {}};
        FeedSettings settings;
        settings.count.format = format;
        SeriesStore store(settings.count);
        const auto restored = decode_checkpoint(bytes, store);
        BOOST_REQUIRE_MESSAGE(restored.has_value(), (restored ? "" : restored.error().what));
        BOOST_TEST((restored->marks.baseline == Baseline::done));
        BOOST_TEST((restored->scrapers == ScraperMarks{}));
        BOOST_TEST(!restored->final);
        BOOST_TEST(store.table(Family::deliveries).size() == 1U);
        BOOST_TEST(store.table(Family::deliveries).first_born_after(0) == 1U);
        return store.totals.records;
    };
    const auto pmta = read("version-1", RecordFormat::pmta);
    BOOST_TEST(pmta[index_of(mta::logs::RecordType::d)] == 1U);
    BOOST_TEST(pmta[index_of(mta::logs::RecordType::b)] == 1U);
    BOOST_TEST(read("version-2", RecordFormat::postfix)[index_of(mta::logs::RecordType::d)] == 1U);
}

BOOST_AUTO_TEST_CASE(a_newer_version_is_named) {
    const FeedSettings settings;
    SeriesStore store(settings.count);
    std::string newer = document(store);
    newer[8] = 9;
    SeriesStore target(settings.count);
    BOOST_TEST(decode_checkpoint(newer, target).error().what == "has version 9, this exporter reads 1 to 4");
}

BOOST_AUTO_TEST_CASE(a_second_exporter_is_refused) {
    const Folder folder;
    const auto first = CheckpointFile::open(folder.path / "state");
    BOOST_REQUIRE(first.has_value());
    const auto second = CheckpointFile::open(folder.path / "state");
    BOOST_REQUIRE(!second.has_value());
    BOOST_TEST(second.error().what.ends_with("another exporter is using it; give this one its own --state.file"));
}

BOOST_AUTO_TEST_CASE(a_save_replaces_the_whole_file_and_leaves_no_other) {
    const Folder folder;
    auto file = CheckpointFile::open(folder.path / "state");
    BOOST_REQUIRE(file.has_value());
    BOOST_TEST(!file->load().value().has_value());
    BOOST_TEST(file->save(std::string(1000, 'a')).has_value());
    BOOST_TEST(file->save("short").has_value());
    BOOST_TEST(file->load().value().value() == "short");
    BOOST_TEST(!fs::exists(folder.path / "state.new"));
    BOOST_TEST(file->keep_aside().value() == (folder.path / "state.unreadable").string());
    BOOST_TEST(!file->load().value().has_value());
}

BOOST_AUTO_TEST_CASE(a_folder_that_is_made_anew_is_locked_anew) {
    const Folder folder;
    const fs::path made = folder.path / "made";
    fs::create_directory(made);
    auto file = CheckpointFile::open(made / "state");
    BOOST_REQUIRE(file.has_value());
    fs::remove_all(made);
    BOOST_TEST(!file->save("a").has_value());
    fs::create_directory(made);
    BOOST_TEST(file->save("b").has_value());
    BOOST_TEST(!CheckpointFile::open(made / "state").has_value());
    // Another one that was quicker keeps it.
    fs::remove_all(made);
    fs::create_directory(made);
    const auto quicker = CheckpointFile::open(made / "state");
    BOOST_REQUIRE(quicker.has_value());
    const auto refused = file->save("c");
    BOOST_REQUIRE(!refused.has_value());
    BOOST_TEST(refused.error().what.ends_with("another exporter is using it; give this one its own --state.file"));
}

BOOST_AUTO_TEST_CASE(a_missing_folder_is_named) {
    const auto file = CheckpointFile::open("/nonexistent/state");
    BOOST_REQUIRE(!file.has_value());
    BOOST_TEST(file.error().what == "state file: opening /nonexistent/state.lock: No such file or directory");
}

BOOST_AUTO_TEST_SUITE_END()
