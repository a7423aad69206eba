#include "shared/probe/mail_auth/txt_record.h"

#include <fmt/core.h>

#include <vector>

#include "shared/base/text.h"
#include "shared/dns/names.h"

namespace mtawatch::probe::mail_auth {

std::string find_txt_record(const std::string& name, const TxtKind& kind, auth::DnsCache& dns, Findings& findings) {
    if (!dns::askable(name)) {
        findings.add(Weight::absent, "absent", fmt::format("{} is too long for a DNS name", name));
        return {};
    }
    const dns::Answer& answer = dns.ask(name, dns::Type::txt);
    if (!answer.known()) {
        findings.add(Weight::unseen, "lookup-failed", dns.failure(name, dns::Type::txt, answer).what);
        return {};
    }
    std::string found;
    std::vector<std::string> near_misses;
    std::size_t count = 0;
    for (const std::string& text : answer.records.texts) {
        if (kind.is_record(text)) {
            if (++count == 1) found = text;
        } else if (base::icontains(text.substr(0, 16), kind.version.substr(2))) {
            near_misses.push_back(base::one_line(text, 60));
        }
    }
    for (const std::string& text : near_misses) {
        if (count == 1) {
            findings.add(Weight::note, "stray",
                         fmt::format("\"{}\" beside the record is no {} record, so senders skip it; remove it", text,
                                     kind.name));
        } else {
            findings.add(Weight::broken, "near-miss",
                         fmt::format("\"{}\" is no {} record: it must begin with exactly \"{};\"", text, kind.name,
                                     kind.version));
        }
    }
    if (count == 1) return found;
    if (count > 1) {
        findings.add(Weight::broken, "several-records",
                     fmt::format("{} {} records at {}, so senders ignore them all; keep one", count, kind.name, name));
    } else if (!findings.has(Weight::broken)) {
        findings.add(Weight::absent, "absent", fmt::format("there is no {} record", kind.name), kind.remedy);
    }
    return {};
}

}  // namespace mtawatch::probe::mail_auth
