// The file of --classes with any bytes in it: the words of this site or an error that names the file; whatever the
// words are, every name that is looked up has an owner.
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "shared/base/text.h"
#include "shared/mta/classes/classes_config.h"

using namespace mtawatch;

// The last line is looked up as domain, as MX, as queue and as a complaint's fields.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    const auto classes = mta::classes::parse_classes(text, "/etc/words.yml");
    if (!classes) {
        if (classes.error().what.find("/etc/words.yml") == std::string::npos) std::abort();
        return 0;
    }
    const std::string_view line = text.substr(text.rfind('\n') + 1);
    const mta::classes::ProviderTable& table = classes->providers;
    for (const auto id : {table.find(line, line, line), table.by_domain(line), table.by_mx(line), table.by_rollup(line),
                          table.of_complaint(line, line, line, line)}) {
        if (id >= table.names().size() || table.id(table.name(id)) != id) std::abort();
    }
    if (static_cast<std::size_t>(classes->bounce_classes.of_category(line)) >= mta::classes::bounce_class_count) {
        std::abort();
    }
    for (const auto& [alias, column] : classes->aliases) {
        if (column >= mta::logs::Column::custom0) std::abort();
    }
    return 0;
}
