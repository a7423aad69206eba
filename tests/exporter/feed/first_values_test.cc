// What scrapers see of series that are new to them: tables of pages, in the order in which they are asked for.
#include <fmt/format.h>

#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>
#include <charconv>
#include <fstream>

#include "exporter/exposition/exposition.h"
#include "exporter/feed/ingest.h"
#include "shared/base/hash.h"
#include "shared/base/text.h"
#include "tests/support/fake_clock.h"
#include "tests/support/folder.h"
#include "tests/support/log_capture.h"

using namespace mtawatch;
using namespace mtawatch::exporter::exposition;
using namespace mtawatch::exporter::feed;

namespace {

constexpr std::int64_t sixty_days = 60 * 86'400;

// One exporter, whose life is told in words:
//   log JOB N        N deliveries of the job are written and read
//   NAME JOB VALUE   the scraper gets a page, on which the job has this value; - is no series
//   NAME breaks      it gets half a page;  NAME resets: it throws a page away that the kernel had taken for it
//   curl JOB VALUE   the same for a reader that does not scrape
//   save             the state is saved
//   stop, kill       the exporter ends, in order or not; what is logged until `start` is read then
//   start, reload    it begins, with the state, or goes on with other settings
//   damage           the state file is of no use any more
//   minutes N        pass;  days N: pass in the log alone, whose last record is long ago
class Life {
  public:
    explicit Life(bool keeps_state) {
        settings_.follow.globs = {folder_.path() + "/acct-*.csv"};
        settings_.count.scanner.zone = mta::logs::Zone::utc();
        settings_.count.groups = {"job"};
        if (keeps_state) settings_.state_file = folder_.path() + "/state";
        write("type,timeLogged,rcpt,jobId,dlvType\n");
        ingest_ = make();
        read();
    }

    // What the page shows where it is not what was expected; "" otherwise.
    std::string step(std::string_view text) {
        const auto words = base::split(text, ' ');
        const std::string_view who = words[0];
        if (words.size() == 3 && who != "log") {
            const std::string seen = page(who, words[1]);
            return seen == words[2] ? "" : fmt::format("{}: shows {}", text, seen);
        }
        if (words.size() == 2 && words[1] == "breaks") {
            (void)begin_page(id_of(who));
        } else if (words.size() == 2 && words[1] == "resets") {
            const std::uint32_t number = begin_page(id_of(who)).first;
            ingest_->scrapers().received(id_of(who), number);
            ingest_->scrapers().not_received(id_of(who), number);
        } else if (who == "log") {
            log(words[1], number(words[2]));
        } else if (who == "minutes") {
            clock_.advance(std::chrono::minutes(number(words[1])));
        } else if (who == "days") {
            stamp_ += number(words[1]) * 86'400;
        } else {
            live(who);
        }
        return "";
    }

