// Do all authoritative servers of a domain publish the same TXT records?
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "shared/auth/dns_cache.h"
#include "shared/base/deadline.h"
#include "shared/probe/world.h"

namespace mtawatch::probe {

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
                                                        const base::Deadline& deadline, const World& world);

// The servers that answered, by what they say about records that `keep` takes: one group when they agree.
[[nodiscard]] std::vector<std::vector<const ServerView*>> group_by_records(const std::vector<ServerView>& views,
                                                                           bool (*keep)(std::string_view));

}  // namespace mtawatch::probe
