#include "shared/auth/dns_cache.h"

#include <set>
#include <utility>
#include <vector>

#include "shared/base/text.h"

namespace mtawatch::auth {

const dns::Answer& DnsCache::ask(std::string_view name, dns::Type type) {
    Key key(base::to_lower(name), type);
    const auto found = answers_.find(key);
    if (found != answers_.end()) return found->second;
    dns::Question question;
    question.name = key.first;
    question.type = type;
    return answers_.emplace(std::move(key), dns::lookup(transport_, question, deadline_)).first->second;
}

void DnsCache::fetch(std::span<const dns::Question> questions) {
    std::vector<dns::Question> fresh;
    std::set<Key> keys;
    for (const dns::Question& question : questions) {
        Key key(base::to_lower(question.name), question.type);
        if (answers_.contains(key) || !keys.insert(key).second) continue;
        fresh.push_back(question);
        fresh.back().name = key.first;
    }
    if (fresh.empty()) return;
    std::vector<dns::Answer> answers = dns::lookup_many(transport_, fresh, deadline_);
    for (std::size_t i = 0; i < fresh.size(); ++i) {
        answers_.emplace(Key(fresh[i].name, fresh[i].type), std::move(answers[i]));
    }
}

base::Error DnsCache::failure(std::string_view name, dns::Type type, const dns::Answer& answer) const {
    dns::Question question;
    question.name = name;
    question.type = type;
    return dns::failure_error(transport_, question, answer);
}

}  // namespace mtawatch::auth
