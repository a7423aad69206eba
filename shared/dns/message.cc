#include "shared/dns/message.h"

#include <fmt/core.h>
#include <ldns/ldns.h>

#include <array>
#include <memory>
#include <unordered_map>
#include <unordered_set>

#include "shared/base/text.h"
#include "shared/dns/lookup.h"
#include "shared/dns/wire_name.h"

namespace mtawatch::dns {
namespace {

using base::fail;

struct FreePacket {
    void operator()(ldns_pkt* packet) const { ldns_pkt_free(packet); }
};

constexpr std::size_t header_bytes = 12;

constexpr std::uint16_t ede_option = 15;
constexpr std::size_t max_text_bytes = 200;

// By INFO-CODE (RFC 8914 section 4 and the IANA registry).
constexpr std::array<std::string_view, 25> meanings{
    "another reason",
    "DNSSEC: an unsupported algorithm of a key",
    "DNSSEC: an unsupported digest",
    "an old answer",
    "a made-up answer",
    "DNSSEC: cannot be told",
    "DNSSEC: the answer is bogus",
    "DNSSEC: a signature has expired",
    "DNSSEC: a signature is not valid yet",
    "DNSSEC: a key is missing",
    "DNSSEC: a signature is missing",
    "DNSSEC: no key of the zone signs it",
    "DNSSEC: the proof that there is no such name is missing",
    "an error that was remembered",
    "the resolver is not ready",
    "blocked by the resolver's owner",
    "censored",
    "filtered by wish of the client's side",
    "this client may not ask",
    "an old answer that there is no such name",
    "the name server does not answer for the zone",
    "not supported",
    "no name server of the zone can be reached",
    "a network error on the way to a name server of the zone",
    "a name server of the zone has no data of use",
};

std::string_view view(const ldns_rdf* data) {
    return {reinterpret_cast<const char*>(ldns_rdf_data(data)), ldns_rdf_size(data)};
}

std::string lower_wire(const ldns_rdf* name) { return base::to_lower(view(name)); }

// ldns accepts fewer fields than a type has only for types it does not know; count them all the same.
bool has_fields(const ldns_rr* record, std::size_t count) { return ldns_rr_rd_count(record) >= count; }

bool add_soa(const ldns_rr* record, Records& into) {
    if (!has_fields(record, 7)) return false;
    const auto number = [record](std::size_t i) { return ldns_rdf2native_int32(ldns_rr_rdf(record, i)); };
    into.soa.push_back({text_name(view(ldns_rr_rdf(record, 0))), text_name(view(ldns_rr_rdf(record, 1))), number(2),
                        number(3), number(4), number(5), number(6)});
    return true;
}

bool add_tlsa(const ldns_rr* record, Records& into) {
    if (!has_fields(record, 4)) return false;
    const auto byte = [record](std::size_t i) { return *ldns_rdf_data(ldns_rr_rdf(record, i)); };
    into.tlsa.push_back({byte(0), byte(1), byte(2), std::string(view(ldns_rr_rdf(record, 3)))});
    return true;
}

bool add_text(const ldns_rr* record, Records& into) {
    std::string joined;
    for (std::size_t i = 0; i < ldns_rr_rd_count(record); ++i) {
        const std::string_view counted = view(ldns_rr_rdf(record, i));
        if (counted.empty()) return false;
        joined += counted.substr(1);  // the first byte is the length
    }
    into.texts.push_back(std::move(joined));
    return true;
}

// False if the record's data cannot be what its type says.
bool add_record(const ldns_rr* record, Type type, Records& into) {
    switch (type) {
        case Type::a:
        case Type::aaaa: {
            if (!has_fields(record, 1)) return false;
            const std::string_view data = view(ldns_rr_rdf(record, 0));
            const auto address = base::IpAddress::from_bytes(data);
            if (!address || address->is_v4() != (type == Type::a)) return false;
            into.addresses.push_back(*address);
            return true;
        }
        case Type::mx:
            if (!has_fields(record, 2)) return false;
            into.mx.push_back({ldns_rdf2native_int16(ldns_rr_rdf(record, 0)), text_name(view(ldns_rr_rdf(record, 1)))});
            return true;
        case Type::txt:
        case Type::spf:
            return add_text(record, into);
        case Type::ptr:
        case Type::ns:
        case Type::cname:
            if (!has_fields(record, 1)) return false;
            into.names.push_back(text_name(view(ldns_rr_rdf(record, 0))));
            return true;
        case Type::soa:
            return add_soa(record, into);
        case Type::tlsa:
            return add_tlsa(record, into);
    }
    return false;
}

struct Alias {
    std::string target;  // lower-case wire form
    std::uint32_t ttl = 0;
};

// The CNAMEs of the answer section by their owner.
std::unordered_map<std::string, Alias> aliases_of(const ldns_rr_list* answers) {
    std::unordered_map<std::string, Alias> aliases;
    for (std::size_t i = 0; i < ldns_rr_list_rr_count(answers); ++i) {
        const ldns_rr* record = ldns_rr_list_rr(answers, i);
        if (ldns_rr_get_type(record) != LDNS_RR_TYPE_CNAME || !has_fields(record, 1)) continue;
        aliases.emplace(lower_wire(ldns_rr_owner(record)),
                        Alias{lower_wire(ldns_rr_rdf(record, 0)), ldns_rr_ttl(record)});
    }
    return aliases;
}

// Walks the CNAMEs from `name`, fills chain and loop, and returns where they end.
std::string end_of_chain(const ldns_rr_list* answers, std::string name, Reading& reading, std::uint32_t& ttl) {
    const auto aliases = aliases_of(answers);
    if (aliases.empty()) return name;
    std::unordered_set<std::string> seen{name};
    for (auto alias = aliases.find(name); alias != aliases.end() && reading.chain.size() <= max_cnames;
         alias = aliases.find(name)) {
        name = alias->second.target;
        ttl = std::min(ttl, alias->second.ttl);
        reading.chain.push_back(text_name(name));
        if (!seen.insert(name).second) {
            reading.loop = true;
            break;
        }
    }
    return name;
}

base::Result<void> collect(const ldns_rr_list* answers, const Question& question, Reading& reading) {
    std::uint32_t ttl = UINT32_MAX;
    std::string owner = wire_name(question.name);
    if (question.type != Type::cname) owner = end_of_chain(answers, std::move(owner), reading, ttl);
    if (reading.loop) return {};
    for (std::size_t i = 0; i < ldns_rr_list_rr_count(answers); ++i) {
        const ldns_rr* record = ldns_rr_list_rr(answers, i);
        if (static_cast<std::uint16_t>(ldns_rr_get_type(record)) != static_cast<std::uint16_t>(question.type) ||
            ldns_rr_get_class(record) != LDNS_RR_CLASS_IN || !base::iequals(view(ldns_rr_owner(record)), owner)) {
            continue;
        }
        if (!add_record(record, question.type, reading.records)) {
            return fail(base::Fault::malformed, "a {} record with impossible data", name(question.type));
        }
        ttl = std::min(ttl, ldns_rr_ttl(record));
    }
    reading.records.ttl = reading.records.empty() ? 0 : ttl;
    return {};
}

void add_option(std::string_view data, std::string& out) {
    if (data.size() < 2) return;
    const auto byte = [data](std::size_t at) { return static_cast<unsigned>(static_cast<unsigned char>(data[at])); };
    const unsigned code = byte(0) << 8U | byte(1);
    if (!out.empty()) out += "; ";
    out += code < meanings.size() ? std::string(meanings.at(code)) : fmt::format("extended error {}", code);
    const std::string text = base::one_line(base::trim(data.substr(2)), max_text_bytes);
    if (!text.empty()) out += fmt::format(" ({})", text);
}

}  // namespace

base::Result<Reading> read_message(std::string_view wire, const Question& question) {
    if (wire.size() < header_bytes) return fail(base::Fault::malformed, "an answer of {} bytes", wire.size());
    const auto byte = [wire](std::size_t i) { return static_cast<unsigned>(static_cast<unsigned char>(wire[i])); };
    Reading reading;
    reading.rcode = static_cast<std::uint8_t>(byte(3) & 0x0fU);
    reading.ad = (byte(3) & 0x20U) != 0;
    const unsigned answers = byte(6) << 8U | byte(7);
    if ((byte(2) & 0x80U) == 0) return fail(base::Fault::malformed, "a question where an answer should be");
    if (answers > max_records) return fail(base::Fault::limit, "an answer with {} records", answers);
    // Without answer records the header has said everything (most lookups of a blocklist run end here), but for a
    // server that is not authoritative and does not resolve: it may only say whom to ask (RFC 1034 section 4.3.1).
    const bool owns_or_resolves = (byte(2) & 0x04U) != 0 || (byte(3) & 0x80U) != 0;
    const bool names_others = reading.rcode == 0 && !owns_or_resolves && (byte(8) | byte(9)) != 0;
    if (answers == 0 && !names_others) return reading;
    ldns_pkt* parsed = nullptr;
    const ldns_status status = ldns_wire2pkt(&parsed, reinterpret_cast<const std::uint8_t*>(wire.data()), wire.size());
    const std::unique_ptr<ldns_pkt, FreePacket> packet(parsed);
    if (status != LDNS_STATUS_OK) {
        return fail(base::Fault::malformed, "{}", base::to_lower(ldns_get_errorstr_by_id(status)));
    }
    const ldns_rr_list* authority = ldns_pkt_authority(packet.get());
    bool has_ns = false;
    for (std::size_t i = 0; i < ldns_rr_list_rr_count(authority); ++i) {
        const ldns_rr_type type = ldns_rr_get_type(ldns_rr_list_rr(authority, i));
        if (type == LDNS_RR_TYPE_SOA) reading.has_soa = true;
        if (type == LDNS_RR_TYPE_NS) has_ns = true;
    }
    reading.referral = answers == 0 && names_others && has_ns && !reading.has_soa;
    if (auto done = collect(ldns_pkt_answer(packet.get()), question, reading); !done) {
        return fail(done.error());
    }
    return reading;
}

std::string extended_error(std::string_view message) {
    ldns_pkt* parsed = nullptr;
    const ldns_status status =
        ldns_wire2pkt(&parsed, reinterpret_cast<const std::uint8_t*>(message.data()), message.size());
    const std::unique_ptr<ldns_pkt, FreePacket> packet(parsed);
    if (status != LDNS_STATUS_OK || !ldns_pkt_edns(packet.get())) return {};
    const ldns_rdf* options = ldns_pkt_edns_data(packet.get());
    if (options == nullptr) return {};
    std::string_view rest(reinterpret_cast<const char*>(ldns_rdf_data(options)), ldns_rdf_size(options));
    std::string out;
    while (rest.size() >= 4) {
        const auto number = [rest](std::size_t at) {
            return static_cast<unsigned>(static_cast<unsigned char>(rest[at])) << 8U |
                   static_cast<unsigned char>(rest[at + 1]);
        };
        const unsigned size = number(2);
        if (rest.size() < 4 + size) break;
        if (number(0) == ede_option) add_option(rest.substr(4, size), out);
        rest.remove_prefix(4 + size);
    }
    return out;
}

}  // namespace mtawatch::dns
