// The file of --classes with any bytes in it: the words of this site or an error that names the file; whatever the
// words are, every name that is looked up has an owner.
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "shared/base/text.h"
#include "shared/mta/classes/attribution.h"
#include "shared/mta/classes/classes_config.h"

using namespace mtawatch;

namespace {

// A record whose cells all are this text: whatever it is, it is counted under something, and never under an address.
void check_attribution(std::string_view text, const mta::classes::Classes& classes) {
    using mta::logs::Column;
    const mta::classes::JobColumns jobs = mta::classes::job_columns(classes.job_columns);
    std::vector<std::pair<Column, std::string>> cells;
    for (std::size_t i = 0; i < mta::logs::column_count; ++i) {
        cells.emplace_back(static_cast<Column>(i), std::string(text));
    }
    for (const auto type : {mta::logs::RecordType::d, mta::logs::RecordType::b, mta::logs::RecordType::f}) {
        const mta::logs::OwnedRecord owned(type, 0, cells);
        const mta::logs::Record record = owned.view();
        const auto names = mta::classes::recipient_names_of(record);
        const auto provider = mta::classes::provider_of(classes.providers, record,
                                                        mta::classes::provider_by_names(classes.providers, names));
        if (provider >= classes.providers.names().size()) std::abort();
        if (mta::classes::provider_of_complaint(classes.providers, record) >= classes.providers.names().size()) {
            std::abort();
        }
        if (mta::classes::sender_domain_of(record).find('@') != std::string_view::npos) std::abort();
        if (mta::classes::holds_address(mta::classes::job_of(record, jobs.cells))) std::abort();
        if (mta::classes::vmta_of(record).size() > text.size()) std::abort();
        if (mta::classes::readable_name(text).size() > mta::classes::max_name_bytes) std::abort();
    }
}

}  // namespace

// The last line is looked up as domain, as MX, as queue and as a complaint's fields, and is every cell of a record.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    const auto classes = mta::classes::parse_classes(text, "/etc/words.yml");
    if (!classes) {
        if (classes.error().what.find("/etc/words.yml") == std::string::npos) std::abort();
        return 0;
    }
    const std::string_view line = text.substr(text.rfind('\n') + 1);
    const mta::classes::ProviderTable& table = classes->providers;
    for (const auto id : {table.by_domain(line), table.by_mx(line), table.by_rollup(line),
                          table.of_complaint(line, line, line, line)}) {
        if (id >= table.names().size() || table.id(table.name(id)) != id) std::abort();
    }
    if (static_cast<std::size_t>(classes->bounce_classes.of_category(line)) >= mta::classes::bounce_class_count) {
        std::abort();
    }
    check_attribution(line, *classes);
    for (const auto& [alias, column] : classes->aliases) {
        if (column >= mta::logs::Column::custom0) std::abort();
    }
    return 0;
}
