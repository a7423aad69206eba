#include "shared/smtp/reply.h"

#include <algorithm>

#include "shared/base/text.h"

namespace mtawatch::smtp {
namespace {

using base::fail;

constexpr std::size_t max_shown_bytes = 200;

char upper(char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c; }

}  // namespace

std::string Reply::text() const {
    return base::one_line(std::to_string(code) + " " + (lines.empty() ? "" : lines.front()), max_shown_bytes);
}

std::optional<ReplyLine> parse_reply_line(std::string_view line) {
    if (line.size() < 3 || line[0] < '2' || line[0] > '5' || !base::is_digit(line[1]) || !base::is_digit(line[2])) {
        return std::nullopt;
    }
    ReplyLine parsed;
    parsed.code = base::to_number<int>(line.substr(0, 3)).value_or(0);
    if (line.size() == 3) return parsed;
    if (line[3] != ' ' && line[3] != '-') return std::nullopt;
    parsed.last = line[3] == ' ';
    parsed.text = line.substr(4);
    return parsed;
}

base::Result<ReadReply> read_reply(LineReader& reader, const base::Deadline& deadline) {
    ReadReply read;
    for (;;) {
        auto line = reader.line(deadline);
        if (!line) return fail(line.error());
        if (!*line) return read;
        const auto parsed = parse_reply_line(**line);
        if (!parsed || (read.reply.code != 0 && parsed->code != read.reply.code)) {
            read.end = ReplyEnd::not_smtp;
            read.line = base::one_line(**line, max_shown_bytes);
            return read;
        }
        read.reply.code = parsed->code;
        read.reply.lines.emplace_back(parsed->text);
        if (parsed->last) {
            read.end = ReplyEnd::whole;
            return read;
        }
    }
}

std::vector<std::string> ehlo_keywords(const Reply& reply) {
    std::vector<std::string> keywords;
    for (std::size_t i = 1; i < reply.lines.size(); ++i) {
        std::string line(base::trim(reply.lines[i]));
        if (line.empty()) continue;
        const auto end = std::min(line.find_first_of(" ="), line.size());
        std::transform(line.begin(), line.begin() + static_cast<std::ptrdiff_t>(end), line.begin(), upper);
        keywords.push_back(base::one_line(line, max_shown_bytes));
    }
    return keywords;
}

bool has_keyword(const std::vector<std::string>& keywords, std::string_view keyword) {
    return std::ranges::any_of(keywords, [&](const std::string& line) {
        return base::iequals(std::string_view(line).substr(0, line.find_first_of(" =")), keyword);
    });
}

}  // namespace mtawatch::smtp
