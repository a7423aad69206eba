#include "shared/probe/mail_server/mail_cert.h"

#include <algorithm>
#include <atomic>
#include <exception>
#include <system_error>
#include <thread>

#include "shared/io/files.h"
#include "shared/probe/mail_server/mail_cert_look.h"
#include "shared/probe/world/trust.h"

namespace mtawatch::probe::mail_server {
namespace {

using base::Deadline;
using base::fail;
using base::Fault;
using base::Result;

constexpr std::size_t max_reference_bytes = 16U << 20U;  // key and certificate files have some KiB

Result<void> read_references(const MailCertQuery& query, const world::World& world, CertLookContext& context) {
    const bool services =
        std::ranges::any_of(query.endpoints, [](const CertEndpoint& endpoint) { return endpoint.scheme != "file"; });
    tls::TrustSettings trust;
    trust.offer = tls::Offer::anything;  // an old server shows its certificate too
    trust.ca_directory = query.verify && services ? world.files->real_path(trust.ca_directory) : "";
    auto made = world::trust_of(std::move(trust), query.ca_file, world);
    if (!made) return fail(made.error());
    context.trust = std::move(*made);
    if (!query.same_as.empty()) {
        const auto bytes = world.files->read(query.same_as, max_reference_bytes);
        if (!bytes) return fail(bytes.error());
        const auto certificates = tls::read_certificates(*bytes);
        if (!certificates) return fail(certificates.error().at(query.same_as));
        context.same_as = certificates->front();
    }
    if (!query.key.empty()) {
        const auto bytes = world.files->read(query.key, max_reference_bytes);
        if (!bytes) return fail(bytes.error());
        auto key = tls::PublicKey::from_private_pem(*bytes);
        if (!key) return fail(key.error().at(query.key));
        context.key = std::move(*key);
    }
    return {};
}

std::vector<CertLook> probe_endpoint(const CertEndpoint& endpoint, const CertLookContext& context,
                                     const Deadline& deadline) {
    CertLook unseen;
    unseen.endpoint = endpoint;
    unseen.target = endpoint.text;
    try {
        if (endpoint.scheme == "file") return probe_files(endpoint, context);
        if (!deadline.expired()) return probe_service(endpoint, context, deadline);
        unseen.error =
            base::Error{Fault::deadline, "not looked at: other endpoints used up the time; allow more with -t"};
    } catch (const std::exception& mistake) {  // in a thread it would end the whole program
        unseen.error = base::Error{Fault::internal, mistake.what()};
    }
    return {unseen};
}

}  // namespace

Result<MailCertObservation> mail_cert(const MailCertQuery& query, const Deadline& deadline, world::World& world) {
    if (query.endpoints.size() > MailCertQuery::max_endpoints) {
        return fail(Fault::usage, "{} endpoints are too many for one run; at most {}", query.endpoints.size(),
                    MailCertQuery::max_endpoints);
    }
    CertLookContext context{.query = query,
                            .world = world,
                            .trust = nullptr,
                            .now = base::unix_seconds(world.clock->wall()),
                            .same_as = std::nullopt,
                            .key = std::nullopt};
    if (auto done = read_references(query, world, context); !done) return fail(done.error());

    std::vector<std::vector<CertLook>> found(query.endpoints.size());
    std::atomic<std::size_t> next{0};
    const auto work = [&] {
        for (std::size_t i = next++; i < found.size(); i = next++) {
            found[i] = probe_endpoint(query.endpoints[i], context, deadline);
        }
    };
    std::vector<std::thread> threads;
    try {
        // The calling thread works too.
        while (threads.size() + 1 < std::min(found.size(), max_cert_threads)) threads.emplace_back(work);
    } catch (const std::system_error&) {
        // No more threads to be had here: those there are do the work, later.
    }
    work();
    for (std::thread& thread : threads) thread.join();

    MailCertObservation observation;
    observation.at = world.clock->wall();
    for (auto& looks : found) std::move(looks.begin(), looks.end(), std::back_inserter(observation.looks));
    return observation;
}

std::string_view name(CertOutcome outcome) {
    switch (outcome) {
        case CertOutcome::shown:
            return "shown";
        case CertOutcome::greeting_refused:
            return "greeting_refused";
        case CertOutcome::hello_refused:
            return "hello_refused";
        case CertOutcome::not_offered:
            return "not_offered";
        case CertOutcome::refused:
            return "refused";
        case CertOutcome::injected:
            return "injected";
        case CertOutcome::not_protocol:
            return "not_protocol";
        case CertOutcome::closed:
            return "closed";
        case CertOutcome::not_tls:
            return "not_tls";
        case CertOutcome::handshake_failed:
            return "handshake_failed";
        case CertOutcome::no_certificate:
            break;
    }
    return "no_certificate";
}

}  // namespace mtawatch::probe::mail_server
