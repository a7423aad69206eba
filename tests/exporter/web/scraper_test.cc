// Who is taken for a scraper, and what the book on scrapers is told of its pages.
#include "exporter/web/scraper.h"

#include <arpa/inet.h>
#include <sys/socket.h>
#include <unistd.h>

#include <boost/test/unit_test.hpp>
#include <fstream>
#include <mutex>
#include <set>
#include <thread>

#include "exporter/web/server.h"
#include "shared/base/clock.h"
#include "shared/base/deadline.h"
#include "tests/support/fake_source.h"
#include "tests/support/folder.h"
#include "tests/support/http_client.h"

using namespace mtawatch;
using namespace mtawatch::exporter::exposition;
using namespace mtawatch::exporter::web;
using mtawatch::test::FakeSource;
using mtawatch::test::HttpClient;

namespace {

constexpr std::string_view scrapes = "X-Prometheus-Scrape-Timeout-Seconds: 10\r\nUser-Agent: Prometheus/2.42.0\r\n";

// Numbers the pages, and writes down what it is told: "seen 3" got page 3, "lost 3" did not after all.
class FakeBook final : public ScraperBook {
  public:
    [[nodiscard]] PageView view_for(ScraperId scraper) const override {
        const std::lock_guard lock(mutex_);
        scrapers.insert(scraper);
        return {{7}, "view", {}};
    }
    void received(ScraperId, const std::vector<std::uint32_t>& pages) override { note("seen ", pages); }
    void not_received(ScraperId, const std::vector<std::uint32_t>& pages) override { note("lost ", pages); }
    [[nodiscard]] std::vector<std::string> told() const {
        const std::lock_guard lock(mutex_);
        return told_;
    }
    // Waits until that much was told; the server hears of what a client did a moment after the client did it.
    [[nodiscard]] std::string told_at(std::size_t index) const {
        const base::SystemClock clock;
        const base::Deadline deadline(clock, std::chrono::seconds(10));
        while (told().size() <= index && deadline.remaining() > base::Duration::zero()) std::this_thread::yield();
        return told().size() > index ? told()[index] : "nothing";
    }

    mutable std::set<ScraperId> scrapers;

  private:
    void note(const std::string& what, const std::vector<std::uint32_t>& pages) {
        const std::lock_guard lock(mutex_);
        told_.push_back(what + (pages.empty() ? "-" : std::to_string(pages[0])));
    }
    mutable std::mutex mutex_;
    std::vector<std::string> told_;
};

struct Running {
    explicit Running(std::size_t lines = 10, const std::string& web_config = "")
        : source([this, lines](ExpositionWriter& writer) {
              writer.begin({"x", MetricType::gauge, "", "X.", "", ""});
              for (std::uint64_t i = 0; i < lines; ++i) writer.sample("x{n=\"" + std::to_string(i) + "\"} ", i);
              seen.push_back(writer.view()->seen);
              writer.view()->pages.push_back(++page);
          }),
          site(content()) {
        auto started = Server::start({{parse_listen_address("127.0.0.1:0").value()}, web_config, {}}, site, log);
        BOOST_REQUIRE_MESSAGE(started, (started ? "" : started.error().what));
        server = std::move(*started);
    }
    [[nodiscard]] HttpClient client() const { return HttpClient(server->addresses().at(0)); }
    SiteContent content() {
        SiteContent content;
        content.sources = {&source};
        content.scrapers = &book;
        return content;
    }

