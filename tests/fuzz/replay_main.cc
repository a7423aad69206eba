// Feeds every seed of the given archives to a fuzz target, so that a stored corpus is replayed in the ordinary tests.
// tests/fuzz/corpus_pack.py writes the archives: ustar entries, one behind the other, packed by gzip.
#include <algorithm>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <numeric>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include "shared/base/result.h"
#include "shared/io/byte_source.h"

using namespace mtawatch;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace {

constexpr std::size_t block = 512;               // of ustar: a header is one, the bytes behind it fill whole ones
constexpr std::size_t max_archive = 64U << 20U;  // a target's seeds are some 100 kB

base::Result<std::string> text_of(const std::string& path) {
    auto source = io::open_source(path);
    if (!source) return base::fail(source.error());
    std::string text;
    std::vector<char> buffer(65'536);
    while (text.size() <= max_archive) {
        const auto got = (*source)->read(buffer);
        if (!got) return base::fail(got.error());
        if (*got > 0) {
            text.append(buffer.data(), *got);
        } else if ((*source)->complete()) {
            return text;
        } else {
            return base::fail(base::Fault::malformed, "{}: the archive is empty or cut off", path);
        }
    }
    return base::fail(base::Fault::limit, "{}: the archive holds more than {} bytes", path, max_archive);
}

// An octal number up to the NUL that ends it; -1 for anything else.
long long octal(std::string_view field) {
    long long number = 0;
    const auto [end, error] = std::from_chars(field.data(), field.data() + field.size(), number, 8);
    const bool whole = error == std::errc{} && end != field.data() + field.size() && *end == '\0';
    return whole && number >= 0 ? number : -1;
}

// As ustar counts it: the field of the checksum itself as blanks.
bool checksum_is_right(std::string_view header) {
    const auto sum = [](std::string_view bytes) {
        return std::accumulate(bytes.begin(), bytes.end(), 0LL,
                               [](long long total, char byte) { return total + static_cast<unsigned char>(byte); });
    };
    return octal(header.substr(148, 8)) == sum(header.substr(0, 148)) + 8LL * ' ' + sum(header.substr(156));
}

base::Result<std::vector<std::string>> seeds_of(const std::string& path) {
    const auto text = text_of(path);
    if (!text) return base::fail(text.error());
    const auto damaged = [&](std::size_t at, std::string_view reason) {
        return base::fail(base::Fault::malformed, "{}: the archive is damaged at byte {}: {}", path, at, reason);
    };
    std::vector<std::string> seeds;
    std::string_view rest = *text;
    while (true) {
        const std::size_t at = text->size() - rest.size();
        if (rest.size() < 2 * block) return damaged(at, "it ends without its two empty blocks");
        const std::string_view header = rest.substr(0, block);
        if (header.find_first_not_of('\0') == std::string_view::npos) break;
        if (header.substr(257, 5) != "ustar" || !checksum_is_right(header)) return damaged(at, "no ustar header");
        if (header[156] != '0') return damaged(at, "no regular file");
        const long long size = octal(header.substr(124, 12));
        rest.remove_prefix(block);
        if (size < 0 || static_cast<std::size_t>(size) > rest.size()) return damaged(at, "a wrong size");
        const auto bytes = static_cast<std::size_t>(size);
        seeds.emplace_back(rest.substr(0, bytes));
        rest.remove_prefix(std::min(rest.size(), (bytes + block - 1) / block * block));
    }
    if (rest.find_first_not_of('\0') != std::string_view::npos) {
        return damaged(text->size() - rest.size(), "something follows its end");
    }
    if (seeds.empty()) return base::fail(base::Fault::malformed, "{}: the archive holds no seed", path);
    return seeds;
}

}  // namespace

int main(int argc, char** argv) {
    std::size_t replayed = 0;
    for (int i = 1; i < argc; ++i) {
        const auto seeds = seeds_of(argv[i]);
        if (!seeds) {
            std::fprintf(stderr, "%s\n", seeds.error().what.c_str());
            return 1;
        }
        for (const std::string& seed : *seeds) {
            LLVMFuzzerTestOneInput(reinterpret_cast<const std::uint8_t*>(seed.data()), seed.size());
        }
        replayed += seeds->size();
    }
    std::printf("%zu inputs replayed\n", replayed);
    return replayed > 0 ? 0 : 1;  // no archive proves nothing
}
