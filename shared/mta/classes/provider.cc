#include "shared/mta/classes/provider.h"

#include <algorithm>
#include <array>
#include <limits>

#include "shared/base/text.h"
#include "shared/mta/classes/provider_names.h"
#include "shared/mta/logs/record.h"

namespace mtawatch::mta::classes {
namespace {

using base::fail;

constexpr std::size_t max_name = 253;  // RFC 1035 2.3.4

bool is_domain(std::string_view name) {
    if (name.empty() || name.size() > max_name || name.front() == '.' || name.back() == '.') return false;
    return std::ranges::all_of(name, [](char c) {
        return base::is_alpha(c) || base::is_digit(c) || c == '.' || c == '-' || c == '_' ||
               static_cast<unsigned char>(c) >= 0x80;
    });
}

// Lower case on the stack: a lookup must not allocate.
class Lowered {
  public:
    explicit Lowered(std::string_view name) : size_(std::min(name.size(), bytes_.size())) {
        if (size_ > 0 && name[size_ - 1] == '.') --size_;
        std::transform(name.begin(), name.begin() + static_cast<std::ptrdiff_t>(size_), bytes_.begin(), base::lower);
    }
    [[nodiscard]] std::string_view view() const { return {bytes_.data(), size_}; }

  private:
    std::array<char, max_name + 1> bytes_{};
    std::size_t size_;
};

}  // namespace

ProviderTable::ProviderTable() : names_{"other"} {}

ProviderTable ProviderTable::builtin() {
    ProviderTable table;
    const auto add_all = [&](const auto& names, Names& into) {
        for (const auto& entry : names) {
            for (const std::string_view name : base::words(entry.names)) {
                // The table's own names are right; a test adds them all.
                static_cast<void>(table.add(into, entry.provider, name));
            }
        }
    };
    for (const NamedProvider& entry : provider_domains) {
        for (const std::string_view name : base::words(entry.names)) {
            static_cast<void>(table.add_domain(entry.provider, name));
        }
    }
    add_all(provider_mx, table.mx_suffixes_);
    add_all(provider_rollups, table.rollups_);
    return table;
}

base::Result<ProviderId> ProviderTable::intern(std::string_view provider) {
    if (provider.empty()) return fail(base::Fault::configuration, "a provider needs a name");
    const auto found = std::ranges::find(names_, provider);
    if (found != names_.end()) return static_cast<ProviderId>(found - names_.begin());
    if (names_.size() > std::numeric_limits<ProviderId>::max()) {
        return fail(base::Fault::configuration, "provider \"{}\": more than 65535 providers", provider);
    }
    names_.emplace_back(provider);
    return static_cast<ProviderId>(names_.size() - 1);
}

base::Result<void> ProviderTable::add(Names& names, std::string_view provider, std::string_view name) {
    if (!is_domain(name)) {
        return fail(base::Fault::configuration, "provider \"{}\": \"{}\" is no domain name", provider, name);
    }
    const auto id = intern(provider);
    if (!id) return fail(id.error());
    names.insert_or_assign(base::to_lower(name), *id);
    return {};
}

base::Result<void> ProviderTable::add_domain(std::string_view provider, std::string_view domain) {
    if (domain.starts_with("*.")) return add(domain_suffixes_, provider, domain.substr(2));
    return add(domains_, provider, domain);
}

base::Result<void> ProviderTable::add_mx(std::string_view provider, std::string_view suffix) {
    return add(mx_suffixes_, provider, suffix.starts_with("*.") ? suffix.substr(2) : suffix);
}

base::Result<void> ProviderTable::add_rollup(std::string_view provider, std::string_view rollup) {
    return add(rollups_, provider, base::iends_with(rollup, ".rollup") ? rollup.substr(0, rollup.size() - 7) : rollup);
}

ProviderId ProviderTable::exact(const Names& names, std::string_view name) {
    const auto found = names.find(name);
    return found == names.end() ? other_provider : found->second;
}

// The entry of `name` or of the nearest name above it.
ProviderId ProviderTable::suffix(const Names& names, std::string_view name) {
    while (!name.empty()) {
        const auto found = names.find(name);
        if (found != names.end()) return found->second;
        const std::size_t dot = name.find('.');
        if (dot == std::string_view::npos) break;
        name.remove_prefix(dot + 1);
    }
    return other_provider;
}

ProviderId ProviderTable::by_domain(std::string_view domain) const {
    const Lowered lowered(domain);
    const std::string_view name = lowered.view();
    const auto found = domains_.find(name);
    if (found != domains_.end()) return found->second;
    const std::size_t dot = name.find('.');
    return dot == std::string_view::npos ? other_provider : suffix(domain_suffixes_, name.substr(dot + 1));
}

ProviderId ProviderTable::by_mx(std::string_view dsn_mta) const {
    return suffix(mx_suffixes_, Lowered(logs::host_of(dsn_mta)).view());
}

ProviderId ProviderTable::by_rollup(std::string_view queue) const {
    constexpr std::string_view ending = ".rollup";
    const std::string_view name = queue.substr(0, queue.rfind('/'));
    if (!base::iends_with(name, ending)) return other_provider;
    return exact(rollups_, Lowered(name.substr(0, name.size() - ending.size())).view());
}

ProviderId ProviderTable::of_complaint(std::string_view rcpt_domain, std::string_view format,
                                       std::string_view user_agent, std::string_view reporting_mta) const {
    if (const ProviderId known = by_domain(rcpt_domain); known != other_provider) return known;
    for (const ComplaintSource& source : complaint_sources) {
        const std::string_view text = source.field == ComplaintField::format ? format : user_agent;
        if (!text.empty() && base::icontains(text, source.text)) return id(source.provider);
    }
    if (const ProviderId known = by_mx(reporting_mta); known != other_provider) return known;
    // A report's sender may be named by the provider's own domain or a name below it.
    const Lowered lowered(logs::host_of(reporting_mta));
    for (std::string_view name = lowered.view(); name.find('.') != std::string_view::npos;
         name.remove_prefix(name.find('.') + 1)) {
        if (const ProviderId known = by_domain(name); known != other_provider) return known;
    }
    return other_provider;
}

ProviderId ProviderTable::id(std::string_view name) const {
    const auto found = std::ranges::find(names_, name);
    return found == names_.end() ? other_provider : static_cast<ProviderId>(found - names_.begin());
}

}  // namespace mtawatch::mta::classes
