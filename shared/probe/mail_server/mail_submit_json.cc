// The JSON form of what the probe mail_submit saw.
#include "shared/base/json.h"
#include "shared/probe/mail_server/mail_submit.h"

namespace mtawatch::probe::mail_server {
namespace {

std::optional<double> seconds(const std::optional<base::Duration>& duration) {
    if (!duration) return std::nullopt;
    return std::chrono::duration<double>(*duration).count();
}

std::optional<std::string> maybe(const std::string& text) {
    return text.empty() ? std::optional<std::string>() : std::optional<std::string>(text);
}

void write_reply(base::JsonWriter& json, const std::optional<SubmitReply>& reply) {
    json.key("reply");
    if (reply) {
        json.object().member("code", reply->code).member("text", reply->text).end();
    } else {
        json.null();
    }
}

}  // namespace

std::string to_json(const MailSubmitObservation& observation) {
    base::JsonWriter json;
    json.object().member("address", maybe(observation.address)).member("end", name(observation.end));
    json.member("step", name(observation.step));
    write_reply(json, observation.reply);
    json.member("reason", maybe(observation.reason)).member("afterwards", maybe(observation.afterwards));
    json.member("protocol", maybe(observation.protocol)).member("cipher", maybe(observation.cipher));
    json.member("auth_before_tls", observation.auth_before_tls).member("mechanisms", observation.mechanisms);
    json.member("mechanism", maybe(observation.mechanism))
        .member("from", maybe(observation.from))
        .key("recipients")
        .array();
    for (const SubmitRecipient& one : observation.recipients) {
        json.object().member("address", one.address).member("accepted", one.accepted());
        write_reply(json, one.reply);
        json.end();
    }
    json.end().key("seconds").object();
    for (std::size_t i = 0; i < observation.took.size(); ++i) {
        json.member(name(static_cast<SubmitStep>(i)), seconds(observation.took[i]));
    }
    json.member("total", seconds(observation.total)).end().end();
    return json.take();
}

}  // namespace mtawatch::probe::mail_server
