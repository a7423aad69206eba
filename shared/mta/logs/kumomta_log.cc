#include "shared/mta/logs/kumomta_log.h"

#include <fmt/format.h>
#include <simdjson.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <optional>
#include <vector>

#include "shared/base/text.h"
#include "shared/mta/logs/log_lines.h"
#include "shared/mta/logs/timestamps.h"

namespace mtawatch::mta::logs {
namespace {

namespace ondemand = simdjson::ondemand;
constexpr std::array cells{Column::rcpt,
                           Column::orig,
                           Column::dsn_status,
                           Column::dsn_diag,
                           Column::dsn_mta,
                           Column::bounce_cat,
                           Column::dlv_type,
                           Column::dlv_source_ip,
                           Column::dlv_destination_ip,
                           Column::dlv_size,
                           Column::total_seconds_queued,
                           Column::vmta,
                           Column::vmta_pool,
                           Column::job_id,
                           Column::src_type,
                           Column::rcv_source_ip,
                           Column::feedback_type,
                           Column::format,
                           Column::user_agent,
                           Column::reporting_mta,
                           Column::reported_domain,
                           Column::dlv_tls_protocol,
                           Column::dlv_tls_cipher};
constexpr std::size_t tls_cells = 2;  // the last ones
constexpr ColumnMap plain_map = column_map(cells, cells.size() - tls_cells);
constexpr ColumnMap tls_map = column_map(cells, cells.size());
static_assert(LogLines::padding >= simdjson::SIMDJSON_PADDING);

// Years 1970 to 9999, as everywhere.
constexpr double latest = 253'402'300'800.0;

// The fields of one object; texts live until the next one is read.
struct Fields {
    std::string_view type;
    std::optional<double> timestamp;
    std::optional<double> created;
    std::vector<std::string_view> recipients;
    std::string_view sender, queue, classification, pool, source, delivery_protocol, reception_protocol;
    std::string_view tls_protocol, tls_cipher;
    std::string_view peer_name, peer_address, source_address;
    std::uint64_t size = 0;
    std::int64_t code = 0;
    std::array<std::int64_t, 3> enhanced{};
    bool has_enhanced = false;
    std::string_view content;
    bool own_words = false;  // `command` is there and null: no receiver said this
    std::string_view feedback_type, user_agent, reporting_mta, complaint_source, mail_from, reported_domain;
    std::string_view complaint_recipient, traced_recipient;

    void clear() {
        std::vector<std::string_view> kept = std::move(recipients);
        kept.clear();
        *this = Fields{};
        recipients = std::move(kept);
    }
};

// A value of another type than expected is like one that is not there: what matters is demanded afterwards.
void take(ondemand::value value, std::string_view& into) {
    if (value.get_string().get(into)) into = {};
}
void take(ondemand::value value, std::int64_t& into) {
    if (value.get_int64().get(into)) into = 0;
}
void take(ondemand::value value, std::uint64_t& into) {
    if (value.get_uint64().get(into)) into = 0;
}
void read_first(ondemand::value value, std::string_view& into) {
    ondemand::array all;
    if (value.get_array().get(all)) return;
    for (auto one : all) {
        ondemand::value text;
        if (into.empty() && !one.get(text)) take(text, into);
    }
}

// Calls parse_field(key, value) for every field of an object; nothing for another value.
template <class ParseField>
void each_field(ondemand::value value, ParseField parse_field) {
    ondemand::object object;
    if (value.get_object().get(object)) return;
    for (auto next : object) {
        ondemand::field field;
        if (std::move(next).get(field)) return;
        parse_field(field.key(), field.value());
    }
}

// "192.0.2.1:587" and "[2001:db8::1]:587" without the port.
std::string_view without_port(std::string_view address) {
    if (address.starts_with('[')) return address.substr(1, address.find(']') - 1);
    const std::size_t colon = address.rfind(':');
    return colon == address.find(':') ? address.substr(0, colon) : address;
}

// "spring" of the queue name "spring:tenant@example.com".
std::string_view campaign_of(std::string_view queue) {
    const std::size_t colon = queue.substr(0, queue.find('@')).find(':');
    return colon == std::string_view::npos ? std::string_view() : queue.substr(0, colon);
}

RecordType type_of(std::string_view type) {
    if (type == "Delivery") return RecordType::d;
    if (type == "Bounce" || type == "Expiration" || type == "AdminBounce") return RecordType::b;
    if (type == "TransientFailure") return RecordType::t;
    if (type == "OOB") return RecordType::rb;
    if (type == "Feedback") return RecordType::f;
    if (type == "Reception") return RecordType::r;
    return RecordType::other;
}

}  // namespace

struct KumoLogReader::State {
    LogLines lines{max_kumo_line};
    RecordBatch batch{cells.size(), 3 * max_kumo_line + 4096};  // cleaning may triple a line
    ScanCounts counts;
    std::uint64_t own_lines = 0;
    std::string header;  // always empty
    ondemand::parser parser;
    std::string clean;
    TimestampParser times{Zone::utc()};
    Fields fields;
    std::size_t recipient = 0;  // the first of fields.recipients that has not been handed out
    std::string diag;
    std::string status;

