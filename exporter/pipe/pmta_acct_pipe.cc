// pmta_acct_pipe: the program behind <acct-file |/usr/bin/pmta_acct_pipe --name bounces>. Takes records from stdin and
// keeps them in files that pmta_exporter follows, so that PowerMTA never waits for the exporter.
#include <fcntl.h>
#include <fmt/core.h>
#include <poll.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <string>
#include <string_view>
#include <vector>

#include "exporter/pipe/pipe_options.h"
#include "exporter/pipe/spool.h"
#include "shared/base/clock.h"
#include "shared/base/last_resort.h"
#include "shared/io/standard_streams.h"

namespace {

using namespace mtawatch;

constexpr std::string_view program_name = "pmta_acct_pipe";
constexpr int usage_status = 2;
constexpr std::size_t read_bytes = 64U << 10U;  // what a pipe holds
// After SIGTERM the record in progress has this long to be completed.
constexpr std::chrono::seconds grace{2};
// Between two attempts to write what could not be written.
constexpr int try_again_ms = 250;
// A problem that lasts is reported again this often.
constexpr std::chrono::seconds say_again{60};

volatile std::sig_atomic_t stop_asked = 0;
void ask_to_stop(int) { stop_asked = 1; }

class Pipe {
  public:
    Pipe(exporter::pipe::Spool& spool, const base::Clock& clock, const io::Notices& notices)
        : spool_(spool), clock_(clock), notices_(notices) {}

    // Until stdin ends, or a signal came and the record in progress is whole.
    void run() {
        if (spool_.torn_files() > 0) {
            say(fmt::format("{} spool files ended in the middle of a record, which is cut off", spool_.torn_files()));
        }
        std::array<char, read_bytes> bytes;
        for (;;) {
            pollfd wait{STDIN_FILENO, POLLIN, 0};
            const int ready = ::poll(&wait, 1, stopping_ ? 100 : 1000);
            note_stop();
            // What PowerMTA has written already is in the pipe: it is taken out before the end.
            if (over(ready > 0)) break;
            if (ready <= 0) continue;
            const ssize_t got = ::read(STDIN_FILENO, bytes.data(), bytes.size());
            if (got < 0 && (errno == EINTR || errno == EAGAIN)) continue;
            if (got <= 0) break;
            splitter_.add({bytes.data(), static_cast<std::size_t>(got)});
            keep_records();
        }
        // stdin ended: a last record without its newline is whole if PowerMTA says so by closing.
        if (!stopping_ && !splitter_.rest().empty()) {
            splitter_.add("\n");
            keep_records();
        }
        if (!splitter_.rest().empty()) say("the last record was cut off and is not kept");
    }

  private:
    void note_stop() {
        if (stop_asked == 0 || stopping_) return;
        stopping_ = true;
        stop_at_ = clock_.steady() + grace;
    }

    [[nodiscard]] bool over(bool more) const {
        return stopping_ && ((splitter_.rest().empty() && !more) || clock_.steady() >= stop_at_);
    }

    void keep_records() {
        std::string out;
        const std::string header = stamp_.header();
        while (const auto record = splitter_.next()) stamp_.append(*record, clock_.wall(), out);
        if (out.empty()) return;
        const auto kept =
            spool_.append(out, header.empty() ? stamp_.header() : header, [this](const base::Error& error) {
                say(error.what + "; PowerMTA waits until this is mended, --wait at most");
                ::poll(nullptr, 0, try_again_ms);
                note_stop();
                return !stopping_ || clock_.steady() < stop_at_;
            });
        if (!kept && spool_.kept()) {
            say(kept.error().what + "; the records are in the file, but may be lost with the machine");
        } else if (!kept) {
            say(kept.error().what + "; records are lost until this is mended");
        }
        if (spool_.dropped_files() != dropped_) {
            dropped_ = spool_.dropped_files();
            say(fmt::format("{} spool files were deleted for want of room", dropped_));
        }
    }

    void say(const std::string& text) {
        const base::SteadyTime now = clock_.steady();
        if (text == said_ && now - said_at_ < say_again) return;
        said_ = text;
        said_at_ = now;
        notices_.say(text);
    }

    exporter::pipe::Spool& spool_;
    const base::Clock& clock_;
    const io::Notices& notices_;
    exporter::pipe::RecordSplitter splitter_;
    exporter::pipe::ArrivalStamp stamp_;
    bool stopping_ = false;
    base::SteadyTime stop_at_{};
    std::uint64_t dropped_ = 0;
    std::string said_;
    base::SteadyTime said_at_{};
};

void handle_signals() {
    struct sigaction action {};
    action.sa_handler = ask_to_stop;
    ::sigaction(SIGTERM, &action, nullptr);
    ::sigaction(SIGINT, &action, nullptr);
    // A message that nobody takes and a file that may not grow are errors of one call, not the end.
    action.sa_handler = SIG_IGN;
    ::sigaction(SIGPIPE, &action, nullptr);
    ::sigaction(SIGXFSZ, &action, nullptr);
}

int keep_records(const std::vector<std::string>& arguments, const io::Notices& notices) {
    namespace pipe = exporter::pipe;
    const auto given = pipe::parse_pipe_options(arguments);
    if (!given) {
        notices.say(given.error().what);
        return usage_status;
    }
    if (given->flag("help") || given->flag("version")) {
        const options::Program program = pipe::pipe_program();
        fmt::print("{}", given->flag("help") ? options::help_text(program) : options::version_text(program));
        return 0;
    }
    const base::SystemClock clock;
    auto spool = pipe::Spool::open(pipe::spool_settings(*given), clock);
    if (!spool) {
        notices.say(spool.error().what);
        return usage_status;
    }
    Pipe(*spool, clock, notices).run();
    return 0;
}

}  // namespace

int main(int argc, char** argv) {
    io::open_standard_streams();
    handle_signals();
    const io::Notices notices(program_name);
    return base::run_main({.before = "pmta_acct_pipe: "}, [&] {
        return keep_records({argv + 1, argv + argc}, notices);
    });
}