    mtawatch::base::SystemClock clock;
    base::Log log{base::LogLevel::error, base::LogFormat::logfmt, clock, base::write_to_stderr};
    FakeBook book;
    std::uint32_t page = 0;
    std::vector<std::vector<std::uint32_t>> seen;
    FakeSource source;
    Site site;
    std::unique_ptr<Server> server;
};

// Asks for a page and closes the connection with all of it unread.
void ask_and_reset(const std::string& address) {
    const int socket = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_port = htons(static_cast<std::uint16_t>(std::stoi(address.substr(address.rfind(':') + 1))));
    ::inet_pton(AF_INET, "127.0.0.1", &to.sin_addr);
    BOOST_REQUIRE(::connect(socket, reinterpret_cast<const sockaddr*>(&to), sizeof to) == 0);
    const std::string text = "GET /metrics HTTP/1.1\r\nHost: x\r\n" + std::string(scrapes) + "\r\n";
    BOOST_REQUIRE(::send(socket, text.data(), text.size(), 0) == static_cast<ssize_t>(text.size()));
    char first = 0;
    BOOST_REQUIRE(::recv(socket, &first, 1, MSG_PEEK) == 1);  // it comes, and stays unread
    ::close(socket);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(scraper)

BOOST_AUTO_TEST_CASE(the_name_is_user_certificate_address_and_agent) {
    const std::vector<std::pair<Caller, std::string>> different{{{"", "", "192.0.2.1"}, "Prometheus/2.42.0"},
                                                                {{"", "", "192.0.2.2"}, "Prometheus/2.42.0"},
                                                                {{"", "", "192.0.2.1"}, "vmagent"},
                                                                {{"a", "", "192.0.2.1"}, "Prometheus/2.42.0"},
                                                                {{"", "a", "192.0.2.1"}, "Prometheus/2.42.0"},
                                                                {{"", "", ""}, ""},
                                                                {{"", "", "192.0.2.1P"}, "rometheus/2.42.0"}};
    std::set<ScraperId> ids{0};
    for (const auto& [caller, agent] : different) {
        BOOST_TEST(ids.insert(scraper_id(caller, agent)).second, caller.address + " " + agent);
        BOOST_TEST(scraper_id(caller, agent) == scraper_id(caller, agent));
    }
}

BOOST_AUTO_TEST_CASE(only_who_says_how_long_it_waits_is_a_scraper) {
    Running running;
    HttpClient client = running.client();
    BOOST_TEST(client.get("/metrics").status == 200);
    BOOST_TEST(client.get("/metrics", "User-Agent: Prometheus/2.42.0\r\n").status == 200);
    BOOST_TEST(client.get("/", scrapes).status == 200);
    client.send("HEAD /metrics HTTP/1.1\r\nHost: x\r\n" + std::string(scrapes) + "\r\n");
    BOOST_TEST(client.read_reply(true).status == 200);
    BOOST_TEST(running.book.told().empty());
    BOOST_TEST(running.seen.back().empty());
    BOOST_TEST(client.get("/metrics", scrapes).status == 200);
    BOOST_TEST(running.book.told_at(0) == "seen 4");
    BOOST_TEST((running.seen.back() == std::vector<std::uint32_t>{7}));
    HttpClient other = running.client();
    BOOST_TEST(other.get("/metrics", "X-Prometheus-Scrape-Timeout-Seconds: 10\r\nUser-Agent: vmagent\r\n").status ==
               200);
    BOOST_TEST(running.book.told_at(1) == "seen 5");
    BOOST_TEST(running.book.scrapers.size() == 2U);
}

BOOST_AUTO_TEST_CASE(true_first_values_need_no_book) {
    Running running;
    running.site.set_zero_first(false);
    HttpClient client = running.client();
    BOOST_TEST(client.get("/metrics", scrapes).status == 200);
    BOOST_TEST(running.seen.back().empty());
    running.site.set_zero_first(true);
    BOOST_TEST(client.get("/metrics", scrapes).status == 200);
    BOOST_TEST(running.book.told_at(0) == "seen 2");
}

BOOST_AUTO_TEST_CASE(a_page_that_was_thrown_away_was_not_received) {
    Running running;
    ask_and_reset(running.server->addresses()[0]);
    BOOST_TEST(running.book.told_at(0) == "seen 1");
    BOOST_TEST(running.book.told_at(1) == "lost 1");
    // One that is read to its end and then closed was.
    {
        HttpClient client = running.client();
        BOOST_TEST(client.get("/metrics", scrapes).status == 200);
        BOOST_TEST(client.get("/metrics", std::string(scrapes) + "Connection: close\r\n").status == 200);
        BOOST_TEST(client.closed_by_server());
    }
    HttpClient after = running.client();
    BOOST_TEST(after.get("/metrics", scrapes).status == 200);
    BOOST_TEST(running.book.told_at(4) == "seen 4");
    BOOST_TEST((running.book.told() == std::vector<std::string>{"seen 1", "lost 1", "seen 2", "seen 3", "seen 4"}));
}

// More than the kernel takes for a client that reads nothing.
BOOST_AUTO_TEST_CASE(a_page_that_broke_off_was_not_received) {
    Running running(2'000'000);
    ask_and_reset(running.server->addresses()[0]);
    HttpClient client = running.client();
    BOOST_TEST(client.get("/metrics", scrapes).status == 200);
    BOOST_TEST(running.book.told_at(0) == "seen 2");
}

BOOST_AUTO_TEST_CASE(who_has_logged_in_is_known_by_name) {
    const test::Folder folder;
    folder.write("/web.yml",
                 "basic_auth_users:\n"
                 "  a: $2y$04$abcdefghijklmnopqrstuuN1yhT3sMiF9wvGRwhdqWtNnDMyxrb2i\n");
    Running running(10, folder.path() + "/web.yml");
    HttpClient client = running.client();
    BOOST_TEST(client.get("/metrics", scrapes).status == 401);
    BOOST_TEST(client.get("/metrics", std::string(scrapes) + "Authorization: Basic YTpi\r\n").status == 401);
    BOOST_TEST(running.book.told().empty());
    BOOST_TEST(running.book.scrapers.empty());
}

BOOST_AUTO_TEST_SUITE_END()
