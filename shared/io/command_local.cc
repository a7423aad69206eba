// Programs on this machine: posix_spawn in a process group of its own, nothing inherited but what is meant to be.
#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>

extern "C" {
#include <sys/pidfd.h>  // glibc 2.36 forgot to declare it for C++
}

#include <array>
#include <cerrno>
#include <chrono>
#include <mutex>
#include <set>

#include "shared/base/text.h"
#include "shared/io/command.h"
#include "shared/io/descriptor.h"
#include "shared/io/system_error.h"

namespace mtawatch::io {

namespace {

using base::Deadline;
using base::fail;
using base::Fault;
using base::Result;

constexpr std::string_view search_path = "/usr/sbin:/usr/bin:/sbin:/bin";
constexpr std::size_t piece_bytes = 64U << 10U;  // the size of a pipe
constexpr int pieces_at_once = 16;
constexpr std::size_t longest_name = 120;  // of a command line in a message
constexpr int term_milliseconds = 100;     // for a program to end by itself before it is killed
constexpr int kill_milliseconds = 500;     // a killed program that does not go is left to init

// Every program that runs, by the id of its group.
struct Running {
    std::mutex mutex;
    std::set<pid_t> groups;
};
Running& running() {
    static Running programs;
    return programs;
}

void signal_group(pid_t group, int signal) {
    if (::kill(-group, signal) != 0 && errno == ESRCH) ::kill(group, signal);  // it has not made its group yet
}

// A started program: its pipes, and its end. Destroying it ends the program and its children.
class Child {
  public:
    Child(pid_t id, Descriptor out, Descriptor err)
        : id_(id), handle_(::pidfd_open(id, 0)), out_(std::move(out)), err_(std::move(err)) {}
    Child(const Child&) = delete;
    Child& operator=(const Child&) = delete;
    ~Child() {
        if (!reaped_) end();
    }

    [[nodiscard]] int handle() const { return handle_.get(); }
    Descriptor& out() { return out_; }
    Descriptor& err() { return err_; }

    // First asks, then kills; returns when the program is gone or cannot be ended.
    void end() {
        signal_group(id_, SIGTERM);
        if (!gone_within(term_milliseconds)) {
            signal_group(id_, SIGKILL);
            if (!gone_within(kill_milliseconds)) return forget();
        }
        static_cast<void>(finish());
    }

    // The end of a program that is gone: its children go too; the group's id is ours until the program is reaped.
    CommandResult finish() {
        signal_group(id_, SIGKILL);
        return reap();
    }

  private:
    // How it ended. Only after its handle became readable.
    CommandResult reap() {
        forget();
        reaped_ = true;
        int status = 0;
        while (::waitpid(id_, &status, 0) < 0 && errno == EINTR) {
        }
        CommandResult result;
        if (WIFEXITED(status)) result.exit_status = WEXITSTATUS(status);
        if (WIFSIGNALED(status)) result.signal = WTERMSIG(status);
        return result;
    }

