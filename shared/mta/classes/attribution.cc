#include "shared/mta/classes/attribution.h"

#include <algorithm>

#include "shared/base/text.h"

namespace mtawatch::mta::classes {
namespace {

using logs::Column;
using logs::Record;

// The domain of an address in a header field, which may have a comment behind it: "hi@brand.example (Brand)".
std::string_view header_domain(std::string_view field) {
    const std::string_view domain = logs::address_domain(field);
    return domain.substr(0, domain.find_first_of(" \t>(,;\""));
}

}  // namespace

std::string_view queue_vmta(const Record& record) {
    if (record.type == logs::RecordType::f) return {};
    const std::string_view queue = record.raw(Column::queue);
    const std::size_t slash = queue.rfind('/');
    return slash == std::string_view::npos ? std::string_view() : queue.substr(slash + 1);
}

OriginGaps origin_gaps(const Record& complaint) {
    const bool vmta = vmta_of(complaint).empty();
    return {vmta, vmta && pool_of(complaint).empty()};
}

std::string_view complaint_sender(const Record& record) {
    for (const Column column : {Column::header_return_path, Column::header_from}) {
        if (const std::string_view domain = header_domain(record.raw(column)); !domain.empty()) return domain;
    }
    const std::string_view reported = base::trim(record.raw(Column::reported_domain));
    return reported.find('@') == std::string_view::npos ? reported : header_domain(reported);
}

ProviderId provider_by_names(const ProviderTable& table, const RecipientNames& names) {
    const ProviderId known = table.by_domain(names.domain);
    return known != other_provider || names.mx.empty() ? known : table.by_mx(names.mx);
}

ProviderId provider_of_complaint(const ProviderTable& table, const Record& complaint) {
    return table.of_complaint(recipient_domain_of(complaint), complaint.raw(Column::format),
                              complaint.raw(Column::user_agent), complaint.raw(Column::reporting_mta));
}

std::vector<std::string> default_job_columns() { return {"jobId", "header_X-job", "header_BatchId"}; }

JobColumns job_columns(std::span<const std::string> names) {
    JobColumns columns;
    for (const std::string& column : names) {
        if (base::iequals(column, name(Column::job_id))) {
            columns.cells.push_back(Column::job_id);
        } else if (columns.custom.size() < logs::custom_column_count) {
            columns.cells.push_back(logs::custom_column(columns.custom.size()));
            columns.custom.push_back(column);
        }
    }
    return columns;
}

bool holds_address(std::string_view text) {
    const auto blank = [](char c) { return c == ' ' || c == '\t'; };
    for (std::size_t at = text.find('@'); at != std::string_view::npos; at = text.find('@', at + 1)) {
        if (at > 0 && at + 1 < text.size() && !blank(text[at - 1]) && !blank(text[at + 1])) return true;
    }
    return false;
}

std::string_view job_of(const Record& record, std::span<const Column> cells) {
    for (const Column cell : cells) {
        if (const std::string_view job = record.raw(cell); !job.empty() && !holds_address(job)) return job;
    }
    return {};
}

std::string_view category_of(const Record& record, const BouncePatterns* patterns) {
    const std::string_view logged = record.raw(Column::bounce_cat);
    if (!logged.empty() || patterns == nullptr) return logged;
    return patterns->category(record.raw(Column::dsn_status), record.raw(Column::dsn_diag));
}

std::string readable_name(std::string_view cell) {
    std::string once;
    for (std::size_t i = 0; i < cell.size() && i < 4 * max_name_bytes; ++i) {
        once += cell[i];
        if (cell[i] == '"' && i + 1 < cell.size() && cell[i + 1] == '"') ++i;
    }
    return base::one_line(once, max_name_bytes);
}

}  // namespace mtawatch::mta::classes
