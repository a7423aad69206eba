#include "exporter/web/password_queue.h"

#include <algorithm>
#include <utility>

namespace mtawatch::exporter::web {
namespace {

constexpr auto remembered = std::chrono::minutes(10);
// Beyond so many addresses none is worth remembering.
constexpr std::size_t max_failures = 10'000;

}  // namespace

void PasswordQueue::Line::push(const std::string& from, PasswordCheck check) {
    auto& own = waiting[from];
    if (own.empty()) turns.push_back(from);
    own.push_back(std::move(check));
    ++size;
}

PasswordQueue::Next PasswordQueue::Line::pop() {
    Next next{std::move(turns.front()), {}};
    turns.pop_front();
    const auto own = waiting.find(next.from);
    next.check = std::move(own->second.front());
    own->second.pop_front();
    --size;
    if (own->second.empty()) {
        waiting.erase(own);
    } else {
        turns.push_back(next.from);
    }
    return next;
}

std::map<std::string, std::deque<PasswordCheck>>::iterator PasswordQueue::Line::longest() {
    return std::ranges::max_element(waiting, {}, [](const auto& one) { return one.second.size(); });
}

bool PasswordQueue::failed_lately(const std::string& from, Time now) const {
    const auto found = failures_.find(from);
    return found != failures_.end() && now - found->second < remembered;
}

void PasswordQueue::add(const std::string& from, PasswordCheck check, Time now) {
    Line& line = failed_lately(from, now) ? failed_ : fresh_;
    if (size() >= places_ && !make_room(from, line)) return check.turn_away();
    line.push(from, std::move(check));
}

// The last one of whoever has most places goes, unless that is the one who asks.
bool PasswordQueue::make_room(const std::string& from, const Line& line) {
    Line& giving = failed_.size > 0 ? failed_ : fresh_;
    if (giving.size == 0) return false;
    const auto most = giving.longest();
    if (&giving == &line) {
        const auto own = giving.waiting.find(from);
        const std::size_t has = own == giving.waiting.end() ? 0 : own->second.size();
        if (most->second.size() <= has + 1) return false;
    }
    const PasswordCheck last = std::move(most->second.back());
    most->second.pop_back();
    --giving.size;
    if (most->second.empty()) {
        giving.turns.remove(most->first);
        giving.waiting.erase(most);
    }
    last.turn_away();
    return true;
}

std::optional<PasswordQueue::Next> PasswordQueue::next() {
    while (size() > 0) {
        Next next = (fresh_.size > 0 ? fresh_ : failed_).pop();
        if (!next.check.gone()) return next;
    }
    return std::nullopt;
}

void PasswordQueue::checked(const std::string& from, bool right, Time now) {
    if (right) {
        failures_.erase(from);
        return;
    }
    if (failures_.size() >= max_failures) failures_.clear();
    failures_[from] = now;
}

void PasswordQueue::clear() {
    fresh_ = {};
    failed_ = {};
}

}  // namespace mtawatch::exporter::web
