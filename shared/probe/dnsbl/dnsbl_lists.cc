#include "shared/probe/dnsbl/dnsbl_lists.h"

#include <algorithm>
#include <set>

#include "shared/base/text.h"
#include "shared/config/node.h"
#include "shared/dns/names.h"
#include "shared/io/files.h"

namespace mtawatch::probe::dnsbl {
namespace {

using base::fail;
using base::Fault;
using base::Result;

constexpr std::size_t max_key_bytes = 4096;
constexpr std::string_view key_mark = "{key}";

Result<void> read_key(DnsblList& list, const io::Files& files) {
    if (list.key.empty() || list.key_given) return {};
    const auto text = files.read(list.key, max_key_bytes);
    if (!text) return fail(text.error().at(fmt::format("list {}: key_file", list.name)));
    const std::string key(base::trim(*text));
    if (!dns::ascii_name(key)) {
        return fail(Fault::configuration, "list {}: key_file {} does not hold a key", list.name, list.key);
    }
    list.zone.replace(list.zone.find(key_mark), key_mark.size(), key);
    list.zone = base::to_lower(list.zone);
    list.key = key;
    return {};
}

const DnsblList* find_list(const DnsblCatalogue& catalogue, std::string_view wanted) {
    const auto found = std::ranges::find_if(catalogue.lists, [wanted](const DnsblList& list) {
        return base::iequals(list.name, wanted) || base::iequals(list.zone, wanted);
    });
    return found == catalogue.lists.end() ? nullptr : &*found;
}

// The keyed list whose zone with a key in it was written ("KEY.zen.dq.spamhaus.net"): known by its name, its key
// hidden.
std::optional<DnsblList> keyed_list(const DnsblCatalogue& catalogue, std::string_view wanted) {
    for (const DnsblList& list : catalogue.lists) {
        if (!list.zone.starts_with(key_mark)) continue;
        const std::string_view rest = std::string_view(list.zone).substr(key_mark.size());  // ".zen.dq.spamhaus.net"
        if (wanted.size() <= rest.size() || !base::iends_with(wanted, rest)) continue;
        const std::string_view key = wanted.substr(0, wanted.size() - rest.size());
        if (key.find('.') != std::string_view::npos || !dns::is_host_name(key)) continue;
        DnsblList keyed = list;
        keyed.zone = base::to_lower(wanted);
        keyed.key = key;
        keyed.key_given = true;
        return keyed;
    }
    return std::nullopt;
}

std::string known_names(const DnsblCatalogue& catalogue) {
    std::vector<std::string> names;
    for (const DnsblList& list : catalogue.lists) names.push_back(list.name);
    return base::join(names, ", ");
}

// One -l value; `catalogue` has the file's entries first.
Result<DnsblList> wanted_list(std::string_view text, const DnsblCatalogue& catalogue) {
    const std::size_t equals = text.find('=');
    std::string_view wanted = text.substr(0, equals);
    if (wanted.ends_with('.')) wanted.remove_suffix(1);
    std::optional<ListSeverity> severity;
    if (equals != std::string_view::npos) {
        const std::string_view word = text.substr(equals + 1);
        if (word != "critical" && word != "advisory") {
            return fail(Fault::usage, "list {}: \"{}\" is no severity; write {}=critical or {}=advisory", wanted,
                        base::one_line(word, 40), wanted, wanted);
        }
        severity = word == "advisory" ? ListSeverity::advisory : ListSeverity::critical;
    }
    DnsblList list;
    if (const DnsblList* known = find_list(catalogue, wanted)) {
        list = *known;
    } else if (auto keyed = keyed_list(catalogue, wanted)) {
        list = std::move(*keyed);
    } else {
        const auto zone = dns::ascii_name(wanted);
        if (!zone) return fail(zone.error().at("list"));
        if (zone->find('.') == std::string::npos) {
            return fail(Fault::usage, "unknown list \"{}\"; write the zone of a list, or one of: {}", *zone,
                        known_names(catalogue));
        }
        list.name = *zone;
        list.zone = *zone;
    }
    if (severity) {
        list.severity = *severity;
        for (ListCode& code : list.codes) {
            if (code.severity != ListSeverity::none) code.severity = *severity;
        }
    }
    return list;
}

Result<DnsblCatalogue> read_list_file(const std::string& path, const io::Files& files) {
    const auto text = files.read(path, config::max_bytes);
    if (!text) return fail(text.error().at("list file"));
    return parse_dnsbl_lists(*text, path);
}

}  // namespace

Result<std::vector<DnsblList>> choose_dnsbl_lists(const std::vector<std::string>& wanted,
                                                  const std::optional<std::string>& list_file, const io::Files& files) {
    DnsblCatalogue catalogue = dnsbl_builtin();
    std::vector<DnsblList> chosen;
    if (list_file) {
        auto own = read_list_file(*list_file, files);
        if (!own) return fail(own.error());
        chosen = own->lists;
        own->lists.insert(own->lists.end(), catalogue.lists.begin(), catalogue.lists.end());
        catalogue.lists = std::move(own->lists);
        catalogue.dead.insert(catalogue.dead.end(), own->dead.begin(), own->dead.end());
    } else {
        chosen = catalogue.lists;
    }
    if (wanted.empty()) {
        std::erase_if(chosen, [](const DnsblList& list) { return !list.enabled; });
    } else {
        chosen.clear();
        std::set<std::string> seen;
        for (const std::string& text : wanted) {
            auto list = wanted_list(text, catalogue);
            if (!list) return fail(list.error());
            if (!seen.insert(list->name).second) return fail(Fault::usage, "list {} is given twice", list->name);
            chosen.push_back(std::move(*list));
        }
    }
    if (chosen.empty()) return fail(Fault::configuration, "{}: no list in it is enabled", list_file.value_or(""));
    for (DnsblList& list : chosen) {
        for (const DeadList& dead : catalogue.dead) {
            if (dns::is_within(list.zone, dead.zone)) list.dead = dead.why;
        }
        if (auto done = read_key(list, files); !done) return fail(done.error());
    }
    return chosen;
}

}  // namespace mtawatch::probe::dnsbl
