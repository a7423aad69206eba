// Mailbox provider of a recipient: decided by recipient domain, then by MX, then by PowerMTA's rollup queue names.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "shared/base/result.h"

namespace mtawatch::mta::classes {

// A number for each provider name of one table; 0 is "other".
using ProviderId = std::uint16_t;
inline constexpr ProviderId other_provider = 0;

// Lookups take no lock and change nothing: share one table between threads once it is built. A lookup costs a hash
// per label of the name, so callers with many records keep the answer per domain.
class ProviderTable {
  public:
    // The built-in table: gmail, microsoft, yahoo, apple, aol …
    [[nodiscard]] static ProviderTable builtin();
    // Without any entry: everything is "other".
    ProviderTable();

    // Adds names to a provider, new or known; an entry replaces a former owner of the same name. A domain is exact
    // ("example.com") or, written "*.example.com", any name below it; an MX is always a suffix at a label boundary,
    // with or without "*.". Fault::configuration for an empty provider name or a name that is no domain.
    [[nodiscard]] base::Result<void> add_domain(std::string_view provider, std::string_view domain);
    [[nodiscard]] base::Result<void> add_mx(std::string_view provider, std::string_view suffix);
    // PowerMTA's queue name before ".rollup": "yahoo" of "yahoo.rollup/vmta1".
    [[nodiscard]] base::Result<void> add_rollup(std::string_view provider, std::string_view rollup);

    // other_provider when the table does not know the name. Any case. `dsn_mta` may carry its address
    // ("mx.example.net (192.0.2.1)"); `queue` is PowerMTA's "domain/vmta". Which of them decides: attribution.h.
    [[nodiscard]] ProviderId by_domain(std::string_view domain) const;
    [[nodiscard]] ProviderId by_mx(std::string_view dsn_mta) const;
    [[nodiscard]] ProviderId by_rollup(std::string_view queue) const;
    // For complaints, which often lack the recipient: by recipient domain, else by format ("jmrp" is microsoft),
    // else by the user agent or the reporting MTA.
    [[nodiscard]] ProviderId of_complaint(std::string_view rcpt_domain, std::string_view format,
                                          std::string_view user_agent, std::string_view reporting_mta) const;

    [[nodiscard]] std::string_view name(ProviderId id) const { return names_[id]; }
    // The id of a provider's name; other_provider for "other" and for an unknown one.
    [[nodiscard]] ProviderId id(std::string_view name) const;
    [[nodiscard]] const std::vector<std::string>& names() const { return names_; }

  private:
    struct Hash {
        using is_transparent = void;
        std::size_t operator()(std::string_view text) const { return std::hash<std::string_view>{}(text); }
    };
    using Names = std::unordered_map<std::string, ProviderId, Hash, std::equal_to<>>;

    [[nodiscard]] base::Result<ProviderId> intern(std::string_view provider);
    [[nodiscard]] base::Result<void> add(Names& names, std::string_view provider, std::string_view name);
    [[nodiscard]] static ProviderId exact(const Names& names, std::string_view name);
    [[nodiscard]] static ProviderId suffix(const Names& names, std::string_view name);

    std::vector<std::string> names_;
    Names domains_;
    Names domain_suffixes_;
    Names mx_suffixes_;
    Names rollups_;
};

}  // namespace mtawatch::mta::classes
