// Keyed digests against the published examples of their specifications.
#include "shared/tls/mac.h"

#include <boost/test/unit_test.hpp>

#include "shared/tls/key.h"

namespace mtawatch::tls {
namespace {

BOOST_AUTO_TEST_CASE(hmac_of_rfc_2202_and_rfc_4231) {
    const std::string message = "what do ya want for nothing?";
    BOOST_TEST(hex(hmac_md5("Jefe", message)) == "750c783e6ab0b503eaa86e310a5db738");
    BOOST_TEST(hex(hmac_sha256("Jefe", message)) == "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
    BOOST_TEST(hex(hmac_sha256("", "")) == "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad");
}

BOOST_AUTO_TEST_CASE(pbkdf2_of_one_and_of_many_rounds) {
    BOOST_TEST(hex(pbkdf2_sha256("password", "salt", 1)) ==
               "120fb6cffcf8b32c43e7225256c4f837a86548c92ccc35480805987cb70be17b");
    BOOST_TEST(hex(pbkdf2_sha256("password", "salt", 4096)) ==
               "c5e478d59288c841aa530db6845c4c8d962893a001ce4e11a4963873aa98134a");
}

BOOST_AUTO_TEST_CASE(random_bytes_are_as_many_as_asked_and_never_the_same) {
    BOOST_TEST(random_bytes(18).size() == 18U);
    BOOST_TEST(random_bytes(0).empty());
    BOOST_TEST(random_bytes(18) != random_bytes(18));
}

}  // namespace
}  // namespace mtawatch::tls
