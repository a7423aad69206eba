#include "shared/smtp/session.h"

#include <algorithm>

#include "shared/base/base64.h"
#include "shared/base/text.h"

namespace mtawatch::smtp {
namespace {

using base::Deadline;
using base::fail;
using base::Result;

constexpr int code_challenge = 334;
constexpr int code_logged_in = 235;
constexpr std::string_view cancel = "*";          // RFC 4954 section 4
constexpr std::size_t max_auth_line = 12'288;     // RFC 4954 section 4: with CRLF
constexpr std::size_t max_complaint_bytes = 500;  // of a token's refusal, which is a line of JSON
// Shorter runs are shared by chance. A secret that is shorter counts as a whole.
constexpr std::size_t least_run = 6;

std::string auth_line(SaslClient& client, Login& login, std::optional<std::string>& later) {
    std::string line = "AUTH " + std::string(name(client.mechanism()));
    auto initial = client.initial();
    if (!initial) return line;
    std::string encoded = initial->empty() ? "=" : base::encode_base64(*initial);
    login.said.push_back(encoded);
    if (line.size() + 1 + encoded.size() + 2 <= max_auth_line) return line + " " + encoded;
    later = std::move(encoded);
    return line;
}

Result<Login> cancelled(Session& session, Login login, std::string why, const Deadline& deadline) {
    auto read = session.ask(cancel, deadline);
    if (!read) return fail(read.error());
    login.read = std::move(*read);
    login.end = LoginEnd::bad_challenge;
    login.why = std::move(why);
    return login;
}

}  // namespace

Result<ReadReply> Session::ask(std::string_view line, const Deadline& deadline) {
    if (auto done = stream_.write(std::string(line) + "\r\n", deadline); !done) return fail(done.error());
    return receive(deadline);
}

Result<Login> log_in(Session& session, SaslClient& client, const Deadline& deadline) {
    Login login;
    std::optional<std::string> later;  // an initial response too long for the command
    auto read = session.ask(auth_line(client, login, later), deadline);
    for (;;) {
        if (!read) return fail(read.error());
        if (read->end != ReplyEnd::whole || read->reply.code != code_challenge) break;
        std::string line;
        if (later) {
            line = *std::exchange(later, std::nullopt);
        } else {
            const auto challenge = base::decode_base64(read->reply.lines.front(), base::Base64Reading::lenient);
            if (!challenge) return cancelled(session, std::move(login), "its challenge is not base64", deadline);
            const auto answer = client.answer(*challenge);
            if (!answer) return cancelled(session, std::move(login), answer.error().what, deadline);
            line = base::encode_base64(*answer);
            login.said.push_back(line);
        }
        read = session.ask(line, deadline);
    }
    login.read = std::move(*read);
    login.why = base::one_line(client.complaint(), max_complaint_bytes);
    if (login.read.end != ReplyEnd::whole) {
        login.end = LoginEnd::broken;
    } else if (login.read.reply.code != code_logged_in) {
        login.end = LoginEnd::refused;
    } else {
        login.end = client.server_proved() ? LoginEnd::done : LoginEnd::unproved;
    }
    return login;
}

void Secrets::add(const std::string& secret) {
    for (std::string form : {base::to_lower(secret), base::to_lower(base::encode_base64(secret))}) {
        while (form.ends_with('=')) form.pop_back();
        if (!form.empty()) forms_.push_back(std::move(form));
    }
}

std::string Secrets::hide(std::string_view text) const {
    const std::string low = base::to_lower(text);
    std::vector<bool> secret(text.size(), false);
    for (const std::string& form : forms_) {
        const std::size_t least = std::min(form.size(), least_run);
        for (std::size_t i = 0; i < low.size(); ++i) {
            for (std::size_t j = 0; j + least <= form.size(); ++j) {
                if (low[i] != form[j]) continue;
                std::size_t run = 0;
                while (i + run < low.size() && j + run < form.size() && low[i + run] == form[j + run]) ++run;
                if (run >= least) std::fill_n(secret.begin() + static_cast<std::ptrdiff_t>(i), run, true);
            }
        }
    }
    std::string shown;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (!secret[i]) shown += text[i];
        if (secret[i] && (i == 0 || !secret[i - 1])) shown += "[hidden]";
    }
    return shown;
}

}  // namespace mtawatch::smtp
