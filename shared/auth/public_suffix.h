// Public-suffix list: which part of a name somebody registered.
#pragma once

#include <string>

namespace mtawatch::auth {

// "example.co.uk" for "a.b.example.co.uk" by the system's public-suffix list; "" for a public suffix itself.
[[nodiscard]] std::string registrable_domain(const std::string& domain);

}  // namespace mtawatch::auth
