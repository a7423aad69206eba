// Records as their readers give them, and what each is counted under.
#include <boost/test/unit_test.hpp>
#include <string>
#include <utility>
#include <vector>

#include "shared/base/result.h"
#include "shared/mta/classes/attribution.h"
#include "shared/mta/classes/classes_config.h"

using namespace mtawatch::mta::logs;
using namespace mtawatch::mta::classes;

namespace {

using Cells = std::vector<std::pair<Column, std::string>>;

OwnedRecord of(RecordType type, const Cells& cells) { return {type, 0, cells}; }

struct Scenario {
    const char* name;
    RecordType type;
    Cells cells;
    const char* answer;
};

template <class Of>
void check_all(const std::vector<Scenario>& scenarios, const Of& answer_of) {
    for (const Scenario& scenario : scenarios) {
        BOOST_TEST_CONTEXT(scenario.name) {
            const OwnedRecord record = of(scenario.type, scenario.cells);
            BOOST_CHECK_EQUAL(answer_of(record.view()), scenario.answer);
        }
    }
}

}  // namespace

BOOST_AUTO_TEST_SUITE(attribution)

BOOST_AUTO_TEST_CASE(the_vmta_is_that_of_the_queue_where_the_column_is_empty_or_missing) {
    check_all({{"its own", RecordType::d, {{Column::vmta, "v1"}, {Column::queue, "gmail.com/v2"}}, "v1"},
               {"an empty column", RecordType::b, {{Column::vmta, ""}, {Column::queue, "gmail.com/v2"}}, "v2"},
               {"no column", RecordType::t, {{Column::queue, "gmail.com/v2"}}, "v2"},
               {"a queue without one", RecordType::t, {{Column::queue, "gmail.com"}}, ""},
               {"neither", RecordType::d, {}, ""},
               {"the queue of a report says nothing",
                RecordType::f,
                {{Column::vmta, ""}, {Column::queue, "{feedbackLoop}/{default}"}},
                ""},
               {"a complaint's own", RecordType::f, {{Column::vmta, "v1"}}, "v1"}},
              vmta_of);
}

BOOST_AUTO_TEST_CASE(a_complaint_that_names_its_vmta_speaks_for_itself) {
    const auto gaps = [](const Cells& cells) {
        const OriginGaps found = origin_gaps(of(RecordType::f, cells).view());
        return std::string(found.vmta ? "vmta " : "") + (found.pool ? "pool" : "");
    };
    BOOST_CHECK_EQUAL(gaps({}), "vmta pool");
    BOOST_CHECK_EQUAL(gaps({{Column::vmta, ""}, {Column::vmta_pool, ""}, {Column::queue, "x/v1"}}), "vmta pool");
    BOOST_CHECK_EQUAL(gaps({{Column::vmta_pool, "p1"}}), "vmta ");
    BOOST_CHECK_EQUAL(gaps({{Column::vmta, "v1"}}), "");
    BOOST_CHECK_EQUAL(gaps({{Column::vmta, "v1"}, {Column::vmta_pool, "p1"}}), "");
}

BOOST_AUTO_TEST_CASE(a_complaints_sender_is_orig_then_return_path_then_from_then_reported_domain) {
    const auto complaint = [](const char* orig, const char* path, const char* from, const char* reported) {
        return Cells{{Column::orig, orig},
                     {Column::header_return_path, path},
                     {Column::header_from, from},
                     {Column::reported_domain, reported}};
    };
    check_all(
        {{"orig", RecordType::f, complaint("a@orig.example", "<b@path.example>", "c@from.example", "rep.example"),
          "orig.example"},
         {"Return-Path", RecordType::f, complaint("", "<b@path.example>", "c@from.example", "rep.example"),
          "path.example"},
         {"the null sender is none", RecordType::f, complaint("<>", "<>", "c@from.example", "rep.example"),
          "from.example"},
         {"a display name", RecordType::f, complaint("", "", "\"Shop, Inc\" <c@from.example>", "rep.example"),
          "from.example"},
         {"a comment", RecordType::f, complaint("", "", "c@from.example (Shop)", "rep.example"), "from.example"},
         {"a From without an address", RecordType::f, complaint("", "", "Shop", "rep.example"), "rep.example"},
         {"Reported-Domain", RecordType::f, complaint("", "", "", " rep.example "), "rep.example"},
         {"an address in Reported-Domain", RecordType::f, complaint("", "", "", "anna@rep.example"), "rep.example"},
         {"nothing", RecordType::f, {}, ""},
         {"other records have an envelope", RecordType::d, complaint("", "<b@path.example>", "c@from.example", "x"),
          ""},
         {"which is theirs", RecordType::d, complaint("a@orig.example", "", "", ""), "orig.example"}},
        sender_domain_of);
}

