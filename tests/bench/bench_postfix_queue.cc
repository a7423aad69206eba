// Benchmark of reading a queue listing. `reader FILE` is what check_mta_queue does with the output of postqueue -j;
// `bare FILE` is the least that any reader with simdjson must do: find the lines and walk every value of each. CPU
// seconds on stdout.
#include <fcntl.h>
#include <simdjson.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cstdio>
#include <cstring>
#include <string_view>
#include <vector>

#include "shared/mta/documents/postfix_queue.h"

namespace {

namespace ondemand = simdjson::ondemand;
constexpr std::size_t piece_bytes = 64U << 10U;  // what a pipe carries at once

double cpu_seconds() {
    rusage usage{};
    getrusage(RUSAGE_SELF, &usage);
    const auto seconds = [](const timeval& time) {
        return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
    };
    return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

// Every string unescaped and every number parsed, nothing kept.
void walk(ondemand::value value, std::size_t& seen) {
    switch (value.type()) {
        case ondemand::json_type::object:
            for (auto field : value.get_object()) walk(field.value(), seen);
            break;
        case ondemand::json_type::array:
            for (auto item : value.get_array()) walk(item.value(), seen);
            break;
        case ondemand::json_type::string:
            seen += std::string_view(value.get_string()).size();
            break;
        case ondemand::json_type::number:
            seen += static_cast<std::size_t>(value.get_int64());
            break;
        default:
            ++seen;
    }
}

std::size_t bare(int file) {
    std::vector<char> buffer(4 * piece_bytes + simdjson::SIMDJSON_PADDING);
    ondemand::parser parser;
    std::size_t used = 0;
    std::size_t seen = 0;
    ssize_t got = 0;
    while ((got = read(file, buffer.data() + used, piece_bytes)) > 0) {
        used += static_cast<std::size_t>(got);
        std::size_t start = 0;
        while (const void* end = std::memchr(buffer.data() + start, '\n', used - start)) {
            const auto stop = static_cast<std::size_t>(static_cast<const char*>(end) - buffer.data());
            const std::size_t size = stop - start;
            auto document = parser.iterate(
                simdjson::padded_string_view(buffer.data() + start, size, size + simdjson::SIMDJSON_PADDING));
            for (auto field : document.get_object()) walk(field.value(), seen);
            start = stop + 1;
        }
        std::memmove(buffer.data(), buffer.data() + start, used - start);
        used -= start;
    }
    return seen;
}

std::size_t reader(int file) {
    mtawatch::mta::documents::PostfixQueueReader queue;
    std::vector<char> buffer(piece_bytes);
    ssize_t got = 0;
    while ((got = read(file, buffer.data(), buffer.size())) > 0) {
        if (!queue.push({buffer.data(), static_cast<std::size_t>(got)})) return 0;
    }
    return queue.take(1000).messages();
}

}  // namespace

int main(int argc, char** argv) {
    const int file = argc == 3 ? open(argv[2], O_RDONLY | O_CLOEXEC) : -1;
    if (file < 0) {
        std::fputs("usage: bench_postfix_queue reader|bare FILE\n", stderr);
        return 2;
    }
    const double begin = cpu_seconds();
    const std::size_t result = std::string_view(argv[1]) == "bare" ? bare(file) : reader(file);
    std::printf("%.3f %zu\n", cpu_seconds() - begin, result);
    return 0;
}
