// Whatever a DNS server sends: the reader, the CNAME walk and the verdict on a blocklist's answer. The first byte picks
// the type that was asked for, the rest is the message.
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "shared/dns/lookup.h"
#include "shared/dns/message.h"
#include "shared/probe/dnsbl/dnsbl_verdict.h"
#include "tests/support/fake_clock.h"

using namespace mtawatch;

namespace {

constexpr dns::Type types[] = {dns::Type::a,  dns::Type::aaaa, dns::Type::mx,    dns::Type::txt,  dns::Type::ptr,
                               dns::Type::ns, dns::Type::soa,  dns::Type::cname, dns::Type::tlsa, dns::Type::spf};

// Answers every question with the same bytes.
class OneMessage final : public dns::Transport {
  public:
    explicit OneMessage(std::string_view message) : message_(message) {}
    void exchange_each(std::span<const dns::Question> questions, const base::Deadline& /*deadline*/,
                       const dns::ReplySink& sink) override {
        for (std::size_t i = 0; i < questions.size(); ++i) {
            if (++asked_ > 4 * dns::max_cnames) std::abort();  // CNAMEs must end
            sink(i, {dns::Delivery::answered, std::string(message_), true, {}, 0});
        }
    }
    [[nodiscard]] std::string describe() const override { return "fuzz"; }

  private:
    std::string_view message_;
    std::size_t asked_ = 0;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size == 0 || size > 65'536) return 0;
    const std::string_view message(reinterpret_cast<const char*>(data) + 1, size - 1);
    const dns::Question question{"2.0.0.127.list.example", types[data[0] % std::size(types)], false, 0};
    if (const auto reading = dns::read_message(message, question)) {
        if (reading->records.size() > dns::max_records || reading->chain.size() > dns::max_cnames + 1) std::abort();
    }
    const test::FakeClock clock;
    const base::Deadline deadline(clock, std::chrono::seconds(1));
    OneMessage transport(message);
    const auto answer = dns::lookup(transport, question, deadline);
    if (answer.found() == answer.records.empty()) std::abort();
    if (question.type == dns::Type::a) {
        const auto result = probe::dnsbl::dnsbl_verdict({}, answer);
        if (result.verdict == probe::dnsbl::Verdict::listed && answer.records.addresses.empty()) std::abort();
    }
    return 0;
}
