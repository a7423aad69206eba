#include "shared/ssh/ssh.h"

#include <libssh/callbacks.h>

#include <algorithm>
#include <array>
#include <csignal>

#include "shared/base/text.h"
#include "shared/ssh/frame.h"
#include "shared/ssh/session.h"
#include "shared/ssh/tunnel.h"

namespace mtawatch::ssh {

using base::fail;

namespace {

// RFC 4254 section 6.10 names signals without "SIG"; only those are sent.
std::optional<int> signal_number(std::string_view name) {
    constexpr std::array<std::pair<std::string_view, int>, 13> table{{{"ABRT", SIGABRT},
                                                                      {"ALRM", SIGALRM},
                                                                      {"FPE", SIGFPE},
                                                                      {"HUP", SIGHUP},
                                                                      {"ILL", SIGILL},
                                                                      {"INT", SIGINT},
                                                                      {"KILL", SIGKILL},
                                                                      {"PIPE", SIGPIPE},
                                                                      {"QUIT", SIGQUIT},
                                                                      {"SEGV", SIGSEGV},
                                                                      {"TERM", SIGTERM},
                                                                      {"USR1", SIGUSR1},
                                                                      {"USR2", SIGUSR2}}};
    for (const auto& [known, number] : table) {
        if (known == name) return number;
    }
    return std::nullopt;
}

struct FreeEvent {
    void operator()(ssh_event event) const { ssh_event_free(event); }
};
using Event = std::unique_ptr<ssh_event_struct, FreeEvent>;

// What the callbacks of one command learn. libssh hands everything over the moment it reads it, so nothing can be left
// in its buffers while we wait for the socket.
class Conversation {
  public:
    Conversation(const Marks& marks, const io::OutputSink& sink, std::size_t max_error)
        : output(marks.output, [this, &sink](std::string_view piece) { enough = enough || !sink(piece); }),
          errors(marks.errors, [this, max_error](std::string_view piece) {
              error_text += piece.substr(0, max_error - std::min(max_error, error_text.size()));
          }) {}
    Conversation(const Conversation&) = delete;
    Conversation& operator=(const Conversation&) = delete;

    // The program has ended and said everything, or the sink wants no more. What a forced command or a child that was
    // left behind does with the channel after that is not waited for.
    [[nodiscard]] bool over() const {
        return enough || closed || (output.status() && errors.ended()) || (ended && end_of_output);
    }

    FrameReader output;
    FrameReader errors;
    std::string error_text;
    bool enough = false;
    bool ended = false;  // the server told the exit status or signal of the login shell
    std::optional<int> shell_status;
    std::optional<int> shell_signal;
    bool end_of_output = false;
    bool closed = false;
};

Conversation& conversation(void* userdata) { return *static_cast<Conversation*>(userdata); }

int on_data(ssh_session /*session*/, ssh_channel /*channel*/, void* data, std::uint32_t length, int is_stderr,
            void* to) {
    const std::string_view piece(static_cast<const char*>(data), length);
    (is_stderr != 0 ? conversation(to).errors : conversation(to).output).take(piece);
    return static_cast<int>(length);
}

void on_eof(ssh_session /*session*/, ssh_channel /*channel*/, void* to) { conversation(to).end_of_output = true; }

void on_close(ssh_session /*session*/, ssh_channel /*channel*/, void* to) { conversation(to).closed = true; }

void on_status(ssh_session /*session*/, ssh_channel /*channel*/, int status, void* to) {
    conversation(to).ended = true;
    conversation(to).shell_status = status;
}

void on_signal(ssh_session /*session*/, ssh_channel /*channel*/, const char* name, int /*core*/, const char* /*why*/,
               const char* /*language*/, void* to) {
    conversation(to).ended = true;
    conversation(to).shell_signal = signal_number(name == nullptr ? "" : name);
}

// The program that a person would name: behind `env NAME=value` and `sudo -n`.
std::string program_of(const std::vector<std::string>& argv) {
    std::size_t at = 0;
    while (at + 1 < argv.size() &&
           (argv[at] == "env" || argv[at] == "sudo" || argv[at] == "-n" || argv[at].find('=') != std::string::npos)) {
        ++at;
    }
    return argv[at];
}

class RemoteCommands final : public io::Commands {
  public:
    RemoteCommands(Session session, std::string host) : session_(std::move(session)), host_(std::move(host)) {}

    [[nodiscard]] base::Result<io::CommandResult> run(const std::vector<std::string>& argv,
                                                      const io::CommandLimits& limits,
                                                      const base::Deadline& deadline) override {
        std::string output;
        bool outgrown = false;
        const auto keep = [&](std::string_view piece) {
            if (output.size() + piece.size() > limits.max_output) {
                outgrown = true;
                return false;
            }
            output += piece;
            return true;
        };
        auto result = execute(argv, keep, limits.max_error, deadline);
        if (outgrown) {
            return fail(base::Fault::limit, "{} on {} said more than {} bytes", program_of(argv), host_,
                        limits.max_output);
        }
        if (result) result->output = std::move(output);
        return result;
    }

    [[nodiscard]] base::Result<io::CommandResult> stream(const std::vector<std::string>& argv,
                                                         const io::OutputSink& sink,
                                                         const base::Deadline& deadline) override {
        return execute(argv, sink, io::CommandLimits{}.max_error, deadline);
    }

    [[nodiscard]] std::string where() const override { return "on " + host_; }

  private:
    [[nodiscard]] base::Failure broken(const std::string& doing) const {
        return fail(base::Fault::auth, "{}: the SSH connection broke: {}", doing, reason(session_.get()));
    }

