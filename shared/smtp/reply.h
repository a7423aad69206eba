// Parser of SMTP replies of one or several lines (RFC 5321 section 4.2) and of EHLO's keywords.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "shared/smtp/lines.h"

namespace mtawatch::smtp {

struct Reply {
    int code = 0;                    // 200 to 599
    std::vector<std::string> lines;  // texts without code and separator, never empty
    // "250 first line", for messages: one readable line.
    [[nodiscard]] std::string text() const;
};

enum class ReplyEnd {
    whole,
    closed,    // the peer closed before the reply's last line
    not_smtp,  // a line that is no part of a reply, or codes that change within one
};

struct ReadReply {
    ReplyEnd end = ReplyEnd::closed;
    Reply reply;       // when whole
    std::string line;  // not_smtp: the line that is none, readable
};

// Faults: those of the stream; limit. The same parser for LMTP.
[[nodiscard]] base::Result<ReadReply> read_reply(LineReader& reader, const base::Deadline& deadline);

// One line "250-PIPELINING": code, whether more follow, and the text.
struct ReplyLine {
    int code = 0;
    bool last = true;
    std::string_view text;
};
[[nodiscard]] std::optional<ReplyLine> parse_reply_line(std::string_view line);

// The keywords of an EHLO or LHLO reply (RFC 5321 section 4.1.1.1) in capitals with their parameters, "SIZE 10240000";
// the first line is a greeting and none of them.
[[nodiscard]] std::vector<std::string> ehlo_keywords(const Reply& reply);
// Whether `keyword` is among them, whatever parameters follow.
[[nodiscard]] bool has_keyword(const std::vector<std::string>& keywords, std::string_view keyword);

}  // namespace mtawatch::smtp
