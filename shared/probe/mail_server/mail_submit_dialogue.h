// Dialogue with one submission server for the probe mail_submit: from the connection to QUIT.
#pragma once

#include <memory>
#include <optional>

#include "shared/probe/mail_server/mail_submit.h"
#include "shared/smtp/session.h"
#include "shared/tls/client.h"

namespace mtawatch::probe::mail_server {

// Each step says whether to go on; where not, the observation says why, or `error` does.
class SubmitVisit {
  public:
    // `trust` is null without TLS. Everything must outlive the visit.
    SubmitVisit(const MailSubmitQuery& query, const smtp::Credentials& credentials, const tls::Context* trust,
                world::World& world, const base::Deadline& deadline);
    [[nodiscard]] base::Result<MailSubmitObservation> go();

  private:
    bool find_and_connect();
    bool encrypt();
    bool trusts(const tls::Session& session);
    bool greet();
    bool hello();
    bool start_tls();
    bool log_in();
    std::optional<smtp::Mechanism> choose();
    bool name_sender();
    bool name_recipients();
    void reset();
    void quit();

    void begin(SubmitStep step, std::string_view doing);
    bool done();  // the step has come to its end
    bool end(SubmitEnd how, std::string_view reason = {});
    bool lost(const base::Error& error);
    // The reply, or nothing where the dialogue is over.
    std::optional<smtp::Reply> take(const base::Result<smtp::ReadReply>& read);
    std::optional<smtp::Reply> ask(std::string_view line);
    bool refused(const smtp::Reply& reply);
    [[nodiscard]] SubmitReply shown(const smtp::Reply& reply) const;
    [[nodiscard]] std::string clean(std::string_view text) const;

    const MailSubmitQuery& query_;
    const smtp::Credentials& credentials_;
    const tls::Context* trust_;
    world::World& world_;
    const base::Deadline& deadline_;
    smtp::Secrets secrets_;
    std::unique_ptr<io::Stream> stream_;
    std::optional<smtp::Session> session_;
    std::vector<std::string> keywords_;
    base::SteadyTime step_began_;
    MailSubmitObservation seen_;
    std::optional<base::Error> error_;
};

}  // namespace mtawatch::probe::mail_server
