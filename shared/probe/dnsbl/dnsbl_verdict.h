// Meaning of a blocklist's answers: the verdict on one target, and the list's health by its test entries. Pure; used by
// the probe dnsbl and its tests.
#pragma once

#include <string>
#include <vector>

#include "shared/dns/lookup.h"
#include "shared/probe/dnsbl/dnsbl.h"

namespace mtawatch::probe::dnsbl {

// The verdict of one list on one target, from its A answer alone. An answer outside 127.0.0.0/8, 127.0.0.1,
// 127.255.255.0/24 and the list's own error codes never count as a listing; a record that none of a list's codes
// explains is an advisory one. One record that is a listing is enough.
[[nodiscard]] DnsblResult dnsbl_verdict(const DnsblList& list, const dns::Answer& answer);

// The answers to a list's own test entries: those that must be listed and those that must not.
struct TestAnswers {
    std::vector<dns::Answer> listed;
    std::vector<dns::Answer> clean;
};
[[nodiscard]] DnsblListState dnsbl_health(const DnsblList& list, const TestAnswers& answers);

}  // namespace mtawatch::probe::dnsbl
