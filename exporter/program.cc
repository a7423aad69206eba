#include "exporter/program.h"

#include <fmt/format.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <memory>

#include "exporter/config.h"
#include "exporter/descriptors.h"
#include "exporter/explain.h"
#include "exporter/exposition/catalogue.h"
#include "exporter/feed/accounting.h"
#include "exporter/options.h"
#include "exporter/process_metrics.h"
#include "exporter/self_metrics.h"
#include "exporter/service.h"
#include "shared/base/clock.h"
#include "shared/io/byte_source.h"
#include "shared/mta/classes/reply_class.h"

namespace mtawatch::exporter {
namespace {

constexpr int exit_failed = 1;
constexpr int exit_usage = 2;

int failed(const base::Error& error) {
    base::write_to_stderr(fmt::format("pmta_exporter: {}\n", error.what));
    return exit_failed;
}

// A full disk or a closed pipe is a failure: half of the metrics must not look like all of them.
int print(std::string_view text) {
    const bool written = std::fwrite(text.data(), 1, text.size(), stdout) == text.size() && std::fflush(stdout) == 0;
    return written ? 0 : failed({base::Fault::io, "cannot write to stdout"});
}

// Shows how far long work has come, on a terminal only and gone when it ends.
class ProgressLine {
  public:
    ~ProgressLine() {
        if (shown_) base::write_to_stderr("\r\033[K");
    }
    void show(std::uint64_t read, std::uint64_t total, std::uint64_t records) {
        if (!terminal_) return;
        shown_ = true;
        const double share = total == 0 ? 1 : static_cast<double>(read) / static_cast<double>(total);
        base::write_to_stderr(fmt::format("\r\033[K{:3.0f} %  {} of {} MiB, {} records", share * 100, read >> 20U,
                                          total >> 20U, records));
    }

  private:
    bool terminal_ = ::isatty(STDERR_FILENO) == 1;
    bool shown_ = false;
};

int read_once(const Options& options, const ExporterConfig& config, const base::Clock& clock, const base::Log& log) {
    ProgressLine line;
    const feed::Progress progress = [&](auto read, auto total, auto records) { line.show(read, total, records); };
    std::string text;
    exposition::ExpositionWriter writer(options.format, text);
    std::vector<feed::FeedSettings> feeds = config.feeds();
    if (const auto plan = share_descriptors(feeds); !plan) return failed(plan.error());
    const auto done = feed::run_once(std::move(feeds), clock, accounting_log(log), progress, writer);
    if (!done) return failed(done.error());
    SelfMetrics self(clock);
    self.record_reload(true);
    const ProcessMetrics process(clock);
    exposition::CollectableSource({&self, &process}).write(writer);
    writer.finish();
    return print(text);
}

int print_backfill(const Options& options, ExporterConfig config, const base::Clock& clock, const base::Log& log) {
    ProgressLine line;
    const feed::Progress progress = [&](auto read, auto total, auto records) { line.show(read, total, records); };
    int status = 0;
    const auto sink = [&](std::string_view text) { status = status == 0 ? print(text) : status; };
    const auto done =
        feed::backfill(std::move(config.accounting), options.step, clock, accounting_log(log), progress, sink);
    return done ? status : failed(done.error());
}

int check_config(const ExporterConfig& config) {
    std::string text;
    for (const std::string& note : config.notes) text += "note: " + note + "\n";
    for (const feed::FeedSettings& feed : config.feeds()) {
        const bool pmta = feed.count.format == series::RecordFormat::pmta;
        for (const std::string& glob : feed.follow.globs) {
            text +=
                fmt::format("follows {}{}\n", glob, pmta ? "" : fmt::format(" as {}", series::noun(feed.count.format)));
        }
        for (const std::string& glob : feed.log_globs) text += "reads the log " + glob + "\n";
    }
    for (const collectors::Task& task : config.tasks) text += fmt::format("looks at {} {}\n", task.probe, task.target);
    return print(text + "The configuration is good.\n");
}

// Signals are taken by the main thread alone, with sigwait: blocked before any other thread is made.
sigset_t block_signals() {
    sigset_t signals;
    sigemptyset(&signals);
    for (const int number : {SIGTERM, SIGINT, SIGHUP}) sigaddset(&signals, number);
    pthread_sigmask(SIG_BLOCK, &signals, nullptr);
    // A client that goes away while it is written to must not end the exporter.
    std::signal(SIGPIPE, SIG_IGN);
    return signals;
}

int serve(const Options& options, ExporterConfig config, const base::Clock& clock, const base::Log& log) {
    const sigset_t signals = block_signals();
    auto service = Service::start(options, std::move(config), clock, log);
    if (!service) return failed(service.error());
    for (;;) {
        int number = 0;
        if (sigwait(&signals, &number) != 0) continue;
        if (number != SIGHUP) {
            log.info("stopping", {{"signal", number == SIGTERM ? "SIGTERM" : "SIGINT"}});
            break;
        }
        // What went wrong is in the log already.
        [[maybe_unused]] const auto reloaded = (*service)->reload();
    }
    const bool ended = (*service)->stop();
    log.info("stopped");
    if (!ended) std::_Exit(0);
    return 0;
}

// A text is a file where there is one of that name: no reply is a path.
int explain(const Options& options) {
    std::vector<mta::classes::ReplyRule> own;
    if (!options.config_file.empty()) {
        const auto config = load_config(options);
        if (!config) return failed(config.error());
        own = config->accounting.count.reply_rules;
    }
    const mta::classes::ReplyClassifier replies(own);
    const std::string& text = options.explain;
    std::error_code none;
    const bool standard = text == "-";
    if (!standard && !std::filesystem::is_regular_file(text, none)) {
        if (!options.unknown) return print(explain_reply(text, replies));
        return failed(
            {base::Fault::not_found, text + ": no such file; --unknown reads a log, or - for standard input"});
    }
    auto source =
        standard ? base::Result<std::unique_ptr<io::ByteSource>>(io::standard_input()) : io::open_source(text);
    if (!source) return failed(source.error());
    int status = 0;
    const auto sink = [&](std::string_view piece) { status = status == 0 ? print(piece) : status; };
    const auto done = explain_source(**source, standard ? "standard input" : text, replies, options.unknown, sink);
    return done ? status : failed(done.error());
}

}  // namespace

int run(std::span<const std::string> arguments) {
    const auto options = parse_options(arguments);
    if (!options) {
        failed(options.error());
        return exit_usage;
    }
    if (options->action == Action::help) return print(options::help_text(exporter_program()));
    if (options->action == Action::version) return print(version_line() + "\n");
    if (options->action == Action::catalog) return print(exposition::catalogue_json());
    if (options->action == Action::explain) return explain(*options);
    const base::SystemClock clock;
    const base::Log log(options->log_level, options->log_format, clock, base::write_to_stderr);
    auto config = load_config(*options);
    if (!config) return failed(config.error());
    switch (options->action) {
        case Action::check_config:
            return check_config(*config);
        case Action::once:
            return read_once(*options, *config, clock, log);
        case Action::backfill:
            return print_backfill(*options, std::move(*config), clock, log);
        default:
            return serve(*options, std::move(*config), clock, log);
    }
}

}  // namespace mtawatch::exporter
