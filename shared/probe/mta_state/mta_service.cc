#include "shared/probe/mta_state/mta_service.h"

#include <array>

#include "shared/base/text.h"
#include "shared/io/connector.h"
#include "shared/probe/world/dial.h"

namespace mtawatch::probe::mta_state {

namespace {

using base::fail;
using base::Fault;
using base::Result;

constexpr std::size_t max_url_body = 1U << 20U;  // only its status counts; a page for a liveness check has a few words
constexpr std::size_t max_greeting = 4096;       // RFC 5321 4.5.3.1.5: a reply line has 512 bytes; several may come

// "220-…" says that more lines of the same reply follow (RFC 5321 section 4.2.1).
bool is_continued(std::string_view line) {
    return line.size() > 3 && line[3] == '-' && base::to_number<int>(line.substr(0, 3)).has_value();
}

// Whether the reply has come to its last line.
bool is_whole(std::string_view text) {
    for (auto end = text.find('\n'); end != std::string_view::npos; end = text.find('\n')) {
        if (!is_continued(text.substr(0, end))) return true;
        text.remove_prefix(end + 1);
    }
    return false;
}

// A greeting is what the server sends before we send anything. Its first line is judged, but a server that never sends
// the last line has not greeted.
Result<std::string> read_greeting(io::Stream& stream, const base::Deadline& deadline) {
    std::string text;
    std::array<char, 512> buffer{};
    while (!is_whole(text)) {
        auto got = stream.read_some(buffer, deadline);
        if (!got) return fail(got.error());
        if (*got == 0) return fail(Fault::refused, "closed the connection without a greeting");
        text.append(buffer.data(), *got);
        if (text.size() > max_greeting) return fail(Fault::malformed, "sends something that is no greeting");
    }
    return text.substr(0, text.find('\n'));
}

// What the server does is a fact; only a name that cannot be looked up is a failed probe.
bool is_fact(Fault fault) {
    return fault == Fault::refused || fault == Fault::timeout || fault == Fault::malformed || fault == Fault::limit;
}

Result<BannerFacts> probe_banner(const HostPort& where, const base::Deadline& deadline, world::World& world) {
    BannerFacts facts;
    facts.endpoint = io::to_string({where.host, where.port});
    const auto begin = deadline.clock().steady();
    auto stream = world::make_dial(world, {})(where.host, where.port, deadline);
    auto line = stream ? read_greeting(**stream, deadline) : Result<std::string>(fail(stream.error()));
    facts.took = deadline.clock().steady() - begin;
    if (!line) {
        if (!is_fact(line.error().fault)) return fail(line.error());
        facts.failure = line.error().what;
        return facts;
    }
    facts.text = base::one_line(base::trim(*line), 200);
    facts.code = base::to_number<int>(std::string_view(facts.text).substr(0, 3));
    return facts;
}

std::string without_prefix(const std::string& text, std::string_view prefix) {
    return text.starts_with(prefix) ? text.substr(prefix.size()) : text;
}

Result<UrlFacts> probe_url(const world::WebSource& web, const base::Deadline& deadline, world::World& world) {
    UrlFacts facts;
    facts.url = web.url;
    const auto begin = deadline.clock().steady();
    world::WebRequest request;
    request.max_body = max_url_body;
    auto reply = world::ask_web(world, web, request, deadline);
    facts.took = deadline.clock().steady() - begin;
    if (reply) {
        facts.status = reply->status;
    } else if (!is_fact(reply.error().fault)) {
        return fail(reply.error());
    } else {
        facts.failure = without_prefix(reply.error().what, facts.url + ": ");
    }
    facts.answered_wrongly = !reply && (reply.error().fault == Fault::malformed || reply.error().fault == Fault::limit);
    return facts;
}

}  // namespace

base::Result<HostPort> parse_host_port(std::string_view text) {
    std::string_view host = text;
    std::string_view port;
    if (const auto colon = text.rfind(':'); colon != std::string_view::npos) {
        host = text.substr(0, colon);
        port = text.substr(colon + 1);
    }
    if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
    const auto number = base::to_number<std::uint16_t>(port);
    if (host.empty() || host.starts_with('-') || host.starts_with('[') || !number || *number == 0 ||
        (host.find(':') != std::string_view::npos && !text.starts_with('['))) {
        return fail(Fault::usage, "'{}': write HOST:PORT, an IPv6 address in brackets", base::one_line(text, 100));
    }
    return HostPort{std::string(host), *number};
}

base::Result<MtaServiceObservation> mta_service(const MtaServiceQuery& query, const base::Deadline& deadline,
                                                world::World& world) {
    const auto begin = deadline.clock().steady();
    MtaServiceObservation seen;
    if (!query.units.empty()) {
        auto machine = world::Machine::open(world, query.ssh, deadline);
        if (!machine) return fail(machine.error());
        seen.where = machine->commands().where();
        auto units = unit_facts(*machine, query.units, deadline);
        if (!units) return fail(units.error());
        seen.units = std::move(*units);
    }
    if (query.banner) {
        auto banner = probe_banner(*query.banner, deadline, world);
        if (!banner) return fail(banner.error());
        seen.banner = std::move(*banner);
    }
    if (query.web) {
        auto url = probe_url(*query.web, deadline, world);
        if (!url) return fail(url.error());
        seen.url = std::move(*url);
    }
    seen.took = deadline.clock().steady() - begin;
    return seen;
}

}  // namespace mtawatch::probe::mta_state
