#include "exporter/config.h"

#include <algorithm>

#include "exporter/collectors/registry.h"
#include "exporter/exposition/catalogue.h"
#include "exporter/pmta_sources.h"
#include "shared/config/node.h"
#include "shared/io/files.h"
#include "shared/mta/classes/bounce_patterns.h"
#include "shared/mta/classes/classes_config.h"

namespace mtawatch::exporter {
namespace {

using base::fail;
using base::Result;
using config::MapReader;
using config::Node;

// Adds all texts of a list below `key` to a set, each through `take`, which says what is wrong with it.
Result<void> each_text(const Node& list, const std::function<Result<void>(const Node&, const std::string&)>& take) {
    const auto items = list.items();
    if (!items) return fail(items.error());
    for (const Node& item : *items) {
        const auto text = item.text();
        if (!text) return fail(text.error());
        if (auto done = take(item, *text); !done) return done;
    }
    return {};
}

Result<void> add_group(const Node& item, const std::string& name, feed::FeedSettings& settings) {
    std::string known;
    for (const std::string_view group : series::opt_in_groups(settings.count.format)) {
        if (group == name) {
            settings.count.groups.insert(name);
            return {};
        }
        known += (known.empty() ? "" : ", ") + std::string(group);
    }
    return fail(item.error("no such group; those that can be turned on: " + known));
}

Result<void> read_budgets(const Node& node, feed::FeedSettings& settings) {
    const auto members = node.members();
    if (!members) return fail(members.error());
    for (const auto& [name, value] : *members) {
        const exposition::Metric* entry = exposition::find_metric(name);
        const bool ours = entry != nullptr && entry->name.starts_with(series::prefix(settings.count.format));
        if (!ours || entry->budget == 0 || entry->type == exposition::MetricType::gauge) {
            return fail(value.error("no family of that name has a budget; --catalog shows those that do"));
        }
        const auto limit = value.integer(1, 10'000'000);
        if (!limit) return fail(limit.error());
        settings.count.budgets[name] = static_cast<std::uint32_t>(*limit);
    }
    return {};
}

Result<void> add_expected(const Node& item, const std::string& code, feed::FeedSettings& settings) {
    const auto type = mta::logs::record_type_of_code(code);
    const auto known = series::record_types(settings.count.format);
    if (type && std::ranges::find(known, *type) != known.end()) {
        settings.count.expected_types.insert(*type);
        return {};
    }
    std::string codes;
    for (const mta::logs::RecordType one : known) {
        if (one != mta::logs::RecordType::other) codes += " " + std::string(name(one));
    }
    return fail(item.error("write one of the record types:" + codes));
}

Result<void> read_zone(const Node& node, feed::FeedSettings& settings) {
    const auto name = node.text();
    if (!name) return fail(name.error());
    const auto zone = mta::logs::Zone::named(*name);
    if (!zone) return fail(node.error(zone.error().what));
    settings.count.scanner.zone = *zone;
    return {};
}

// A section with the files of one format; what only PowerMTA has is known in its section alone.
Result<void> read_feed(const Node& node, feed::FeedSettings& settings) {
    MapReader map(node);
    std::chrono::milliseconds idle = settings.count.idle_limit;
    map.texts("files", settings.follow.globs).texts("moved_to", settings.follow.moved_to);
    if (settings.count.format == series::RecordFormat::pmta) {
        map.texts("pmta_log", settings.log_globs);
        map.node("job_columns",
                 [&](const Node& list) { return mta::classes::read_job_columns(list, settings.count.job_columns); });
    }
    if (settings.count.format == series::RecordFormat::postfix) map.text("instance", settings.instance);
    map.duration("idle_limit", idle).duration("state_interval", settings.state_interval);
    map.duration("rescan_interval", settings.follow.rescan_interval)
        .duration("finished_after", settings.follow.finished_after);
    if (settings.count.format != series::RecordFormat::kumomta) {  // whose stamps are Unix time
        map.node("time_zone", [&](const Node& value) { return read_zone(value, settings); });
    }
    map.node("budgets", [&](const Node& value) { return read_budgets(value, settings); });
    map.node("groups", [&](const Node& value) {
        return each_text(value,
                         [&](const Node& item, const std::string& text) { return add_group(item, text, settings); });
    });
    map.node("expect", [&](const Node& value) {
        return each_text(value,
                         [&](const Node& item, const std::string& text) { return add_expected(item, text, settings); });
    });
    if (auto done = map.finish(); !done) return done;
    if (idle < std::chrono::hours(1)) return fail(node.error("idle_limit must be at least 1h"));
    for (const auto interval :
         {settings.state_interval, settings.follow.rescan_interval, settings.follow.finished_after}) {
        if (interval >= std::chrono::milliseconds(10)) continue;
        return fail(node.error("state_interval, rescan_interval and finished_after must be at least 10ms"));
    }
    settings.count.idle_limit = std::chrono::duration_cast<std::chrono::hours>(idle);
    return {};
}

Result<void> read_web(const Node& node, ExporterConfig& config) {
    std::string first_value = "zero";
    MapReader map(node);
    map.choice("first_value", first_value, {"zero", "true"});
    config.zero_first = first_value == "zero";
    return map.finish();
}

Result<void> read_collectors(const Node& node, std::vector<collectors::Task>& tasks) {
    MapReader map(node);
    for (const collectors::CollectorKind& kind : collectors::collector_kinds()) {
        map.node(kind.section, [&](const Node& section) -> Result<void> {
            auto made = kind.tasks(section);
            if (!made) return fail(made.error());
            std::ranges::move(*made, std::back_inserter(tasks));
            return {};
        });
    }
    if (auto done = map.finish(); !done) return done;
    for (std::size_t i = 0; i < tasks.size(); ++i) {
        for (std::size_t j = 0; j < i; ++j) {
            if (tasks[i].probe != tasks[j].probe || tasks[i].target != tasks[j].target) continue;
            return fail(node.error("the target " + tasks[i].target + " of " + tasks[i].probe + " is named twice"));
        }
    }
    return {};
}

Result<void> read_words(const Node& node, feed::FeedSettings& settings) {
    mta::classes::Classes classes;
    if (auto done = mta::classes::read_classes(node, classes); !done) return done;
    settings.count.providers = std::make_shared<const mta::classes::ProviderTable>(std::move(classes.providers));
    settings.count.bounce_classes = std::move(classes.bounce_classes);
    settings.count.reply_rules = std::move(classes.reply_rules);
    settings.count.scanner.aliases = std::move(classes.aliases);
    settings.count.scanner.record_types = std::move(classes.record_types);
    settings.count.bounce_patterns_file = std::move(classes.bounce_patterns_file);
    return {};
}

}  // namespace

Result<ExporterConfig> parse_config(std::string_view text, const std::string& file) {
    const auto root = config::parse_yaml(text, file);
    if (!root) return fail(root.error());
    ExporterConfig config;
    MapReader map(*root);
    map.text("pmta_config", config.pmta_config);
    config.postfix_log.count.format = series::RecordFormat::postfix;
    config.kumomta_log.count.format = series::RecordFormat::kumomta;
    map.node("accounting", [&](const Node& node) { return read_feed(node, config.accounting); });
    map.node("postfix", [&](const Node& node) { return read_feed(node, config.postfix_log); });
    map.node("kumomta_log", [&](const Node& node) { return read_feed(node, config.kumomta_log); });
    map.node("classes", [&](const Node& node) { return read_words(node, config.accounting); });
    map.node("web", [&](const Node& node) { return read_web(node, config); });
    map.node("collectors", [&](const Node& node) { return read_collectors(node, config.tasks); });
    if (auto done = map.finish(); !done) return fail(done.error());
    for (feed::FeedSettings* other : {&config.postfix_log, &config.kumomta_log}) {
        other->count.providers = config.accounting.count.providers;
        other->count.bounce_classes = config.accounting.count.bounce_classes;
        other->count.reply_rules = config.accounting.count.reply_rules;
    }
    return config;
}

std::vector<feed::FeedSettings> ExporterConfig::feeds() const {
    std::vector<feed::FeedSettings> following;
    for (const feed::FeedSettings* feed : {&accounting, &postfix_log, &kumomta_log}) {
        if (!feed->follow.globs.empty() || !feed->log_globs.empty()) following.push_back(*feed);
    }
    return following;
}

namespace {

void add_globs(feed::FeedSettings& feed, const std::vector<std::string>& globs) {
    feed.follow.globs.insert(feed.follow.globs.end(), globs.begin(), globs.end());
}

// A pattern that cannot be read is refused here, with its line, and not while records are counted.
Result<void> read_bounce_patterns(feed::FeedSettings& settings) {
    if (settings.count.bounce_patterns_file.empty()) return {};
    auto text = io::Files().read(settings.count.bounce_patterns_file, config::max_bytes);
    if (!text) return fail(text.error());
    if (const auto done = mta::classes::BouncePatterns::parse(*text, settings.count.bounce_patterns_file); !done) {
        return fail(done.error());
    }
    settings.count.bounce_patterns_text = std::move(*text);
    return {};
}

}  // namespace

Result<ExporterConfig> load_config(const Options& options) {
    auto parsed_nothing = parse_config("{}", "no configuration");
    if (!parsed_nothing) return parsed_nothing;
    ExporterConfig config = std::move(*parsed_nothing);
    if (!options.config_file.empty()) {
        const auto text = io::Files().read(options.config_file, config::max_bytes);
        if (!text) return fail(text.error());
        auto parsed = parse_config(*text, options.config_file);
        if (!parsed) return parsed;
        config = std::move(*parsed);
    }
    if (!options.pmta_config.empty()) config.pmta_config = options.pmta_config;
    if (!config.pmta_config.empty()) {
        const auto pmta = mta::documents::read_pmta_config(
            config.pmta_config, [](const std::string& path) { return io::Files().read(path, config::max_bytes); });
        if (!pmta) return fail(pmta.error());
        add_pmta_sources(*pmta, config);
    }
    feed::FeedSettings& accounting = config.accounting;
    if (const auto done = read_bounce_patterns(accounting); !done) return fail(done.error());
    add_globs(accounting, options.acct);
    add_globs(config.postfix_log, options.postfix_log);
    add_globs(config.kumomta_log, options.kumomta_log);
    const bool keeps_state = options.action == Action::serve;
    accounting.state_file = options.state_file.value_or(keeps_state ? std::string(default_state_file) : std::string());
    if (accounting.state_file.empty()) return config;
    // Each feed has offsets and counters of its own moment, so each has a file of its own.
    config.postfix_log.state_file = accounting.state_file + ".postfix";
    config.kumomta_log.state_file = accounting.state_file + ".kumomta";
    return config;
}

}  // namespace mtawatch::exporter
