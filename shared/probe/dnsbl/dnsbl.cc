#include "shared/probe/dnsbl/dnsbl.h"

#include <algorithm>
#include <array>
#include <iterator>
#include <map>
#include <utility>

#include "shared/auth/public_suffix.h"
#include "shared/base/text.h"
#include "shared/dns/lookup.h"
#include "shared/dns/names.h"
#include "shared/probe/dnsbl/dnsbl_verdict.h"

namespace mtawatch::probe::dnsbl {
namespace {

using base::fail;
using base::Fault;
using base::IpAddress;
using base::Result;

// Questions held in memory at once; between batches, lists that turned out silent are dropped.
constexpr std::size_t batch_questions = 16'384;
// Reasons are asked for this many listings; whoever has more of them needs no reason for each.
constexpr std::size_t max_reasons = 500;
constexpr std::size_t max_text_bytes = 300;  // of a reason; a pager line
constexpr base::Duration usual_answer_time = std::chrono::milliseconds(30);
constexpr base::Duration question_time = std::chrono::seconds(2);

// What one question is for.
struct Purpose {
    enum class Kind { target, test_listed, test_clean } kind = Kind::target;
    std::uint32_t list = 0;
    std::uint32_t target = 0;
};

struct Asked {
    std::vector<dns::Question> questions;
    std::vector<Purpose> purposes;
};

// RFC 5782 section 5: 127.0.0.2 and 127.0.0.1 in the form of each family, TEST and INVALID for names.
std::string test_label(std::uint8_t last, bool v6) {
    if (!v6) return dns::reversed_labels(IpAddress::v4(127, 0, 0, last));
    return dns::reversed_labels(IpAddress::v6({0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 0x7f, 0, 0, last}));
}

std::vector<DnsblList> fitting_lists(const DnsblQuery& query) {
    std::vector<DnsblList> lists;
    std::ranges::copy_if(query.lists, std::back_inserter(lists), [&query](const DnsblList& list) {
        return (list.takes_addresses() && !query.targets.addresses.empty()) ||
               (list.takes_domains() && !query.targets.domains.empty());
    });
    return lists;
}

// Which kinds of target the run has, to test the lists for those alone.
struct Kinds {
    bool v4 = false;
    bool v6 = false;
    bool domain = false;
};

class DnsblRun {
  public:
    DnsblRun(const DnsblQuery& query, const base::Deadline& deadline, dns::Transport& transport)
        : query_(query), deadline_(deadline), transport_(transport) {}

    Result<DnsblObservation> all();

  private:
    [[nodiscard]] bool goes_together(const DnsblList& list, std::size_t target) const;
    [[nodiscard]] std::string target_label(std::size_t target) const;
    [[nodiscard]] std::string target_label(std::size_t target, const DnsblList& list) const;
    void ask_tests();
    void add_points(std::uint32_t list, Purpose::Kind kind);
    void ask_targets();
    void ask_target(std::uint32_t target, std::uint32_t list, const std::string& label);
    void copy_results();
    void flush();
    void take(const Purpose& purpose, const dns::Answer& answer);
    void settle_health();
    void ask_reasons();
    void add(std::string label, const DnsblList& list, Purpose purpose);

