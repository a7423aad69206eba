// Current step of a run, so that a run that is cut off can say where it hung.
#pragma once

#include <array>
#include <cstddef>
#include <mutex>
#include <string>
#include <string_view>

namespace mtawatch::base {

// Written by any thread that begins a step that may take long; read by the one that ends the run.
class Progress {
  public:
    // A phrase that goes on from "while": "connecting to 192.0.2.1:25". Cut at max_length bytes.
    void doing(std::string_view what) noexcept;
    // The last phrase, or "" before the first one.
    [[nodiscard]] std::string last() const;

    static constexpr std::size_t max_length = 200;  // fits the first line of a plugin's answer

  private:
    mutable std::mutex mutex_;
    std::array<char, max_length> text_{};
    std::size_t length_ = 0;
};

}  // namespace mtawatch::base
