#include "exporter/feed/type_filter.h"

#include <fnmatch.h>

namespace mtawatch::exporter::feed {
namespace {

std::string_view without_folder(std::string_view path) { return path.substr(path.rfind('/') + 1); }

}  // namespace

TypeFilter::TypeFilter(const FeedSettings& settings) {
    for (const auto& [glob, types] : settings.types_by_glob) {
        TypeMask mask = 0;
        for (const mta::logs::RecordType type : types) mask |= mask_of(type);
        patterns_.emplace_back(without_folder(glob), mask);
    }
}

TypeMask TypeFilter::types_of(std::string_view path) const {
    constexpr std::string_view packed = ".gz";
    std::string_view name = without_folder(path);
    if (name.ends_with(packed)) name.remove_suffix(packed.size());
    for (const auto& [pattern, mask] : patterns_) {
        if (::fnmatch(pattern.c_str(), std::string(name).c_str(), 0) == 0) return mask;
    }
    return all_types;
}

}  // namespace mtawatch::exporter::feed