    void forget() const {
        const std::scoped_lock lock(running().mutex);
        running().groups.erase(id_);
    }
    [[nodiscard]] bool gone_within(int milliseconds) const {
        pollfd end{handle_.get(), POLLIN, 0};
        return ::poll(&end, 1, milliseconds) > 0;
    }
    pid_t id_;
    bool reaped_ = false;
    Descriptor handle_;
    Descriptor out_;
    Descriptor err_;
};

// posix_spawn's two settings, filled and destroyed together.
class SpawnSettings {
  public:
    SpawnSettings(int out, int err) {
        posix_spawn_file_actions_init(&actions_);
        posix_spawn_file_actions_addopen(&actions_, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
        posix_spawn_file_actions_adddup2(&actions_, out, STDOUT_FILENO);
        posix_spawn_file_actions_adddup2(&actions_, err, STDERR_FILENO);
        posix_spawn_file_actions_addclosefrom_np(&actions_, STDERR_FILENO + 1);
        posix_spawnattr_init(&attributes_);
        posix_spawnattr_setflags(&attributes_, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
        posix_spawnattr_setpgroup(&attributes_, 0);
        sigset_t signals;
        sigemptyset(&signals);
        posix_spawnattr_setsigmask(&attributes_, &signals);
        sigfillset(&signals);
        posix_spawnattr_setsigdefault(&attributes_, &signals);
    }
    SpawnSettings(const SpawnSettings&) = delete;
    SpawnSettings& operator=(const SpawnSettings&) = delete;
    ~SpawnSettings() {
        posix_spawn_file_actions_destroy(&actions_);
        posix_spawnattr_destroy(&attributes_);
    }
    [[nodiscard]] const posix_spawn_file_actions_t* actions() const { return &actions_; }
    [[nodiscard]] const posix_spawnattr_t* attributes() const { return &attributes_; }

  private:
    posix_spawn_file_actions_t actions_{};
    posix_spawnattr_t attributes_{};
};

base::Error not_ours(const std::string& path) {
    return {Fault::permission, path + ": Permission denied; this user may not run it (see ls -l)"};
}

// The program's file: a path as it is, a name by the fixed search path.
Result<std::string> find_program(const std::string& name) {
    if (name.empty()) return fail(Fault::usage, "no program is named");
    if (name.find('/') != std::string::npos) return name;
    std::string forbidden;
    for (const std::string_view folder : base::split(search_path, ':')) {
        std::string path = fmt::format("{}/{}", folder, name);
        if (::access(path.c_str(), X_OK) == 0) return path;
        if (forbidden.empty() && errno == EACCES) forbidden = std::move(path);
    }
    if (!forbidden.empty()) return fail(not_ours(forbidden));
    return fail(Fault::not_found, "{}: no such program in {}", name, search_path);
}

struct Pipe {
    Descriptor read_end;
    Descriptor write_end;
};

Result<Pipe> make_pipe() {
    std::array<int, 2> ends{-1, -1};
    if (::pipe2(ends.data(), O_CLOEXEC) != 0) return fail(Fault::io, "pipe: {}", error_text(errno));
    ::fcntl(ends[0], F_SETFL, O_NONBLOCK);
    return Pipe{Descriptor(ends[0]), Descriptor(ends[1])};
}

// "env NAME=value … PROGRAM" needs no env of its own: starting one costs as much as a small program does.
std::vector<std::string> pop_environment(std::vector<std::string>& argv) {
    std::vector<std::string> settings;
    if (argv.empty() || argv.front() != "env") return settings;
    std::size_t at = 1;
    while (at < argv.size() && argv[at].find('=') != std::string::npos) settings.push_back(argv[at++]);
    if (settings.empty() || at == argv.size()) return {};
    argv.erase(argv.begin(), argv.begin() + static_cast<std::ptrdiff_t>(at));
    return settings;
}

Result<std::unique_ptr<Child>> start(std::vector<std::string> argv) {
    std::vector<std::string> settings_of_caller = pop_environment(argv);
    if (argv.empty()) return fail(Fault::usage, "no program is named");
    const auto path = find_program(argv.front());
    if (!path) return fail(path.error());
    auto out = make_pipe();
    if (!out) return fail(out.error());
    auto err = make_pipe();
    if (!err) return fail(err.error());

    std::vector<char*> arguments;
    arguments.reserve(argv.size() + 1);
    for (std::string& word : argv) arguments.push_back(word.data());
    arguments.push_back(nullptr);
    std::string locale = "LC_ALL=C";
    std::string folders = fmt::format("PATH={}", search_path);
    std::vector<char*> environment{locale.data(), folders.data()};
    for (std::string& setting : settings_of_caller) environment.push_back(setting.data());
    environment.push_back(nullptr);

    const SpawnSettings settings(out->write_end.get(), err->write_end.get());
    pid_t id = -1;
    {
        const std::scoped_lock lock(running().mutex);  // so that kill_running_commands() knows whatever was started
        const int failure = ::posix_spawn(&id, path->c_str(), settings.actions(), settings.attributes(),
                                          arguments.data(), environment.data());
        if (failure == EACCES) return fail(not_ours(*path));
        if (failure != 0) return fail(file_error(*path, failure));
        running().groups.insert(id);
    }
    auto child = std::make_unique<Child>(id, std::move(out->read_end), std::move(err->read_end));
    if (child->handle() < 0) return fail(Fault::io, "{}: cannot be watched: {}", *path, error_text(errno));
    return child;
}

// Hands on what the pipe holds now, a bounded part of it, or a program that writes faster than we read would keep us
// from our deadline. False when the sink wants no more; closes the pipe at its end.
bool drain(Descriptor& pipe, const OutputSink& sink) {
    std::array<char, piece_bytes> buffer;
    for (int piece = 0; pipe && piece < pieces_at_once; ++piece) {
        const ssize_t count = ::read(pipe.get(), buffer.data(), buffer.size());
        if (count < 0 && errno == EINTR) continue;
        if (count < 0 && errno == EAGAIN) return true;
        if (count <= 0) {
            pipe.reset();
            return true;
        }
        if (!sink(std::string_view(buffer.data(), static_cast<std::size_t>(count)))) return false;
        if (static_cast<std::size_t>(count) < buffer.size()) return true;  // poll says when there is more
    }
    return true;
}

class LocalCommands final : public Commands {
  public:
    Result<CommandResult> run(const std::vector<std::string>& argv, const CommandLimits& limits,
                              const Deadline& deadline) override {
        std::string output;
        bool too_much = false;
        const auto keep = [&](std::string_view piece) {
            too_much = piece.size() > limits.max_output - output.size();
            if (!too_much) output += piece;
            return !too_much;
        };
        auto result = supervise(argv, keep, limits.max_error, deadline);
        if (too_much) {
            return fail(Fault::limit, "{}: more than {} bytes of output", shown(argv), limits.max_output);
        }
        if (result) result->output = std::move(output);
        return result;
    }

    Result<CommandResult> stream(const std::vector<std::string>& argv, const OutputSink& sink,
                                 const Deadline& deadline) override {
        return supervise(argv, sink, CommandLimits{}.max_error, deadline);
    }

    [[nodiscard]] std::string where() const override { return "on this machine"; }

  private:
    static std::string shown(const std::vector<std::string>& argv) {
        const std::string line = base::join(argv, " ");
        return base::one_line(line, longest_name) + (line.size() > longest_name ? "..." : "");
    }

    static Result<CommandResult> supervise(const std::vector<std::string>& argv, const OutputSink& sink,
                                           std::size_t max_error, const Deadline& deadline) {
        if (!argv.empty()) deadline.doing("running " + shown(argv));
        auto started = start(argv);
        if (!started) return fail(started.error());
        Child& child = **started;
        std::string error_text_kept;
        const auto keep_error = [&](std::string_view piece) {
            error_text_kept += piece.substr(0, max_error - error_text_kept.size());
            return true;
        };
        while (!deadline.expired()) {
            // A closed pipe is -1, which poll passes over.
            std::array<pollfd, 3> waiting{
                {{child.out().get(), POLLIN, 0}, {child.err().get(), POLLIN, 0}, {child.handle(), POLLIN, 0}}};
            const int ready = ::poll(waiting.data(), waiting.size(), deadline.poll_milliseconds());
            if (ready < 0 && errno != EINTR) return fail(Fault::io, "poll: {}", error_text(errno));
            if (ready <= 0) continue;
            const bool ended = waiting[2].revents != 0;
            static_cast<void>(drain(child.err(), keep_error));
            bool wanted = drain(child.out(), sink);
            // What a program that has ended wrote is in the pipe; a child of its own that still holds the pipe open is
            // not waited for.
            while (ended && wanted && !deadline.expired() && has_more(child.out())) wanted = drain(child.out(), sink);
            if (!wanted) return stopped(child);
            if (!ended || deadline.expired()) continue;
            CommandResult result = child.finish();
            result.error_text = std::move(error_text_kept);
            return result;
        }
        return fail(Fault::timeout, "{}: did not end in time", shown(argv));
    }

    static bool has_more(const Descriptor& pipe) {
        pollfd waiting{pipe.get(), POLLIN, 0};
        return pipe && ::poll(&waiting, 1, 0) > 0 && (waiting.revents & POLLIN) != 0;
    }

    // The sink wants no more: the program is ended, which is what the caller asked for.
    static CommandResult stopped(Child& child) {
        child.end();
        CommandResult result;
        result.signal = SIGTERM;
        return result;
    }
};

}  // namespace

std::unique_ptr<Commands> make_local_commands() { return std::make_unique<LocalCommands>(); }

void kill_running_commands() noexcept {
    const std::scoped_lock lock(running().mutex);
    for (const pid_t group : running().groups) {
        signal_group(group, SIGTERM);  // sudo hands it on to what it runs; SIGKILL alone would leave that behind
        signal_group(group, SIGKILL);
    }
}

}  // namespace mtawatch::io
