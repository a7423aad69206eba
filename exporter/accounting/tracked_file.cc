#include "exporter/accounting/tracked_file.h"

#include <algorithm>

#include "shared/base/text.h"

namespace mtawatch::exporter {
namespace {

constexpr std::string_view kGzip = ".gz";
constexpr std::string_view kZstd = ".zst";
constexpr std::size_t kDateDigits = 8;  // logrotate's dateext: acct.csv-20261121

}  // namespace

std::size_t full_fingerprint_length(std::string_view head) {
    const std::size_t newline = head.substr(0, kMaxHeaderBytes).find('\n');
    return (newline == std::string_view::npos ? 0 : newline + 1) + kFingerprintBytes;
}

bool is_gzip_name(std::string_view path) { return path.ends_with(kGzip); }

Packing packing_of(std::string_view path, std::string_view head) {
    constexpr std::string_view gzip = "\x1f\x8b";
    constexpr std::string_view zstd = "\x28\xb5\x2f\xfd";
    constexpr std::string_view xz(
        "\xfd"
        "7zXZ\0",
        6);
    constexpr std::string_view bzip2_block = "1AY&SY";  // behind "BZh" and the level
    if (is_gzip_name(path) || head.starts_with(gzip)) return Packing::gzip;
    if (head.starts_with(zstd)) return Packing::zstd;
    const bool bzip2 = head.starts_with("BZh") && head.size() > 4 && head.substr(4).starts_with(bzip2_block);
    return bzip2 || head.starts_with(xz) ? Packing::foreign : Packing::none;
}

namespace {

// A name without folder and compression, and where in it the number of rotation begins; the end where there is none.
struct RotatedName {
    std::string_view name;
    std::size_t number = 0;
};

RotatedName rotated_name(std::string_view path) {
    std::string_view name = path.substr(path.rfind('/') + 1);
    for (const std::string_view packed : {kGzip, kZstd}) {
        if (name.ends_with(packed)) name.remove_suffix(packed.size());
    }
    const std::size_t last = name.find_last_not_of("0123456789");
    if (last == std::string_view::npos || last == 0 || last + 1 == name.size()) return {name, name.size()};
    const std::size_t digits = name.size() - last - 1;
    const bool rotated = name[last] == '.' || (name[last] == '-' && digits == kDateDigits);
    return {name, rotated ? last + 1 : name.size()};
}

}  // namespace

std::string stem_of(std::string_view path) {
    const RotatedName rotated = rotated_name(path);
    const bool has_number = rotated.number < rotated.name.size();
    return std::string(rotated.name.substr(0, has_number ? rotated.number - 1 : rotated.number));
}

std::uint64_t rotation_age(std::string_view path) {
    constexpr std::uint64_t latest = 1'0000'00'00;
    const RotatedName rotated = rotated_name(path);
    const auto number = base::to_number<std::uint64_t>(rotated.name.substr(rotated.number));
    if (!number) return 0;
    return rotated.name[rotated.number - 1] == '-' ? latest - std::min(*number, latest) : *number;
}

}  // namespace mtawatch::exporter
