#include "exporter/files/tracked_file.h"

#include <algorithm>

#include "shared/base/text.h"
#include "shared/io/byte_source.h"

namespace mtawatch::exporter::files {
namespace {

constexpr std::string_view gzip_ending = ".gz";
constexpr std::string_view zstd_ending = ".zst";
constexpr std::size_t date_digits = 8;  // logrotate's dateext: acct.csv-20261121
constexpr std::size_t time_digits = 6;

}  // namespace

std::size_t full_fingerprint_length(std::string_view head) {
    const std::size_t newline = head.substr(0, max_header_bytes).find('\n');
    return (newline == std::string_view::npos ? 0 : newline + 1) + fingerprint_bytes;
}

bool is_gzip_name(std::string_view path) { return path.ends_with(gzip_ending); }

namespace {

// A name without folder and compression, and what rotation appended to it: "1", "20261121" or, by `postfix logrotate`,
// "20261121-030500".
struct RotatedName {
    std::string_view stem;
    std::string_view number;
};

bool all_digits(std::string_view text) {
    return !text.empty() && text.find_first_not_of("0123456789") == std::string_view::npos;
}

RotatedName rotated_name(std::string_view path) {
    std::string_view name = path.substr(path.rfind('/') + 1);
    for (const std::string_view packed : {gzip_ending, zstd_ending}) {
        if (name.ends_with(packed)) name.remove_suffix(packed.size());
    }
    const auto cut = [&](std::size_t at) { return RotatedName{name.substr(0, at), name.substr(at + 1)}; };
    const std::size_t last = name.find_last_of(".-");
    if (last == std::string_view::npos || last == 0) return {name, {}};
    const std::string_view tail = name.substr(last + 1);
    if (!all_digits(tail)) return {name, {}};
    if (name[last] == '.' || tail.size() == date_digits) return cut(last);
    const std::size_t date = last < date_digits + 1 ? 0 : last - date_digits - 1;
    const bool dated =
        tail.size() == time_digits && date > 0 && name[date] == '.' && all_digits(name.substr(date + 1, date_digits));
    return dated ? cut(date) : RotatedName{name, {}};
}

}  // namespace

std::string stem_of(std::string_view path) { return std::string(rotated_name(path).stem); }

std::uint64_t rotation_age(std::string_view path) {
    constexpr std::uint64_t latest = 1'0000'00'00'00'00'00;
    const std::string_view number = rotated_name(path).number;
    const std::size_t date_end = std::min(number.size(), date_digits);
    const auto count = base::to_number<std::uint64_t>(number.substr(0, date_end));
    if (!count) return 0;
    if (number.size() < date_digits) return *count;
    const auto time = base::to_number<std::uint64_t>(number.substr(std::min(number.size(), date_end + 1)));
    return latest - std::min(latest, *count * 1'00'00'00 + time.value_or(0));
}

}  // namespace mtawatch::exporter::files
