#include "shared/mta/documents/pmta_text.h"

#include <array>

#include "shared/base/text.h"
#include "shared/mta/logs/timestamps.h"

namespace mtawatch::mta::documents {

namespace {

using base::fail;
using base::Fault;
using base::Result;
using Words = std::vector<std::string_view>;

std::optional<std::int64_t> integer(const Words& words, std::size_t at) {
    return at < words.size() ? base::to_number<std::int64_t>(words[at]) : std::nullopt;
}

std::optional<double> number(const Words& words, std::size_t at) {
    return at < words.size() ? base::to_double(words[at]) : std::nullopt;
}

PmtaTraffic traffic(const Words& words, std::size_t at) {
    return {integer(words, at), integer(words, at + 1), number(words, at + 2)};
}

// Six figures: inbound recipients, messages and kilobytes, then outbound.
PmtaFlow flow(const Words& words, std::size_t at) { return {traffic(words, at), traffic(words, at + 3)}; }

constexpr std::size_t max_rows = 100;   // of kinds of queues, which are two
constexpr std::size_t max_line = 4096;  // the longest, an entry with its last error, has some hundreds

// The words of each line that has any, one line after the other.
template <class Take>
void each_line(std::string_view text, Take take) {
    while (!text.empty()) {
        const std::string_view line = base::take_line(text).substr(0, max_line);
        const auto words = base::words(line);
        if (!words.empty()) take(line, words);
    }
}

// "Started 2018-09-10 20:02:12": the word and the two that follow it.
std::optional<std::chrono::local_seconds> time_after(const Words& words, std::string_view label) {
    for (std::size_t i = 0; i + 2 < words.size(); ++i) {
        if (words[i] == label) return logs::parse_local_time(fmt::format("{} {}", words[i + 1], words[i + 2]));
    }
    return std::nullopt;
}

// "Uptime 1 4:52:34": days, then hours, minutes and seconds.
std::optional<std::chrono::seconds> uptime_of(const Words& words) {
    for (std::size_t i = 0; i + 2 < words.size(); ++i) {
        if (words[i] != "Uptime") continue;
        const auto days = base::to_number<std::int64_t>(words[i + 1]);
        const auto clock = base::split(words[i + 2], ':');
        if (!days || *days < 0 || *days > 100'000 || clock.size() != 3) return std::nullopt;
        std::int64_t seconds = *days * 86'400;
        std::int64_t unit = 3600;
        for (const auto part : clock) {
            const auto value = base::to_number<std::int64_t>(part);
            if (!value || *value < 0 || *value > 59) return std::nullopt;
            seconds += *value * unit;
            unit /= 60;
        }
        return std::chrono::seconds(seconds);
    }
    return std::nullopt;
}

void read_title(const Words& words, PmtaStatus& status) {
    // PowerMTA v5.0 status on HOST on DATE TIME
    if (words.size() < 5 || words[0] != "PowerMTA" || words[2] != "status") return;
    status.version = std::string(words[1].starts_with('v') ? words[1].substr(1) : words[1]);
    status.host = std::string(words[4]);
}

// "other 0 0 0.0 Init. complete" or "Init. 45%".
void read_init(const Words& words, PmtaStatus& status) {
    for (std::size_t i = 0; i + 1 < words.size(); ++i) {
        if (words[i] != "Init.") continue;
        std::string_view value = words[i + 1];
        if (value.ends_with('%')) value.remove_suffix(1);
        status.spool_initialized_percent = value == "complete" ? std::optional<double>(100) : base::to_double(value);
    }
}

PmtaQueueKind queue_kind(std::string name, const Words& words) {
    return {std::move(name), integer(words, 1), integer(words, 2), number(words, 3)};
}

void read_row(const Words& words, PmtaStatus& status) {
    const auto first = words[0];
    const auto second = words.size() > 1 ? words[1] : std::string_view();
    if (first == "Total") status.total = flow(words, 1);
    if (first == "Last" && second == "Hour") status.last_hour = flow(words, 2);
    if (first == "Last" && second == "Min.") status.last_minute = flow(words, 2);
    if (first == "Inbound") {
        status.connections_in = {integer(words, 1), integer(words, 3), integer(words, 2)};
        if (words.size() > 6 && words[4] == "Names") {
            status.names_cached = integer(words, 5);
            status.queries_pending = integer(words, 6);
        }
    }
    if (first == "Outbound") status.connections_out = {integer(words, 1), integer(words, 3), integer(words, 2)};
    if (first == "SMTP") status.queues.push_back(queue_kind("smtp", words));
    if (first == "other") {
        status.queues.push_back(queue_kind("other", words));
        read_init(words, status);
    }
    // Between the clock of the title and "Started" plus "Uptime" the real answers disagree, so nothing is computed.
    if (first == "Status" && words.size() > 2) {
        status.state = std::string(second);
        status.started = time_after(words, "Started");
        status.uptime = uptime_of(words);
    }
}

// "20 of 30 domains shown.", "7 of 7 virtual MTAs.", "3 of 3 matching queues." (which may follow an event's text
// without a line break), "Total of 1 job(s)."
struct Footer {
    std::int64_t shown = 0;
    std::int64_t total = 0;
};

std::optional<Footer> read_footer(std::string_view text, std::string_view what) {
    if (what == "job") {
        const auto at = text.rfind("Total of ");
        if (at == std::string_view::npos) return std::nullopt;
        const auto digits = text.substr(at + 9, text.find(' ', at + 9) - at - 9);
        const auto total = base::to_number<std::int64_t>(digits);
        return total ? std::optional<Footer>({*total, *total}) : std::nullopt;
    }
    const std::string_view ending = what == "queue"    ? " matching queues."
                                    : what == "domain" ? " domains shown."
                                                       : " virtual MTAs.";
    const auto end = text.rfind(ending);
    if (end == std::string_view::npos) return std::nullopt;
    const auto of = text.rfind(" of ", end);
    if (of == std::string_view::npos) return std::nullopt;
    std::size_t from = of;
    while (from > 0 && base::is_digit(text[from - 1])) --from;
    const auto shown = base::to_number<std::int64_t>(text.substr(from, of - from));
    const auto total = base::to_number<std::int64_t>(text.substr(of + 4, end - of - 4));
    if (!shown || !total) return std::nullopt;
    return Footer{*shown, *total};
}

std::string rest_of(const Words& words, std::size_t from) {
    std::string text;
    for (std::size_t i = from; i < words.size(); ++i) text += (text.empty() ? "" : " ") + std::string(words[i]);
    return text;
}

// Columns by kind of listing: where recipients, kilobytes, connections stand.
std::optional<PmtaEntry> read_entry(const Words& words, std::string_view what) {
    const bool vmta = what == "vmta";
    const std::size_t rcpt = vmta ? 2 : 1;
    const std::size_t kb = vmta ? 4 : 2;
    if (words.size() <= kb) return std::nullopt;
    const auto recipients = integer(words, rcpt);
    const auto kilobytes = number(words, kb);
    if (!recipients || !kilobytes) return std::nullopt;
    PmtaEntry entry;
    entry.name = std::string(words[0]);
    entry.recipients = *recipients;
    entry.kilobytes = kilobytes;
    if (vmta) entry.domains = integer(words, 1);
    if (what != "job") entry.connections = integer(words, kb + 1);
    if (what == "domain") entry.last_error = rest_of(words, 4);
    return entry;
}

}  // namespace

base::Result<PmtaStatus> pmta_status_from_text(std::string_view text) {
    PmtaStatus status;
    each_line(text, [&](std::string_view, const Words& words) {
        if (status.queues.size() >= max_rows) return;
        read_title(words, status);
        read_row(words, status);
    });
    if (status.version.empty()) {
        return fail(Fault::malformed, "this is not PowerMTA's status: '{}'", base::one_line(base::trim(text), 120));
    }
    // The row Status is the last one, and Uptime ends it.
    if (status.state.empty() || !status.uptime) {
        return fail(Fault::malformed, "PowerMTA's status is cut short: the row Status or its end is missing");
    }
    return status;
}

base::Result<PmtaListing> pmta_listing_from_text(std::string_view text, std::string_view what) {
    const auto footer = read_footer(text, what);
    if (!footer) {
        return fail(Fault::malformed, "this is not PowerMTA's list of {}s, or it is cut short: '{}'", what,
                    base::one_line(base::trim(text), 120));
    }
    PmtaListing listing;
    listing.total_entries = footer->total;
    each_line(text, [&](std::string_view line, const Words& words) {
        // An event of the entry above begins with its date, a recipient event has columns of its own.
        if (logs::parse_date(words[0]) || line.find(" | ") != std::string_view::npos) return;
        if (auto entry = read_entry(words, what)) listing.add(std::move(*entry));
    });
    listing.keep_largest();
    return listing;
}

base::Result<PmtaLicence> pmta_licence_from_text(std::string_view text) {
    PmtaLicence licence;
    bool known = false;
    std::string bad_expiry;
    each_line(text, [&](std::string_view line, const Words&) {
        const auto colon = line.find(':');
        if (colon == std::string_view::npos) return;
        const auto key = base::trim(line.substr(0, colon));
        const auto value = base::trim(line.substr(colon + 1));
        if (key == "product") licence.product = std::string(value);
        if (key == "version") licence.version = std::string(value);
        if (key == "licensee") licence.licensee = std::string(value);
        if (key == "serial" || key == "issued") known = true;
        if (key != "expires" || value.empty() || base::iequals(value, "never")) return;
        licence.expires = logs::parse_date(value.substr(0, 10));
        if (!licence.expires) bad_expiry = base::one_line(value, 40);
    });
    if (!bad_expiry.empty()) return fail(Fault::malformed, "the licence's expiry '{}' is no date", bad_expiry);
    if (!known || licence.product.empty()) {
        return fail(Fault::malformed, "this is not PowerMTA's licence: '{}'", base::one_line(base::trim(text), 120));
    }
    return licence;
}

}  // namespace mtawatch::mta::documents