BOOST_AUTO_TEST_CASE(a_job_named_like_a_mail_address_is_no_job) {
    const JobColumns columns = job_columns(default_job_columns());
    const std::vector<std::string> custom{"header_X-job", "header_BatchId"};
    BOOST_TEST(columns.custom == custom, boost::test_tools::per_element());
    const auto cells = [](const char* job, const char* header, const char* batch) {
        return Cells{{Column::job_id, job}, {custom_column(0), header}, {custom_column(1), batch}};
    };
    check_all({{"jobId first", RecordType::d, cells("spring", "x", "y"), "spring"},
               {"then the headers", RecordType::d, cells("", "x", "y"), "x"},
               {"an address", RecordType::d, cells("anna@client.example", "", ""), ""},
               {"an address, then a name", RecordType::d, cells("<anna@client.example>", "", "batch7"), "batch7"},
               {"an address inside", RecordType::b, cells("to anna@client.example", "", ""), ""},
               {"a host without a dot", RecordType::b, cells("anna@localhost", "", ""), ""},
               {"the second @", RecordType::b, cells("@ anna@client.example", "", ""), ""},
               {"a word", RecordType::b, cells("50 % off @ home", "", ""), "50 % off @ home"},
               {"a name with @ in front", RecordType::f, cells("@home", "", ""), "@home"},
               {"no columns", RecordType::d, {}, ""}},
              [&](const Record& record) { return job_of(record, columns.cells); });
}

BOOST_AUTO_TEST_CASE(job_columns_that_are_configured_replace_the_built_in_ones) {
    const std::vector<std::string> names{"header_Campaign", "JOBID", "1", "2", "3", "4", "5", "6", "7", "8"};
    const JobColumns columns = job_columns(names);
    BOOST_CHECK_EQUAL(columns.custom.size(), custom_column_count);
    BOOST_REQUIRE_EQUAL(columns.cells.size(), custom_column_count + 1);
    BOOST_CHECK(columns.cells[0] == custom_column(0) && columns.cells[1] == Column::job_id);
    BOOST_CHECK(columns.cells[2] == custom_column(1) && columns.cells.back() == custom_column(7));

    const auto read = parse_classes("accounting: {files: [x], job_columns: [header_Campaign]}\n", "e.yml");
    BOOST_REQUIRE(read);
    BOOST_CHECK_EQUAL(read->job_columns.size(), 1U);
    BOOST_CHECK_EQUAL(read->job_columns.at(0), "header_Campaign");
    const auto many = parse_classes("accounting:\n  job_columns: [1, 2, 3, 4, 5, 6, 7, 8, 9]\n", "e.yml");
    BOOST_REQUIRE(!many);
    BOOST_CHECK_EQUAL(many.error().what, "e.yml line 2: accounting.job_columns: at most 8 columns");
}

BOOST_AUTO_TEST_CASE(a_category_that_is_not_logged_is_that_of_powermtas_patterns) {
    const auto patterns = BouncePatterns::parse("/secret/ our-secret\n", "patterns");
    BOOST_REQUIRE(patterns);
    const auto category = [&](const char* logged, const BouncePatterns* with) {
        const OwnedRecord record =
            of(RecordType::b, {{Column::bounce_cat, logged}, {Column::dsn_diag, "smtp;550 secret"}});
        return std::string(category_of(record.view(), with));
    };
    BOOST_CHECK_EQUAL(category("bad-mailbox", &*patterns), "bad-mailbox");
    BOOST_CHECK_EQUAL(category("", &*patterns), "our-secret");
    BOOST_CHECK_EQUAL(category("", nullptr), "");
    BOOST_CHECK_EQUAL(category_name(""), "other");
    BOOST_CHECK_EQUAL(category_name("bad-mailbox"), "bad-mailbox");
}

