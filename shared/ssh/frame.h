// Frame around the output of a program that a login shell starts on another host.
#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace mtawatch::ssh {

// What no output can hold by chance or by design: 128 random bits each, new for every command. They differ, so that a
// forced command that joins the two streams is noticed.
struct Marks {
    std::string output;
    std::string errors;
};
[[nodiscard]] Marks random_marks();

// The command line of a login shell for the program and arguments in `words`, which are quoted already. The program
// runs in the surroundings of a local one (empty stdin, LC_ALL=C, the folders of mail programs in PATH) below a POSIX
// `sh`, which writes each stream's mark before the program runs and after it, on stdout followed by its exit status and
// ';'. No redirection to a file, no `exec`, no assignment and no path as a command, so that a restricted shell (rbash)
// takes it too; every login shell splits it alike.
[[nodiscard]] std::string framed(std::string_view words, const Marks& marks);

// Reads one stream of such a command in pieces. What a start-up file, a forced command or the server prints before and
// after the frame is never handed on.
class FrameReader {
  public:
    // `inside` gets the program's own output piece by piece, in constant memory.
    FrameReader(std::string mark, std::function<void(std::string_view)> inside)
        : mark_(std::move(mark)), inside_(std::move(inside)) {}

    void take(std::string_view piece);

    [[nodiscard]] bool begun() const { return part_ != Part::before; }
    // The mark behind the program's output was seen.
    [[nodiscard]] bool ended() const { return part_ == Part::after; }
    // On stdout, once it came: what the shell says of the program's end, 128 and the number for a signal.
    [[nodiscard]] std::optional<int> status() const;
    // The beginning of what came before the frame, for messages: at most max_noise bytes.
    [[nodiscard]] const std::string& noise() const { return noise_; }
    static constexpr std::size_t max_noise = 400;

  private:
    enum class Part { before, inside, after };
    void hand_on(std::string_view bytes);

    std::string mark_;
    std::function<void(std::string_view)> inside_;
    Part part_ = Part::before;
    std::string held_;  // the end of what came, where it may be the beginning of a mark
    std::string noise_;
    std::string status_;  // digits and ';'
};

}  // namespace mtawatch::ssh
