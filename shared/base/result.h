// Result type: a value, or an Error with the reason (tl::expected).
#pragma once

#include <fmt/core.h>

#include <tl/expected.hpp>
#include <utility>

#include "shared/base/error.h"

namespace mtawatch::base {

template <class T>
using Result = tl::expected<T, Error>;

using Failure = tl::unexpected<Error>;

// return fail(Fault::permission, "{}: permission denied; add the user to group pmta", path);
template <class... Args>
[[nodiscard]] Failure fail(Fault fault, fmt::format_string<Args...> text, Args&&... args) {
    return Failure(Error{fault, fmt::format(text, std::forward<Args>(args)...)});
}

// Passes an Error of one Result on as the Error of another.
[[nodiscard]] inline Failure fail(Error error) { return Failure(std::move(error)); }

}  // namespace mtawatch::base