BOOST_AUTO_TEST_CASE(mail_that_stayed_on_this_host_is_local) {
    const auto local = [](RecordType type, const char* delivery, const char* diag) {
        static const ReplyClassifier replies;
        const OwnedRecord record = of(type, {{Column::dlv_type, delivery}, {Column::dsn_diag, diag}});
        return is_local(record.view(), verdict_of(record.view(), replies).bounce_class);
    };
    for (const RecordType type : {RecordType::d, RecordType::b, RecordType::t}) {
        for (const char* delivery : {"pipe", "file", "discard", "http-delivery", "local"}) {
            BOOST_CHECK(local(type, delivery, "smtp;550 no"));
        }
        BOOST_CHECK(!local(type, "smtp", "smtp;550 no") && !local(type, "", ""));
    }
    BOOST_CHECK(local(RecordType::b, "smtp", "x-pmta;bounce-queue"));
    BOOST_CHECK(local(RecordType::rb, "", "x-pmta;bounce-queue") && !local(RecordType::rb, "pipe", "smtp;550 no"));
    // A deferral is an attempt: PowerMTA's own reasons ("x-pmta;") are reasons why it failed.
    BOOST_CHECK(!local(RecordType::t, "smtp", "x-pmta;connection lost"));
    BOOST_CHECK(local(RecordType::t, "smtp", "x-kumomta;KumoMTA internal: scheduled queue is suspended: lunch"));
}

BOOST_AUTO_TEST_CASE(domain_then_mx_then_rollup_decides) {
    const ProviderTable table = ProviderTable::builtin();
    const auto provider = [&](const char* domain, const char* mx, const char* queue) {
        const OwnedRecord record = of(
            RecordType::d, {{Column::rcpt, std::string("a@") + domain}, {Column::dsn_mta, mx}, {Column::queue, queue}});
        const ProviderId by_names = provider_by_names(table, recipient_names_of(record.view()));
        return std::string(table.name(provider_of(table, record.view(), by_names)));
    };
    struct {
        const char* domain;
        const char* mx;
        const char* queue;
        const char* provider;
    } const rows[] = {
        {"gmail.com", "", "", "gmail"},
        {"GMAIL.COM", "", "", "gmail"},
        {"gmail.com.", "", "", "gmail"},
        {"notgmail.com", "", "", "other"},
        {"mail.gmail.com", "", "", "other"},
        {"YMAIL.COM", "mta7.am0.yahoodns.net (192.0.2.1)", "", "yahoo"},
        {"shop.example", "shop-example.mail.protection.outlook.com (192.0.2.1)", "", "microsoft"},
        {"shop.example", "ASPMX.L.GOOGLE.COM (192.0.2.1)", "", "gmail"},
        {"shop.example", "mx.notgoogle.com", "", "other"},
        {"gmail.com", "mx.relay.example", "", "gmail"},
        {"", "", "yahoo.rollup/vmta18", "yahoo"},
        {"", "", "Hotmail.Rollup/vmta18", "microsoft"},
        {"shop.example", "", "strange.rollup/vmta1", "other"},
        {"shop.example", "mx.shop.example", "shop.example/vmta1", "other"},
        {"t-online.de", "", "", "t-online"},
        {"free.fr", "", "", "free"},
        {"list.ru", "", "", "mail.ru"},
        {"", "", "", "other"},
        {"", "", "gmail.com/vmta1", "gmail"},
        {"shop.example", "", "yahoo.rollup/vmta1", "yahoo"},
    };
    for (const auto& row : rows) {
        BOOST_TEST_CONTEXT(row.domain << " " << row.mx << " " << row.queue) {
            BOOST_CHECK_EQUAL(provider(row.domain, row.mx, row.queue), row.provider);
        }
    }
}

