#include "shared/smtp/starttls.h"

#include <algorithm>

#include "shared/base/text.h"
#include "shared/smtp/lines.h"
#include "shared/smtp/reply.h"

namespace mtawatch::smtp {
namespace {

using base::Deadline;
using base::fail;
using base::Fault;
using base::Result;

constexpr std::size_t max_shown_bytes = 200;
constexpr int max_lines = 500;  // of one IMAP, POP3 or ManageSieve answer; real ones have some twenty

std::string shown(std::string_view text) { return base::one_line(text, max_shown_bytes); }

// One dialogue: the stream, its lines, and the outcome that is being filled.
class Dialogue {
  public:
    Dialogue(io::Stream& stream, const Deadline& deadline) : stream_(stream), reader_(stream), deadline_(deadline) {}

    Result<StartTls> mail(std::string_view hello);  // SMTP and LMTP
    Result<StartTls> imap();
    Result<StartTls> pop3();
    Result<StartTls> sieve();

  private:
    Result<std::optional<std::string>> next() { return reader_.line(deadline_); }
    Result<void> say(std::string_view line) { return stream_.write(std::string(line) + "\r\n", deadline_); }
    Result<ReadReply> ask(std::string_view line) {
        if (auto done = say(line); !done) return fail(done.error());
        return read_reply(reader_, deadline_);
    }
    StartTls end(StartTlsEnd how, std::string_view line = {}) {
        found_.end = how;
        found_.line = shown(line);
        return std::move(found_);
    }
    // The go-ahead has come; nothing may follow it in plain text.
    StartTls ready() {
        return reader_.unread().empty() ? end(StartTlsEnd::ready) : end(StartTlsEnd::injected, reader_.unread());
    }
    static StartTlsEnd end_of(ReplyEnd how) {
        return how == ReplyEnd::closed ? StartTlsEnd::closed : StartTlsEnd::not_protocol;
    }
    // IMAP: the lines up to the tagged one; capabilities are collected on the way. Nothing: closed.
    Result<std::optional<std::string>> imap_answer(std::string_view tag);
    void add_imap_capabilities(std::string_view line);
    // ManageSieve: the lines up to OK, NO or BYE, which is returned; capabilities are collected on the way.
    Result<std::optional<std::string>> sieve_answer();
    Result<std::optional<std::string>> sieve_line();

