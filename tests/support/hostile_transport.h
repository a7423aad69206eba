// Fake resolver that answers every question with texts chosen to do harm.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "shared/dns/transport.h"

namespace mtawatch::test {

// The first character of the name asked decides: x NXDOMAIN, v no data, s SERVFAIL, t a time-out, a digit the text of
// that number, anything else the first text. A, AAAA, MX and PTR questions are answered with a few records; the digit
// behind "m" is the number of MX hosts and PTR names ("m9.example" has nine). Does not own the texts.
class HostileTransport final : public dns::Transport {
  public:
    explicit HostileTransport(std::vector<std::string_view> texts) : texts_(std::move(texts)) {}
    void exchange_each(std::span<const dns::Question> questions, const base::Deadline& deadline,
                       const dns::ReplySink& sink) override;
    [[nodiscard]] std::string describe() const override { return "192.0.2.53"; }
    [[nodiscard]] std::size_t asked() const { return asked_; }

  private:
    [[nodiscard]] dns::Reply reply_to(const dns::Question& question) const;
    [[nodiscard]] std::vector<std::string> data_for(const dns::Question& question) const;

    std::vector<std::string_view> texts_;
    std::size_t asked_ = 0;
};

}  // namespace mtawatch::test