    const DnsblQuery& query_;
    const base::Deadline& deadline_;
    dns::Transport& transport_;
    DnsblObservation seen_;
    Kinds kinds_;
    Asked asked_;
    std::vector<TestAnswers> tests_;
    struct Again {
        std::uint32_t target = 0;
        std::uint32_t list = 0;
        std::uint32_t first = 0;  // the target that the list was asked the same for
    };
    std::map<std::pair<std::uint32_t, std::string>, std::uint32_t> first_;  // by list and label: the target asked for
    std::vector<Again> again_;
    std::vector<bool> silent_;  // per list: nothing but silence so far, in a whole batch
};

bool DnsblRun::goes_together(const DnsblList& list, std::size_t target) const {
    const auto& addresses = query_.targets.addresses;
    if (target >= addresses.size()) return list.takes_domains();
    return list.takes_addresses() && (list.ipv6 || addresses[target].is_v4());
}

std::string DnsblRun::target_label(std::size_t target) const {
    const auto& addresses = query_.targets.addresses;
    return target < addresses.size() ? dns::reversed_labels(addresses[target])
                                     : query_.targets.domains[target - addresses.size()];
}

// As the list holds it; "" when it holds no such names.
std::string DnsblRun::target_label(std::size_t target, const DnsblList& list) const {
    const std::string label = target_label(target);
    return list.registered && target >= query_.targets.addresses.size() ? auth::registrable_domain(label) : label;
}

void DnsblRun::add(std::string label, const DnsblList& list, Purpose purpose) {
    label += '.';
    label += list.zone;
    asked_.questions.push_back({std::move(label), dns::Type::a, false, purpose.list + 1});
    asked_.purposes.push_back(purpose);
}

void DnsblRun::add_points(std::uint32_t index, Purpose::Kind kind) {
    const DnsblList& list = seen_.lists[index];
    const bool listed = kind == Purpose::Kind::test_listed;
    const auto& own = listed ? list.test_listed : list.test_clean;
    const auto own_of = [&own](bool names) {
        std::vector<std::string> labels;
        for (const std::string& point : own) {
            const auto address = IpAddress::parse(point);
            if (names == !address) labels.push_back(address ? dns::reversed_labels(*address) : point);
        }
        return labels;
    };
    const Purpose purpose{kind, index, 0};
    if (list.takes_addresses() && (kinds_.v4 || kinds_.v6)) {
        auto labels = own_of(false);
        if (labels.empty() && kinds_.v4) labels.push_back(test_label(listed ? 2 : 1, false));
        if (labels.empty() || (kinds_.v6 && list.ipv6 && own.empty())) {
            if (kinds_.v6 && list.ipv6) labels.push_back(test_label(listed ? 2 : 1, true));
        }
        for (std::string& label : labels) add(std::move(label), list, purpose);
    }
    if (list.takes_domains() && kinds_.domain) {
        auto labels = own_of(true);
        if (labels.empty()) labels.emplace_back(listed ? "test" : "invalid");
        for (std::string& label : labels) add(std::move(label), list, purpose);
    }
}

void DnsblRun::ask_tests() {
    for (std::uint32_t list = 0; list < seen_.lists.size(); ++list) {
        if (!seen_.lists[list].dead.empty()) continue;
        add_points(list, Purpose::Kind::test_listed);
        add_points(list, Purpose::Kind::test_clean);
    }
}

// Target by target, so that the lists share the load evenly.
void DnsblRun::ask_targets() {
    for (std::uint32_t target = 0; target < query_.targets.size(); ++target) {
        const std::string label = target_label(target);
        for (std::uint32_t list = 0; list < seen_.lists.size(); ++list) {
            if (goes_together(seen_.lists[list], target)) ask_target(target, list, label);
        }
        if (asked_.questions.size() >= batch_questions) flush();
    }
    flush();
    copy_results();
}

void DnsblRun::ask_target(std::uint32_t target, std::uint32_t list, const std::string& label) {
    const Purpose purpose{Purpose::Kind::target, list, target};
    const auto not_asked = [&](const char* why) {
        DnsblResult result;
        result.target = target;
        result.list = list;
        result.why = why;
        seen_.results.push_back(std::move(result));
    };
    if (!seen_.lists[list].dead.empty()) return not_asked("not asked");
    std::string own = label;
    if (seen_.lists[list].registered) {
        own = target_label(target, seen_.lists[list]);
        if (own.empty()) return not_asked("it holds registered domains, and this is a public suffix");
        const auto [first, fresh] = first_.emplace(std::pair(list, own), target);
        if (!fresh) return again_.push_back({target, list, first->second});
    }
    if (silent_[list]) {
        dns::Answer answer;
        answer.failure = dns::Failure::timeout;
        take(purpose, answer);
    } else {
        add(std::move(own), seen_.lists[list], purpose);
    }
}

// What two targets have in common is asked once.
void DnsblRun::copy_results() {
    for (const Again& again : again_) {
        const auto found = std::ranges::find_if(seen_.results, [&again](const DnsblResult& result) {
            return result.list == again.list && result.target == again.first;
        });
        if (found == seen_.results.end()) continue;
        DnsblResult copy = *found;
        copy.target = again.target;
        seen_.results.push_back(std::move(copy));
    }
    for (DnsblResult& result : seen_.results) {
        if (!seen_.lists[result.list].registered) continue;
        std::string label = target_label(result.target, seen_.lists[result.list]);
        if (label != seen_.targets[result.target]) result.asked = std::move(label);
    }
}

void DnsblRun::flush() {
    seen_.any_asked = seen_.any_asked || !asked_.questions.empty();
    const auto answers = dns::lookup_many(transport_, asked_.questions, deadline_);
    std::vector<bool> answered(seen_.lists.size(), false);
    std::vector<bool> asked(seen_.lists.size(), false);
    for (std::size_t i = 0; i < answers.size(); ++i) {
        const std::uint32_t list = asked_.purposes[i].list;
        asked[list] = true;
        const dns::Failure failure = answers[i].failure;
        if (failure != dns::Failure::timeout) answered[list] = true;
        seen_.resolver_answered =
            seen_.resolver_answered || (failure != dns::Failure::timeout && failure != dns::Failure::unreachable &&
                                        failure != dns::Failure::deadline);
        take(asked_.purposes[i], answers[i]);
    }
    for (std::size_t list = 0; list < answered.size(); ++list) {
        if (asked[list] && !answered[list]) silent_[list] = true;
    }
    asked_ = {};
}

void DnsblRun::take(const Purpose& purpose, const dns::Answer& answer) {
    if (purpose.kind == Purpose::Kind::test_listed) {
        tests_[purpose.list].listed.push_back(answer);
        return;
    }
    if (purpose.kind == Purpose::Kind::test_clean) {
        tests_[purpose.list].clean.push_back(answer);
        return;
    }
    DnsblResult result = dnsbl_verdict(seen_.lists[purpose.list], answer);
    result.target = purpose.target;
    result.list = purpose.list;
    seen_.results.push_back(std::move(result));
}

// The verdicts of a list that fails its own test do not count.
void DnsblRun::settle_health() {
    for (std::size_t i = 0; i < seen_.lists.size(); ++i) {
        DnsblListState& state = seen_.states[i];
        if (!seen_.lists[i].dead.empty()) {
            state = {ListHealth::dead, seen_.lists[i].dead};
        } else if (!tests_[i].listed.empty() || !tests_[i].clean.empty()) {
            state = dnsbl_health(seen_.lists[i], tests_[i]);
        } else {
            state = {ListHealth::untested, query_.self_test ? "no target for it" : ""};
        }
    }
    for (DnsblResult& result : seen_.results) {
        const DnsblListState& state = seen_.states[result.list];
        const bool tested = query_.self_test || state.health == ListHealth::dead;
        if (!tested || state.health == ListHealth::ok) continue;
        // What the list said of the target itself explains more, where it was no verdict.
        if (result.verdict != Verdict::unknown || state.health == ListHealth::dead) result.why = state.why;
        result.verdict = Verdict::unknown;
        result.severity = ListSeverity::none;
        result.refused = result.refused || state.health == ListHealth::refused;
        result.meaning.clear();
    }
}

std::string clean_reason(const DnsblList& list, const std::vector<std::string>& texts) {
    std::string text = base::join(texts, " / ");
    if (!list.key.empty()) {
        for (std::size_t at = text.find(list.key); at != std::string::npos; at = text.find(list.key, at)) {
            text.replace(at, list.key.size(), "***");
        }
    }
    return base::one_line(text, max_text_bytes);
}

void DnsblRun::ask_reasons() {
    std::vector<dns::Question> questions;
    std::vector<std::size_t> of;
    for (std::size_t i = 0; i < seen_.results.size() && questions.size() < max_reasons; ++i) {
        const DnsblResult& result = seen_.results[i];
        if (result.verdict != Verdict::listed) continue;
        questions.push_back(
            {target_label(result.target, seen_.lists[result.list]) + "." + seen_.lists[result.list].zone,
             dns::Type::txt, false, result.list + 1});
        of.push_back(i);
    }
    if (questions.empty()) return;
    const auto answers = dns::lookup_many(transport_, questions, deadline_);
    for (std::size_t i = 0; i < answers.size(); ++i) {
        DnsblResult& result = seen_.results[of[i]];
        if (answers[i].found()) result.text = clean_reason(seen_.lists[result.list], answers[i].records.texts);
    }
}

Result<DnsblObservation> DnsblRun::all() {
    const auto start = deadline_.clock().steady();
    seen_.lists = fitting_lists(query_);
    if (seen_.lists.empty()) {
        return fail(Fault::usage, "none of the lists takes what was given; name others with --list");
    }
    seen_.states.resize(seen_.lists.size());
    seen_.notes = query_.targets.notes;
    seen_.resolver = transport_.describe();
    tests_.resize(seen_.lists.size());
    silent_.resize(seen_.lists.size(), false);
    for (const IpAddress& address : query_.targets.addresses) {
        (address.is_v4() ? kinds_.v4 : kinds_.v6) = true;
        seen_.targets.push_back(address.to_string());
    }
    kinds_.domain = !query_.targets.domains.empty();
    seen_.targets.insert(seen_.targets.end(), query_.targets.domains.begin(), query_.targets.domains.end());
    for (std::size_t target = 0; target < seen_.targets.size(); ++target) {
        const bool any =
            std::ranges::any_of(seen_.lists, [&](const DnsblList& list) { return goes_together(list, target); });
        if (any) continue;
        return fail(Fault::usage, "none of the lists takes {}: name one for {} with --list", seen_.targets[target],
                    target >= query_.targets.addresses.size() ? "domains" : "addresses of its family");
    }
    if (query_.self_test) ask_tests();
    ask_targets();
    settle_health();
    ask_reasons();
    seen_.took = deadline_.clock().steady() - start;
    return std::move(seen_);
}

}  // namespace

std::string_view name(Verdict verdict) {
    switch (verdict) {
        case Verdict::listed:
            return "listed";
        case Verdict::clean:
            return "clean";
        case Verdict::unknown:
            return "unknown";
    }
    return "unknown";
}

std::string_view name(ListHealth health) {
    switch (health) {
        case ListHealth::ok:
            return "ok";
        case ListHealth::dead:
            return "dead";
        case ListHealth::refused:
            return "refused";
        case ListHealth::timeout:
            return "timeout";
        case ListHealth::untested:
            return "untested";
    }
    return "untested";
}

DnsblEffort dnsbl_effort(const DnsblQuery& query) {
    const std::size_t lists = fitting_lists(query).size();
    const std::size_t window = query.resolver.window > 0 ? query.resolver.window : dns::default_window;
    const std::size_t group_window = dns::group_window_of(window);
    const std::size_t tests = query.self_test ? 2 : 0;
    const std::size_t per_list = query.targets.size() + tests;
    const std::size_t rounds =
        std::max((per_list * lists + window - 1) / window, (per_list + group_window - 1) / group_window);
    return {lists, usual_answer_time * static_cast<long>(rounds)};
}

Result<DnsblObservation> dnsbl(const DnsblQuery& query, const base::Deadline& deadline, const world::World& world) {
    if (query.targets.size() == 0 || query.lists.empty()) {
        return fail(Fault::usage, "nothing to look for: no target or no list");
    }
    world::ResolverChoice choice = query.resolver;
    // A question may not use up the whole run: the reasons of listings are asked after it.
    choice.question_time = std::min(question_time, deadline.remaining() / 2);
    const auto transport = world::open_resolver(world, choice);
    if (!transport) return fail(transport.error());
    return DnsblRun(query, deadline, **transport).all();
}

}  // namespace mtawatch::probe::dnsbl
