// Generator of made-up PowerMTA accounting records in the real form, the same for the same seed.
#pragma once

#include <cstdint>
#include <random>
#include <string>
#include <vector>

namespace mtawatch::bench {

// Recipient domains by rank: mailbox providers first, then a long tail below example.net, drawn by Zipf(1.05).
class Recipients {
  public:
    explicit Recipients(std::size_t domains);
    [[nodiscard]] std::size_t draw(std::mt19937_64& random) const;
    [[nodiscard]] const std::string& domain(std::size_t rank) const { return domains_[rank]; }
    [[nodiscard]] const std::string& mx(std::size_t rank) const { return mx_[rank]; }

  private:
    std::vector<std::string> domains_;
    std::vector<std::string> mx_;
    std::vector<double> cumulative_;
};

struct Reply {
    const char* status;
    const char* diag;  // with doubled quotes where it has some
    const char* category;
    bool quoted;
};

// Of failures and of deferrals, as mailbox providers word them.
[[nodiscard]] const std::vector<Reply>& bounce_replies();
[[nodiscard]] const std::vector<Reply>& deferral_replies();

// "YYYY-MM-DD HH:MM:SS+0000".
void append_time(std::string& out, std::int64_t seconds);

}  // namespace mtawatch::bench
