#include "shared/mta/documents/kumomta_metrics.h"

#include <algorithm>
#include <array>
#include <map>

#include "shared/base/text.h"
#include "shared/mta/documents/json_events.h"

namespace mtawatch::mta::documents {

namespace {

using base::fail;
using base::Fault;
using base::Result;
using Labels = std::vector<std::pair<std::string, std::string>>;

constexpr std::size_t max_labels = 64;       // of one series; KumoMTA has four
constexpr std::size_t max_services = 1000;   // protocols, which are a handful
constexpr std::size_t max_type_line = 4096;  // of "# TYPE name kind"

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
        if (whole_.size() + parts_.size() >= max_services) return;
        const auto colon = service.find(':');
        if (colon == std::string::npos) {
            whole_[service] += value;
        } else {
            parts_[service.substr(0, colon)] += value;
        }
    }
    [[nodiscard]] bool full() const { return whole_.size() + parts_.size() >= max_services; }
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
        if (ready_.full() || delivered_.full() || connections_.full()) {
            return fail(Fault::limit, "the metrics name {} services or more: this is not KumoMTA's kumod",
                        max_services);
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
class KumoJson final : public JsonHandler {
  public:
    explicit KumoJson(Collector& into) : into_(into) {}

    bool begin_object() override {
        ++depth_;
        if (in_list()) {
            labels_.clear();
            count_.reset();
        }
        return true;
    }
    bool key(std::string_view name) override {
        if (depth_ == of_metrics) {
            metric_ = name;
            wanted_ = std::ranges::find(wanted, name) != wanted.end();
            has_value_ = false;
        } else if (depth_ == of_metric) {
            in_value_ = wanted_ && name == "value";
            has_value_ = has_value_ || in_value_;
        } else if (depth_ == of_value) {
            label_ = name;
        }
        key_ = name;
        return true;
    }
    bool end_object() override {
        if (in_list() && count_) into_.add(metric_, labels_, *count_);
        --depth_;
        return depth_ != of_metrics || known();
    }
    bool begin_array() override {
        ++depth_;
        if (in_value_ && depth_ == of_value) {
            list_ = true;
            into_.saw(metric_);
        }
        return true;
    }
    bool end_array() override {
        if (depth_ == of_value) list_ = false;
        --depth_;
        return depth_ != of_metrics || known();
    }
    bool text(std::string_view value) override {
        if (in_list() && labels_.size() >= max_labels) {
            error = base::Error{
                Fault::malformed,
                fmt::format("a series of {} has more than {} labels: this is not KumoMTA's JSON", metric_, max_labels)};
            return false;
        }
        if (in_list() && key_ != "@") labels_.emplace_back(key_, value);
        return depth_ != of_metrics || known();
    }
    bool number(std::string_view written) override {
        const auto value = base::to_double(written);
        if (value && in_value_) {
            if (depth_ == of_metric) into_.add(metric_, {}, *value);
            if (depth_ == of_series && !list_) into_.add(metric_, {{std::string(label_), std::string(key_)}}, *value);
            if (in_list() && key_ == "@") count_ = value;
        }
        return depth_ != of_metrics || known();
    }
    bool word(std::string_view) override {
        if (in_value_ && depth_ == of_metric) into_.saw(metric_);
        return depth_ != of_metrics || known();
    }

  private:
    // How deep the members of each are.
    static constexpr int of_metrics = 1, of_metric = 2, of_value = 3, of_series = 4;

    [[nodiscard]] bool in_list() const { return in_value_ && list_ && depth_ == of_series; }

    // At the end of a metric.
    bool known() {
        in_value_ = false;
        if (!wanted_ || has_value_) return true;
        error = base::Error{Fault::malformed,
                            fmt::format("the metric {} has no value: this is not KumoMTA's JSON", metric_)};
        return false;
    }

    Collector& into_;
    int depth_ = 0;
    std::string_view metric_, label_, key_;
    bool wanted_ = false;
    bool has_value_ = false;
    bool in_value_ = false;
    bool list_ = false;
    Labels labels_;
    std::optional<double> count_;
};

Result<KumoMetrics> read_json(std::string bytes) {
    Collector collector;
    KumoJson handler(collector);
    if (auto done = read_json_events(bytes, "KumoMTA", {}, handler); !done) return fail(done.error());
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
        if (labels.size() >= max_labels) return std::nullopt;
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
    rest = base::trim(rest);
    const auto value = base::to_double(rest.substr(0, rest.find_first_of(" \t")));
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
            const auto words = base::words(line.substr(0, max_type_line));
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

base::Result<KumoMetrics> read_kumomta_metrics(std::string bytes) {
    if (bytes.size() > max_kumomta_bytes) {
        return fail(Fault::limit, "KumoMTA's answer is larger than {} bytes", max_kumomta_bytes);
    }
    const auto start = base::trim(bytes);
    if (start.empty()) return fail(Fault::malformed, "KumoMTA answered nothing at all");
    if (start.front() == '{') return read_json(std::move(bytes));
    if (start.front() == '<') return fail(Fault::auth, "a web page came instead of KumoMTA's metrics: is this kumod?");
    if (start.front() != '#' && !base::is_alpha(start.front()) && start.front() != '_') {
        return fail(Fault::malformed, "what came is neither metrics nor JSON, so this is not KumoMTA's kumod: '{}'",
                    base::one_line(start.substr(0, start.find('\n')), 60));
    }
    return read_text(bytes);
}

}  // namespace mtawatch::mta::documents
