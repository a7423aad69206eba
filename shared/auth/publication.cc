#include "shared/auth/publication.h"

#include <fmt/format.h>

#include <algorithm>

#include "shared/dns/names.h"

namespace mtawatch::auth {

namespace {

constexpr std::size_t max_string_bytes = 255;  // RFC 1035 section 3.3
constexpr std::uint32_t default_ttl = 3600;  // of a record that is not there yet: no figure says how long it would live

// One character-string in quotation marks.
std::string quoted(std::string_view text) {
    std::string out = "\"";
    for (const char c : text) {
        const auto byte = static_cast<unsigned char>(c);
        if (c == '"' || c == '\\') {
            out += '\\';
            out += c;
        } else if (byte < 0x20 || byte > 0x7e) {
            out += fmt::format("\\{:03}", byte);
        } else {
            out += c;
        }
    }
    return out + '"';
}

std::string quoted_strings(std::string_view text) {
    std::string out;
    for (std::size_t at = 0; at == 0 || at < text.size(); at += max_string_bytes) {
        if (at > 0) out += ' ';
        out += quoted(text.substr(at, max_string_bytes));
    }
    return out;
}

bool same_records(const dns::Answer& a, const dns::Answer& b) {
    return a.found() && b.found() && a.chain == b.chain && a.records.texts == b.records.texts &&
           a.records.mx == b.records.mx && a.records.addresses == b.records.addresses;
}

}  // namespace

std::string zone_line(const Publication& record) {
    const bool text = record.type == dns::Type::txt;
    const bool host = record.type == dns::Type::ptr;
    return fmt::format("{}. IN {} {}{}", record.name, dns::name(record.type),
                       text ? quoted_strings(record.data) : record.data, host ? "." : "");
}

void publish(DnsCache& view, const Publication& record, const std::vector<std::string>& replaces) {
    dns::Records records = view.ask(record.name, record.type).records;
    switch (record.type) {
        case dns::Type::txt: {
            std::vector<std::string>& texts = records.texts;
            std::erase_if(texts, [&replaces](const std::string& text) {
                return std::ranges::find(replaces, text) != replaces.end();
            });
            texts.push_back(record.data);
            break;
        }
        case dns::Type::ptr:
            records.names = {record.data};
            break;
        default:
            if (const auto address = base::IpAddress::parse(record.data)) records.addresses.push_back(*address);
            break;
    }
    if (records.ttl == 0) records.ttl = default_ttl;
    view.publish(record.name, record.type, std::move(records));
}

std::optional<std::string> cannot_publish(DnsCache& dns, const std::string& name) {
    const dns::Answer& texts = dns.ask(name, dns::Type::txt);
    if (!texts.chain.empty()) {
        return fmt::format("{} is a CNAME to {}, and no other record may stand beside it", name, texts.chain.front());
    }
    if (name.starts_with('_')) return std::nullopt;
    for (std::string_view up = dns::parent(name); !up.empty(); up = dns::parent(up)) {
        const std::string wildcard = fmt::format("*.{}", up);
        for (const dns::Type type : {dns::Type::txt, dns::Type::mx, dns::Type::a}) {
            if (!dns.ask(name, type).found()) continue;
            if (!same_records(dns.ask(name, type), dns.ask(wildcard, type))) continue;
            return fmt::format(
                "{} has its {} record from the wildcard {}, which stops working there when it gets records of its own",
                name, dns::name(type), wildcard);
        }
        if (dns.ask(up, dns::Type::soa).found()) break;  // no wildcard of another zone reaches into this one
    }
    return std::nullopt;
}

}  // namespace mtawatch::auth
