// Standard input, output and error as a program finds them: perhaps closed, full, or with nobody at the other end.
#pragma once

#include <string>
#include <string_view>

namespace mtawatch::io {

// Those that are closed lead to /dev/null from now on. Otherwise the next file that is opened would get their number,
// and a message its bytes. To be called before anything is opened.
void open_standard_streams();

// Standard error for messages of a program that must go on whatever becomes of them: no message ever waits, fails, or
// ends the program, but it may be lost. SIGPIPE has to be ignored.
class Notices {
  public:
    explicit Notices(std::string_view program);
    Notices(const Notices&) = delete;
    Notices& operator=(const Notices&) = delete;
    ~Notices();

    // "PROGRAM: TEXT" as one line, cut at 4096 bytes.
    void say(std::string_view text) const noexcept;

  private:
    std::string program_;
    int fd_;  // standard error itself, or a description of our own of the same pipe
    bool socket_ = false;
};

}  // namespace mtawatch::io
