// A plugin as a process: signals, the watchdog for a step that overruns its deadline, and writing the answer.
#include <pthread.h>
#include <signal.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdlib>
#include <ctime>
#include <thread>

#include "shared/io/command.h"
#include "shared/io/standard_streams.h"
#include "shared/plugin/stages.h"

namespace mtawatch::plugin {

namespace {

sigset_t ending_signals() {
    sigset_t set;
    sigemptyset(&set);
    for (const int signal : {SIGTERM, SIGINT, SIGHUP}) sigaddset(&set, signal);
    return set;
}

// An answer that could not be written must not pass for OK.
int write_answer(const Outcome& outcome) {
    std::string_view rest = outcome.text;
    while (!rest.empty()) {
        const ssize_t written = ::write(STDOUT_FILENO, rest.data(), rest.size());
        if (written < 0 && errno == EINTR) continue;
        if (written <= 0) return exit_code(State::unknown);
        rest.remove_prefix(static_cast<std::size_t>(written));
    }
    return outcome.exit_code;
}

std::string_view signal_name(int signal) {
    return signal == SIGTERM ? "SIGTERM" : signal == SIGINT ? "SIGINT" : "SIGHUP";
}

// Waits in a thread of its own for a signal or the end of -t, and then ends the process with an answer, whatever the
// main thread is stuck in. The signals must be blocked already.
class Guard {
  public:
    Guard(const Check& check, const Options& options, const RunContext& context)
        : check_(check), options_(options), context_(context), thread_([this] { watch(); }) {}
    Guard(const Guard&) = delete;
    Guard& operator=(const Guard&) = delete;
    ~Guard() {
        // The thread sits in sigtimedwait; a signal to it alone is the one way to wake it before its time.
        done_ = true;
        pthread_kill(thread_.native_handle(), SIGHUP);
        thread_.join();
    }
    // Whether the caller may answer: the first to ask does, so that there is one answer.
    bool claim_answer() { return !answered_.exchange(true); }

  private:
    void watch() {
        const sigset_t signals = ending_signals();
        const auto end = std::chrono::steady_clock::now() + options_.timeout();
        while (true) {
            const auto left =
                std::max(std::chrono::nanoseconds(0), std::chrono::nanoseconds(end - std::chrono::steady_clock::now()));
            const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(left);
            const timespec wait{seconds.count(), (left - seconds).count()};
            const int signal = sigtimedwait(&signals, nullptr, &wait);
            if (done_) return;
            if (signal < 0 && errno != EAGAIN) continue;  // EINTR
            finish(signal > 0 ? "ended by " + std::string(signal_name(signal)) : "timed out");
            return;
        }
    }

    void finish(const std::string& why) noexcept {
        if (!claim_answer()) return;
        io::kill_running_commands();
        const Report report = cut_short(options_, why, context_);
        const int code = write_answer(rendered(check_, report, options_.json(), options_.verbosity()));
        io::kill_running_commands();  // the main thread may have started another one meanwhile
        _exit(code);
    }

    const Check& check_;
    const Options& options_;
    const RunContext& context_;
    std::atomic<bool> done_ = false;
    std::atomic<bool> answered_ = false;
    std::thread thread_;
};

}  // namespace

int run_program(const Check& check, int argc, char** argv, const RunContext& context) {
    io::open_standard_streams();
    base::Progress progress;
    RunContext whole{.clock = context.clock,
                     .files = context.files,
                     .world = context.world,
                     .ini_path = context.ini_path,
                     .progress = &progress};
    if (const char* path = std::getenv("NAGIOS_CONFIG_PATH");  // NOLINT(concurrency-mt-unsafe): no thread runs yet
        path != nullptr && whole.ini_path.empty()) {
        whole.ini_path = path;
    }
    const Prepared prepared = prepare(check, std::vector<std::string>(argv + std::min(argc, 1), argv + argc), whole);
    if (!prepared.options) return write_answer(prepared.answer);

    const sigset_t signals = ending_signals();
    pthread_sigmask(SIG_BLOCK, &signals, nullptr);
    signal(SIGPIPE, SIG_IGN);  // a peer that closes is an answer, not the end of the plugin
    Guard guard(check, *prepared.options, whole);
    const Outcome outcome = execute(check, *prepared.options, whole);
    if (!guard.claim_answer()) {
        while (true) pause();  // the guard is answering and ends the process
    }
    const int code = write_answer(outcome);
#ifdef NDEBUG
    // The answer is out and no program of ours runs: waking the guard, freeing everything and the clean-up of libcrypto
    // would only keep the caller waiting. Other builds do all that, for the sanitizers and gcov.
    _exit(code);
#endif
    return code;
}

}  // namespace mtawatch::plugin
