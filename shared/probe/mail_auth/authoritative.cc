#include "shared/probe/mail_auth/authoritative.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <map>

#include "shared/dns/lookup.h"
#include "shared/dns/names.h"
#include "shared/dns/transport.h"

namespace mtawatch::probe::mail_auth {

namespace {

// The NS names of the nearest zone at or above `name`.
std::vector<std::string> name_servers(auth::DnsCache& dns, std::string_view name) {
    for (; name.find('.') != std::string_view::npos; name = dns::parent(name)) {
        const dns::Answer& answer = dns.ask(name, dns::Type::ns);
        if (answer.found()) return answer.records.names;
        if (!answer.known()) return {};
    }
    return {};
}

// Why a name server of the zone gave no answer; it is no resolver that another one could stand in for.
std::string words_for(const dns::Answer& answer) {
    switch (answer.failure) {
        case dns::Failure::timeout:
            return "no answer";
        case dns::Failure::unreachable:
            return "it cannot be reached";
        case dns::Failure::deadline:
            return "the time of the run was over";
        case dns::Failure::referral:
            return "it does not serve this zone and names other servers (a lame delegation)";
        case dns::Failure::malformed:
            return "its answer cannot be read";
        default:
            return fmt::format("it answers {}{}", dns::failure_text(answer),
                               answer.reason.empty() ? "" : ": " + answer.reason);
    }
}

ServerView ask_server(const std::string& host, const base::IpAddress& address, const std::string& name,
                      const base::Deadline& deadline, const world::World& world) {
    ServerView view;
    view.server = fmt::format("{} ({})", host, address.to_string());
    dns::ResolverSettings settings;
    settings.servers.push_back({address, 53});
    auto transport = world.open_dns(settings);
    if (!transport) {
        view.failure = transport.error().what;
        return view;
    }
    dns::Question question;
    question.name = name;
    question.type = dns::Type::txt;
    const dns::Answer answer = dns::lookup(**transport, question, deadline);
    if (!answer.known()) {
        view.failure = fmt::format("TXT {}: {}", name, words_for(answer));
        return view;
    }
    view.texts = answer.records.texts;
    std::ranges::sort(view.texts);
    return view;
}

}  // namespace

std::vector<ServerView> ask_authoritative(auth::DnsCache& dns, const std::string& name, const base::Deadline& deadline,
                                          const world::World& world) {
    std::vector<ServerView> views;
    for (const std::string& host : name_servers(dns, name)) {
        for (const dns::Type type : {dns::Type::a, dns::Type::aaaa}) {
            for (const base::IpAddress& address : dns.ask(host, type).records.addresses) {
                if (views.size() == max_authoritative_servers) return views;
                views.push_back(ask_server(host, address, name, deadline, world));
            }
        }
    }
    return views;
}

void compare_servers(const std::vector<ServerView>& views, bool (*keep)(std::string_view), std::string_view what,
                     Findings& findings) {
    if (views.empty()) findings.add(Weight::unseen, "no-servers", "the authoritative servers could not be found");
    std::map<std::vector<std::string>, std::vector<std::string>> groups;  // the servers by what they say
    for (const ServerView& view : views) {
        if (!view.failure.empty()) {
            findings.add(Weight::unseen, "server-failed", fmt::format("{}: {}", view.server, view.failure));
            continue;
        }
        std::vector<std::string> kept;
        std::ranges::copy_if(view.texts, std::back_inserter(kept),
                             [keep](const std::string& text) { return keep(text); });
        groups[kept].push_back(view.server);
    }
    if (groups.size() < 2) return;
    std::string text = fmt::format("the authoritative servers publish different {} records", what);
    for (const auto& [texts, servers] : groups) {
        text += fmt::format("; {}: {}", fmt::join(servers, ", "),
                            texts.empty() ? "none" : fmt::format("\"{}\"", fmt::join(texts, "\" \"")));
    }
    findings.add(Weight::broken, "servers-differ", text);
}

}  // namespace mtawatch::probe::mail_auth
