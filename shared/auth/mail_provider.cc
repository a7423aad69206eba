#include "shared/auth/mail_provider.h"

#include <algorithm>
#include <array>

#include "shared/base/text.h"

namespace mtawatch::auth {

namespace {

constexpr std::array<MailProvider, 15> providers{{
    {"aspmx.l.google.com", "Google Workspace", "_spf.google.com"},
    {".aspmx.l.google.com", "Google Workspace", "_spf.google.com"},
    {".googlemail.com", "Google Workspace", "_spf.google.com"},
    {"smtp.google.com", "Google Workspace", "_spf.google.com"},
    {".mail.protection.outlook.com", "Microsoft 365", "spf.protection.outlook.com"},
    {".mx.microsoft", "Microsoft 365", "spf.protection.outlook.com"},
    {".messagingengine.com", "Fastmail", "spf.messagingengine.com"},
    {".protonmail.ch", "Proton Mail", "_spf.protonmail.ch"},
    {".mail.icloud.com", "iCloud", "icloud.com"},
    {".mailbox.org", "mailbox.org", "mailbox.org"},
    {".migadu.com", "Migadu", "spf.migadu.com"},
    {".emailsrvr.com", "Rackspace", "emailsrvr.com"},
    {".privateemail.com", "Namecheap Private Email", "spf.privateemail.com"},
    {".mail.gandi.net", "Gandi", "_mailcust.gandi.net"},
    {".mail.ovh.net", "OVHcloud", "mx.ovh.com"},
}};

const MailProvider* provider_of_host(std::string_view host) {
    const auto found = std::ranges::find_if(providers, [host](const MailProvider& one) {
        return one.host.starts_with('.') ? base::iends_with(host, one.host) : base::iequals(host, one.host);
    });
    return found == providers.end() ? nullptr : &*found;
}

}  // namespace

const MailProvider* mail_provider_of(DnsCache& dns, const std::string& domain) {
    const MailProvider* provider = nullptr;
    for (const dns::Mx& mx : dns.ask(domain, dns::Type::mx).records.mx) {
        const MailProvider* one = provider_of_host(mx.host);
        if (one == nullptr || (provider != nullptr && provider->include != one->include)) return nullptr;
        provider = one;
    }
    return provider;
}

}  // namespace mtawatch::auth
