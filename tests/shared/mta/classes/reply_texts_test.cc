// The gate: replies of many receivers and MTAs, each with the reason that it must get.
#include <boost/test/unit_test.hpp>
#include <fstream>
#include <map>
#include <string>
#include <vector>

#include "shared/base/text.h"
#include "shared/mta/classes/reply_class.h"

using namespace mtawatch;
using namespace mtawatch::mta::classes;

namespace {

struct Known {
    std::string reason;
    std::string whose;
    std::string reply;
};

std::vector<Known> known_replies() {
    std::ifstream file(MTAWATCH_SOURCE_DIR "/tests/shared/mta/classes/reply_texts.tsv");
    std::vector<Known> known;
    for (std::string line; std::getline(file, line);) {
        if (line.starts_with('#')) continue;
        const auto cells = base::split(line, '\t');
        BOOST_REQUIRE_MESSAGE(cells.size() == 3, line);
        known.push_back({std::string(cells[0]), std::string(cells[1]), std::string(cells[2])});
    }
    return known;
}

}  // namespace

BOOST_AUTO_TEST_CASE(every_known_reply_has_its_reason) {
    const ReplyClassifier classifier;
    const std::vector<Known> known = known_replies();
    BOOST_CHECK_GE(known.size(), 600U);
    std::map<std::string, std::size_t> reasons;
    for (const Known& one : known) {
        const ReplyVerdict verdict = classifier.classify({}, one.reply);
        BOOST_CHECK_MESSAGE(name(verdict.reply_class) == one.reason,
                            one.reason << " became " << name(verdict.reply_class) << " by " << verdict.rule << ": "
                                       << one.reply << " (" << one.whose << ")");
        ++reasons[one.reason];
    }
    BOOST_CHECK_EQUAL(reasons.size(), reply_classes);
}

// PowerMTA writes "smtp;" in front and its own guess beside it; Postfix and KumoMTA write the host. None of it counts.
BOOST_AUTO_TEST_CASE(wrapping_changes_no_reason) {
    const ReplyClassifier classifier;
    for (const Known& one : known_replies()) {
        if (one.reply.size() < 4 || !base::is_digit(one.reply[0]) || (one.reply[3] != ' ' && one.reply[3] != '-'))
            continue;
        const std::string host = "host spam-blocklist.virus.example[192.0.2.9] said: ";
        for (const std::string& text : {"smtp;" + one.reply, host + one.reply + " (in reply to RCPT TO command)",
                                        "Diagnostic-Code: SMTP; " + one.reply}) {
            BOOST_CHECK_MESSAGE(name(classifier.classify("", text).reply_class) == one.reason,
                                text << " became " << name(classifier.classify("", text).reply_class));
        }
    }
}
