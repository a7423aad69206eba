// SMTP client session: one command at a time over one stream (RFC 5321), and the login of RFC 4954.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "shared/base/deadline.h"
#include "shared/base/result.h"
#include "shared/io/stream.h"
#include "shared/smtp/lines.h"
#include "shared/smtp/reply.h"
#include "shared/smtp/sasl.h"

namespace mtawatch::smtp {

// For one stream, which it does not own: after STARTTLS another session begins over the encrypted one.
class Session {
  public:
    explicit Session(io::Stream& stream) : stream_(stream), reader_(stream) {}
    // Reads the next reply. Faults: those of the stream; limit.
    [[nodiscard]] base::Result<ReadReply> receive(const base::Deadline& deadline) {
        return read_reply(reader_, deadline);
    }
    // Sends one line (without CRLF, which it may not contain) and reads the reply.
    [[nodiscard]] base::Result<ReadReply> ask(std::string_view line, const base::Deadline& deadline);
    // What came beyond the last answer. Behind the go-ahead of STARTTLS nothing may.
    [[nodiscard]] const std::string& unread() const { return reader_.unread(); }

  private:
    io::Stream& stream_;
    LineReader reader_;
};

enum class LoginEnd {
    done,           // 235, and the server has proved itself where the mechanism has a proof
    refused,        // `read` is its reply
    broken,         // `read` says how the dialogue ended: closed, or not SMTP
    bad_challenge,  // `why`: a challenge that does not belong there; the login was cancelled
    unproved,       // 235 from a server that has not proved that it knows the password
};

struct Login {
    LoginEnd end = LoginEnd::broken;
    ReadReply read;
    std::string why;  // bad_challenge: why. refused: what the server said about the token (XOAUTH2); else empty
    // The lines that went out, base64 as it was sent: what may never appear in a message.
    std::vector<std::string> said;
};

// One attempt. Faults: those of the stream; limit.
[[nodiscard]] base::Result<Login> log_in(Session& session, SaslClient& client, const base::Deadline& deadline);

// Takes the secrets out of what a server said: some quote the line that they refuse.
class Secrets {
  public:
    // The text itself and as base64.
    void add(const std::string& secret);
    // Every run that the text shares with a secret becomes "[hidden]", in any case, a part of one too.
    [[nodiscard]] std::string hide(std::string_view text) const;

  private:
    std::vector<std::string> forms_;  // in lower case, without padding
};

}  // namespace mtawatch::smtp
