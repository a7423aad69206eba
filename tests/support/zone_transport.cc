#include "tests/support/zone_transport.h"

#include <ldns/ldns.h>

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <stdexcept>

#include "shared/base/text.h"
#include "shared/dns/names.h"
#include "shared/dns/wire_name.h"

namespace mtawatch::test {
namespace {

struct Record {
    std::uint16_t type = 0;
    std::string wire;    // the whole record, uncompressed, with the owner of the zone text
    std::string owner;   // wire form, to cut it off for wildcards
    std::string target;  // of a CNAME, as text
};

struct Node {
    std::vector<Record> records;
    std::map<std::uint16_t, std::string> by_type;  // directives for one type
    std::string directive;                         // for every type
};

constexpr std::uint16_t cname_type = 5;

std::string u16(unsigned value) { return {static_cast<char>(value >> 8U & 0xffU), static_cast<char>(value & 0xffU)}; }

Record parse_record(const std::string& line) {
    const std::unique_ptr<ldns_rdf, decltype(&ldns_rdf_deep_free)> root(ldns_dname_new_frm_str("."),
                                                                        ldns_rdf_deep_free);
    ldns_rr* parsed = nullptr;
    const ldns_status status = ldns_rr_new_frm_str(&parsed, line.c_str(), 300, root.get(), nullptr);
    if (status != LDNS_STATUS_OK) {
        throw std::invalid_argument("zone text: " + line + ": " + ldns_get_errorstr_by_id(status));
    }
    const std::unique_ptr<ldns_rr, decltype(&ldns_rr_free)> record(parsed, ldns_rr_free);
    std::uint8_t* bytes = nullptr;
    std::size_t size = 0;
    ldns_rr2wire(&bytes, record.get(), LDNS_SECTION_ANSWER, &size);
    const std::unique_ptr<std::uint8_t, decltype(&std::free)> owned(bytes, std::free);
    const auto text_of = [](const ldns_rdf* name) {
        return std::string(reinterpret_cast<const char*>(ldns_rdf_data(name)), ldns_rdf_size(name));
    };
    Record result;
    result.type = static_cast<std::uint16_t>(ldns_rr_get_type(record.get()));
    result.wire.assign(reinterpret_cast<const char*>(bytes), size);
    result.owner = text_of(ldns_rr_owner(record.get()));
    if (result.type == cname_type) result.target = dns::text_name(text_of(ldns_rr_rdf(record.get(), 0)));
    return result;
}

// What a name and type give: records for the answer section, and how the message is to be spoilt.
struct Found {
    std::string answer;
    unsigned count = 0;
    bool exists = false;
    std::string directive;
};

}  // namespace

struct ZoneText::Data {
    std::map<std::string, Node> nodes;  // by lower-case name; "*.x" for wildcards
    std::set<std::string> existing;     // names and their ancestors
    std::vector<std::string> signed_zones;

    void add(std::string_view line);
    [[nodiscard]] const Node* find(const std::string& name) const;
    [[nodiscard]] const Node* find_below(const std::string& name, bool directives) const;
    [[nodiscard]] Found answer(const dns::Question& question) const;
    [[nodiscard]] bool is_signed(std::string_view name) const {
        return std::ranges::any_of(signed_zones,
                                   [name](const std::string& zone) { return dns::is_within(name, zone); });
    }
};

void ZoneText::Data::add(std::string_view line) {
    const auto words = base::words(line);
    if (words.empty() || words.front().starts_with('#')) return;
    if (words.size() < 2) throw std::invalid_argument("zone text: " + std::string(line));
    std::string name = base::to_lower(words[0]);
    if (name.ends_with('.')) name.pop_back();
    if (words[1] == "!SIGNED") {
        signed_zones.push_back(name);
        return;
    }
    Node& node = nodes[name];
    for (std::string_view up = name; !up.empty(); up = dns::parent(up)) existing.emplace(up);
    if (words[1].starts_with('!')) {
        node.directive = words[1].substr(1);
    } else if (words.size() == 3 && words[2].starts_with('!')) {
        const std::string type(words[1]);
        node.by_type[static_cast<std::uint16_t>(ldns_get_rr_type_by_name(type.c_str()))] = words[2].substr(1);
    } else {
        const auto rest = static_cast<std::size_t>(words[1].data() - line.data());
        node.records.push_back(parse_record(name + ". " + std::string(line.substr(rest))));
    }
}

const Node* ZoneText::Data::find_below(const std::string& name, bool directives) const {
    for (std::string_view up = dns::parent(name); !up.empty(); up = dns::parent(up)) {
        const auto wildcard = nodes.find("*." + std::string(up));
        if (wildcard != nodes.end() && wildcard->second.records.empty() == directives) return &wildcard->second;
        if (!directives && existing.contains(std::string(up))) break;  // RFC 4592: the closest encloser decides
    }
    return nullptr;
}

const Node* ZoneText::Data::find(const std::string& name) const {
    if (const auto exact = nodes.find(name); exact != nodes.end()) return &exact->second;
    if (const auto below = nodes.find("*." + name); below != nodes.end() && below->second.records.empty()) {
        return &below->second;  // "*.zone !TIMEOUT" is the zone itself too
    }
    if (const Node* directive = find_below(name, true)) return directive;
    return existing.contains(name) ? nullptr : find_below(name, false);
}

Found ZoneText::Data::answer(const dns::Question& question) const {
    const auto type = static_cast<std::uint16_t>(question.type);
    std::string name = base::to_lower(question.name);
    std::set<std::string> seen;
    Found found;
    while (seen.insert(name).second && seen.size() < 20) {
        const Node* node = find(name);
        found.exists = node != nullptr || existing.contains(name);
        if (node == nullptr) return found;
        const auto typed = node->by_type.find(type);
        found.directive = typed != node->by_type.end() ? typed->second : node->directive;
        if (!found.directive.empty()) return found;
        std::string next;
        for (const Record& record : node->records) {
            if (record.type != type && record.type != cname_type) continue;
            found.answer += dns::wire_name(name) + record.wire.substr(record.owner.size());
            ++found.count;
            if (record.type == cname_type && type != cname_type) next = record.target;
        }
        if (next.empty()) return found;
        name = next;
    }
    return found;
}

class ZoneTransport final : public dns::Transport {
  public:
    ZoneTransport(ZoneText& zone, FakeClock* clock, dns::ResolverSettings settings)
        : zone_(zone), clock_(clock), settings_(std::move(settings)) {}

