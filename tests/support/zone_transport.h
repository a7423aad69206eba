// Fake resolver that answers from zone text, in wire format: the messages it makes are read by the real parser.
#pragma once

#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "shared/dns/transport.h"
#include "shared/probe/world/world.h"
#include "tests/support/fake_clock.h"

namespace mtawatch::test {

// One entry a line, '#' begins a comment line; names without trailing dot are absolute all the same:
//   mx.example.com        A      192.0.2.1            one record; a TTL may stand before the type
//   example.com           TXT    "v=spf1 " "-all"     presentation form as in a zone file
//   *.wild.example        A      127.0.0.2            a wildcard (RFC 4592)
//   bad.example.com       !SERVFAIL                   whatever is asked for this name
//   bad.example.com  TXT  !TIMEOUT                    only for this type
//   *.dead.example        !TIMEOUT                    this name's zone and everything below
//   example.com           !SIGNED                     answers at and below it carry a believed AD bit
// Directives: SERVFAIL, REFUSED, FORMERR, TIMEOUT, UNREACHABLE, NODATA, NXDOMAIN, GARBAGE (random bytes for an
// answer), TRUNCATED (the message ends in the middle), NOSOA (an empty answer without an SOA), SIGNED.
// CNAMEs are followed inside the text as a resolver does. A name that has others below it exists. Everything else
// is NXDOMAIN with an SOA. A line that cannot be read is a std::invalid_argument: a mistake in the test.
class ZoneText {
  public:
    explicit ZoneText(std::string_view text);
    ~ZoneText();
    ZoneText(const ZoneText&) = delete;
    ZoneText& operator=(const ZoneText&) = delete;

    // What was asked so far, over all transports: "example.com TXT".
    [[nodiscard]] const std::vector<std::string>& asked() const { return asked_; }
    [[nodiscard]] std::size_t times_asked(std::string_view question) const;
    void forget_asked() { asked_.clear(); }

    // With a clock, a call with a question that times out takes question_time, any other one millisecond.
    [[nodiscard]] std::unique_ptr<dns::Transport> transport(FakeClock* clock = nullptr,
                                                            dns::ResolverSettings settings = {});
    // For World::open_dns.
    [[nodiscard]] std::function<base::Result<std::unique_ptr<dns::Transport>>(const dns::ResolverSettings&)> opener(
        FakeClock* clock = nullptr);

  private:
    friend class ZoneTransport;
    struct Data;
    std::unique_ptr<Data> data_;
    std::mutex asking_;  // transports are used by several threads
    std::vector<std::string> asked_;
};

}  // namespace mtawatch::test
