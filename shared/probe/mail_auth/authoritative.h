// Comparison of a domain's authoritative servers: asks each for its TXT records and reports differences.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "shared/auth/dns_cache.h"
#include "shared/base/deadline.h"
#include "shared/probe/mail_auth/findings.h"
#include "shared/probe/world/world.h"

namespace mtawatch::probe::mail_auth {

// What one server says.
struct ServerView {
    std::string server;              // "ns1.example.net (192.0.2.53)"
    std::vector<std::string> texts;  // sorted
    std::string failure;             // why it could not be asked; "" when it answered
};

// More than this are not asked: thirteen is what the root has, and more than anybody needs.
inline constexpr std::size_t max_authoritative_servers = 26;

// Finds the servers of the zone that holds `name` through `dns` and asks each address for the TXT records of `name`.
// Empty when no name server can be found.
[[nodiscard]] std::vector<ServerView> ask_authoritative(auth::DnsCache& dns, const std::string& name,
                                                        const base::Deadline& deadline, const world::World& world);

// What servers that could not be asked, or that disagree about the records which `keep` takes, mean for `what` ("SPF").
void compare_servers(const std::vector<ServerView>& views, bool (*keep)(std::string_view), std::string_view what,
                     Findings& findings);

}  // namespace mtawatch::probe::mail_auth
