#include "shared/config/ini.h"

#include <algorithm>

#include "shared/base/text.h"

namespace mtawatch::config {

namespace {

using base::fail;
using base::Fault;

std::string_view unquoted(std::string_view value) {
    const bool quoted =
        value.size() >= 2 && (value.front() == '"' || value.front() == '\'') && value.back() == value.front();
    return quoted ? value.substr(1, value.size() - 2) : value;
}

base::Failure refuse(std::string_view file, std::size_t line, std::string_view why, std::string_view text) {
    return fail(Fault::configuration, "{} line {}: {} (\"{}\")", file, line, why, base::one_line(text, 60));
}

}  // namespace

base::Result<std::vector<IniSection>> parse_ini(std::string_view text, std::string_view file) {
    std::vector<IniSection> sections;
    std::size_t number = 0;
    for (const std::string_view raw : base::split(text, '\n')) {
        ++number;
        const std::string_view line = base::trim(raw);
        if (line.empty() || line.front() == '#' || line.front() == ';') continue;
        if (line.find('\0') != std::string_view::npos) return refuse(file, number, "a NUL byte", line);
        if (line.front() == '[') {
            const std::string_view name =
                line.back() == ']' ? base::trim(line.substr(1, line.size() - 2)) : std::string_view();
            if (name.empty()) return refuse(file, number, "a section is written [name]", line);
            const bool known =
                std::ranges::any_of(sections, [&](const IniSection& section) { return section.name == name; });
            if (known) return refuse(file, number, "this section is there already", line);
            sections.push_back({std::string(name), number, {}});
            continue;
        }
        if (sections.empty()) return refuse(file, number, "an entry before the first [section]", line);
        const std::size_t equals = line.find('=');
        const std::string_view key = base::trim(line.substr(0, equals));
        if (key.empty()) return refuse(file, number, "a name is missing before '='", line);
        if (key.find_first_of(" \t") != std::string_view::npos) {
            return refuse(file, number, "an entry is written name = value", line);
        }
        IniEntry entry{std::string(key), std::nullopt, number};
        if (equals != std::string_view::npos) entry.value = unquoted(base::trim(line.substr(equals + 1)));
        sections.back().entries.push_back(std::move(entry));
    }
    return sections;
}

}  // namespace mtawatch::config
