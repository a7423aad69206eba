#include "shared/mta/logs/record.h"

#include <bit>
#if defined(__SSE2__)
#include <emmintrin.h>
#endif

#include "shared/base/text.h"

namespace mtawatch::mta::logs {

std::string_view name(RecordType type) {
    static constexpr std::array<std::string_view, record_type_count> names{"d",  "b",  "t", "tq",    "r",
                                                                           "rb", "rs", "f", "other", "diagnostic"};
    return names[static_cast<std::size_t>(type)];
}

std::optional<RecordType> record_type_of_code(std::string_view code) {
    for (const RecordType type : {RecordType::d, RecordType::b, RecordType::t, RecordType::tq, RecordType::r,
                                  RecordType::rb, RecordType::rs, RecordType::f}) {
        if (name(type) == code) return type;
    }
    return std::nullopt;
}

std::string_view name(Column column) {
    static constexpr std::array<std::string_view, column_count> names{"type",
                                                                      "timeLogged",
                                                                      "timeQueued",
                                                                      "totalSecondsQueued",
                                                                      "orig",
                                                                      "rcpt",
                                                                      "orcpt",
                                                                      "dsnAction",
                                                                      "dsnStatus",
                                                                      "dsnDiag",
                                                                      "dsnMta",
                                                                      "dsnReportingMta",
                                                                      "bounceCat",
                                                                      "srcType",
                                                                      "srcMta",
                                                                      "rcvSourceIp",
                                                                      "rcvSmtpUser",
                                                                      "dlvType",
                                                                      "dlvSourceIp",
                                                                      "dlvDestinationIp",
                                                                      "dlvSize",
                                                                      "dlvTlsProtocol",
                                                                      "dlvTlsCipher",
                                                                      "vmta",
                                                                      "vmtaPool",
                                                                      "jobId",
                                                                      "envId",
                                                                      "queue",
                                                                      "feedbackType",
                                                                      "format",
                                                                      "userAgent",
                                                                      "reportingMta",
                                                                      "reportedDomain",
                                                                      "header_From",
                                                                      "header_Return-Path",
                                                                      "custom0",
                                                                      "custom1",
                                                                      "custom2",
                                                                      "custom3",
                                                                      "custom4",
                                                                      "custom5",
                                                                      "custom6",
                                                                      "custom7"};
    static_assert(!names.back().empty());
    return names[static_cast<std::size_t>(column)];
}

std::string_view Record::text(Column column, std::string& scratch) const {
    const std::string_view bytes = raw(column);
    // Only inside enclosing quotes are quotes doubled.
    if (bytes.size() == cell(column).size() || bytes.find('"') == std::string_view::npos) return bytes;
    scratch.clear();
    for (std::size_t i = 0; i < bytes.size(); ++i) {
        scratch.push_back(bytes[i]);
        if (bytes[i] == '"' && i + 1 < bytes.size() && bytes[i + 1] == '"') ++i;
    }
    return scratch;
}

OwnedRecord::OwnedRecord(RecordType type, std::int64_t time, const std::vector<std::pair<Column, std::string>>& cells)
    : bytes_(","), ends_{0}, type_(type), time_(time) {
    map_.fill(absent_column);
    for (const auto& [column, text] : cells) {
        map_[static_cast<std::size_t>(column)] = static_cast<std::uint16_t>(ends_.size() - 1);
        bytes_ += text;
        ends_.push_back(static_cast<std::uint32_t>(bytes_.size()));
        bytes_ += ',';
    }
}

Record OwnedRecord::view() const {
    Record record(bytes_.data(), ends_.data() + 1, &map_);
    record.type = type_;
    record.time = time_;
    return record;
}

namespace {

// Where the last '@' is: every record asks twice, and a domain of twenty letters is one step here, not twenty.
std::size_t last_at(std::string_view text) {
    std::size_t end = text.size();
#if defined(__SSE2__)
    constexpr std::size_t step = 16;
    for (; end >= step; end -= step) {
        const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(text.data() + end - step));
        const auto found = static_cast<unsigned>(_mm_movemask_epi8(_mm_cmpeq_epi8(bytes, _mm_set1_epi8('@'))));
        if (found != 0) return end - step + static_cast<std::size_t>(std::bit_width(found)) - 1;
    }
#endif
    return text.substr(0, end).rfind('@');
}

}  // namespace

std::string_view address_domain(std::string_view address) {
    const std::size_t at = last_at(address);
    if (at == std::string_view::npos) return {};
    address.remove_prefix(at + 1);
    if (!address.empty() && address.back() == '>') address.remove_suffix(1);
    return address;
}

std::string_view recipient_domain(std::string_view rcpt, std::string_view queue) {
    const std::string_view domain = address_domain(rcpt);
    if (!domain.empty()) return domain;
    const std::string_view name = queue.substr(0, queue.rfind('/'));
    // "{default}", "{feedbackLoop}" and the like are PowerMTA's reserved queues, no domains.
    if (name.empty() || name.front() == '{' || base::iends_with(name, ".rollup")) return {};
    return name;
}

std::string_view host_of(std::string_view mta) {
    // One after the other: find_first_of() would ask for every byte anew.
    mta = mta.substr(0, mta.find(' '));
    return mta.substr(0, mta.find('('));
}

}  // namespace mtawatch::mta::logs
