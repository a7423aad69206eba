// What a client says for each mechanism: the examples of the specifications, and servers that do not keep to them.
#include "shared/smtp/sasl.h"

#include <boost/test/unit_test.hpp>

#include "shared/base/base64.h"
#include "shared/base/text.h"

namespace mtawatch::smtp {
namespace {

const std::string nonce = "rOprNGfwEbeRWgbNEkqO";
const std::string server_first =
    "r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096";

SaslClient scram(std::string user = "user", std::string password = "pencil") {
    return {Mechanism::scram_sha_256, {std::move(user), std::move(password), ""}, nonce};
}

BOOST_AUTO_TEST_CASE(plain_as_in_rfc_4616) {
    SaslClient client(Mechanism::plain, {"tim", "tanstaaftanstaaf", ""}, "");
    BOOST_TEST(base::encode_base64(client.initial().value()) == "AHRpbQB0YW5zdGFhZnRhbnN0YWFm");
    BOOST_TEST(client.answer("").error().what == "the server asks for more than PLAIN has to say");
    BOOST_TEST(client.server_proved());
}

BOOST_AUTO_TEST_CASE(cram_md5_as_in_rfc_2195) {
    SaslClient client(Mechanism::cram_md5, {"tim", "tanstaaftanstaaf", ""}, "");
    BOOST_TEST(!client.initial().has_value());
    BOOST_TEST(client.answer("<1896.697170952@postoffice.reston.mci.net>").value() ==
               "tim b913a602c7eda7a495b4e6e7334d3890");
    BOOST_TEST(!client.answer("<again@x>").has_value());
}

BOOST_AUTO_TEST_CASE(login_answers_by_order_whatever_the_prompts_say) {
    for (const auto& [first, second] : {std::pair{"Username:", "Password:"}, {"User Name", "Password"}, {"", ""}}) {
        SaslClient client(Mechanism::login, {"tim", "secret", ""}, "");
        BOOST_TEST(!client.initial().has_value());
        BOOST_TEST(client.answer(first).value() == "tim");
        BOOST_TEST(client.answer(second).value() == "secret");
        BOOST_TEST(!client.answer("Password:").has_value());
    }
}

BOOST_AUTO_TEST_CASE(xoauth2_is_user_and_bearer_token_between_control_a) {
    SaslClient client(Mechanism::xoauth2, {"someuser@example.com", "", "ya29.vF9dft4qmTc2Nvb3RlckBhdHRhdmlzdGEuY29tCg"},
                      "");
    BOOST_TEST(
        base::encode_base64(client.initial().value()) ==
        "dXNlcj1zb21ldXNlckBleGFtcGxlLmNvbQFhdXRoPUJlYXJlciB5YTI5LnZGOWRmdDRxbVRjMk52YjNSbGNrQmhkSFJoZG1semRHRXVZ"
        "Mjl0Q2cBAQ==");
    BOOST_TEST(client.answer(R"({"status":"401"})").value() == "");
    BOOST_TEST(client.complaint() == R"({"status":"401"})");
    BOOST_TEST(!client.answer("more").has_value());
}

BOOST_AUTO_TEST_CASE(scram_sha_256_as_in_rfc_7677) {
    SaslClient client = scram();
    BOOST_TEST(client.initial().value() == "n,,n=user,r=" + nonce);
    BOOST_TEST(client.answer(server_first).value() ==
               "c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,"
               "p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=");
    BOOST_TEST(!client.server_proved());
    BOOST_TEST(client.answer("v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=").value() == "");
    BOOST_TEST(client.server_proved());
}

BOOST_AUTO_TEST_CASE(scram_takes_no_server_that_does_not_know_the_password) {
    for (const std::string final : {"v=7rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=", "v=", "v=?", "", "x=1"}) {
        SaslClient client = scram();
        static_cast<void>(client.initial());
        BOOST_REQUIRE(client.answer(server_first).has_value());
        BOOST_TEST(client.answer(final).error().what ==
                   "the server does not know the password: its signature is wrong");
        BOOST_TEST(!client.server_proved());
    }
    SaslClient refused = scram();
    static_cast<void>(refused.initial());
    BOOST_REQUIRE(refused.answer(server_first).has_value());
    BOOST_TEST(refused.answer("e=invalid-proof").value() == "");
    BOOST_TEST(refused.complaint() == "invalid-proof");
    BOOST_TEST(!refused.server_proved());
}

BOOST_AUTO_TEST_CASE(scram_names_what_is_wrong_with_the_first_message) {
    const std::pair<std::string, std::string> cases[] = {
        {"", "is not nonce, salt and iteration count"},
        {"m=x," + server_first, "is not nonce, salt and iteration count"},
        {"s=W22Z,i=4096,r=" + nonce + "x", "is not nonce, salt and iteration count"},
        {"r=" + nonce + "x,s=W22Z", "is not nonce, salt and iteration count"},
        {"r=other,s=W22Z,i=4096", "the server's nonce does not continue ours"},
        {"r=" + nonce + ",s=W22Z,i=4096", "the server's nonce does not continue ours"},
        {"r=" + nonce + "x,s=*,i=4096", "the server's salt is not base64"},
        {"r=" + nonce + "x,s=,i=4096", "the server's salt is not base64"},
        {"r=" + nonce + "x,s=W22Z,i=0", "is not a number from 1 to 2000000"},
        {"r=" + nonce + "x,s=W22Z,i=4294967295", "is not a number from 1 to 2000000"},
        {"r=" + nonce + "x,s=W22Z,i=many", "is not a number from 1 to 2000000"},
    };
    for (const auto& [message, text] : cases) {
        SaslClient client = scram();
        static_cast<void>(client.initial());
        const auto answer = client.answer(message);
        BOOST_REQUIRE_MESSAGE(!answer.has_value(), message);
        BOOST_TEST(answer.error().what.find(text) != std::string::npos, answer.error().what);
    }
}

BOOST_AUTO_TEST_CASE(scram_escapes_the_user_name) {
    BOOST_TEST(scram("a=b,c").initial().value() == "n,,n=a=3Db=2Cc,r=" + nonce);
}

BOOST_AUTO_TEST_CASE(offers_are_read_in_both_spellings_and_any_case) {
    using Words = std::vector<std::string>;
    BOOST_TEST(offered_mechanisms({"SIZE 100", "AUTH plain LOGIN", "AUTH=LOGIN PLAIN", "AUTHENTICATE X"}) ==
                   (Words{"PLAIN", "LOGIN"}),
               boost::test_tools::per_element());
    BOOST_TEST(offered_mechanisms({"AUTH"}).empty());
    BOOST_TEST(offered_mechanisms({"AUTH "}).empty());
    BOOST_TEST(offered_mechanisms({}).empty());
}

BOOST_AUTO_TEST_CASE(the_strongest_that_the_secret_allows) {
    const Credentials with_password{"u", "p", ""};
    const Credentials with_token{"u", "", "t"};
    const Credentials beyond_ascii{"u", "p\xc3\xa4ss", ""};
    const std::vector<std::string> all{"LOGIN", "XOAUTH2", "PLAIN", "CRAM-MD5", "SCRAM-SHA-256", "GSSAPI"};
    BOOST_TEST(name(strongest(all, with_password).value()) == "SCRAM-SHA-256");
    BOOST_TEST(name(strongest(all, beyond_ascii).value()) == "CRAM-MD5");
    BOOST_TEST(name(strongest(all, with_token).value()) == "XOAUTH2");
    BOOST_TEST(name(strongest({"LOGIN", "PLAIN"}, with_password).value()) == "PLAIN");
    BOOST_TEST(!strongest({"XOAUTH2"}, with_password).has_value());
    BOOST_TEST(!strongest({"PLAIN"}, with_token).has_value());
    BOOST_TEST(!strongest({"GSSAPI", "NTLM"}, with_password).has_value());
    BOOST_TEST(name(mechanism_named("cram-md5").value()) == "CRAM-MD5");
    BOOST_TEST(!mechanism_named("CRAM").has_value());
}

}  // namespace
}  // namespace mtawatch::smtp
