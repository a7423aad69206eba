#include "checks/mail_submit_json.h"

#include "shared/base/json.h"

namespace mtawatch::checks {
namespace {

std::optional<double> seconds(const std::optional<base::Duration>& duration) {
    if (!duration) return std::nullopt;
    return std::chrono::duration<double>(*duration).count();
}

std::optional<std::string> maybe(const std::string& text) {
    return text.empty() ? std::optional<std::string>() : std::optional<std::string>(text);
}

void write_reply(base::JsonWriter& json, const std::optional<probe::mail_server::SubmitReply>& reply) {
    json.key("reply");
    if (reply) {
        json.object().member("code", reply->code).member("text", reply->text).end();
    } else {
        json.null();
    }
}

}  // namespace

std::string mail_submit_json(const probe::mail_server::MailSubmitObservation& seen) {
    base::JsonWriter json;
    json.object().member("address", maybe(seen.address)).member("end", name(seen.end));
    json.member("step", name(seen.step));
    write_reply(json, seen.reply);
    json.member("reason", maybe(seen.reason)).member("afterwards", maybe(seen.afterwards));
    json.member("protocol", maybe(seen.protocol)).member("cipher", maybe(seen.cipher));
    json.member("auth_before_tls", seen.auth_before_tls).member("mechanisms", seen.mechanisms);
    json.member("mechanism", maybe(seen.mechanism)).member("from", maybe(seen.from)).key("recipients").array();
    for (const probe::mail_server::SubmitRecipient& one : seen.recipients) {
        json.object().member("address", one.address).member("accepted", one.accepted());
        write_reply(json, one.reply);
        json.end();
    }
    json.end().key("seconds").object();
    for (std::size_t i = 0; i < seen.took.size(); ++i) {
        json.member(name(static_cast<probe::mail_server::SubmitStep>(i)), seconds(seen.took[i]));
    }
    json.member("total", seconds(seen.total)).end().end();
    return json.take();
}

}  // namespace mtawatch::checks
