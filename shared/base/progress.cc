#include "shared/base/progress.h"

#include <algorithm>

namespace mtawatch::base {

void Progress::doing(std::string_view what) noexcept {
    const std::scoped_lock lock(mutex_);
    length_ = std::min(what.size(), max_length);
    std::copy_n(what.begin(), length_, text_.begin());
}

std::string Progress::last() const {
    const std::scoped_lock lock(mutex_);
    return {text_.data(), length_};
}

}  // namespace mtawatch::base
