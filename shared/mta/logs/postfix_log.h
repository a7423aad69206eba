// Reader of Postfix logs: the status of each recipient as the common Record of every MTA.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "shared/mta/logs/log_lines.h"
#include "shared/mta/logs/postfix_line.h"
#include "shared/mta/logs/postfix_memory.h"
#include "shared/mta/logs/record_reader.h"
#include "shared/mta/logs/timestamps.h"

namespace mtawatch::mta::logs {

// syslog cuts lines far earlier; one of `journalctl -o json` has a few KiB around the message.
inline constexpr std::size_t max_log_line = 64U << 10U;

struct PostfixLogOptions {
    Zone zone = Zone::machine();  // of stamps without an offset
    Now now = system_now;         // for stamps without a year
    std::string instance;         // only this syslog_name ("postfix-out"); empty: every one
    PostfixMemory::Limits memory{};
};

// Lines: see read_syslog_line() and JournalLines; those of other programs are skipped, they are no errors.
//
// Records, one for each recipient and status:
//   sent      d; bounced: b; deferred: t, for every attempt.
//   expired   (also force-expired) b for each recipient whose last status was deferred, with the category
//             message-expired: the queue manager writes one line for the message. One without a recipient if none of
//             its deliveries was read.
//   deliverable, undeliverable: address verification, no mail and no record.
// A recipient's last status (d, b) counts once while the queue id is remembered: see PostfixMemory.
//
// Columns: rcpt, orcpt, orig (from=), dsnStatus, dsnDiag (the text without "host X said: " and "(in reply to …)";
// behind "smtp;" when a receiver said it), dsnMta and vmta (the relay's host, vmta in lower case; empty for
// relay=none), bounceCat (message-expired, else empty: the reply decides), dlvType, dlvDestinationIp,
// totalSecondsQueued (delay=, with its fraction), dlvSize (the queue manager's size=). Empty: not known, because the
// line that says so was not read.
//
// dlvType is what keeps local mail out of the ratios of outbound mail, see is_smtp_delivery(): "smtp" when a remote
// server decided, or could not be reached; the daemon's name for local, virtual, pipe, error, discard …, "lmtp" for a
// UNIX socket, and "loopback" for a server on 127.0.0.0/8 or ::1: a content filter, whose mail comes back and is
// delivered again. What error(8) and the queue manager put off as "delivery temporarily suspended" is that of the
// server.
//
// dlvTlsProtocol and dlvTlsCipher come from the "TLS connection established" lines of the same process. Records without
// such a line do not have the columns (Record::has), because with smtp_tls_loglevel = 0 there are none: nothing is
// known then, and in particular not that the connection was in the clear.
class PostfixLogReader final : public RecordReader {
  public:
    explicit PostfixLogReader(PostfixLogOptions options = {});

    [[nodiscard]] std::span<char> space() override;
    void commit(std::size_t count) override { lines_.commit(count); }
    [[nodiscard]] std::span<const Record> next() override;
    // A last line without a newline counts when its closing parenthesis is there.
    void finish() override { lines_.finish(); }
    [[nodiscard]] std::uint64_t consumed() const override { return lines_.consumed(); }
    [[nodiscard]] std::uint64_t committed() const override { return lines_.committed(); }
    [[nodiscard]] const ScanCounts& counts() const override { return counts_; }
    [[nodiscard]] const std::string& header() const override { return header_; }

    void reset() override { resume({}, 0); }
    void resume(std::string_view header, std::uint64_t offset) override;

    [[nodiscard]] std::string memory() const override;
    [[nodiscard]] base::Result<void> recall(std::string_view memory) override;

    // Lines of Postfix programs so far, whatever they said.
    [[nodiscard]] std::uint64_t own_lines() const { return own_lines_; }
    // For figures about it.
    [[nodiscard]] const PostfixMemory& remembered() const { return messages_; }

  private:
    struct TlsOfProcess {
        std::uint64_t process = 0;
        std::uint64_t relay = 0;
        std::array<char, 12> protocol{};
        std::array<char, 44> cipher{};
    };
    static constexpr std::size_t tls_processes = 4096;  // default_process_limit is 100

    void handle_line(std::string_view line, bool last);
    void handle_message(const PostfixLine& line, bool last);
    void handle_delivery(const PostfixLine& line, std::string_view rest, std::uint64_t key, bool last);
    void handle_sender(const PostfixLine& line, std::string_view rest, std::uint64_t key);
    void handle_tls(const PostfixLine& line);
    void emit_expired();
    void add_unseen_expiry(std::uint32_t message, std::string_view sender);
    void add_expired(std::string_view recipient, std::string_view sender, std::uint32_t message);
    [[nodiscard]] std::int64_t time_of(const PostfixLine& line);
    [[nodiscard]] std::int64_t memory_time(std::int64_t time) const;
    [[nodiscard]] std::uint64_t process_hash(const PostfixLine& line) const;
    [[nodiscard]] const TlsOfProcess* tls_of(const PostfixLine& line, std::string_view relay);

    void size_cell(std::uint32_t message);
    void add_record(RecordType type, std::int64_t time, const ColumnMap& map);
    void fail(ScanError error) { ++counts_.errors[static_cast<std::size_t>(error)]; }

    PostfixLogOptions options_;
    LogTimes times_;
    SyslogLines syslog_;
    JournalLines journal_;
    PostfixMemory messages_;
    ScanCounts counts_;
    std::uint64_t own_lines_ = 0;
    std::string header_;  // always empty
    std::vector<TlsOfProcess> tls_;

    LogLines lines_;
    RecordBatch batch_;
    std::int64_t latest_ = 0;  // a day from now: no line of this batch is taken to be later

    std::uint32_t expiring_ = no_entry;  // the message whose recipients are being handed out
    std::uint32_t expiring_at_ = no_entry;
    std::int64_t expiring_time_ = no_time;

    std::uint64_t instance_ = 0;  // instance_hash() of the line at hand
};

}  // namespace mtawatch::mta::logs
