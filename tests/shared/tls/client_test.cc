// The handshake against scripted TLS servers: what is seen, and how servers that misbehave are told apart.
#include "shared/tls/client.h"

#include <openssl/ssl.h>

#include <array>
#include <boost/test/unit_test.hpp>

#include "tests/support/fake_clock.h"
#include "tests/support/scripted_stream.h"

namespace mtawatch::tls {
namespace {

using test::close;
using test::expect;
using test::make_authority;
using test::make_certificate;
using test::say;
using test::Script;

struct Fixture {
    test::FakeClock clock;
    base::Deadline deadline{clock, std::chrono::seconds(5)};
    std::shared_ptr<const Context> context = Context::make({.ca_directory = "", .offer = Offer::anything}).value();
    std::shared_ptr<const Context> careful = Context::make({.ca_directory = ""}).value();
    test::MadeCertificate root = make_authority("root");
    test::MadeCertificate leaf = make_certificate({.common_name = "leaf", .issuer = &root});

    base::Result<Handshake> shake(Script script, Offer offer = Offer::anything, std::size_t at_once = 1U << 20U) {
        return shake_hands(test::scripted_stream(std::move(script), nullptr, at_once),
                           offer == Offer::secure ? *careful : *context, {"mx.example.net"}, deadline);
    }
};

std::string read_all(io::Stream& stream, const base::Deadline& deadline) {
    std::string text;
    std::array<char, 100> piece{};
    for (;;) {
        const auto count = stream.read_some(piece, deadline);
        if (!count) return text + "<" + count.error().what + ">";
        if (*count == 0) return text;
        text.append(piece.data(), *count);
    }
}

BOOST_FIXTURE_TEST_CASE(a_good_handshake_shows_the_whole_chain_and_carries_data, Fixture) {
    for (const std::size_t at_once : {1U << 20U, 1U}) {
        auto done =
            shake({test::tls({leaf, {root}}), expect("hello"), say("220 hi\r\n"), close()}, Offer::secure, at_once);
        BOOST_REQUIRE(done.has_value());
        BOOST_REQUIRE(done->stream != nullptr);
        const Session& session = done->stream->session();
        BOOST_TEST(session.protocol == "TLSv1.3");
        BOOST_TEST(session.cipher == "TLS_AES_256_GCM_SHA384");
        BOOST_REQUIRE(session.chain.size() == 2U);
        BOOST_TEST(session.chain[0].common_name == "leaf");
        BOOST_TEST(session.chain[1].common_name == "root");
        BOOST_TEST(!session.client_certificate_wanted);
        BOOST_REQUIRE(done->stream->write("hello\r\n", deadline).has_value());
        BOOST_TEST(read_all(*done->stream, deadline) == "220 hi\r\n");
    }
}

BOOST_FIXTURE_TEST_CASE(a_cut_connection_is_no_end_of_data, Fixture) {
    auto done = shake({test::tls({leaf}), say("half"), test::reset()});
    BOOST_TEST(read_all(*done->stream, deadline) == "half<connection reset by peer>");
    done = shake({test::tls({leaf}), say("half")});  // the script's end closes without a TLS close
    BOOST_TEST(read_all(*done->stream, deadline) == "half<the connection ended without a proper TLS close>");
}

BOOST_FIXTURE_TEST_CASE(old_protocols_and_weak_keys_are_seen_but_not_used_for_data, Fixture) {
    const auto weak = make_certificate({.common_name = "weak", .key = test::KeyKind::rsa_512, .digest = "SHA1"});
    auto old = shake({test::tls({.own = weak, .max_protocol = TLS1_VERSION})});
    BOOST_REQUIRE(old->session.has_value());
    BOOST_TEST(old->session->protocol == "TLSv1");
    BOOST_TEST(old->session->chain.front().key_bits == 512);
    old = shake({test::tls({.own = weak, .max_protocol = TLS1_VERSION})}, Offer::secure);
    BOOST_TEST((old->end != HandshakeEnd::done));
    BOOST_TEST(!old->reason.empty());
}

BOOST_FIXTURE_TEST_CASE(a_server_that_insists_on_a_client_certificate_still_shows_its_own, Fixture) {
    for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
        const auto done =
            shake({test::tls({.own = leaf, .max_protocol = version, .demands_client_certificate = true})});
        BOOST_REQUIRE(done.has_value());
        BOOST_REQUIRE(done->session.has_value());
        BOOST_TEST(done->session->client_certificate_wanted);
        BOOST_TEST(done->session->chain.front().common_name == "leaf");
        BOOST_TEST((done->end == (version == TLS1_2_VERSION ? HandshakeEnd::alerted : HandshakeEnd::done)));
    }
}

BOOST_FIXTURE_TEST_CASE(peers_that_speak_no_tls, Fixture) {
    auto done = shake({say("220 mx.example.net ESMTP\r\n"), test::hang()});
    BOOST_TEST((done->end == HandshakeEnd::not_tls));
    BOOST_TEST(done->first_bytes.starts_with("220 mx.example.net"));
    done = shake({close()});
    BOOST_TEST((done->end == HandshakeEnd::closed));
    done = shake({test::reset()});
    BOOST_TEST((done->end == HandshakeEnd::closed));
    BOOST_TEST(done->reason == "connection reset by peer");
    done = shake({say(std::string("\x15\x03\x01\x00\x02\x02\x28", 7)), close()});
    BOOST_TEST((done->end == HandshakeEnd::alerted));
    const auto silent = shake({test::hang()});
    BOOST_TEST((silent.error().fault == base::Fault::timeout));
}

BOOST_FIXTURE_TEST_CASE(a_chain_of_60_certificates_is_kept_whole, Fixture) {
    std::vector<test::MadeCertificate> further{root};
    for (int i = 0; i < 58; ++i) further.push_back(make_authority("level " + std::to_string(i), &further.back()));
    const auto done = shake({test::tls({leaf, further})});
    BOOST_REQUIRE(done->session.has_value());
    BOOST_TEST(done->session->chain.size() == 60U);
}

}  // namespace
}  // namespace mtawatch::tls
