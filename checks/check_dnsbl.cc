// check_dnsbl: alerts when a sending address or a domain is on a blocklist.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <set>

#include "shared/base/text.h"
#include "shared/plugin/check.h"
#include "shared/probe/dnsbl/dnsbl.h"

namespace mtawatch::checks {
namespace {

using base::fail;
using base::Result;
using plugin::Kind;
using plugin::Options;
using plugin::Report;
using plugin::State;
using plugin::Thresholds;
using probe::dnsbl::DnsblObservation;
using probe::dnsbl::DnsblResult;
using probe::dnsbl::ListHealth;
using probe::dnsbl::ListSeverity;
using probe::dnsbl::Verdict;

constexpr std::size_t max_named = 8;  // lists or targets named in one line

options::OptionTable options() {
    return options::options_of(
        {{{.name = "address",
           .letter = 'a',
           .kind = Kind::target,
           .metavar = "IP|NETWORK|NAME",
           .help = "Address to look for; a name means all its addresses",
           .repeatable = true},
          {.name = "hostname",
           .letter = 'H',
           .kind = Kind::target,
           .metavar = "IP|NETWORK|NAME",
           .help = "The same as -a",
           .repeatable = true},
          {.name = "domain",
           .letter = 'd',
           .kind = Kind::domain,
           .metavar = "NAME",
           .help = "Domain to look for",
           .repeatable = true},
          {.name = "list",
           .letter = 'l',
           .metavar = "ZONE[=critical|advisory]",
           .help = "List to ask",
           .fallback_text = "the enabled ones of the built-in set",
           .repeatable = true},
          {.name = "list-file", .metavar = "FILE", .help = "Lists in the format of the built-in set (YAML)"},
          {.name = "min-answers",
           .kind = Kind::number,
           .metavar = "PERCENT",
           .help = "UNKNOWN when fewer of the lists could tell about a target",
           .fallback = "50",
           .least = 0,
           .most = 100},
          {.name = "no-self-test",
           .kind = Kind::flag,
           .help = "Do not ask the lists for their test entries (RFC 5782)"},
          {.name = "concurrency",
           .kind = Kind::integer,
           .metavar = "N",
           .help = "Questions under way at once; more than 128 overflow the resolver's socket buffer",
           .fallback = "100",
           .least = 1,
           .most = 20000},
          {.name = "warning",
           .letter = 'w',
           .kind = Kind::range,
           .help = "Listings",
           .fallback_text = "any on an advisory list"},
          {.name = "critical",
           .letter = 'c',
           .kind = Kind::range,
           .help = "Listings",
           .fallback_text = "any on a critical list"}},
         plugin::dns_options()});
}

Result<void> fits(const probe::dnsbl::DnsblQuery& query, const base::Deadline& deadline) {
    const probe::dnsbl::DnsblEffort effort = probe::dnsbl::dnsbl_effort(query);
    const auto least = std::chrono::duration<double>(effort.least_time).count();
    if (least <= std::chrono::duration<double>(deadline.remaining()).count()) return {};
    return fail(base::Fault::usage, "{} on {} take about {:.0f} s: give -t {:.0f} or more",
                base::counted(query.targets.size(), "target"), base::counted(effort.lists, "list"), std::ceil(least),
                std::ceil(least / plugin::target_share) + 1);
}

Result<probe::dnsbl::DnsblQuery> query_of(const Options& options, const base::Deadline& deadline,
                                          probe::world::World& world) {
    probe::dnsbl::DnsblQuery query;
    query.resolver.servers = options.list("dns-server");
    query.resolver.window = static_cast<std::size_t>(options.integer("concurrency"));
    query.self_test = !options.flag("no-self-test");
    auto lists = probe::dnsbl::choose_dnsbl_lists(options.list("list"), options.find_text("list-file"), *world.files);
    if (!lists) return fail(lists.error());
    query.lists = std::move(*lists);
    auto addresses = options.list("address");
    const auto more = options.list("hostname");
    addresses.insert(addresses.end(), more.begin(), more.end());
    const auto domains = options.list("domain");
    auto targets = probe::dnsbl::dnsbl_targets(addresses, domains, query.resolver, deadline, world);
    if (!targets) return fail(targets.error());
    query.targets = std::move(*targets);
    if (auto done = fits(query, deadline); !done) return fail(done.error());
    return query;
}

struct DnsblLimits {
    Thresholds listings;      // without any, the severity of each listing decides
    double min_answers = 50;  // percent
};

DnsblLimits limits_of(const Options& options) { return {options.thresholds(), options.number("min-answers")}; }

const std::string& target_of(const DnsblObservation& seen, const DnsblResult& result) {
    return seen.targets[result.target];
}

bool is_listing(const DnsblResult& result) {
    return result.verdict == Verdict::listed && result.severity != ListSeverity::none;
}

// "192.0.2.1 is listed by zen.spamhaus.org: SBL: spam source (127.0.0.2), "reason"; look up and remove: https://…".
std::string listing_text(const DnsblObservation& seen, const DnsblResult& result) {
    const probe::dnsbl::DnsblList& list = seen.lists[result.list];
    std::string text = fmt::format("{} is listed by {}", target_of(seen, result), list.name);
    if (!result.asked.empty()) text += fmt::format(" (asked for {})", result.asked);
    if (!result.meaning.empty()) text += ": " + result.meaning;
    text += fmt::format(" ({})", fmt::join(result.codes, ", "));
    if (!result.text.empty()) text += fmt::format(", \"{}\"", result.text);
    if (!list.delist.empty()) text += "; delisting: " + list.delist;
    return text;
}

struct ListingCounts {
    std::size_t critical = 0;
    std::size_t advisory = 0;
    std::size_t unknown = 0;
    [[nodiscard]] std::size_t listings() const { return critical + advisory; }
};

ListingCounts count(const DnsblObservation& seen) {
    ListingCounts counts;
    for (const DnsblResult& result : seen.results) {
        if (result.verdict == Verdict::unknown) ++counts.unknown;
        if (!is_listing(result)) continue;
        ++(result.severity == ListSeverity::critical ? counts.critical : counts.advisory);
    }
    return counts;
}

void judge_listings(const DnsblObservation& seen, const DnsblLimits& limits, const ListingCounts& counts,
                    Report& report) {
    const bool by_count = limits.listings.any();
    const auto total = static_cast<double>(counts.listings());
    const State state = limits.listings.judge(total);
    for (const DnsblResult& result : seen.results) {
        if (is_listing(result)) {
            const State own = result.severity == ListSeverity::critical ? State::critical : State::warning;
            report.add(by_count ? state : own, listing_text(seen, result));
        } else if (result.verdict == Verdict::listed) {
            report.note(1, fmt::format("{} is on the allow list {} ({})", target_of(seen, result),
                                       seen.lists[result.list].name, fmt::join(result.codes, ", ")));
        }
    }
    if (by_count && state != State::ok) {
        report.add(state,
                   fmt::format("{}, {}", base::counted(counts.listings(), "listing"), limits.listings.reason(total)));
    }
}

// "psbl.surriel.com (no answer in time), bl.spamcop.net (REFUSED) and 3 more": lists that could not tell about
// something, each once.
std::string unable_lists(const DnsblObservation& seen, std::size_t& number) {
    std::map<std::uint32_t, std::string> reasons;
    for (const DnsblResult& result : seen.results) {
        if (result.verdict == Verdict::unknown) reasons.emplace(result.list, result.why);
    }
    number = reasons.size();
    std::string text;
    std::size_t named = 0;
    for (const auto& [list, why] : reasons) {
        if (named == max_named) return text + fmt::format(" and {} more", reasons.size() - named);
        if (named++ > 0) text += ", ";
        text += fmt::format("{} ({})", seen.lists[list].name, why);
    }
    return text;
}

struct AnswerShare {
    std::size_t able = 0;
    std::size_t asked = 0;
    [[nodiscard]] double percent() const {
        return asked == 0 ? 0 : 100.0 * static_cast<double>(able) / static_cast<double>(asked);
    }
};

std::vector<AnswerShare> shares(const DnsblObservation& seen) {
    std::vector<AnswerShare> all(seen.targets.size());
    for (const DnsblResult& result : seen.results) {
        ++all[result.target].asked;
        if (result.verdict != Verdict::unknown) ++all[result.target].able;
    }
    return all;
}

// The one sentence when no list can help because of the resolver, else nothing.
std::string resolver_trouble(const DnsblObservation& seen) {
    if (!seen.any_asked)
        return "none of the lists is asked any more, so nothing is known; name living ones with --list";
    if (!seen.resolver_answered) {
        return fmt::format("the resolver {} does not answer, so nothing is known; name another with --dns-server",
                           seen.resolver);
    }
    const bool all_refuse = std::ranges::all_of(seen.results, [](const DnsblResult& result) { return result.refused; });
    if (!all_refuse) return {};
    return fmt::format(
        "every list refuses the resolver {} (public, open or too busy): ask through a resolver of your "
        "own with --dns-server, or use keyed zones (key_file in --list-file)",
        seen.resolver);
}

void judge_answers(const DnsblObservation& seen, const DnsblLimits& limits, Report& report) {
    const auto all = shares(seen);
    const auto poor = [&limits](const AnswerShare& share) {
        return share.able == 0 || share.percent() < limits.min_answers;
    };
    const auto number = static_cast<std::size_t>(std::ranges::count_if(all, poor));
    if (number == 0) return;
    if (const std::string trouble = resolver_trouble(seen); !trouble.empty()) {
        report.add(State::unknown, trouble);
        return;
    }
    const auto worst = std::ranges::min_element(
        all, [](const AnswerShare& a, const AnswerShare& b) { return a.percent() < b.percent(); });
    std::size_t unable = 0;
    const std::string names = unable_lists(seen, unable);
    const std::string& target = seen.targets[static_cast<std::size_t>(worst - all.begin())];
    std::string text = worst->asked == 1
                           ? "the list could not tell"
                           : fmt::format("{} of {} lists could tell",
                                         worst->able == 0 ? "none" : fmt::format("only {}", worst->able), worst->asked);
    text += " about " + target;
    if (number > 1) text += fmt::format(" and too few about {} more", number - 1);
    report.add(State::unknown, fmt::format("{} (--min-answers {:g}): {}", text, limits.min_answers, names));
}

void judge_lists(const DnsblObservation& seen, Report& report) {
    for (std::size_t i = 0; i < seen.lists.size(); ++i) {
        const probe::dnsbl::DnsblList& list = seen.lists[i];
        const probe::dnsbl::DnsblListState& state = seen.states[i];
        if (!list.dead.empty()) {
            report.add(State::warning, fmt::format("{} is no list any more ({}): take it out of the configuration",
                                                   list.name, list.dead));
        } else if (state.health != ListHealth::ok && !state.why.empty()) {
            report.note(1, fmt::format("{} does not count: {}", list.name, state.why));
        }
    }
}

// "on none of 3 lists", "not on zen.spamhaus.org": the blocklists that could tell; of allow lists alone, what they say.
std::string not_listed(const DnsblObservation& seen) {
    std::set<std::uint32_t> block;
    std::set<std::uint32_t> allow;
    bool allowed = false;
    for (const DnsblResult& result : seen.results) {
        if (result.verdict == Verdict::unknown) continue;
        const bool allows = seen.lists[result.list].kind == probe::dnsbl::ListKind::allow;
        (allows ? allow : block).insert(result.list);
        allowed = allowed || (allows && result.verdict == Verdict::listed);
    }
    if (block.size() == 1) return "not on " + seen.lists[*block.begin()].name;
    if (block.empty() && allow.size() == 1 && seen.targets.size() == 1) {
        return fmt::format("{}on the allow list {}", allowed ? "" : "not ", seen.lists[*allow.begin()].name);
    }
    return fmt::format("on none of {}", base::counted(block.size(), "list"));
}

// The names that lists of registered domains were asked for in place of the targets: "example.co.uk (2 lists)".
std::string registered_names(const DnsblObservation& seen) {
    std::map<std::string, std::set<std::uint32_t>> names;
    for (const DnsblResult& result : seen.results) {
        if (!result.asked.empty()) names[result.asked].insert(result.list);
    }
    std::vector<std::string> texts;
    for (const auto& [name, lists] : names) {
        if (texts.size() == max_named) {
            texts.push_back(fmt::format("{} more", names.size() - max_named));
            break;
        }
        texts.push_back(fmt::format("{} ({})", name, base::counted(lists.size(), "list")));
    }
    return base::join(texts, ", ");
}

std::string clean_summary(const DnsblObservation& seen, const ListingCounts& counts) {
    const std::string who =
        seen.targets.size() == 1 ? seen.targets.front() + " is" : fmt::format("{} targets are", seen.targets.size());
    std::size_t unable = 0;
    const std::string names = unable_lists(seen, unable);
    std::string text = counts.listings() == 0
                           ? fmt::format("{} {}", who, not_listed(seen))
                           : fmt::format("{} within the limits", base::counted(counts.listings(), "listing"));
    if (const std::string asked = registered_names(seen); !asked.empty()) text += "; asked for " + asked;
    if (unable == 1) text += "; one list could not tell: " + names;
    if (unable > 1) text += fmt::format("; {} lists could not tell: {}", unable, names);
    return text;
}

Report judge(const DnsblObservation& seen, const DnsblLimits& limits) {
    Report report;
    const ListingCounts counts = count(seen);
    judge_listings(seen, limits, counts, report);
    judge_answers(seen, limits, report);
    judge_lists(seen, report);
    for (const std::string& note : seen.notes) report.note(1, note);
    const bool trouble =
        std::ranges::any_of(report.details, [](const plugin::Detail& detail) { return detail.state != State::ok; });
    if (!trouble) {
        report.summary = clean_summary(seen, counts);
        report.add(State::ok, report.summary);
    }
    report.figure("listings", static_cast<double>(counts.listings()), plugin::Unit::none, limits.listings, 0.0);
    report.figure("critical", static_cast<double>(counts.critical), plugin::Unit::none, {}, 0.0);
    report.figure("advisory", static_cast<double>(counts.advisory), plugin::Unit::none, {}, 0.0);
    report.figure("could_not_tell", static_cast<double>(counts.unknown), plugin::Unit::none, {}, 0.0,
                  static_cast<double>(seen.results.size()));
    report.figure("lists", static_cast<double>(seen.lists.size()), plugin::Unit::none, {}, 0.0);
    report.figure("time", std::chrono::duration<double>(seen.took).count(), plugin::Unit::seconds, {}, 0.0);
    report.observation = to_json(seen);
    return report;
}

Result<Report> run(const Options& options, const base::Deadline& deadline, probe::world::World& world) {
    const auto query = query_of(options, deadline, world);
    if (!query) return fail(query.error());
    const auto seen = probe::dnsbl::dnsbl(*query, deadline, world);
    if (!seen) return fail(seen.error());
    return judge(*seen, limits_of(options));
}

}  // namespace

plugin::Check dnsbl() {
    return {.name = "dnsbl",
            .purpose = "Alerts when a sending address or a domain is on a blocklist",
            .options = options(),
            .run = run,
            .example = "check_dnsbl -a 192.0.2.1 -d example.com --dns-server 127.0.0.1"};
}

}  // namespace mtawatch::checks
