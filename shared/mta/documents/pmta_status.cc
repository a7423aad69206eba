#include "shared/mta/documents/pmta_status.h"

#include <algorithm>
#include <functional>

#include "shared/base/text.h"
#include "shared/mta/documents/pmta_document.h"
#include "shared/mta/documents/pmta_text.h"
#include "shared/mta/logs/timestamps.h"

namespace mtawatch::mta::documents {

namespace {

using base::fail;
using base::Fault;
using base::Result;

constexpr std::size_t max_text = 1024;  // of a name, an error, a reason: a domain and a VMTA have some 300 bytes

std::string text(const PmtaNode& node, std::string_view path) {
    return std::string(base::trim(node.text(path).value_or(std::string_view())).substr(0, max_text));
}

PmtaTraffic traffic(const PmtaNode& status, const std::string& path) {
    return {status.integer(path + ".rcp"), status.integer(path + ".msg"), status.number(path + ".kb")};
}

PmtaFlow flow(const PmtaNode& status, const std::string& name) {
    return {traffic(status, "traffic." + name + ".in"), traffic(status, "traffic." + name + ".out")};
}

PmtaConnections connections(const PmtaNode& status, const std::string& name) {
    return {status.integer("conn." + name + ".cur"), status.integer("conn." + name + ".max"),
            status.integer("conn." + name + ".top")};
}

std::optional<std::chrono::local_seconds> time(const PmtaNode& node, std::string_view path) {
    const auto value = node.text(path);
    return value ? logs::parse_local_time(base::trim(*value)) : std::nullopt;
}

std::string platform_of(const PmtaNode& data) {
    const std::string name = text(data, "mta.os.name");
    const std::string version = text(data, "mta.os.version");
    return version.empty() ? name : name + " " + version;
}

// The element of a listing: `queue` in DOM and XML, `queues` in JSON.
bool is_named(const PmtaNode& node, std::string_view singular) {
    return node.name == singular ||
           (node.name.size() == singular.size() + 1 && node.name.starts_with(singular) && node.name.ends_with('s'));
}

// The newest of the errors that --errors adds: DOM and XML write events, JSON errors.
std::string last_error(const PmtaNode& entry) {
    for (const auto& child : entry.children) {
        if (child.name == "event" && text(child, "type") == "error") return text(child, "text");
        if (child.name == "errors" || child.name == "error") return text(child, "text");
    }
    return text(entry, "lastError");
}

PmtaEntry entry_of(const PmtaNode& node) {
    PmtaEntry entry;
    entry.name = text(node, "name");
    entry.recipients = node.integer("rcp").value_or(0);
    entry.kilobytes = node.number("kb");
    entry.connections = node.integer("conn");
    entry.domains = node.integer("dom");
    entry.paused = node.flag("paused");
    entry.mode = text(node, "mode");
    entry.retry_time = text(node, "retryTime");
    entry.last_error = last_error(node);
    entry.backoff_reason = text(node, "backoffReason");
    return entry;
}

std::optional<std::int64_t> total_of(const PmtaNode& data, std::string_view what) {
    if (what == "queue") return data.integer("totalQueuesWithRcp");
    if (what == "domain") return data.integer("totalDomainsWithRcp");
    if (what == "vmta") return data.integer("totalVmtasWithRcp");
    return data.integer("totalJobsWithRcp");
}

bool has_totals(const PmtaNode& data) {
    return data.integer("totalRcp").has_value() || data.find("title") != nullptr || data.children.empty();
}

}  // namespace

std::optional<std::int64_t> PmtaStatus::queued_recipients() const {
    std::optional<std::int64_t> sum;
    for (const auto& kind : queues) {
        if (kind.recipients) sum = sum.value_or(0) + *kind.recipients;
    }
    return sum;
}

base::Result<PmtaStatus> read_pmta_status(std::string bytes) {
    auto document = read_pmta_document(std::move(bytes));
    if (!document) return fail(document.error());
    if (document->format == PmtaFormat::text) return pmta_status_from_text(document->text);
    const PmtaNode& data = document->data;
    // 5.0r1 is said to put the status below mta; the guide says beside it.
    const PmtaNode* node = data.find("status.status") != nullptr ? data.find("status") : data.find("mta.status");
    if (node == nullptr || !node->text("status")) {
        return fail(Fault::malformed, "this is not PowerMTA's status, or it is cut short: status.status is missing");
    }
    PmtaStatus status;
    status.version = text(data, "mta.product.version");
    status.platform = platform_of(data);
    status.host = text(data, "mta.fullHostName");
    status.state = text(*node, "status");
    status.shutting_down = node->flag("shuttingDown");
    status.now = time(*node, "timeNow");
    status.started = time(*node, "startupTime");
    if (status.now && status.started && *status.now >= *status.started) status.uptime = *status.now - *status.started;
    status.total = flow(*node, "total");
    status.last_hour = flow(*node, "lastHr");
    status.last_minute = flow(*node, "lastMin");
    status.connections_in = connections(*node, "smtpIn");
    status.connections_out = connections(*node, "smtpOut");
    status.names_cached = node->integer("resolver.namesCached");
    status.queries_pending = node->integer("resolver.queriesPending");
    if (const auto* queues = node->find("queue")) {
        for (const auto& kind : queues->children) {
            status.queues.push_back(
                {std::string(kind.name), kind.integer("rcp"), kind.integer("dom"), kind.number("kb")});
        }
    }
    status.spool_initialized_percent = node->number("spool.initPct");
    status.spool_recipients = node->integer("spool.totalRcp");
    status.spool_max_recipients = node->integer("spool.maxRcp");
    return status;
}

void PmtaListing::add(PmtaEntry entry) {
    entries.push_back(std::move(entry));
    // Halved when there are twice as many, so memory stays bounded and time near linear.
    if (entries.size() >= 2 * max_pmta_entries) keep_largest();
}

void PmtaListing::keep_largest() {
    if (entries.size() <= max_pmta_entries) return;
    std::ranges::stable_sort(entries, std::ranges::greater(), &PmtaEntry::recipients);
    entries.resize(max_pmta_entries);
    left_out = true;
}

std::optional<bool> PmtaListing::complete() const {
    if (left_out) return false;
    if (total_entries && *total_entries >= 0) return entries.size() >= static_cast<std::uint64_t>(*total_entries);
    if (!total_recipients) return std::nullopt;
    std::int64_t sum = 0;
    for (const auto& entry : entries) sum += entry.recipients;
    return sum >= *total_recipients;
}

base::Result<PmtaListing> read_pmta_listing(std::string bytes, std::string_view what) {
    PmtaListing listing;
    bool nameless = false;
    const auto take = [&](const PmtaNode& node) {
        if (!is_named(node, what) || node.children.empty()) return false;
        if (!node.text("name") || !node.integer("rcp")) {
            nameless = true;
        } else {
            listing.add(entry_of(node));
        }
        return true;
    };
    auto document = read_pmta_document(std::move(bytes), take);
    if (!document) return fail(document.error());
    if (document->format == PmtaFormat::text) return pmta_listing_from_text(document->text, what);
    if (nameless) return fail(Fault::malformed, "PowerMTA's {} without a name or recipients", what);
    listing.keep_largest();
    const PmtaNode& data = document->data;
    listing.total_recipients = data.integer("totalRcp");
    listing.total_entries = total_of(data, what);
    // The DOM form has no end mark, so the totals, which come last, are asked for.
    if (document->format == PmtaFormat::dom && !listing.total_recipients) {
        return fail(Fault::malformed, "this is not PowerMTA's list of {}s, or it is cut short: totalRcp is missing",
                    what);
    }
    if (listing.entries.empty() && !has_totals(data)) {
        return fail(Fault::malformed, "this is not PowerMTA's list of {}s", what);
    }
    return listing;
}

base::Result<PmtaMessages> read_pmta_messages(std::string bytes) {
    auto document = read_pmta_document(std::move(bytes));
    if (!document) return fail(document.error());
    if (document->format == PmtaFormat::text) {
        return fail(Fault::malformed, "this is not PowerMTA's list of messages: '{}'",
                    base::one_line(base::trim(document->text).substr(0, max_text), 120));
    }
    PmtaMessages messages;
    messages.remark = base::one_line(base::trim(document->message), 200);
    for (const auto& node : document->data.children) {
        if (!is_named(node, "msg") && !is_named(node, "message")) continue;
        if (!node.text("queue")) return fail(Fault::malformed, "PowerMTA's message without a queue");
        messages.messages.push_back({text(node, "queue"), text(node, "rcpt"), time(node, "timeQueued")});
    }
    if (messages.messages.empty() && !document->data.children.empty() && document->data.find("title") == nullptr) {
        return fail(Fault::malformed, "this is not PowerMTA's list of messages");
    }
    return messages;
}

base::Result<PmtaLicence> read_pmta_licence(std::string bytes) {
    auto document = read_pmta_document(std::move(bytes));
    if (!document) return fail(document.error());
    if (document->format == PmtaFormat::text) return pmta_licence_from_text(document->text);
    const PmtaNode* node = document->data.find("license.expires") != nullptr ? document->data.find("license")
                           : document->data.find("lic.expires") != nullptr   ? document->data.find("lic")
                                                                             : &document->data;
    if (!node->text("expires")) return fail(Fault::malformed, "PowerMTA's licence has no 'expires'");
    PmtaLicence licence{text(*node, "product"), text(*node, "version"), text(*node, "licensee"), {}};
    licence.expires = logs::parse_date(text(*node, "expires").substr(0, 10));
    return licence;
}

}  // namespace mtawatch::mta::documents