  private:
    static ScraperId id_of(std::string_view who) { return base::hash_bytes(who); }
    static int number(std::string_view text) {
        int value = -1;
        std::from_chars(text.data(), text.data() + text.size(), value);
        return value;
    }
    std::unique_ptr<Ingest> make() {
        return std::make_unique<Ingest>(settings_, clock_, test::quiet_log(clock_), false);
    }
    void write(std::string_view text) const {
        std::ofstream(folder_.path() + "/acct-1.csv", std::ios::binary | std::ios::app) << text;
    }
    void read() const {
        if (ingest_) ingest_->catch_up([] { return true; });
    }
    void log(std::string_view job, int count) const {
        const auto when = std::chrono::sys_seconds(std::chrono::seconds(stamp_));
        const auto day = std::chrono::floor<std::chrono::days>(when);
        const std::chrono::year_month_day date(day);
        for (int i = 0; i < count; ++i) {
            write(fmt::format("d,{:04}-{:02}-{:02} 12:00:00+0000,u@gmail.com,{},smtp\n", static_cast<int>(date.year()),
                              static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()), job));
        }
        read();
    }
    void save(bool final) {
        saved_ = ingest_->checkpoint(final);
        ingest_->scrapers().marks_saved();
    }
    void live(std::string_view what) {
        if (what == "save") {
            save(false);
        } else if (what == "stop" || what == "kill") {
            if (what == "stop") save(true);
            ingest_.reset();
        } else if (what == "damage") {
            saved_ = "damaged";
        } else if (what == "start") {
            ingest_ = make();
            if (!saved_.empty() && !ingest_->restore(saved_)) {
                ingest_ = make();
                ingest_->state_was_lost();
            }
            read();
        } else if (what == "reload") {
            auto next = make();
            BOOST_REQUIRE(next->restore(ingest_->checkpoint()));
            next->continue_from(*ingest_);
            ingest_ = std::move(next);
            read();
        } else {
            BOOST_FAIL("no such step: " << what);
        }
    }
    std::pair<std::uint32_t, std::string> begin_page(ScraperId id) {
        std::string text;
        ExpositionWriter writer(Format::text, text);
        const std::uint32_t seen = id == 0 ? every_page : ingest_->scrapers().seen_by(id);
        const std::uint32_t page = ingest_->write(writer, seen);
        return {page, text};
    }
    std::string page(std::string_view who, std::string_view job) {
        const ScraperId id = who == "curl" ? 0 : id_of(who);
        const auto [number, text] = begin_page(id);
        if (id != 0) ingest_->scrapers().received(id, number);
        const std::string head = fmt::format("\npmta_job_deliveries_total{{job_id=\"{}\"}} ", job);
        const std::size_t at = text.find(head);
        return at == std::string::npos ? "-"
                                       : text.substr(at + head.size(), text.find('\n', at + 1) - at - head.size());
    }

    test::Folder folder_;
    test::FakeClock clock_;
    FeedSettings settings_;
    std::int64_t stamp_ = base::unix_seconds(clock_.wall()) - sixty_days;
    std::string saved_;
    std::unique_ptr<Ingest> ingest_;
};

struct Story {
    std::string name;
    std::vector<std::string> steps;
};
std::ostream& operator<<(std::ostream& out, const Story& story) { return out << story.name; }

const std::vector<Story> without_state{
    {"a burst between two pages", {"A a -", "log a 5", "A a 0", "A a 5", "log a 2", "A a 7"}},
    {"what comes while the 0 is shown is counted too", {"A a -", "log a 5", "A a 0", "log a 1", "A a 6"}},
    {"an exporter that has just begun takes its first scraper for one that was there", {"log a 5", "A a 0", "A a 5"}},
    {"two scrapers in turn",
     {"A a -", "B a -", "log a 5", "A a 0", "A a 5", "B a 0", "log b 1", "A b 0", "B a 5", "B b 1", "A b 1"}},
    {"a page that broke off was not seen", {"A a -", "log a 5", "A breaks", "A a 0", "A a 5"}},
    {"a page that was thrown away was not seen", {"A a -", "log a 5", "A resets", "A a 0", "A a 5"}},
    {"a scraper that breaks off is not shown 0 again",
     {"log a 5", "A a 0", "A a 5", "A resets", "A a 5", "A breaks", "A a 5"}},
    {"curl sees what is, and changes nothing", {"A a -", "log a 5", "curl a 5", "A a 0", "curl a 5", "A a 5"}},
    {"one that comes an hour late sees all as it is, then what is new from 0",
     {"log a 5", "minutes 60", "A a 5", "log b 3", "A b 0", "A b 3"}},
    {"one that was away for six minutes is new", {"A a -", "log a 5", "minutes 6", "A a 5"}},
    {"one that was away for four minutes is not", {"A a -", "log a 5", "minutes 4", "A a 0", "A a 5"}},
    {"a long interval of its own is no absence",
     {"A a -", "minutes 10", "A a -", "log a 5", "minutes 10", "A a 0", "log b 1", "minutes 29", "A b 0", "A b 1"}},
    {"a job that was retired and comes back is born anew",
     {"A a -", "log a 5", "A a 0", "A a 5", "days 9", "log b 1", "A a -", "log a 3", "A a 0", "A a 3"}},
    {"a reload forgets nobody",
     {"A a -", "log a 5", "A a 0", "reload", "A a 5", "log b 1", "reload", "A b 0", "A b 1"}},
    {"without a state the next start has a baseline", {"A a -", "log a 5", "A a 0", "A a 5", "kill", "start", "A a 5"}},
};