    void fail(ScanError error) { ++counts.errors[static_cast<std::size_t>(error)]; }
    void parse_line(std::string_view line, bool last);
    [[nodiscard]] simdjson::error_code parse(simdjson::padded_string_view line);
    void parse_field(ondemand::raw_json_string key, ondemand::value value);
    void parse_time(ondemand::value value, std::optional<double>& into);
    void parse_recipients(ondemand::value value);
    void parse_response(ondemand::value value);
    void parse_report(ondemand::value value);
    [[nodiscard]] bool is_own_text() const;
    void word_reply();
    void add_record();
    [[nodiscard]] std::string_view delivery_type() const;
};

KumoLogReader::KumoLogReader() : state_(std::make_unique<State>()) {}
KumoLogReader::KumoLogReader(KumoLogReader&&) noexcept = default;
KumoLogReader& KumoLogReader::operator=(KumoLogReader&&) noexcept = default;
KumoLogReader::~KumoLogReader() = default;

std::span<char> KumoLogReader::space() {
    state_->batch.clear();
    return state_->lines.space();
}
void KumoLogReader::commit(std::size_t count) { state_->lines.commit(count); }
void KumoLogReader::finish() { state_->lines.finish(); }
std::uint64_t KumoLogReader::consumed() const { return state_->lines.consumed(); }
std::uint64_t KumoLogReader::committed() const { return state_->lines.committed(); }
const ScanCounts& KumoLogReader::counts() const { return state_->counts; }
const std::string& KumoLogReader::header() const { return state_->header; }
std::uint64_t KumoLogReader::own_lines() const { return state_->own_lines; }

void KumoLogReader::resume(std::string_view /*header*/, std::uint64_t offset) {
    state_->lines.resume(offset);
    state_->batch.clear();
    state_->fields.clear();
    state_->recipient = 0;
}

std::span<const Record> KumoLogReader::next() {
    State& state = *state_;
    state.batch.clear();
    std::string_view line;
    while (!state.batch.full()) {
        if (state.recipient < state.fields.recipients.size()) {
            state.add_record();
            continue;
        }
        const LogLines::Step step = state.lines.next(line);
        if (step == LogLines::Step::none) break;
        if (step == LogLines::Step::oversized) {
            state.fail(ScanError::oversized);
        } else {
            state.parse_line(line, step == LogLines::Step::last_line);
        }
    }
    return state.batch.records();
}

void KumoLogReader::State::parse_line(std::string_view line, bool last) {
    fields.clear();
    recipient = 0;
    if (base::trim(line).empty()) return;
    auto error = parse(simdjson::padded_string_view(line.data(), line.size(), line.size() + LogLines::padding));
    if (error == simdjson::UTF8_ERROR) {
        // A reply may hold bytes that are no UTF-8; that must not hide its record.
        clean = base::clean_utf8(line, 3 * line.size());
        const std::size_t size = clean.size();
        clean.resize(size + LogLines::padding);
        error = parse(simdjson::padded_string_view(clean.data(), size, clean.size()));
    }
    const auto refuse = [&](ScanError why) {
        fields.clear();
        fail(why);
    };
    if (error) return refuse(last ? ScanError::cut_off : ScanError::columns);
    if (fields.type.empty()) return refuse(ScanError::type);
    if (!fields.timestamp || *fields.timestamp < 0 || *fields.timestamp >= latest) {
        return refuse(ScanError::timestamp);
    }
    ++own_lines;
    word_reply();
    if (type_of(fields.type) == RecordType::f) {
        fields.recipients.assign(
            1, fields.complaint_recipient.empty() ? fields.traced_recipient : fields.complaint_recipient);
    }
    if (fields.recipients.empty()) fields.recipients.emplace_back();
}

simdjson::error_code KumoLogReader::State::parse(simdjson::padded_string_view line) {
    fields.clear();
    ondemand::document document;
    if (const auto error = parser.iterate(line).get(document); error) return error;
    ondemand::object object;
    if (const auto error = document.get_object().get(object); error) return error;
    for (auto next : object) {
        ondemand::field field;
        if (const auto error = std::move(next).get(field); error) return error;
        parse_field(field.key(), field.value());
    }
    // Only at the end is there no current location.
    return document.current_location().error() ? simdjson::SUCCESS : simdjson::TRAILING_CONTENT;
}

void KumoLogReader::State::parse_field(ondemand::raw_json_string key, ondemand::value value) {
    if (key == "type") return take(value, fields.type);
    if (key == "timestamp") return parse_time(value, fields.timestamp);
    if (key == "created") return parse_time(value, fields.created);
    if (key == "recipient") return parse_recipients(value);
    if (key == "sender") return take(value, fields.sender);
    if (key == "queue") return take(value, fields.queue);
    if (key == "size") return take(value, fields.size);
    if (key == "response") return parse_response(value);
    if (key == "bounce_classification") return take(value, fields.classification);
    if (key == "egress_pool") return take(value, fields.pool);
    if (key == "egress_source") return take(value, fields.source);
    if (key == "delivery_protocol") return take(value, fields.delivery_protocol);
    if (key == "reception_protocol") return take(value, fields.reception_protocol);
    if (key == "tls_protocol_version") return take(value, fields.tls_protocol);
    if (key == "tls_cipher") return take(value, fields.tls_cipher);
    if (key == "feedback_report") return parse_report(value);
    if (key == "peer_address") {
        return each_field(value, [&](ondemand::raw_json_string name, ondemand::value part) {
            if (name == "name") take(part, fields.peer_name);
            if (name == "addr") take(part, fields.peer_address);
        });
    }
    if (key == "source_address") {
        return each_field(value, [&](ondemand::raw_json_string name, ondemand::value part) {
            if (name == "address") take(part, fields.source_address);
        });
    }
}

// Seconds since 1970, whole or with a fraction, or an RFC 3339 stamp.
void KumoLogReader::State::parse_time(ondemand::value value, std::optional<double>& into) {
    double seconds = 0;
    if (!value.get_double().get(seconds)) {
        into = seconds;
        return;
    }
    std::string_view text;
    if (value.get_string().get(text)) return;
    if (const auto parsed = times.parse(text)) into = static_cast<double>(*parsed);
}

void KumoLogReader::State::parse_recipients(ondemand::value value) {
    ondemand::array several;
    if (value.get_array().get(several)) {
        take(value, fields.recipients.emplace_back());
        return;
    }
    for (auto one : several) {
        ondemand::value text;
        if (!one.get(text)) take(text, fields.recipients.emplace_back());
    }
}

void KumoLogReader::State::parse_response(ondemand::value value) {
    each_field(value, [&](ondemand::raw_json_string name, ondemand::value part) {
        if (name == "code") return take(part, fields.code);
        if (name == "content") return take(part, fields.content);
        // What command was answered is not kept: that of a refused AUTH holds a password.
        if (name == "command") {
            bool null = false;
            fields.own_words = !part.is_null().get(null) && null;
            return;
        }
        if (name != "enhanced_code") return;
        each_field(part, [&](ondemand::raw_json_string digit, ondemand::value number) {
            fields.has_enhanced = true;
            if (digit == "class") take(number, fields.enhanced[0]);
            if (digit == "subject") take(number, fields.enhanced[1]);
            if (digit == "detail") take(number, fields.enhanced[2]);
        });
    });
}

void KumoLogReader::State::parse_report(ondemand::value value) {
    each_field(value, [&](ondemand::raw_json_string name, ondemand::value part) {
        if (name == "feedback_type") return take(part, fields.feedback_type);
        if (name == "user_agent") return take(part, fields.user_agent);
        if (name == "source_ip") return take(part, fields.complaint_source);
        if (name == "original_mail_from") return take(part, fields.mail_from);
        if (name == "original_rcpto_to") return read_first(part, fields.complaint_recipient);
        if (name == "reported_domain") return read_first(part, fields.reported_domain);
        const bool mta = name == "reporting_mta";
        if (!mta && name != "supplemental_trace") return;
        each_field(part, [&](ondemand::raw_json_string inner, ondemand::value text) {
            if (mta && inner == "name") take(text, fields.reporting_mta);
            if (!mta && inner == "recipient") take(text, fields.traced_recipient);
        });
    });
}

// Whether the text is KumoMTA's own and not a receiver's. An out-of-band report answers no command, but is one's.
bool KumoLogReader::State::is_own_text() const {
    if (fields.content.starts_with("KumoMTA internal:")) return true;
    const bool fails = fields.type == "Bounce" || fields.type == "TransientFailure" || fields.type == "Expiration" ||
                       fields.type == "AdminBounce";
    return fails && fields.own_words;
}

// The reply as a server writes it: "550 5.1.1 User unknown"; KumoMTA's own text as "x-kumomta;MX didn't resolve".
void KumoLogReader::State::word_reply() {
    status.clear();
    diag.clear();
    if (fields.has_enhanced) {
        status = fmt::format("{}.{}.{}", fields.enhanced[0], fields.enhanced[1], fields.enhanced[2]);
    }
    if (is_own_text()) {
        diag = "x-kumomta;";
    } else if (fields.code > 0) {
        diag = fmt::format("smtp;{}{}{} ", fields.code, status.empty() ? "" : " ", status);
    }
    diag += fields.content;
    std::ranges::replace(diag, '\n', ' ');
    while (diag.ends_with(' ')) diag.pop_back();
}

std::string_view KumoLogReader::State::delivery_type() const {
    if (fields.type == "AdminBounce") return "admin";
    const std::string_view protocol = fields.delivery_protocol;
    return base::iequals(protocol, "ESMTP") || base::iequals(protocol, "SMTP") ? "smtp" : protocol;
}

void KumoLogReader::State::add_record() {
    const RecordType type = type_of(fields.type);
    const bool complaint = type == RecordType::f;
    const bool reception = type == RecordType::r;
    const bool bounce = type == RecordType::b || type == RecordType::rb;
    batch.cell(fields.recipients[recipient++]);
    batch.cell(complaint ? fields.mail_from : fields.sender);
    batch.cell(status);
    batch.cell(diag);
    batch.cell(fields.peer_name.substr(0, fields.peer_name.find_last_not_of('.') + 1));
    if (fields.type == "Expiration") {
        batch.cell("message-expired");
    } else {
        batch.cell(bounce && fields.classification != "Uncategorized" ? fields.classification : std::string_view());
    }
    batch.lower_cell(reception ? std::string_view() : delivery_type());
    batch.cell(complaint ? fields.complaint_source : without_port(fields.source_address));
    batch.cell(reception ? std::string_view() : fields.peer_address);
    batch.number_cell(fields.size);
    if (fields.created) {
        batch.number_cell(static_cast<std::uint64_t>(std::clamp(*fields.timestamp - *fields.created, 0.0, latest)));
    } else {
        batch.cell({});
    }
    batch.cell(fields.source);
    batch.cell(fields.pool);
    batch.cell(campaign_of(fields.queue));
    batch.lower_cell(reception ? fields.reception_protocol : std::string_view());
    batch.cell(reception ? fields.peer_address : std::string_view());
    batch.cell(fields.feedback_type);
    batch.cell(complaint ? "arf" : "");
    batch.cell(fields.user_agent);
    batch.cell(fields.reporting_mta);
    batch.cell(fields.reported_domain);
    const bool tls = !fields.tls_protocol.empty();
    if (tls) {
        batch.cell(fields.tls_protocol);
        batch.cell(fields.tls_cipher);
    }
    batch.add(type, static_cast<std::int64_t>(std::floor(*fields.timestamp)), tls ? tls_map : plain_map);
    ++counts.parsed;
}

}  // namespace mtawatch::mta::logs