BOOST_AUTO_TEST_CASE(a_bounce_is_judged_by_category_then_by_reply) {
    const ReplyClassifier replies;
    BounceClasses classes;
    const auto judge = [&](const char* category, const char* status, const char* diag, const char* type = "smtp",
                           RecordType kind = RecordType::b) {
        const OwnedRecord record = of(kind, {{Column::bounce_cat, category},
                                             {Column::dsn_status, status},
                                             {Column::dsn_diag, diag},
                                             {Column::dlv_type, type}});
        return std::string(name(bounce_class_of(record.view(), classes, category_of(record.view(), nullptr),
                                                verdict_of(record.view(), replies).bounce_class)));
    };
    BOOST_CHECK_EQUAL(judge("bad-mailbox", "5.1.1 (x)", "pipe;no", "pipe"), "local");
    BOOST_CHECK_EQUAL(judge("bad-mailbox", "5.1.1 (x)", "smtp;550 no", ""), "hard");
    // A bounce that came back later arrived by mail, whatever its delivery type says.
    BOOST_CHECK_EQUAL(judge("bad-mailbox", "5.1.1 (x)", "smtp;550 no", "pipe", RecordType::rb), "hard");
    BOOST_CHECK_EQUAL(judge("bad-mailbox", "", "x-pmta;bounce-queue", "", RecordType::rb), "local");
    BOOST_CHECK_EQUAL(judge("bad-mailbox", "", "smtp;550 blocked using spamhaus"), "hard");
    BOOST_CHECK_EQUAL(judge("", "5.1.1 (x)", "smtp;550 blocked using spamhaus"), "block");
    BOOST_CHECK_EQUAL(judge("other", "5.2.2 (x)", "smtp;552 mailbox full"), "soft");
    BOOST_CHECK_EQUAL(judge("other", "5.0.0 (x)", "smtp;550 no"), "other");
    BOOST_CHECK_EQUAL(judge("our-own-category", "5.1.1 (x)", "smtp;550 user unknown"), "hard");
    BOOST_CHECK_EQUAL(judge("bad-mailbox", "", "x-pmta;bounce-queue"), "local");
    BOOST_CHECK_EQUAL(judge("other", "", "smtp;550 5.7.1 recipient is in suppression list \"\"a1\"\": <x>"), "local");
    BOOST_CHECK_EQUAL(judge("", "5.1.2 (no such domain)", ""), "hard");
    BOOST_CHECK_EQUAL(judge("", "4.4.3 (x)", "smtp;450 dns lookup failed"), "soft");
    classes.set("our-own-category", BounceClass::block);
    BOOST_CHECK_EQUAL(judge("our-own-category", "", ""), "block");
    classes.set("other", BounceClass::soft);
    BOOST_CHECK_EQUAL(judge("other", "5.1.1 (x)", "smtp;550 user unknown"), "soft");
    const std::vector<std::pair<const char*, const char*>> categories{
        {"bad-mailbox", "hard"},      {"bad-domain", "hard"},     {"inactive-mailbox", "hard"},
        {"routing-errors", "hard"},   {"spam-related", "block"},  {"policy-related", "block"},
        {"content-related", "block"}, {"virus-related", "block"}, {"invalid-sender", "block"},
        {"relaying-issues", "block"}, {"quota-issues", "soft"},   {"no-answer-from-host", "soft"},
        {"message-expired", "soft"},  {"bad-connection", "soft"}, {"bad-configuration", "soft"},
        {"protocol-errors", "soft"}};
    for (const auto& [category, expected] : categories) {
        BOOST_CHECK_EQUAL(name(BounceClasses().of_category(category)), expected);
    }
}

BOOST_AUTO_TEST_CASE(the_provider_of_a_complaint_is_told_by_the_report_where_the_recipient_is_not) {
    const ProviderTable table = ProviderTable::builtin();
    const auto provider = [&](const Cells& cells) {
        return std::string(table.name(provider_of_complaint(table, of(RecordType::f, cells).view())));
    };
    BOOST_CHECK_EQUAL(provider({{Column::rcpt, "c@yahoo.com"}, {Column::format, "jmrp"}}), "yahoo");
    BOOST_CHECK_EQUAL(provider({{Column::rcpt, ""}, {Column::format, "jmrp"}}), "microsoft");
    BOOST_CHECK_EQUAL(provider({{Column::reporting_mta, "feedback.gmx.net"}}), "gmx");
    BOOST_CHECK_EQUAL(provider({{Column::queue, "{feedbackLoop}/{default}"}}), "other");
}

BOOST_AUTO_TEST_CASE(a_name_is_one_line_that_people_can_read) {
    BOOST_CHECK_EQUAL(readable_name("plain"), "plain");
    BOOST_CHECK_EQUAL(readable_name("a \"\"quoted\"\" job"), "a \"quoted\" job");
    BOOST_CHECK_EQUAL(readable_name("a\tb"), "a b");
    BOOST_CHECK_EQUAL(readable_name(std::string(500, 'x')), std::string(max_name_bytes, 'x'));
}

BOOST_AUTO_TEST_SUITE_END()
