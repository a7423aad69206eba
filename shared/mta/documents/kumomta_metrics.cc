#include "shared/mta/documents/kumomta_metrics.h"

#include <simdjson.h>

#include <algorithm>
#include <array>
#include <map>

#include "shared/base/text.h"

namespace mtawatch::mta::documents {

namespace {

using base::fail;
using base::Fault;
using base::Result;
using Labels = std::vector<std::pair<std::string, std::string>>;

std::string label(const Labels& labels, std::string_view name) {
    for (const auto& [key, value] : labels) {
        if (key == name) return value;
    }
    return {};
}

// Metrics that we read; everything else is skipped.
constexpr std::array<std::string_view, 9> wanted{
    "scheduled_count",          "scheduled_count_total",    "ready_count",
    "scheduled_by_domain",      "queued_count_by_provider", "egress_source_health_suspended",
    "total_messages_delivered", "connection_count",         "message_count"};

// A service is counted as a whole ("smtp_client") and by path ("smtp_client:pool->mx"): adding both would count twice.
class ByService {
  public:
    void add(const std::string& service, double value) {
        const auto colon = service.find(':');
        if (colon == std::string::npos) {
            whole_[service] += value;
        } else {
            parts_[service.substr(0, colon)] += value;
        }
    }
    [[nodiscard]] double sum() const {
        double total = 0;
        for (const auto& [service, value] : whole_) total += value;
        for (const auto& [service, value] : parts_) {
            if (!whole_.contains(service)) total += value;
        }
        return total;
    }

  private:
    std::map<std::string, double> whole_;
    std::map<std::string, double> parts_;
};

class Collector {
  public:
    // The metric exists, perhaps without series.
    void saw(std::string_view metric) {
        for (std::size_t i = 0; i < wanted.size(); ++i) seen_[i] = seen_[i] || wanted[i] == metric;
    }

    void add(std::string_view metric, const Labels& labels, double value) {
        saw(metric);
        if (metric == "scheduled_count") add_queue(label(labels, "queue"), value);
        if (metric == "scheduled_count_total") total_ = value;
        if (metric == "message_count") messages_ = value;
        if (metric == "ready_count") ready_.add(label(labels, "service"), value);
        if (metric == "scheduled_by_domain") keep(found_.domains, label(labels, "domain"), value);
        if (metric == "queued_count_by_provider") keep(found_.providers, label(labels, "provider"), value);
        if (metric == "total_messages_delivered") delivered_.add(label(labels, "service"), value);
        if (metric == "connection_count") connections_.add(label(labels, "service"), value);
        if (metric == "egress_source_health_suspended" && value > 0 && found_.suspended.size() < max_kumomta_groups) {
            found_.suspended.push_back({label(labels, "source"), label(labels, "reason")});
        }
    }

    Result<KumoMetrics> finish() {
        if (!seen("scheduled_count") && !seen("scheduled_count_total") && !seen("message_count")) {
            return fail(Fault::malformed, "no scheduled_count among the metrics: this is not KumoMTA's kumod");
        }
        if (seen("scheduled_count")) found_.scheduled = sum_;
        if (total_) found_.scheduled = total_;
        // The queue metrics are absent until something was ever queued; kumod then says that it holds no message at
        // all.
        if (!found_.scheduled && messages_ && *messages_ == 0) found_.scheduled = 0;
        found_.ready = ready_.sum();
        if (seen("total_messages_delivered")) found_.delivered = delivered_.sum();
        if (seen("connection_count")) found_.connections = connections_.sum();
        for (auto* list : {&found_.queues, &found_.domains, &found_.providers}) shorten(*list);
        return std::move(found_);
    }

  private:
    [[nodiscard]] bool seen(std::string_view metric) const {
        for (std::size_t i = 0; i < wanted.size(); ++i) {
            if (wanted[i] == metric) return seen_[i];
        }
        return false;
    }

    void add_queue(std::string name, double value) {
        sum_ += value;
        keep(found_.queues, std::move(name), value);
    }

    // Keeps twice the limit and then halves, so memory stays bounded and time near linear.
    void keep(std::vector<KumoCount>& list, std::string name, double value) {
        list.push_back({std::move(name), value});
        if (list.size() >= 2 * max_kumomta_groups) shorten(list);
    }

    void shorten(std::vector<KumoCount>& list) {
        std::ranges::sort(list, [](const KumoCount& a, const KumoCount& b) {
            return a.count != b.count ? a.count > b.count : a.name < b.name;
        });
        if (list.size() <= max_kumomta_groups) return;
        list.resize(max_kumomta_groups);
        found_.truncated = true;
    }

