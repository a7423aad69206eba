// Examination of one certificate endpoint; shared/probe/mail_server/mail_cert.cc runs many of these side by side.
#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "shared/probe/mail_server/mail_cert.h"

namespace mtawatch::probe::mail_server {

// What the looks of one run have in common; read only while they run.
struct CertLookContext {
    const MailCertQuery& query;
    world::World& world;
    std::shared_ptr<const tls::Context> trust;
    std::int64_t now = 0;  // seconds since 1970
    std::optional<tls::Certificate> same_as;
    std::optional<tls::PublicKey> key;
};

// One look per address that is looked at; one where it did not come to that.
[[nodiscard]] std::vector<CertLook> probe_service(const CertEndpoint& endpoint, const CertLookContext& context,
                                                  const base::Deadline& deadline);
// One look per file that the path or pattern matches; one with an Error where none does.
[[nodiscard]] std::vector<CertLook> probe_files(const CertEndpoint& endpoint, const CertLookContext& context);

}  // namespace mtawatch::probe::mail_server
