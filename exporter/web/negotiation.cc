#include "exporter/web/negotiation.h"

#include <algorithm>
#include <optional>

#include "shared/base/text.h"

namespace mtawatch::exporter::web {
namespace {

// More list members than any client sends; the rest is not looked at.
constexpr std::size_t max_members = 64;

struct Member {
    std::string_view name;
    std::string_view version;  // of a "version" parameter
    double weight = 1;
};

Member member_of(std::string_view text) {
    const auto parts = base::split(text, ';');
    Member member{base::trim(parts[0]), {}, 1};
    for (std::size_t i = 1; i < parts.size(); ++i) {
        const std::string_view part = base::trim(parts[i]);
        const std::size_t equals = part.find('=');
        if (equals == std::string_view::npos) continue;
        const std::string_view key = base::trim(part.substr(0, equals));
        const std::string_view value = base::trim(part.substr(equals + 1));
        if (base::iequals(key, "q")) member.weight = std::clamp(base::to_double(value).value_or(0), 0.0, 1.0);
        if (base::iequals(key, "version")) member.version = value;
    }
    return member;
}

template <typename Visit>
void each_member(std::string_view header, Visit visit) {
    const auto members = base::split(header, ',');
    for (std::size_t i = 0; i < std::min(members.size(), max_members); ++i) visit(member_of(members[i]));
}

}  // namespace

exposition::Format wanted_format(std::string_view accept) {
    double openmetrics = 0;
    double text = 0;
    each_member(accept, [&](const Member& member) {
        const bool known = member.version.empty() || member.version == "1.0.0" || member.version == "0.0.1";
        if (base::iequals(member.name, "application/openmetrics-text") && known) {
            openmetrics = std::max(openmetrics, member.weight);
        }
        if (base::iequals(member.name, "text/plain")) text = std::max(text, member.weight);
    });
    return openmetrics > 0 && openmetrics >= text ? exposition::Format::openmetrics : exposition::Format::text;
}

bool takes_gzip(std::string_view accept_encoding) {
    std::optional<double> gzip;
    double any = 0;
    each_member(accept_encoding, [&](const Member& member) {
        if (base::iequals(member.name, "gzip")) gzip = member.weight;
        if (member.name == "*") any = member.weight;
    });
    return gzip.value_or(any) > 0;
}

}  // namespace mtawatch::exporter::web
