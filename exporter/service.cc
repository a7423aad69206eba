#include "exporter/service.h"

#include <array>
#include <random>

#include "exporter/descriptors.h"
#include "shared/io/command.h"
#include "shared/probe/world/real_world.h"

namespace mtawatch::exporter {
namespace {

using base::fail;

// Probes wait for the network, so a few at a time are enough, and one that hangs to its deadline stops no other.
constexpr std::size_t probe_threads = 4;
// Shutdown waits this long for running probes.
constexpr std::chrono::milliseconds stop_patience{2'000};

std::vector<std::string> words_for(const std::vector<feed::FeedSettings>& feeds) {
    std::vector<std::string> words;
    for (const feed::FeedSettings& feed : feeds) {
        for (const std::string& glob : feed.follow.globs)
            words.push_back(std::string(series::noun(feed.count.format)) + " " + glob);
    }
    return words;
}

}  // namespace

struct Service::Worlds {
    std::vector<std::unique_ptr<probe::world::RealWorld>> all;
    [[nodiscard]] std::vector<probe::world::World*> pointers() const {
        std::vector<probe::world::World*> result;
        for (const auto& real : all) result.push_back(&real->world);
        return result;
    }
};

base::Log accounting_log(const base::Log& log) { return log.with("component", "accounting"); }

Service::Service(const Options& options, const base::Clock& clock, const base::Log& log)
    : options_(options),
      clock_(&clock),
      log_(&log),
      self_(clock),
      process_(clock),
      board_(clock, log, std::random_device()()),
      collected_({&board_, &self_, &process_}) {}

Service::~Service() {
    while (!stop()) {
    }
}

base::Result<std::unique_ptr<Service>> Service::start(const Options& options, ExporterConfig config,
                                                      const base::Clock& clock, const base::Log& log) {
    std::unique_ptr<Service> service(new Service(options, clock, log));
    if (auto done = service->start_parts(std::move(config)); !done) return fail(done.error());
    return service;
}

base::Result<void> Service::start_parts(ExporterConfig config) {
    for (const std::string& note : config.notes) log_->warn(note);
    std::vector<feed::FeedSettings> feeds = config.feeds();
    const auto plan = share_descriptors(feeds);
    if (!plan) return fail(plan.error());
    followed_ = words_for(feeds);
    // An exporter that only probes has no accounting metrics: a 0 would claim that no mail was logged.
    if (!feeds.empty()) {
        auto accounting = feed::Accounting::start(std::move(feeds), *clock_, accounting_log(*log_));
        if (!accounting) return fail(accounting.error());
        accounting_ = std::move(*accounting);
    }
    board_.replace(std::move(config.tasks));
    self_.record_reload(true);
    site_ = std::make_unique<web::Site>(site_content());
    site_->set_zero_first(config.zero_first);
    auto server = web::Server::start({options_.listen, options_.web_config_file, {.connections = plan->connections}},
                                     *site_, *log_);
    if (!server) return fail(server.error());
    server_ = std::move(*server);
    worlds_ = std::make_unique<Worlds>();
    for (std::size_t i = 0; i < probe_threads; ++i) {
        worlds_->all.push_back(std::make_unique<probe::world::RealWorld>(std::initializer_list<probe::world::Member>{
            probe::world::use_connector, probe::world::use_commands, probe::world::use_dns, probe::world::use_ssh}));
        if (accounting_) {
            worlds_->all.back()->world.sending_addresses = [this] { return accounting_->source_addresses(); };
        }
    }
    scheduler_ = std::make_unique<collectors::Scheduler>(board_, worlds_->pointers());
    log_->info("pmta_exporter started", {{"version", std::string(options::version())}});
    for (const std::string& address : server_->addresses()) log_->info("listening", {{"address", address}});
    return {};
}

web::SiteContent Service::site_content() {
    web::SiteContent content;
    content.version = options::version();
    content.metrics_path = options_.telemetry_path;
    if (accounting_) {
        content.sources.push_back(accounting_.get());
        content.scrapers = accounting_.get();
    }
    content.sources.push_back(&collected_);
    content.not_ready_because = [this] { return not_ready_because(); };
    content.status = [this] { return status(); };
    if (options_.enable_lifecycle) content.reload = [this] { return reload(); };
    return content;
}

std::string Service::not_ready_because() const {
    if (!accounting_ || accounting_->ready()) return "";
    if (accounting_->nothing_readable()) {
        return "none of the files of a log can be read; pmta_exporter's own log says why";
    }
    return "the files that were there at the start are being read";
}

std::vector<exposition::SourceStatus> Service::status() const {
    std::vector<exposition::SourceStatus> rows;
    if (accounting_) {
        const std::lock_guard lock(followed_mutex_);
        const std::string reason = not_ready_because();
        for (const std::string& what : followed_) {
            rows.push_back({what, !accounting_->nothing_readable(), reason.empty() ? "followed" : reason});
        }
    }
    auto probes = board_.status();
    std::ranges::move(probes, std::back_inserter(rows));
    return rows;
}

base::Result<void> Service::apply(ExporterConfig config) {
    std::vector<feed::FeedSettings> feeds = config.feeds();
    std::vector<std::string> followed = words_for(feeds);
    if (feeds.empty() == (accounting_ != nullptr)) {
        return fail(base::Fault::configuration, "accounting files cannot be {} without a restart",
                    feeds.empty() ? "removed altogether" : "added where none were followed");
    }
    const auto plan = share_descriptors(feeds);
    if (!plan) return fail(plan.error());
    if (accounting_) {
        if (auto done = accounting_->reload(std::move(feeds)); !done) return done;
    }
    for (const std::string& note : config.notes) log_->warn(note);
    site_->set_zero_first(config.zero_first);
    board_.replace(std::move(config.tasks));
    scheduler_->wake();
    const std::lock_guard lock(followed_mutex_);
    followed_ = std::move(followed);
    return {};
}

base::Result<void> Service::reload() {
    const std::lock_guard lock(reloading_);
    base::Result<void> done;
    if (auto config = load_config(options_)) {
        done = apply(std::move(*config));
    } else {
        done = fail(config.error());
    }
    self_.record_reload(done.has_value());
    if (done) {
        log_->info("the configuration was read again");
    } else {
        log_->error("the configuration was refused, the old one stays in force", {{"reason", done.error().what}});
    }
    return done;
}

bool Service::stop() {
    if (server_) server_->stop();
    if (accounting_) accounting_->stop();
    io::kill_running_commands();
    if (scheduler_ && !scheduler_->stop(stop_patience)) return false;
    scheduler_.reset();
    server_.reset();
    accounting_.reset();
    return true;
}

}  // namespace mtawatch::exporter