    void exchange_each(std::span<const dns::Question> questions, const base::Deadline& deadline,
                       const dns::ReplySink& sink) override {
        bool silence = false;
        for (std::size_t i = 0; i < questions.size(); ++i) {
            dns::Reply reply =
                deadline.expired() ? dns::Reply{dns::Delivery::deadline, {}, false, {}, 0} : one(questions[i]);
            silence = silence || reply.delivery == dns::Delivery::timeout;
            sink(i, std::move(reply));
        }
        if (clock_ != nullptr) clock_->advance(silence ? settings_.question_time : std::chrono::milliseconds(1));
    }
    [[nodiscard]] std::string describe() const override {
        std::vector<std::string> names;
        for (const auto& server : settings_.servers) names.push_back(server.to_string());
        return names.empty() ? "192.0.2.53" : base::join(names, ", ");
    }

  private:
    dns::Reply one(const dns::Question& question);

    ZoneText& zone_;
    FakeClock* clock_;
    dns::ResolverSettings settings_;
};

dns::Reply ZoneTransport::one(const dns::Question& question) {
    dns::Reply reply;
    reply.took = std::chrono::milliseconds(1);
    {
        const std::lock_guard turn(zone_.asking_);
        zone_.asked_.push_back(question.name + " " + std::string(name(question.type)));
    }
    if (!dns::askable(question.name)) {
        reply.delivery = dns::Delivery::bad_name;
        return reply;
    }
    const Found found = zone_.data_->answer(question);
    const std::string& directive = found.directive;
    if (directive == "TIMEOUT" || directive == "UNREACHABLE") {
        reply.delivery = directive == "TIMEOUT" ? dns::Delivery::timeout : dns::Delivery::unreachable;
        if (directive == "TIMEOUT") reply.took = settings_.question_time;
        return reply;
    }
    unsigned code = found.exists ? 0 : 3;
    reply.delivery = dns::Delivery::answered;
    if (directive == "SERVFAIL" || directive == "REFUSED" || directive == "FORMERR") {
        code = directive == "SERVFAIL" ? 2 : (directive == "REFUSED" ? 5 : 1);
        reply.rcode = static_cast<std::uint8_t>(code);
        reply.delivery =
            code == 2 ? dns::Delivery::servfail : (code == 5 ? dns::Delivery::refused : dns::Delivery::other_code);
    } else if (directive == "NXDOMAIN") {
        code = 3;
    } else if (!directive.empty() && directive != "NODATA" && directive != "GARBAGE" && directive != "TRUNCATED" &&
               directive != "NOSOA") {
        throw std::invalid_argument("zone text: no directive !" + directive);
    }
    reply.ad_counts = zone_.data_->is_signed(question.name);
    const unsigned ad = reply.ad_counts ? 0x20 : 0;
    const bool soa = found.count == 0 && code != 2 && code != 5 && directive != "NOSOA";
    reply.message = u16(4711) + u16(0x8180U | ad | code) + u16(1) + u16(found.count) + u16(soa ? 1 : 0) + u16(0);
    reply.message += dns::wire_name(question.name) + u16(static_cast<unsigned>(question.type)) + u16(1) + found.answer;
    if (soa) reply.message += parse_record(". 60 SOA ns.example. hostmaster.example. 1 3600 600 86400 60").wire;
    if (directive == "GARBAGE" || directive == "TRUNCATED") reply.message[7] = 1;
    if (directive == "GARBAGE") {
        reply.message.replace(12, std::string::npos, "\x3f\xff\x00\x9c\xc0\xfe garbage \xc0\x0c");
    }
    if (directive == "TRUNCATED") reply.message.resize(reply.message.size() - 3);
    return reply;
}

ZoneText::ZoneText(std::string_view text) : data_(std::make_unique<Data>()) {
    for (const std::string_view line : base::split(text, '\n')) data_->add(line);
}

ZoneText::~ZoneText() = default;

std::size_t ZoneText::times_asked(std::string_view question) const {
    return static_cast<std::size_t>(std::ranges::count(asked_, question));
}

std::unique_ptr<dns::Transport> ZoneText::transport(FakeClock* clock, dns::ResolverSettings settings) {
    return std::make_unique<ZoneTransport>(*this, clock, std::move(settings));
}

std::function<base::Result<std::unique_ptr<dns::Transport>>(const dns::ResolverSettings&)> ZoneText::opener(
    FakeClock* clock) {
    return [this, clock](const dns::ResolverSettings& settings) -> base::Result<std::unique_ptr<dns::Transport>> {
        return transport(clock, settings);
    };
}

}  // namespace mtawatch::test
