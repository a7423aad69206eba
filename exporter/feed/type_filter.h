// Record types that a file is counted for. Where PowerMTA logs a type to several files, only one of them counts.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "exporter/feed/feed_settings.h"

namespace mtawatch::exporter::feed {

// A bit for each record type.
using TypeMask = std::uint32_t;
inline constexpr TypeMask all_types = ~TypeMask{0};
[[nodiscard]] constexpr TypeMask mask_of(mta::logs::RecordType type) {
    return TypeMask{1} << static_cast<unsigned>(type);
}

class TypeFilter {
  public:
    explicit TypeFilter(const FeedSettings& settings);
    // Files are matched by name, whatever the folder, with or without ".gz": a moved one keeps its types.
    [[nodiscard]] TypeMask types_of(std::string_view path) const;

  private:
    std::vector<std::pair<std::string, TypeMask>> patterns_;  // of the name without its folder
};

}  // namespace mtawatch::exporter::feed