    template <class Call>
    base::Result<void> insist(const base::Deadline& deadline, const std::string& doing, Call call) {
        auto code = drive(session_, deadline, doing, SSH_AGAIN, call);
        if (!code) return fail(code.error());
        if (*code != SSH_OK) return broken(doing);
        return {};
    }

    base::Result<io::CommandResult> execute(const std::vector<std::string>& argv, const io::OutputSink& sink,
                                            std::size_t max_error, const base::Deadline& deadline) {
        if (argv.empty()) return fail(base::Fault::internal, "no command to run on {}", host_);
        auto line = quote(argv);
        if (!line) return fail(line.error());
        const std::string doing = fmt::format("{} on {}", program_of(argv), host_);
        deadline.doing("running " + doing);
        const Marks marks = random_marks();
        const std::string command = framed(*line, marks);

        Conversation talk(marks, sink, max_error);
        ssh_channel_callbacks_struct callbacks{};
        callbacks.userdata = &talk;
        callbacks.channel_data_function = on_data;
        callbacks.channel_eof_function = on_eof;
        callbacks.channel_close_function = on_close;
        callbacks.channel_exit_status_function = on_status;
        callbacks.channel_exit_signal_function = on_signal;
        ssh_callbacks_init(&callbacks);
        const Channel channel(ssh_channel_new(session_.get()));
        if (!channel || ssh_set_channel_callbacks(channel.get(), &callbacks) != SSH_OK) return broken(doing);
        if (auto done = insist(deadline, doing, [&] { return ssh_channel_open_session(channel.get()); }); !done) {
            return fail(done.error());
        }
        if (auto started =
                insist(deadline, doing, [&] { return ssh_channel_request_exec(channel.get(), command.c_str()); });
            !started) {
            return fail(started.error());
        }
        auto listened = listen(talk, deadline, doing);
        ssh_remove_channel_callbacks(channel.get(), &callbacks);
        if (!talk.output.ended() && !talk.ended) end_there(channel.get());
        if (!listened) return fail(listened.error());
        return finish(program_of(argv), doing, talk);
    }

    // A server ends nothing when the connection does, so a program that hangs would stay there, one for every run.
    // OpenSSH hands signals on to the programs of every user but root.
    static void end_there(ssh_channel channel) {
        for (const auto* signal : {"TERM", "KILL"}) {
            static_cast<void>(ssh_channel_request_send_signal(channel, signal));  // whether it can is for the server
        }
    }

    // Lets libssh read until everything is said.
    base::Result<void> listen(const Conversation& talk, const base::Deadline& deadline, const std::string& doing) {
        const Event event(ssh_event_new());
        if (!event || ssh_event_add_session(event.get(), session_.get()) != SSH_OK) return broken(doing);
        base::Result<void> done;
        while (done && !talk.over()) {
            if (deadline.expired()) {
                done = fail(base::Fault::timeout, "{}: no answer in time", doing);
            } else if (ssh_event_dopoll(event.get(), 0) == SSH_ERROR || ssh_is_connected(session_.get()) == 0) {
                // What came with the last bytes still counts.
                if (!talk.over()) done = broken(doing);
            } else if (!talk.over()) {
                done = wait(session_, deadline, doing);
            }
        }
        ssh_event_remove_session(event.get(), session_.get());
        return done;
    }

    // The login shell ended and the program never began: an account without a shell, a forced command, a restricted
    // shell without `env` or `sh`.
    [[nodiscard]] base::Failure not_begun(const std::string& doing, const Conversation& talk) const {
        const std::string noise = talk.output.noise() + talk.errors.noise();
        const std::string said = base::one_line(base::trim(noise), 200);
        return fail(base::Fault::auth,
                    "{} was not run: the login shell or a forced command there ended{}{}; the account needs a shell "
                    "that runs commands and finds env and sh, and no forced command in authorized_keys",
                    doing, talk.shell_status ? fmt::format(" with {}", *talk.shell_status) : "",
                    said.empty() ? " and said nothing" : fmt::format(" and said '{}'", said));
    }

    base::Result<io::CommandResult> finish(const std::string& program, const std::string& doing,
                                           Conversation& talk) const {
        if (!talk.enough && !talk.output.begun()) return not_begun(doing, talk);
        if (talk.output.ended() && !talk.errors.ended()) {
            return fail(base::Fault::malformed,
                        "{}: its error output is not told from its output: a forced command or login shell there "
                        "joins the two (2>&1)",
                        doing);
        }
        io::CommandResult result;
        result.error_text = std::move(talk.error_text);
        if (const auto status = talk.output.status()) {
            // What a POSIX shell tells of a program that a signal ended (XCU 2.8.2); programs themselves stay below.
            constexpr int signal_base = 128;
            if (*status > signal_base && *status < signal_base + NSIG) {
                result.signal = *status - signal_base;
            } else {
                result.exit_status = *status;
            }
        } else if (!talk.enough && talk.shell_status == 0) {
            return fail(base::Fault::malformed, "{}: its output was cut off before the end", doing);
        } else {
            result.exit_status = talk.shell_status;
            result.signal = talk.shell_signal;
        }
        // And what it answers when it cannot run the program.
        if (result.exit_status == 127) return fail(base::Fault::not_found, "{}: no such program there", doing);
        if (result.exit_status == 126) {
            return fail(base::Fault::permission, "{} {} may not be run: {}", program, where(),
                        base::one_line(result.error_text, 200));
        }
        return result;
    }

    Session session_;
    std::string host_;
};

}  // namespace

base::Result<std::unique_ptr<io::Commands>> open(const SshSettings& settings, const base::Deadline& deadline) {
    deadline.doing("connecting to " + settings.host + " by SSH");
    auto session = log_in(settings, deadline);
    if (!session) return fail(session.error());
    return std::make_unique<RemoteCommands>(std::move(*session), settings.host);
}

}  // namespace mtawatch::ssh