    io::Stream& stream_;
    LineReader reader_;
    const Deadline& deadline_;
    StartTls found_;
};

Result<StartTls> Dialogue::mail(std::string_view hello) {
    const auto greeting = read_reply(reader_, deadline_);
    if (!greeting) return fail(greeting.error());
    if (greeting->end != ReplyEnd::whole) return end(end_of(greeting->end), greeting->line);
    found_.greeting = greeting->reply.text();
    if (greeting->reply.code != 220) return end(StartTlsEnd::greeting_refused, found_.greeting);
    const auto capabilities = ask(hello);
    if (!capabilities) return fail(capabilities.error());
    if (capabilities->end != ReplyEnd::whole) return end(end_of(capabilities->end), capabilities->line);
    const int code = capabilities->reply.code;
    // 500 and 502: a server from before EHLO (RFC 5321 section 3.2), so one without STARTTLS.
    if (code == 500 || code == 502) return end(StartTlsEnd::not_offered, capabilities->reply.text());
    if (code != 250) return end(StartTlsEnd::hello_refused, capabilities->reply.text());
    found_.capabilities = ehlo_keywords(capabilities->reply);
    if (!has_keyword(found_.capabilities, "STARTTLS")) return end(StartTlsEnd::not_offered, capabilities->reply.text());
    const auto go = ask("STARTTLS");
    if (!go) return fail(go.error());
    if (go->end != ReplyEnd::whole) return end(end_of(go->end), go->line);
    return go->reply.code == 220 ? ready() : end(StartTlsEnd::refused, go->reply.text());
}

// "CAPABILITY IMAP4rev1 STARTTLS" out of "* CAPABILITY …" and out of "* OK [CAPABILITY …] ready".
void Dialogue::add_imap_capabilities(std::string_view line) {
    constexpr std::string_view word = "CAPABILITY ";
    const auto marked = base::to_lower(line).find(base::to_lower(word));
    if (marked == std::string::npos) return;
    std::string_view list = line.substr(marked + word.size());
    list = list.substr(0, list.find(']'));
    found_.capabilities.clear();
    for (const auto one : base::words(list)) {
        if (found_.capabilities.size() < max_lines) found_.capabilities.push_back(shown(one));
    }
}

Result<std::optional<std::string>> Dialogue::imap_answer(std::string_view tag) {
    for (int i = 0; i < max_lines; ++i) {
        auto line = next();
        if (!line || !*line) return line;
        if (line->value().starts_with(tag)) return line->value().substr(tag.size());
        if (base::iequals(std::string_view(line->value()).substr(0, 13), "* CAPABILITY ")) {
            add_imap_capabilities(**line);
        }
        if (!line->value().starts_with("* ")) return line;
    }
    return fail(Fault::limit, "the server answers with more than {} lines", max_lines);
}

bool is_ok(std::string_view answer) { return base::iequals(answer.substr(0, 2), "OK"); }

Result<StartTls> Dialogue::imap() {
    const auto greeting = next();
    if (!greeting) return fail(greeting.error());
    if (!*greeting) return end(StartTlsEnd::closed);
    found_.greeting = shown(**greeting);
    const std::string kind = base::to_lower(std::string_view(**greeting).substr(0, 9));
    if (kind.starts_with("* bye")) return end(StartTlsEnd::greeting_refused, **greeting);
    if (kind.starts_with("* preauth")) return end(StartTlsEnd::not_offered, **greeting);  // RFC 3501: STARTTLS no more
    if (!kind.starts_with("* ok")) return end(StartTlsEnd::not_protocol, **greeting);
    add_imap_capabilities(**greeting);
    if (found_.capabilities.empty()) {
        if (auto done = say("a1 CAPABILITY"); !done) return fail(done.error());
        const auto answer = imap_answer("a1 ");
        if (!answer) return fail(answer.error());
        if (!*answer) return end(StartTlsEnd::closed);
        if (!is_ok(**answer)) return end(StartTlsEnd::not_protocol, **answer);
    }
    if (!has_keyword(found_.capabilities, "STARTTLS")) return end(StartTlsEnd::not_offered, found_.greeting);
    if (auto done = say("a2 STARTTLS"); !done) return fail(done.error());
    const auto go = imap_answer("a2 ");
    if (!go) return fail(go.error());
    if (!*go) return end(StartTlsEnd::closed);
    return is_ok(**go) ? ready() : end(StartTlsEnd::refused, **go);
}

Result<StartTls> Dialogue::pop3() {
    const auto greeting = next();
    if (!greeting) return fail(greeting.error());
    if (!*greeting) return end(StartTlsEnd::closed);
    found_.greeting = shown(**greeting);
    if (greeting->value().starts_with("-ERR")) return end(StartTlsEnd::greeting_refused, **greeting);
    if (!greeting->value().starts_with("+OK")) return end(StartTlsEnd::not_protocol, **greeting);
    if (auto done = say("CAPA"); !done) return fail(done.error());
    auto line = next();
    if (!line) return fail(line.error());
    // CAPA is optional (RFC 2449): where it is refused, STLS is tried at once and its answer decides.
    const bool told = *line && line->value().starts_with("+OK");
    for (int i = 0; told && *line && **line != "."; ++i) {
        if (i == max_lines) return fail(Fault::limit, "the server answers with more than {} lines", max_lines);
        line = next();
        if (!line) return fail(line.error());
        if (*line && **line != ".") found_.capabilities.push_back(shown(**line));
    }
    if (!*line) return end(StartTlsEnd::closed);
    if (told && !has_keyword(found_.capabilities, "STLS")) return end(StartTlsEnd::not_offered, found_.greeting);
    if (auto done = say("STLS"); !done) return fail(done.error());
    const auto go = next();
    if (!go) return fail(go.error());
    if (!*go) return end(StartTlsEnd::closed);
    if (go->value().starts_with("+OK")) return ready();
    return end(told ? StartTlsEnd::refused : StartTlsEnd::not_offered, **go);
}

// A line may end in a literal "{5}" or "{5+}", whose bytes and the rest of the line follow (RFC 5804 section 4).
Result<std::optional<std::string>> Dialogue::sieve_line() {
    std::string whole;
    for (int literals = 0; literals < max_lines; ++literals) {
        auto line = next();
        if (!line || !*line) return line;
        whole += **line;
        const auto open = whole.rfind('{');
        if (!whole.ends_with('}') || open == std::string::npos) return whole;
        std::string_view digits = std::string_view(whole).substr(open + 1, whole.size() - open - 2);
        if (digits.ends_with('+')) digits.remove_suffix(1);
        const auto count = base::to_number<std::size_t>(digits);
        if (!count) return whole;
        auto bytes = reader_.bytes(*count, deadline_);
        if (!bytes || !*bytes) return bytes;
        whole.replace(open, std::string::npos, "\"" + **bytes + "\"");
    }
    return fail(Fault::limit, "the server sends more than {} pieces in one line", max_lines);
}

Result<std::optional<std::string>> Dialogue::sieve_answer() {
    for (int i = 0; i < max_lines; ++i) {
        auto line = sieve_line();
        if (!line || !*line) return line;
        if (!line->value().starts_with('"')) return line;
        std::string capability;
        for (const auto piece : base::split(**line, '"')) {
            const auto text = base::trim(piece);
            if (!text.empty()) capability += (capability.empty() ? "" : " ") + std::string(text);
        }
        found_.capabilities.push_back(shown(capability));
    }
    return fail(Fault::limit, "the server answers with more than {} lines", max_lines);
}

Result<StartTls> Dialogue::sieve() {
    const auto greeting = sieve_answer();
    if (!greeting) return fail(greeting.error());
    if (!*greeting) return end(StartTlsEnd::closed);
    found_.greeting = shown(**greeting);
    const auto refusal = base::to_lower(std::string_view(**greeting).substr(0, 3));
    if (refusal == "no " || refusal == "no" || refusal == "bye") return end(StartTlsEnd::greeting_refused, **greeting);
    if (!is_ok(**greeting)) return end(StartTlsEnd::not_protocol, **greeting);
    if (!has_keyword(found_.capabilities, "STARTTLS")) return end(StartTlsEnd::not_offered, found_.greeting);
    if (auto done = say("STARTTLS"); !done) return fail(done.error());
    const auto go = sieve_line();
    if (!go) return fail(go.error());
    if (!*go) return end(StartTlsEnd::closed);
    return is_ok(**go) ? ready() : end(StartTlsEnd::refused, **go);
}

}  // namespace

std::string_view name(Protocol protocol) {
    switch (protocol) {
        case Protocol::smtp:
            return "SMTP";
        case Protocol::lmtp:
            return "LMTP";
        case Protocol::imap:
            return "IMAP";
        case Protocol::pop3:
            return "POP3";
        case Protocol::sieve:
            break;
    }
    return "ManageSieve";
}

std::string_view name(StartTlsEnd end) {
    switch (end) {
        case StartTlsEnd::ready:
            return "ready";
        case StartTlsEnd::greeting_refused:
            return "greeting_refused";
        case StartTlsEnd::hello_refused:
            return "hello_refused";
        case StartTlsEnd::not_offered:
            return "not_offered";
        case StartTlsEnd::refused:
            return "refused";
        case StartTlsEnd::injected:
            return "injected";
        case StartTlsEnd::not_protocol:
            return "not_protocol";
        case StartTlsEnd::closed:
            break;
    }
    return "closed";
}

Result<StartTls> start_tls(io::Stream& stream, Protocol protocol, std::string_view hello_name,
                           const Deadline& deadline) {
    Dialogue dialogue(stream, deadline);
    auto found = [&]() -> Result<StartTls> {
        switch (protocol) {
            case Protocol::smtp:
                return dialogue.mail("EHLO " + std::string(hello_name));
            case Protocol::lmtp:
                return dialogue.mail("LHLO " + std::string(hello_name));
            case Protocol::imap:
                return dialogue.imap();
            case Protocol::pop3:
                return dialogue.pop3();
            case Protocol::sieve:
                break;
        }
        return dialogue.sieve();
    }();
    if (!found && found.error().fault == Fault::refused) {  // reset in the middle: the server's doing, so a fact
        StartTls closed;
        closed.line = found.error().what;
        return closed;
    }
    return found;
}

std::string_view goodbye(Protocol protocol) {
    switch (protocol) {
        case Protocol::imap:
            return "a9 LOGOUT\r\n";
        case Protocol::sieve:
            return "LOGOUT\r\n";
        case Protocol::smtp:
        case Protocol::lmtp:
        case Protocol::pop3:
            break;
    }
    return "QUIT\r\n";
}

}  // namespace mtawatch::smtp
