// Client of an MTA's web interface: one request, with every way of being refused told apart in words.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "shared/base/deadline.h"
#include "shared/base/result.h"
#include "shared/mta/documents/pmta_document.h"
#include "shared/probe/world/world.h"

namespace mtawatch::probe::world {

struct WebSource {
    std::string url;                             // scheme, host and port; a path where the interface is elsewhere
    std::optional<std::string> api_key_file;     // PowerMTA: sent as X-API-Key
    std::optional<std::string> basic_auth_file;  // "user:password" on one line
    bool insecure = false;                       // take any certificate
    std::optional<std::string> certificate_pin;  // take exactly this one: SHA-256 in hexadecimal
    bool operator==(const WebSource&) const = default;
};

struct WebRequest {
    std::string target;                                     // "/status?format=xml"
    std::vector<std::pair<std::string, std::string>> form;  // sent as multipart/form-data by POST when not empty
    std::size_t max_body = mta::documents::max_pmta_bytes;  // a larger one is Fault::limit
};

struct WebReply {
    int status = 0;
    std::string body;
    std::string url;       // whose answer it is, after redirects
    std::string location;  // where it sends on to; empty when nowhere
};

// The reply with any status, after redirects on the same host. Faults: usage (URL), not_found and permission (a file
// that holds a secret, or it is empty), auth (the certificate is not accepted; the text says what to do), those of
// http::fetch.
[[nodiscard]] base::Result<WebReply> ask_web(World& world, const WebSource& source, const WebRequest& request,
                                             const base::Deadline& deadline);
// The same, and a status other than 200 is an Error: auth for 401 and 403, not_found for 404, malformed otherwise.
// `remedy` ends the text of 403.
[[nodiscard]] base::Result<std::string> ask_web_ok(World& world, const WebSource& source, const WebRequest& request,
                                                   std::string_view remedy, const base::Deadline& deadline);

}  // namespace mtawatch::probe::world
