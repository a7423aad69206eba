#include "shared/options/options.h"

#include <fmt/format.h>

#include <numeric>
#include <stdexcept>

#include "shared/base/duration.h"
#include "shared/base/text.h"
#include "shared/options/values.h"

namespace mtawatch::options {

OptionTable options_of(std::initializer_list<OptionTable> groups) {
    OptionTable table;
    table.reserve(std::accumulate(groups.begin(), groups.end(), std::size_t{0},
                                  [](std::size_t sum, const OptionTable& group) { return sum + group.size(); }));
    for (const OptionTable& group : groups) table.insert(table.end(), group.begin(), group.end());
    return table;
}

OptionTable help_and_version() {
    return {{.name = "help", .letter = 'h', .kind = Kind::flag, .help = "Show this text"},
            {.name = "version", .letter = 'V', .kind = Kind::flag, .help = "Show name and version"}};
}

const Option& Options::option(std::string_view name) const {
    for (const Option& candidate : table_) {
        if (candidate.name == name) return candidate;
    }
    throw std::logic_error(fmt::format("option --{} is not in the program's table", name));
}

bool Options::given(std::string_view name) const {
    static_cast<void>(option(name));
    return values_.find(name) != values_.end();
}

bool Options::flag(std::string_view name) const { return count(name) > 0; }

int Options::count(std::string_view name) const {
    static_cast<void>(option(name));
    const auto found = values_.find(name);
    return found == values_.end() ? 0 : static_cast<int>(found->second.size());
}

std::vector<std::string> Options::list(std::string_view name) const {
    const Option& wanted = option(name);
    const auto found = values_.find(name);
    if (found != values_.end()) return found->second;
    if (wanted.fallback.empty()) return {};
    return {std::string(wanted.fallback)};
}

std::optional<std::string> Options::find_text(std::string_view name) const {
    std::vector<std::string> values = list(name);
    if (values.empty()) return std::nullopt;
    return std::move(values.back());
}

namespace {

template <class T>
T present(std::string_view name, std::optional<T> value) {
    if (!value) throw std::logic_error(fmt::format("--{} has no value and no default", name));
    return *std::move(value);
}

}  // namespace

std::optional<std::int64_t> Options::find_integer(std::string_view name) const {
    const std::optional<std::string> value = find_text(name);
    if (!value) return std::nullopt;
    return accepted(name, read_integer(option(name), *value));
}

std::optional<double> Options::find_number(std::string_view name) const {
    const std::optional<std::string> value = find_text(name);
    if (!value) return std::nullopt;
    return accepted(name, read_number(option(name), *value));
}

std::optional<std::chrono::milliseconds> Options::find_duration(std::string_view name) const {
    const std::optional<std::string> value = find_text(name);
    if (!value) return std::nullopt;
    return accepted(name, base::parse_duration(*value));
}

std::optional<base::WallTime> Options::find_time(std::string_view name) const {
    const std::optional<std::string> value = find_text(name);
    if (!value) return std::nullopt;
    return accepted(name, read_time(*value));
}

std::string Options::text(std::string_view name) const { return present(name, find_text(name)); }
std::int64_t Options::integer(std::string_view name) const { return present(name, find_integer(name)); }
double Options::number(std::string_view name) const { return present(name, find_number(name)); }
std::chrono::milliseconds Options::duration(std::string_view name) const { return present(name, find_duration(name)); }

std::vector<io::Endpoint> Options::endpoints(std::string_view name, std::uint16_t default_port) const {
    std::vector<io::Endpoint> result;
    for (const std::string& value : list(name)) {
        result.push_back(accepted(name, io::parse_endpoint(value, default_port)));
    }
    return result;
}

}  // namespace mtawatch::options
