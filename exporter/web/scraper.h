// Who scrapes, told from a request: what the book on scrapers (exposition/page_view.h) knows it by.
#pragma once

#include <sys/socket.h>

#include <string>
#include <string_view>

#include "exporter/exposition/page_view.h"

struct ssl_st;

namespace mtawatch::exporter::web {

struct Caller {
    std::string user;         // that has logged in; "" without passwords
    std::string certificate;  // the subject of a client certificate that was checked
    std::string address;      // "" for a unix socket
};

// The same for the same caller with the same User-Agent, also after a restart; never 0. The address is a part of it
// beside the name: a pair of Prometheis has one password and two addresses, and each needs its own zero.
[[nodiscard]] exposition::ScraperId scraper_id(const Caller& caller, std::string_view user_agent);

// "192.0.2.1", "2001:db8::1"; "" for what is no internet address.
[[nodiscard]] std::string address_text(const sockaddr& address, std::size_t size);
// "CN=prometheus,O=Example"; "" without a certificate, or for one that nobody has checked.
[[nodiscard]] std::string checked_certificate_name(ssl_st* tls);

}  // namespace mtawatch::exporter::web
