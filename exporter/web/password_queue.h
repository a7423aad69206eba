// Passwords that wait to be checked, in an order in which a flood of wrong ones cannot keep a right one out.
//
// A check takes 50 to 200 ms by design, so whoever sends wrong passwords as fast as they are refused fills any queue.
// Addresses that gave no wrong one lately are served first, the others in turn, one check each; connections of one
// address in the order in which they came.
#pragma once

#include <chrono>
#include <cstddef>
#include <deque>
#include <functional>
#include <list>
#include <map>
#include <optional>
#include <string>

namespace mtawatch::exporter::web {

// All but `verify` are called on the I/O thread.
struct PasswordCheck {
    std::function<bool()> verify;            // whether it is right: slow, on a thread of its own
    std::function<void(bool right)> answer;  // to the client
    std::function<bool()> gone;              // the client has left: nothing is checked
    std::function<void()> turn_away;         // there is no place
};

// For one thread.
class PasswordQueue {
  public:
    using Time = std::chrono::steady_clock::time_point;

    explicit PasswordQueue(std::size_t places) : places_(places) {}

    // `from`: the address that shares its turns. When every place is taken, whoever has most of them gives way: that is
    // one who gave wrong passwords before it is anybody else.
    void add(const std::string& from, PasswordCheck check, Time now);

    struct Next {
        std::string from;
        PasswordCheck check;
    };
    // Whose turn it is, without those who have left; nothing when nobody waits.
    [[nodiscard]] std::optional<Next> next();
    void checked(const std::string& from, bool right, Time now);
    void clear();
    [[nodiscard]] std::size_t size() const { return fresh_.size + failed_.size; }

  private:
    struct Line {
        std::map<std::string, std::deque<PasswordCheck>> waiting;
        std::list<std::string> turns;  // those who wait, whose turn is next first
        std::size_t size = 0;

        void push(const std::string& from, PasswordCheck check);
        [[nodiscard]] Next pop();
        [[nodiscard]] std::map<std::string, std::deque<PasswordCheck>>::iterator longest();
    };
    [[nodiscard]] bool failed_lately(const std::string& from, Time now) const;
    [[nodiscard]] bool make_room(const std::string& from, const Line& line);

    std::size_t places_;
    Line fresh_;
    Line failed_;
    std::map<std::string, Time> failures_;  // the last wrong password of an address
};

}  // namespace mtawatch::exporter::web
