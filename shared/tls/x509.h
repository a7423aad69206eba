// Conversion of OpenSSL's certificates into ours, and OpenSSL's client callbacks. Only for sources of shared/tls.
#pragma once

#include <openssl/x509.h>

#include "shared/tls/certificate.h"
#include "shared/tls/handles.h"

namespace mtawatch::tls {

// Reads everything out of it and shares its ownership.
[[nodiscard]] Certificate facts_of(X509* certificate);

// OpenSSL's client callbacks, set once when a Context is made: the first stands in for verification, keeps what was
// served and lets the handshake go on; the second notes that a client certificate is wanted and gives none.
int keep_chain(X509_STORE_CTX* run, void* unused);
int record_certificate_request(SSL* session, X509** own, EVP_PKEY** key);

}  // namespace mtawatch::tls
