// Feeds any text to what reads --map, --types and the header of a table: never a crash, and a header that is accepted
// names every column that was asked for exactly once.
#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string_view>

#include "shared/base/text.h"
#include "shared/mta/logs/accounting_header.h"
#include "shared/probe/bounce_rate/log_format.h"

using namespace mtawatch;

// The first line is --map, the second --types, the third the table's header.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const auto lines = base::split({reinterpret_cast<const char*>(data), size}, '\n');
    if (lines.size() < 3) return 0;
    probe::bounce_rate::LogOptions options;
    if (const auto table = probe::bounce_rate::parse_table(lines[0])) options.table = *table;
    if (const auto types = probe::bounce_rate::parse_types(lines[1])) options.scanner.record_types = *types;
    const auto header = probe::bounce_rate::table_header(lines[2], options);
    if (!header) return 0;
    const auto cells = mta::logs::header_cells(*header);
    for (const auto& [column, name] : options.table) {
        const auto named = std::ranges::count_if(cells, [&, &wanted = column](std::string_view cell) {
            const auto own = mta::logs::column_of(cell, options.scanner);
            return own && own->column == wanted;
        });
        if (named != 1) {
            std::fprintf(stderr, "%s is named %d times\n", name.c_str(), static_cast<int>(named));
            std::abort();
        }
    }
    return 0;
}
