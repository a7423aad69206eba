#include "shared/base/last_resort.h"

#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <exception>
#include <new>
#include <system_error>

#include "shared/base/text.h"

namespace mtawatch::base {

namespace {

constexpr std::size_t max_sentence = 1000;
constexpr int patience_ms = 1000;

LastResort in_force;  // set before there is a second thread

// Once, where somebody takes it: nothing here may wait for ever. A sentence fits into a pipe that has room at all.
void say(std::string_view sentence) {
    pollfd room{in_force.descriptor, POLLOUT, 0};
    if (::poll(&room, 1, patience_ms) != 1 || (room.revents & POLLOUT) == 0) return;
    if (::write(in_force.descriptor, sentence.data(), sentence.size()) < 0) errno = 0;  // nobody is left to be told
}

int tell_uncaught() {
    say(std::string(in_force.before) + one_line(uncaught(), max_sentence) + "\n");
    return in_force.status;
}

// For threads, destructors and whatever else may not throw. Nothing is unwound and no other thread is waited for.
[[noreturn]] void terminated() {
    try {
        tell_uncaught();
    } catch (...) {
        // Without a further allocation: there is no memory to make a sentence in.
        constexpr std::string_view what = "no memory is to be had\n";
        std::array<char, 128> text{};
        const std::size_t before = std::min(in_force.before.size(), text.size() - what.size());
        std::copy_n(in_force.before.data(), before, text.data());
        std::copy_n(what.data(), what.size(), text.data() + before);
        say({text.data(), before + what.size()});
    }
    ::_exit(in_force.status);
}

}  // namespace

std::string uncaught() {
    const std::exception_ptr current = std::current_exception();
    if (!current) return "internal mistake: ended without an exception";
    try {
        std::rethrow_exception(current);
    } catch (const std::bad_alloc&) {
        return "no memory is to be had (ulimit -v, MemoryMax of the unit)";
    } catch (const std::system_error& error) {
        // What std::thread throws where the limit of tasks or of memory is reached.
        if (error.code() == std::errc::resource_unavailable_try_again) {
            return "no further thread is to be had (ulimit -u or -v, TasksMax of the unit)";
        }
        return std::string("internal mistake: ") + error.what();
    } catch (const std::exception& error) {
        return std::string("internal mistake: ") + error.what();
    } catch (...) {
        return "internal mistake: an exception of an unknown kind";
    }
}

int run_main(const LastResort& resort, const std::function<int()>& program) {
    in_force = resort;
    std::set_terminate(terminated);
    try {
        return program();
    } catch (...) {
        return tell_uncaught();
    }
}

}  // namespace mtawatch::base
