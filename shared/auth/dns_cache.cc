#include "shared/auth/dns_cache.h"

#include <algorithm>
#include <set>
#include <utility>
#include <vector>

#include "shared/base/text.h"
#include "shared/dns/names.h"

namespace mtawatch::auth {

const dns::Answer& DnsCache::ask(std::string_view name, dns::Type type) {
    Key key(base::to_lower(name), type);
    const auto found = answers_.find(key);
    if (found != answers_.end()) return found->second;
    if (below_ != nullptr) {
        dns::Answer answer = changed(key, below_->ask(key.first, type));
        return answers_.emplace(std::move(key), std::move(answer)).first->second;
    }
    dns::Question question;
    question.name = key.first;
    question.type = type;
    return answers_.emplace(std::move(key), dns::lookup(transport_, question, deadline_)).first->second;
}

void DnsCache::fetch(std::span<const dns::Question> questions) {
    if (below_ != nullptr) return below_->fetch(questions);
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

void DnsCache::publish(std::string_view name, dns::Type type, dns::Records records) {
    dns::Answer answer;
    answer.outcome = dns::Outcome::records;
    answer.records = std::move(records);
    published_[Key(base::to_lower(name), type)] = std::move(answer);
    answers_.clear();  // what was asked through this view before
}

// What the answer becomes with the published records: their own name, a CNAME that leads there, and names that exist
// because of them.
dns::Answer DnsCache::changed(const Key& key, const dns::Answer& below) const {
    const std::string& owner = below.chain.empty() ? key.first : below.chain.back();
    if (const auto found = published_.find(Key(base::to_lower(owner), key.second)); found != published_.end()) {
        dns::Answer answer = found->second;
        answer.chain = below.chain;
        return answer;
    }
    dns::Answer answer = below;
    const bool exists =
        std::ranges::any_of(published_, [&owner](const auto& one) { return dns::is_within(one.first.first, owner); });
    if (exists && answer.outcome == dns::Outcome::no_name) answer.outcome = dns::Outcome::no_data;
    return answer;
}

base::Error DnsCache::failure(std::string_view name, dns::Type type, const dns::Answer& answer) const {
    dns::Question question;
    question.name = name;
    question.type = type;
    return dns::failure_error(transport_, question, answer);
}

}  // namespace mtawatch::auth