const std::vector<Story> with_state{
    {"a page is seen once that is saved",
     {"A a -", "save", "log a 5", "A a 0", "A a 0", "save", "A a 5", "kill", "start", "A a 5"}},
    {"a burst before a stop, not scraped until the start",
     {"A a -", "save", "log a 5", "stop", "start", "A a 0", "save", "A a 5"}},
    {"a burst before a stop, of which the 0 was seen", {"A a -", "save", "log a 5", "A a 0", "stop", "start", "A a 5"}},
    {"a burst while it is stopped", {"A a -", "save", "stop", "log a 5", "start", "A a 0", "save", "A a 5"}},
    {"a burst before a crash, saved and not scraped",
     {"A a -", "save", "log a 5", "save", "kill", "start", "A a 0", "save", "A a 5"}},
    {"a burst before a crash, neither saved nor scraped",
     {"A a -", "save", "log a 5", "kill", "start", "A a 0", "save", "A a 5"}},
    {"a burst before a crash, scraped and not saved: no value before, no 0 after it",
     {"A a -", "save", "log a 5", "A a 0", "A a 0", "kill", "start", "A a 0", "save", "A a 5"}},
    {"a burst before a crash, saved between its pages",
     {"A a -", "save", "log a 5", "save", "A a 0", "A a 0", "kill", "start", "A a 0", "save", "A a 5"}},
    {"a crash in the first minutes, before the scraper was saved",
     {"save", "log a 5", "save", "A a 0", "kill", "start", "A a 0", "save", "A a 5"}},
    {"two crashes", {"A a -", "save", "log a 5", "save", "kill", "start", "kill", "start", "A a 0", "save", "A a 5"}},
    {"the scraper is known again after an hour without an exporter",
     {"A a -", "save", "log a 5", "stop", "minutes 60", "start", "minutes 4", "A a 0", "save", "A a 5"}},
    {"one that was not there before the restart has its baseline and then a 0",
     {"A a -", "log a 5", "A a 0", "save", "minutes 6", "stop", "start", "B a 5", "log b 1", "B b 0", "save", "B b 1"}},
    {"a damaged state: what is left is no increase",
     {"log a 5", "save", "A a 0", "save", "A a 5", "stop", "damage", "start", "A a 0", "save", "log a 2", "A a 2",
      "log b 1", "A b 0", "save", "A b 1"}},
    {"a damaged state, and a crash after it",
     {"log a 5", "save", "kill", "damage", "start", "A a 0", "save", "log a 2", "kill", "start", "A a 2"}},
};

void tell(bool keeps_state, const Story& story) {
    Life life(keeps_state);
    for (std::size_t i = 0; i < story.steps.size(); ++i) {
        BOOST_TEST_CONTEXT("step " << i + 1) { BOOST_TEST(life.step(story.steps[i]) == ""); }
    }
}

}  // namespace

BOOST_AUTO_TEST_SUITE(first_values)

BOOST_DATA_TEST_CASE(without_a_state_file, boost::unit_test::data::make(without_state)) { tell(false, sample); }

BOOST_DATA_TEST_CASE(with_a_state_file, boost::unit_test::data::make(with_state)) { tell(true, sample); }

BOOST_AUTO_TEST_SUITE_END()
