#include "shared/auth/public_suffix.h"

#include <libpsl.h>

#include <memory>

namespace mtawatch::auth {

namespace {

struct FreeList {
    void operator()(psl_ctx_t* list) const { psl_free(list); }
};

}  // namespace

std::string registrable_domain(const std::string& domain) {
    // The newer of the system's list and the one built into the library; loaded once, read by every thread.
    static const std::unique_ptr<psl_ctx_t, FreeList> list(psl_latest(nullptr));
    const char* found = list == nullptr ? nullptr : psl_registrable_domain(list.get(), domain.c_str());
    return found == nullptr ? std::string() : std::string(found);
}

}  // namespace mtawatch::auth
