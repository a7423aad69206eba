#include "tests/bench/accounting_text.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <ctime>

namespace mtawatch::bench {
namespace {

struct Known {
    const char* domain;
    const char* mx;
};
constexpr std::array<Known, 14> known_values{{
    {"gmail.com", "gmail-smtp-in.l.google.com (192.0.2.26)"},
    {"outlook.com", "outlook-com.olc.protection.outlook.com (192.0.2.36)"},
    {"yahoo.com", "mta7.am0.yahoodns.net (192.0.2.46)"},
    {"icloud.com", "mx01.mail.icloud.com (192.0.2.56)"},
    {"hotmail.com", "hotmail-com.olc.protection.outlook.com (192.0.2.66)"},
    {"gmx.net", "mx00.emig.gmx.net (192.0.2.76)"},
    {"orange.fr", "smtp-in.orange.fr (192.0.2.86)"},
    {"web.de", "mx-ha02.web.de (192.0.2.96)"},
    {"free.fr", "mx1.free.fr (192.0.2.106)"},
    {"t-online.de", "mx03.t-online.de (192.0.2.116)"},
    {"mail.ru", "mxs.mail.ru (192.0.2.126)"},
    {"comcast.net", "mx1.mxge.comcast.net (192.0.2.136)"},
    {"shop.example", "shop-example.mail.protection.outlook.com (192.0.2.146)"},
    {"school.example", "aspmx.l.google.com (192.0.2.156)"},
}};

}  // namespace

Recipients::Recipients(std::size_t domains) {
    double sum = 0;
    for (std::size_t rank = 0; rank < domains; ++rank) {
        const bool known = rank < known_values.size();
        domains_.push_back(known ? known_values[rank].domain : "c" + std::to_string(rank) + ".example.net");
        mx_.push_back(known ? known_values[rank].mx
                            : "mx1." + domains_.back() + " (198.51.100." + std::to_string(rank % 250 + 1) + ")");
        sum += 1 / std::pow(static_cast<double>(rank + 1), 1.05);
        cumulative_.push_back(sum);
    }
}

std::size_t Recipients::draw(std::mt19937_64& random) const {
    const double at = static_cast<double>(random() >> 11) * 0x1p-53 * cumulative_.back();
    return static_cast<std::size_t>(std::ranges::upper_bound(cumulative_, at) - cumulative_.begin());
}

const std::vector<Reply>& bounce_replies() {
    static const std::vector<Reply> replies{
        {"5.1.1 (bad destination mailbox address)",
         "smtp;550 5.1.1 The email account that you tried to reach does not exist. Please try double-checking the "
         "recipient's email address for typos or unnecessary spaces. - gsmtp",
         "bad-mailbox", false},
        {"5.1.1 (bad destination mailbox address)",
         "smtp;550 5.1.1 <\"\"info\"\"@customer.example.net>: Recipient address rejected: User unknown, sorry",
         "bad-mailbox", true},
        {"5.2.2 (mailbox full)", "smtp;552 5.2.2 The recipient's inbox is out of storage space. - gsmtp",
         "quota-issues", false},
        {"5.7.1 (delivery not authorized)",
         "smtp;550 5.7.1 Unfortunately messages from [203.0.113.12] weren't sent. Please contact your Internet "
         "service "
         "provider since part of their network is on our block list (S3150).",
         "spam-related", false},
        {"5.7.26 (delivery not authorized)",
         "smtp;550 5.7.26 Your email has been blocked because the sender is unauthenticated. - gsmtp", "policy-related",
         false},
        {"5.7.1 (delivery not authorized)",
         "smtp;554 5.7.1 Service unavailable; Client host [203.0.113.12] blocked using \"\"zen.spamhaus.org\"\", see "
         "https://www.spamhaus.org/query",
         "spam-related", true},
        {"5.1.2 (bad destination system: no such domain)", "", "bad-domain", false},
        {"5.4.7 (delivery time expired)", "smtp;451 4.7.650 The mail server has been temporarily rate limited (S775)",
         "message-expired", false},
        {"5.0.0 (undefined status)", "smtp;554 Transaction failed: message content rejected, code \"\"OFR_416\"\"",
         "other", true},
        {"5.7.1 (delivery not authorized)",
         "smtp;550 5.7.1 recipient is in suppression list \"\"a1\"\": <user@customer.example.net>", "other", true},
    };
    return replies;
}

const std::vector<Reply>& deferral_replies() {
    static const std::vector<Reply> replies{
        {"4.7.0 (other or undefined security status)",
         "smtp;421 4.7.0 [TSS04] Messages from 203.0.113.12 temporarily deferred due to unexpected volume or user "
         "complaints - 4.16.55.1",
         "policy-related", false},
        {"4.7.28 (delivery not authorized)",
         "smtp;421 4.7.28 Gmail has detected an unusual rate of unsolicited mail originating from your IP address. - "
         "gsmtp",
         "policy-related", false},
        {"4.2.0 (other or undefined mailbox status)",
         "smtp;451 4.2.0 <user@customer.example.net>: Recipient address rejected: \"\"Greylisted\"\", see "
         "http://postgrey.example.net",
         "policy-related", true},
        {"4.7.1 (delivery not authorized)", "smtp;421 RP-001 (BAY004) Unfortunately some messages were not sent",
         "policy-related", false},
        {"4.2.2 (mailbox full)", "smtp;452 4.2.2 The recipient's inbox is out of storage space. - gsmtp",
         "quota-issues", false},
    };
    return replies;
}

void append_time(std::string& out, std::int64_t seconds) {
    // Neighbouring records share their day.
    thread_local std::int64_t known_day = -1;
    thread_local std::array<char, 16> date{};
    const std::int64_t day = seconds / 86400;
    if (day != known_day) {
        std::tm parts{};
        const std::time_t time = seconds;
        gmtime_r(&time, &parts);
        std::strftime(date.data(), date.size(), "%Y-%m-%d ", &parts);
        known_day = day;
    }
    const auto two = [&](std::int64_t value) {
        out.push_back(static_cast<char>('0' + value / 10));
        out.push_back(static_cast<char>('0' + value % 10));
    };
    out.append(date.data(), 11);
    two(seconds % 86400 / 3600);
    out.push_back(':');
    two(seconds % 3600 / 60);
    out.push_back(':');
    two(seconds % 60);
    out += "+0000";
}

}  // namespace mtawatch::bench
