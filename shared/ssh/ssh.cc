#include "shared/ssh/ssh.h"

#include <libssh/callbacks.h>

#include <array>
#include <csignal>

#include "shared/base/text.h"
#include "shared/ssh/session.h"

namespace mtawatch::ssh {

namespace {

// The SSH window of libssh is 64 KiB, so more per read would stay empty.
constexpr std::size_t piece_bytes = 64U << 10U;

struct FreeChannel {
    void operator()(ssh_channel channel) const { ssh_channel_free(channel); }
};
using Channel = std::unique_ptr<ssh_channel_struct, FreeChannel>;

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
    for (const auto& [known, number] : table)
        if (known == name) return number;
    return std::nullopt;
}

struct Ending {
    std::optional<int> status;
    std::optional<int> signal;
    bool signalled = false;  // also for a signal whose name we do not know
};

void on_status(ssh_session /*session*/, ssh_channel /*channel*/, int status, void* to) {
    static_cast<Ending*>(to)->status = status;
}

void on_signal(ssh_session /*session*/, ssh_channel /*channel*/, const char* name, int /*core*/, const char* /*why*/,
               const char* /*language*/, void* to) {
    auto* ending = static_cast<Ending*>(to);
    ending->signalled = true;
    ending->signal = signal_number(name == nullptr ? "" : name);
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
        if (outgrown)
            return base::fail(base::Fault::limit, "{} on {} said more than {} bytes", argv.front(), host_,
                              limits.max_output);
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
        return base::fail(base::Fault::login, "{}: the SSH connection broke: {}", doing,
                          base::one_line(ssh_get_error(session_.get()), 200));
    }

    template <class Call>
    base::Result<void> drive(const base::Deadline& deadline, const std::string& doing, Call call) {
        int code = call();
        while (code == SSH_AGAIN) {
            if (auto waited = wait(session_.get(), deadline, doing); !waited) return base::fail(waited.error());
            code = call();
        }
        if (code != SSH_OK) return broken(doing);
        return {};
    }

    base::Result<io::CommandResult> execute(const std::vector<std::string>& argv, const io::OutputSink& sink,
                                            std::size_t max_error, const base::Deadline& deadline) {
        if (argv.empty()) return base::fail(base::Fault::internal, "no command to run on {}", host_);
        auto line = quote(argv);
        if (!line) return base::fail(line.error());
        const std::string doing = fmt::format("{} on {}", argv.front(), host_);
        deadline.doing(doing);
        // The same surroundings as a local command: no translations, and the folders of mail programs in PATH. `exec`
        // leaves no shell behind to turn a signal into an exit status, and `env` is understood by every login shell.
        const std::string command = "exec env LC_ALL=C PATH=/usr/sbin:/usr/bin:/sbin:/bin " + *line + " </dev/null";

        Ending ending;
        ssh_channel_callbacks_struct callbacks{};
        callbacks.userdata = &ending;
        callbacks.channel_exit_status_function = on_status;
        callbacks.channel_exit_signal_function = on_signal;
        ssh_callbacks_init(&callbacks);
        const Channel channel(ssh_channel_new(session_.get()));
        if (!channel || ssh_set_channel_callbacks(channel.get(), &callbacks) != SSH_OK) return broken(doing);
        if (auto opened = drive(deadline, doing, [&] { return ssh_channel_open_session(channel.get()); }); !opened)
            return base::fail(opened.error());
        if (auto started =
                drive(deadline, doing, [&] { return ssh_channel_request_exec(channel.get(), command.c_str()); });
            !started)
            return base::fail(started.error());

        io::CommandResult result;
        auto read = collect(channel.get(), sink, max_error, deadline, doing, ending, result);
        ssh_remove_channel_callbacks(channel.get(), &callbacks);
        if (!read) return base::fail(read.error());
        return finish(argv.front(), doing, ending, std::move(result));
    }

    // Reads both outputs until the program has ended and said everything, or the sink has had enough.
    base::Result<void> collect(ssh_channel channel, const io::OutputSink& sink, std::size_t max_error,
                               const base::Deadline& deadline, const std::string& doing, const Ending& ending,
                               io::CommandResult& into) {
        std::vector<char> buffer(piece_bytes);
        const auto size = static_cast<std::uint32_t>(buffer.size());
        for (;;) {
            const int out = ssh_channel_read_nonblocking(channel, buffer.data(), size, 0);
            if (out > 0 && !sink({buffer.data(), static_cast<std::size_t>(out)})) return {};
            const int err = ssh_channel_read_nonblocking(channel, buffer.data(), size, 1);
            if (err > 0) {
                const std::size_t room = max_error - std::min(max_error, into.error_text.size());
                into.error_text.append(buffer.data(), std::min(room, static_cast<std::size_t>(err)));
            }
            if (out == SSH_ERROR || err == SSH_ERROR) return broken(doing);
            if (out > 0 || err > 0) {
                if (deadline.expired()) return base::fail(base::Fault::silent, "{}: did not end in time", doing);
                continue;
            }
            const bool ended = ending.status.has_value() || ending.signalled || ssh_channel_is_closed(channel) != 0;
            if (ssh_channel_is_eof(channel) != 0 && ended) return {};
            if (ssh_is_connected(session_.get()) == 0) return broken(doing);
            if (auto waited = wait(session_.get(), deadline, doing); !waited) return waited;
        }
    }

    base::Result<io::CommandResult> finish(const std::string& program, const std::string& doing, const Ending& ending,
                                           io::CommandResult result) const {
        result.exit_status = ending.status;
        result.signal = ending.signal;
        if (ending.signalled) result.exit_status.reset();
        // What a POSIX shell answers when it cannot run the program (XCU 2.8.2).
        if (result.exit_status == 127) return base::fail(base::Fault::not_found, "{}: no such program there", doing);
        if (result.exit_status == 126)
            return base::fail(base::Fault::permission, "{}: may not be run: {}", program,
                              base::one_line(result.error_text, 200));
        return result;
    }

    Session session_;
    std::string host_;
};

}  // namespace

base::Result<std::unique_ptr<io::Commands>> open(const SshSettings& settings, const base::Deadline& deadline) {
    deadline.doing("connecting to " + settings.host + " by SSH");
    auto session = log_in(settings, deadline);
    if (!session) return base::fail(session.error());
    return std::make_unique<RemoteCommands>(std::move(*session), settings.host);
}

}  // namespace mtawatch::ssh
