// Reader of KumoMTA's log: its JSON records as the common Record of every MTA.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "shared/mta/logs/record_reader.h"

namespace mtawatch::mta::logs {

// A record carries the headers and meta data that the log is configured for: some KiB.
inline constexpr std::size_t max_kumo_line = 256U << 10U;

// One JSON object a line (docs.kumomta.com, reference, log record), decompressed: io::ByteSource reads the segments.
//
// Records: Delivery d, Bounce b, TransientFailure t, Expiration b with the category message-expired, AdminBounce b that
// is local, OOB rb, Feedback f, Reception r; every other type `other`. One record for each of several recipients.
//
// Columns: rcpt, orig (sender), dsnStatus, dsnDiag ("smtp;" and the reply; "x-kumomta;" and KumoMTA's own reason: a
// text that answers no command, or begins with "KumoMTA internal:"), dsnMta (the peer's name), bounceCat
// (bounce_classification as BounceClasses knows it; empty when it is Uncategorized: the reply decides), dlvType
// ("smtp", or the delivery protocol in lower case, "admin" of AdminBounce), dlvSourceIp, dlvDestinationIp, dlvSize,
// totalSecondsQueued (from created to timestamp), vmta (egress_source), vmtaPool (egress_pool), jobId (the campaign of
// the queue's name), srcType and rcvSourceIp of Reception, and of Feedback those of the report: rcpt is the complaining
// recipient (Original-Rcpt-To, else that of KumoMTA's trace header), not the address of the feedback loop.
//
// Records without tls_protocol_version do not have the TLS columns: older versions do not log it, so it says nothing.
class KumoLogReader final : public RecordReader {
  public:
    KumoLogReader();
    KumoLogReader(KumoLogReader&&) noexcept;
    KumoLogReader& operator=(KumoLogReader&&) noexcept;
    ~KumoLogReader() override;

    [[nodiscard]] std::span<char> space() override;
    void commit(std::size_t count) override;
    [[nodiscard]] std::span<const Record> next() override;
    // A last line without a newline counts when it is a whole object.
    void finish() override;
    [[nodiscard]] std::uint64_t consumed() const override;
    [[nodiscard]] std::uint64_t committed() const override;
    [[nodiscard]] const ScanCounts& counts() const override;
    [[nodiscard]] const std::string& header() const override;

    void reset() override { resume({}, 0); }
    void resume(std::string_view header, std::uint64_t offset) override;

    // JSON objects with a type and a time so far, whatever their type.
    [[nodiscard]] std::uint64_t own_lines() const;

  private:
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace mtawatch::mta::logs