    KumoMetrics found_;
    std::array<bool, wanted.size()> seen_{};
    double sum_ = 0;
    std::optional<double> total_;
    std::optional<double> messages_;
    ByService ready_;
    ByService delivered_;
    ByService connections_;
};

// ---------------------------------------------------------------------------------------------------------- JSON

// {"name": {"type": …, "value": NUMBER | null | {"label": {"text": NUMBER}} | [{"label": "text", …, "@": NUMBER}]}}
void add_json_value(std::string_view metric, const simdjson::dom::element& value, Collector& into) {
    double number = 0;
    if (!value.get(number)) return into.add(metric, {}, number);
    simdjson::dom::object by_label;
    if (!value.get(by_label)) {
        for (const auto& [name, series] : by_label) {
            simdjson::dom::object texts;
            if (series.get(texts)) continue;
            for (const auto& [text, one] : texts) {
                if (!one.get(number)) into.add(metric, {{std::string(name), std::string(text)}}, number);
            }
        }
        return;
    }
    simdjson::dom::array list;
    if (value.get(list)) return into.saw(metric);
    into.saw(metric);
    for (const auto& one : list) {
        simdjson::dom::object series;
        if (one.get(series) || series["@"].get(number)) continue;
        Labels labels;
        for (const auto& [name, text] : series) {
            std::string_view words;
            if (name != "@" && !text.get(words)) labels.emplace_back(name, words);
        }
        into.add(metric, labels, number);
    }
}

Result<KumoMetrics> read_json(std::string_view bytes) {
    simdjson::dom::parser parser(max_kumomta_bytes);
    simdjson::dom::element root;
    if (const auto error = parser.parse(bytes.data(), bytes.size()).get(root); error) {
        return fail(Fault::malformed, "KumoMTA's JSON is damaged or cut short: {}", simdjson::error_message(error));
    }
    simdjson::dom::object metrics;
    if (root.get(metrics)) return fail(Fault::malformed, "KumoMTA's JSON is no object");
    Collector collector;
    for (const auto& [name, metric] : metrics) {
        if (std::ranges::find(wanted, name) == wanted.end()) continue;
        simdjson::dom::element value;
        if (metric["value"].get(value)) {
            return fail(Fault::malformed, "the metric {} has no value: this is not KumoMTA's JSON", name);
        }
        add_json_value(name, value, collector);
    }
    return collector.finish();
}

// ---------------------------------------------------------------------------------------------------------- text

// name="value" pairs up to '}'. KumoMTA does not escape label values, so a value ends at '",' or '"}' only.
std::optional<Labels> read_labels(std::string_view& rest) {
    Labels labels;
    while (!rest.empty() && rest.front() != '}') {
        const auto equals = rest.find("=\"");
        if (equals == std::string_view::npos) return std::nullopt;
        const auto name = base::trim(rest.substr(0, equals));
        rest.remove_prefix(equals + 2);
        std::string value;
        for (;;) {
            if (rest.empty()) return std::nullopt;
            if (rest.front() == '\\' && rest.size() > 1) {
                value += rest[1] == 'n' ? '\n' : rest[1];
                rest.remove_prefix(2);
                continue;
            }
            if (rest.front() == '"' && rest.size() > 1 && (rest[1] == ',' || rest[1] == '}')) break;
            value += rest.front();
            rest.remove_prefix(1);
        }
        rest.remove_prefix(1);
        labels.emplace_back(name, std::move(value));
        if (rest.starts_with(',')) rest.remove_prefix(1);
    }
    if (rest.empty()) return std::nullopt;
    rest.remove_prefix(1);
    return labels;
}

Result<void> read_sample(std::string_view line, std::size_t number, Collector& into) {
    const auto end = line.find_first_of("{ ");
    const auto name = line.substr(0, end);
    if (std::ranges::find(wanted, name) == wanted.end()) return {};
    std::string_view rest = end == std::string_view::npos ? std::string_view() : line.substr(end);
    Labels labels;
    if (rest.starts_with('{')) {
        rest.remove_prefix(1);
        auto read = read_labels(rest);
        if (!read) {
            return fail(Fault::malformed, "line {}: the labels are damaged: '{}'", number, base::one_line(line, 80));
        }
        labels = std::move(*read);
    }
    const auto words = base::words(rest);
    const auto value = words.empty() ? std::nullopt : base::to_double(words[0]);
    if (!value) return fail(Fault::malformed, "line {}: no value: '{}'", number, base::one_line(line, 80));
    into.add(name, labels, *value);
    return {};
}

Result<KumoMetrics> read_text(std::string_view bytes) {
    // Every line of the format ends with a newline, so a missing one is a cut answer (a value could be half a number).
    if (!bytes.ends_with('\n')) return fail(Fault::malformed, "KumoMTA's metrics are cut short in the last line");
    Collector collector;
    std::size_t number = 0;
    while (!bytes.empty()) {
        const auto end = bytes.find('\n');
        const auto line = base::trim(bytes.substr(0, end));
        bytes.remove_prefix(end + 1);
        ++number;
        if (line.starts_with("# TYPE ")) {
            const auto words = base::words(line);
            if (words.size() > 2) collector.saw(words[2]);
        }
        if (line.empty() || line.front() == '#') continue;
        if (auto done = read_sample(line, number, collector); !done) return fail(done.error());
    }
    return collector.finish();
}

}  // namespace

std::optional<double> KumoMetrics::messages() const {
    if (!scheduled || !ready) return std::nullopt;
    return *scheduled + *ready;
}

base::Result<KumoMetrics> read_kumomta_metrics(std::string_view bytes) {
    if (bytes.size() > max_kumomta_bytes) {
        return fail(Fault::limit, "KumoMTA's answer is larger than {} bytes", max_kumomta_bytes);
    }
    const auto start = base::trim(bytes);
    if (start.empty()) return fail(Fault::malformed, "KumoMTA answered nothing at all");
    if (start.front() == '{') return read_json(start);
    if (start.front() == '<') return fail(Fault::auth, "a web page came instead of KumoMTA's metrics: is this kumod?");
    if (start.front() != '#' && !base::is_alpha(start.front()) && start.front() != '_') {
        return fail(Fault::malformed, "what came is neither metrics nor JSON, so this is not KumoMTA's kumod: '{}'",
                    base::one_line(start.substr(0, start.find('\n')), 60));
    }
    return read_text(bytes);
}

}  // namespace mtawatch::mta::documents
