#include "exporter/accounting/tracked_file.h"

#include <algorithm>

#include "shared/base/text.h"

namespace mtawatch::exporter {
namespace {

constexpr std::string_view kGzip = ".gz";
constexpr std::size_t kDateDigits = 8;  // logrotate's dateext: acct.csv-20261121

}  // namespace

std::size_t full_fingerprint_length(std::string_view head) {
    const std::size_t newline = head.substr(0, kMaxHeaderBytes).find('\n');
    return (newline == std::string_view::npos ? 0 : newline + 1) + kFingerprintBytes;
}

bool is_gzip_name(std::string_view path) { return path.ends_with(kGzip); }

std::string stem_of(std::string_view path) {
    std::string_view name = path.substr(path.rfind('/') + 1);
    if (name.ends_with(kGzip)) name.remove_suffix(kGzip.size());
    const std::size_t last = name.find_last_not_of("0123456789");
    if (last == std::string_view::npos || last == 0 || last + 1 == name.size()) return std::string(name);
    const std::size_t digits = name.size() - last - 1;
    if (name[last] == '.' || (name[last] == '-' && digits == kDateDigits)) name = name.substr(0, last);
    return std::string(name);
}

}  // namespace mtawatch::exporter
