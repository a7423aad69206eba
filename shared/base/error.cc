#include "shared/base/error.h"

namespace mtawatch::base {

std::string_view name(Fault fault) {
    switch (fault) {
        case Fault::usage:
            return "usage";
        case Fault::configuration:
            return "configuration";
        case Fault::not_found:
            return "not_found";
        case Fault::permission:
            return "permission";
        case Fault::resolver:
            return "resolver";
        case Fault::auth:
            return "login";
        case Fault::io:
            return "io";
        case Fault::malformed:
            return "malformed";
        case Fault::limit:
            return "limit";
        case Fault::refused:
            return "refused";
        case Fault::timeout:
            return "silent";
        case Fault::deadline:
            return "cut";
        case Fault::internal:
            return "internal";
    }
    return "internal";
}

Error Error::at(std::string_view place) const {
    std::string text(place);
    text += ": ";
    text += what;
    return {fault, std::move(text)};
}

}  // namespace mtawatch::base
