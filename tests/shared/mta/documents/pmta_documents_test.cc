// PowerMTA's answers in all their forms: one model, nothing missing that was there, nothing there that was missing.
#include <boost/test/unit_test.hpp>
#include <fstream>
#include <sstream>

#include "shared/mta/documents/pmta_document.h"
#include "shared/mta/documents/pmta_status.h"
#include "shared/mta/logs/timestamps.h"

using namespace mtawatch;

namespace {

std::string fixture(const std::string& name) {
    const std::ifstream file(std::string(MTAWATCH_SOURCE_DIR) + "/tests/fixtures/powermta/" + name);
    BOOST_REQUIRE_MESSAGE(file, name);
    std::ostringstream text;
    text << file.rdbuf();
    return text.str();
}

template <class T>
std::string what(const base::Result<T>& result) {
    return result ? "no error" : result.error().what;
}

bool has(const std::string& text, std::string_view part) {
    if (text.find(part) != std::string::npos) return true;
    BOOST_TEST_MESSAGE("'" << part << "' is not in '" << text << "'");
    return false;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(pmta_status)

BOOST_AUTO_TEST_CASE(every_form_gives_the_same_status) {
    for (const auto* name : {"status.json", "status.xml", "status.dom"}) {
        BOOST_TEST_CONTEXT(name) {
            const auto status = mta::documents::read_pmta_status(fixture(name));
            BOOST_REQUIRE_MESSAGE(status, what(status));
            BOOST_TEST(status->version == "5.0r5");
            BOOST_TEST(status->platform == "Linux 6.1.0-44-amd64");
            BOOST_TEST(status->host == "mx1.example.net");
            BOOST_TEST(status->state == "running");
            BOOST_TEST(status->shutting_down.value() == false);
            BOOST_TEST(status->uptime->count() == 20739);
            BOOST_TEST(status->total.out.recipients.value() == 2007007);
            BOOST_TEST(status->total.in.messages.value() == 28046);
            BOOST_TEST(status->last_minute.out.kilobytes.value() == 2372.6);
            BOOST_TEST(status->last_hour.in.recipients.value() == 348700);
            BOOST_TEST(status->connections_out.maximum.value() == 1200);
            BOOST_TEST(status->connections_out.top.value() == 157);
            BOOST_TEST(status->queries_pending.value() == 2);
            BOOST_TEST(status->queues.size() == 4U);
            BOOST_TEST(status->queued_recipients().value() == 805);
            BOOST_TEST(status->spool_recipients.value() == 805);
            BOOST_TEST(status->spool_max_recipients.value() == 25000);
            BOOST_TEST(status->spool_initialized_percent.value() == 100);
        }
    }
}

BOOST_AUTO_TEST_CASE(the_text_form_has_less_and_says_so) {
    const auto status = mta::documents::read_pmta_status(fixture("status.txt"));
    BOOST_REQUIRE_MESSAGE(status, what(status));
    BOOST_TEST(status->version == "5.0r5");
    BOOST_TEST(status->host == "mx1.example.net");
    BOOST_TEST(status->state == "running");
    BOOST_TEST(status->total.in.recipients.value() == 2007845);
    BOOST_TEST(status->total.out.kilobytes.value() == 1370100.3);
    BOOST_TEST(status->last_minute.out.recipients.value() == 5809);
    BOOST_TEST(status->connections_in.current.value() == 1);
    BOOST_TEST(status->connections_in.maximum.value() == 5);
    BOOST_TEST(status->connections_out.top.value() == 157);
    BOOST_TEST(status->queued_recipients().value() == 805);
    BOOST_TEST(status->spool_initialized_percent.value() == 100);
    BOOST_TEST(status->uptime->count() == 20739);
    BOOST_TEST(!status->spool_max_recipients);
    BOOST_TEST(!status->shutting_down);
}

BOOST_AUTO_TEST_CASE(a_status_below_mta_is_found_too) {
    const auto status = mta::documents::read_pmta_status(
        R"({"data":{"mta":{"product":{"version":"5.0r1"},"status":{"queue":{"smtp":{"rcp":7}},"status":"running"}}},)"
        R"("status":"success","message":""})");
    BOOST_REQUIRE_MESSAGE(status, what(status));
    BOOST_TEST(status->version == "5.0r1");
    BOOST_TEST(status->queued_recipients().value() == 7);
    BOOST_TEST(!status->total.out.recipients);
}

BOOST_AUTO_TEST_CASE(unknown_queue_kinds_count) {
    const auto status = mta::documents::read_pmta_status(
        "status.queue.smtp.rcp=\"3\"\nstatus.queue.gmImprinter.rcp=\"4\"\nstatus.queue.httpDelivery.dom=\"1\"\n"
        "status.status=\"running\"");
    BOOST_REQUIRE_MESSAGE(status, what(status));
    BOOST_TEST(status->queues.size() == 3U);
    BOOST_TEST(status->queued_recipients().value() == 7);
}

BOOST_AUTO_TEST_CASE(a_cut_answer_of_any_length_is_never_a_status) {
    for (const auto* name : {"status.json", "status.xml", "status.dom", "status.txt"}) {
        const std::string whole = fixture(name);
        for (std::size_t length = 0; length + 40 < whole.size(); length += 7) {
            const auto status = mta::documents::read_pmta_status(whole.substr(0, length));
            BOOST_TEST(!status, name << " cut at " << length);
            if (!status) BOOST_TEST(int(status.error().fault) == int(base::Fault::malformed));
        }
    }
}

BOOST_AUTO_TEST_CASE(what_is_not_powermta_is_named) {
    BOOST_TEST(has(what(mta::documents::read_pmta_status("")), "nothing at all"));
    BOOST_TEST(has(what(mta::documents::read_pmta_status("{\"data\":{},\"status\":\"success\"}")),
                   "status.status is missing"));
    BOOST_TEST(has(what(mta::documents::read_pmta_status("{\"status\":\"fail\",\"message\":\"no such command\"}")),
                   "status 'fail': no such command"));
    BOOST_TEST(has(what(mta::documents::read_pmta_status("{\"a\":1}")), "status ''"));
    BOOST_TEST(has(what(mta::documents::read_pmta_status("[1]")), "not PowerMTA's status"));
    BOOST_TEST(has(what(mta::documents::read_pmta_status("<rsp><data/><err>busy</err></rsp>")), "<err>: busy"));
    BOOST_TEST(has(what(mta::documents::read_pmta_status("<rsp><data/></rsp>")), "no <succ>"));
    BOOST_TEST(has(what(mta::documents::read_pmta_status("<a/>")), "no <rsp>"));
    BOOST_TEST(has(what(mta::documents::read_pmta_status("a=\"1\"\nb=\"2")), "line 2"));
    BOOST_TEST(has(what(mta::documents::read_pmta_status("Segmentation fault")), "Segmentation fault"));
}

BOOST_AUTO_TEST_CASE(html_is_a_login_and_a_refusal_a_permission) {
    const auto refused = mta::documents::read_pmta_status(
        "<html><body>Access denied. Please consult the http-access directive of the guide.</body></html>");
    BOOST_REQUIRE(!refused);
    BOOST_TEST(int(refused.error().fault) == int(base::Fault::permission));
    BOOST_TEST(has(refused.error().what, "http-access ADDRESS monitor"));
    const auto login =
        mta::documents::read_pmta_status("<!DOCTYPE html><html><head><title>Sign in</title></head></html>");
    BOOST_REQUIRE(!login);
    BOOST_TEST(int(login.error().fault) == int(base::Fault::auth));
    BOOST_TEST(has(login.error().what, "\"Sign in\""));
}

BOOST_AUTO_TEST_CASE(deep_nesting_is_refused) {
    std::string json = "{\"status\":\"success\",\"data\":";
    for (int i = 0; i < 100; ++i) json += "{\"a\":";
    json += "1" + std::string(100, '}') + "}";
    BOOST_TEST(has(what(mta::documents::read_pmta_status(json)), "nested deeper"));
    std::string xml = "<rsp><data>";
    for (int i = 0; i < 100; ++i) xml += "<a>";
    for (int i = 0; i < 100; ++i) xml += "</a>";
    BOOST_TEST(has(what(mta::documents::read_pmta_status(xml + "</data><succ/></rsp>")), "nested deeper"));
    std::string path = "a";
    for (int i = 0; i < 100; ++i) path += ".a";
    BOOST_TEST(has(what(mta::documents::read_pmta_status(path + "=\"1\"")), "too long a path"));
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(pmta_listing)

BOOST_AUTO_TEST_CASE(queues_with_mode_pause_and_error) {
    for (const auto* name : {"queues.json", "queues.xml", "queues.dom"}) {
        BOOST_TEST_CONTEXT(name) {
            const auto listing = mta::documents::read_pmta_listing(fixture(name), "queue");
            BOOST_REQUIRE_MESSAGE(listing, what(listing));
            BOOST_REQUIRE(listing->entries.size() == 3U);
            const auto& second = listing->entries[1];
            BOOST_TEST(second.name == "example.com/vmta2");
            BOOST_TEST(second.recipients == 200);
            BOOST_TEST(second.kilobytes.value() == 40.1);
            BOOST_TEST(second.connections.value() == 0);
            BOOST_TEST(second.mode == "backoff");
            BOOST_TEST(second.paused.value() == false);
            BOOST_TEST(has(second.last_error, "requested: \"421 4.2.1 : (DYN:T1) try later\" received"));
            BOOST_TEST(listing->entries[2].paused.value() == true);
            BOOST_TEST(listing->entries[2].last_error.empty());
            BOOST_TEST(listing->total_recipients.value() == 805);
            BOOST_TEST(listing->complete().value() == true);
        }
    }
}

BOOST_AUTO_TEST_CASE(a_listing_cut_by_maxitems_is_known_to_be_incomplete) {
    for (const auto* name : {"domains.json", "domains.xml", "domains.dom"}) {
        BOOST_TEST_CONTEXT(name) {
            const auto listing = mta::documents::read_pmta_listing(fixture(name), "domain");
            BOOST_REQUIRE_MESSAGE(listing, what(listing));
            BOOST_TEST(listing->entries.size() == 1U);
            BOOST_TEST(listing->entries[0].name == "example.com");
            BOOST_TEST(listing->complete().value() == false);
        }
    }
}

BOOST_AUTO_TEST_CASE(text_tables) {
    const auto domains = mta::documents::read_pmta_listing(fixture("domains.txt"), "domain");
    BOOST_REQUIRE_MESSAGE(domains, what(domains));
    BOOST_TEST(domains->entries.size() == 2U);
    BOOST_TEST(domains->entries[0].recipients == 700);
    BOOST_TEST(domains->complete().value() == true);
    const auto vmtas = mta::documents::read_pmta_listing(fixture("vmtas.txt"), "vmta");
    BOOST_REQUIRE_MESSAGE(vmtas, what(vmtas));
    BOOST_TEST(vmtas->entries[0].name == "vmta1");
    BOOST_TEST(vmtas->entries[0].recipients == 605);
    BOOST_TEST(vmtas->entries[0].domains.value() == 2);
    BOOST_TEST(vmtas->entries[0].connections.value() == 3);
    const auto jobs = mta::documents::read_pmta_listing(fixture("jobs.txt"), "job");
    BOOST_REQUIRE_MESSAGE(jobs, what(jobs));
    BOOST_TEST(jobs->entries[0].recipients == 805);
    const auto queues = mta::documents::read_pmta_listing(fixture("queues.txt"), "queue");
    BOOST_REQUIRE_MESSAGE(queues, what(queues));
    BOOST_TEST(queues->entries.size() == 3U);
    BOOST_TEST(queues->total_entries.value() == 3);
    BOOST_TEST(!queues->entries[0].paused);
}

BOOST_AUTO_TEST_CASE(an_empty_listing_and_another_document_never_look_alike) {
    const auto empty =
        mta::documents::read_pmta_listing("title=\"x\"\ntotalRcp=\"0\"\ntotalQueuesWithRcp=\"0\"\n", "queue");
    BOOST_REQUIRE_MESSAGE(empty, what(empty));
    BOOST_TEST(empty->entries.empty());
    BOOST_TEST(empty->complete().value() == true);
    BOOST_TEST(mta::documents::read_pmta_listing(
                   R"({"data":{"title":"t","queues":[],"totalRcp":0},"status":"success"})", "queue")
                   .has_value());
    BOOST_TEST(!mta::documents::read_pmta_listing(fixture("status.json"), "queue"));
    BOOST_TEST(!mta::documents::read_pmta_listing(fixture("status.dom"), "queue"));
    BOOST_TEST(!mta::documents::read_pmta_listing(fixture("status.txt"), "queue"));
    BOOST_TEST(!mta::documents::read_pmta_listing("queue[0].name=\"a/b\"\nqueue[0].rcp=\"1\"\n", "queue"));
    BOOST_TEST(!mta::documents::read_pmta_listing("queue[0].nam=\"a/b\"\ntotalRcp=\"1\"\n", "queue"));
    BOOST_TEST(!mta::documents::read_pmta_listing("  example.com 4 0.5 0\n", "domain"));
}

BOOST_AUTO_TEST_CASE(a_hundred_thousand_queues_are_read_in_every_form_and_the_largest_kept) {
    constexpr int count = 100'000;
    std::string dom = "title=\"Top\"\n";
    std::string json = R"({"data":{"title":"Top","queues":[)";
    for (int i = 0; i < count; ++i) {
        const std::string at = "queue[" + std::to_string(i) + "].";
        dom += at + "name=\"d" + std::to_string(i) + ".example/v1\"\n" + at + "rcp=\"" + std::to_string(count - i) +
               "\"\n" + at + "kb=\"1.0\"\n" + at + "conn=\"0\"\n" + at + "paused=\"no\"\n" + at + "mode=\"backoff\"\n" +
               at + "retryTime=\"\"\n";
        json += (i > 0 ? "," : "") + std::string(R"({"name":"d)") + std::to_string(i) + R"(.example/v1","rcp":)" +
                std::to_string(count - i) + R"(,"kb":1.0,"conn":0,"paused":false,"mode":"backoff","retryTime":""})";
    }
    dom += "totalRcp=\"5000050000\"\ntotalQueuesWithRcp=\"100000\"\n";
    json += R"(],"totalRcp":5000050000,"totalQueuesWithRcp":100000},"status":"success","message":""})";
    for (const std::string& bytes : {dom, json}) {
        BOOST_TEST(bytes.size() < mta::documents::max_pmta_bytes);
        const auto listing = mta::documents::read_pmta_listing(bytes, "queue");
        BOOST_REQUIRE_MESSAGE(listing, what(listing));
        BOOST_TEST(listing->entries.size() == mta::documents::max_pmta_entries);
        BOOST_TEST(listing->entries.front().recipients == count);
        BOOST_TEST(listing->entries.back().name == "d9999.example/v1");
        BOOST_TEST(listing->total_entries.value() == count);
        BOOST_TEST(listing->complete().value() == false);
    }
}

BOOST_AUTO_TEST_CASE(a_document_of_many_nodes_is_refused_before_it_becomes_a_tree) {
    std::string xml = "<rsp><data>";
    std::string dom;
    std::string json = R"({"status":"success","data":{"a":[0)";
    for (int i = 0; i < 150'000; ++i) {
        xml += "<a/>";
        dom += "a[" + std::to_string(i) + "].b=\"1\"\n";
        json += ",0";
    }
    BOOST_TEST(has(what(mta::documents::read_pmta_listing(xml + "</data><succ/></rsp>", "queue")),
                   "XML has more than 100000 marks"));
    BOOST_TEST(has(what(mta::documents::read_pmta_listing(dom, "queue")), "more than 100000 values"));
    BOOST_TEST(has(what(mta::documents::read_pmta_listing(json + "]}}", "queue")), "more than 100000 values"));
    BOOST_TEST(has(what(mta::documents::read_pmta_listing("<a" + std::string(9U << 20U, ' ') + "/>", "queue")),
                   "XML is larger than 8388608 bytes"));
    BOOST_TEST(has(what(mta::documents::read_pmta_status(std::string(1U << 20U, '.') + "=\"\"")), "too long a path"));
}

BOOST_AUTO_TEST_CASE(arrays_in_arrays_and_numbers_as_json_writes_them) {
    const auto document = mta::documents::read_pmta_document(
        R"({"message":"m","data":{"a":[[1,{"b":2.0}],true,null],"c":{"d":[],"e":"x\u0041"},"f":1e3},"status":"success"})");
    BOOST_REQUIRE_MESSAGE(document, what(document));
    const auto& data = document->data;
    BOOST_REQUIRE(data.children.size() == 6U);
    for (std::size_t i = 0; i < 4; ++i) BOOST_TEST(data.children[i].name == "a");
    BOOST_TEST(data.children[1].integer("b").value() == 2);
    BOOST_TEST(data.children[2].value == "true");
    BOOST_TEST(data.children[3].value.empty());
    BOOST_TEST(data.text("c.e").value() == "xA");
    BOOST_TEST(data.integer("f").value() == 1000);
    BOOST_TEST(document->message == "m");
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(pmta_messages_and_licence)

BOOST_AUTO_TEST_CASE(messages_have_queue_recipient_and_time) {
    for (const auto* name : {"messages.json", "messages.xml", "messages.dom"}) {
        BOOST_TEST_CONTEXT(name) {
            const auto messages = mta::documents::read_pmta_messages(fixture(name));
            BOOST_REQUIRE_MESSAGE(messages, what(messages));
            BOOST_REQUIRE(messages->messages.size() == 2U);
            BOOST_TEST(messages->messages[0].queue == "example.com/vmta2");
            BOOST_TEST(messages->messages[0].recipient == "anna@example.com");
            BOOST_TEST((messages->messages[0].queued == mta::logs::parse_local_time("2026-11-20 01:00:00")));
        }
    }
}

BOOST_AUTO_TEST_CASE(a_busy_queue_is_remarked) {
    const auto messages =
        mta::documents::read_pmta_messages("<rsp><data></data><succ>1 queue busy while listing.</succ></rsp>");
    BOOST_REQUIRE_MESSAGE(messages, what(messages));
    BOOST_TEST(messages->messages.empty());
    BOOST_TEST(messages->remark == "1 queue busy while listing.");
}

BOOST_AUTO_TEST_CASE(something_else_is_no_empty_list_of_messages) {
    BOOST_TEST(!mta::documents::read_pmta_messages(fixture("status.xml")));
    BOOST_TEST(!mta::documents::read_pmta_messages("no messages"));
    BOOST_TEST(!mta::documents::read_pmta_messages("<rsp><data><msg><rcpt>a</rcpt></msg></data><succ/></rsp>"));
}

BOOST_AUTO_TEST_CASE(the_licence_and_its_end) {
    const auto licence = mta::documents::read_pmta_licence(fixture("license.txt"));
    BOOST_REQUIRE_MESSAGE(licence, what(licence));
    BOOST_TEST(licence->product == "PowerMTA");
    BOOST_TEST(licence->licensee == "Example Corp");
    BOOST_TEST((licence->expires == std::chrono::sys_days(std::chrono::year(2100) / 3 / 20)));
    const auto endless = mta::documents::read_pmta_licence(" product: PowerMTA\n serial: 1\n");
    BOOST_REQUIRE_MESSAGE(endless, what(endless));
    BOOST_TEST(!endless->expires.has_value());
    BOOST_TEST(has(what(mta::documents::read_pmta_licence(" product: PowerMTA\n serial: 1\n expires: soon\n")),
                   "'soon' is no date"));
    BOOST_TEST(!mta::documents::read_pmta_licence("no licence installed\n"));
    BOOST_TEST(mta::documents::read_pmta_licence("license.product=\"PowerMTA\"\nlicense.expires=\"2027-01-02\"\n")
                   ->expires.has_value());
}

BOOST_AUTO_TEST_CASE(times) {
    BOOST_TEST(mta::logs::parse_local_time("2015-09-01 10:17:50").has_value());
    for (const auto* bad : {"", "2015-09-01", "2015-13-01 10:17:50", "2015-02-30 10:17:50", "2015-09-01 24:17:50",
                            "2015-09-01T10:17:50", "2015-09-01 10:17:5", "2015-09-01 1x:17:50"}) {
        BOOST_TEST(!mta::logs::parse_local_time(bad), bad);
    }
}

BOOST_AUTO_TEST_SUITE_END()
