// base64: what RFC 4648 section 10 says, what DKIM records look like, and what is refused.
#include "shared/base/base64.h"

#include <boost/test/unit_test.hpp>

namespace mtawatch::base {
namespace {

BOOST_AUTO_TEST_CASE(the_rfc_4648_vectors_both_ways) {
    const std::pair<std::string_view, std::string_view> vectors[] = {
        {"", ""}, {"f", "Zg=="}, {"fo", "Zm8="}, {"foo", "Zm9v"}, {"foob", "Zm9vYg=="}, {"foobar", "Zm9vYmFy"}};
    for (const auto& [bytes, text] : vectors) {
        BOOST_TEST(encode_base64(bytes) == text);
        BOOST_TEST(decode_base64(text, Base64Reading::strict).value() == bytes);
    }
}

BOOST_AUTO_TEST_CASE(every_byte_value_survives) {
    std::string all;
    for (int i = 0; i < 256; ++i) all += static_cast<char>(i);
    BOOST_TEST(decode_base64(encode_base64(all), Base64Reading::strict).value() == all);
}

BOOST_AUTO_TEST_CASE(strict_refuses_what_lenient_takes) {
    for (const std::string_view text : {"Zm9v\r\n YmFy", "Zg", "Zm8", "Zh==", "Zg ="}) {
        BOOST_TEST(!decode_base64(text, Base64Reading::strict).has_value(), text);
        BOOST_TEST(decode_base64(text, Base64Reading::lenient).has_value(), text);
    }
    BOOST_TEST(decode_base64("Zm9v\r\n\tYmFy", Base64Reading::lenient).value() == "foobar");
}

BOOST_AUTO_TEST_CASE(neither_reading_takes_nonsense) {
    for (const std::string_view text :
         {"Z", "Zm9vY", "=", "====", "Zg==Zg==", "Zm9v=", "Zm-_", "Zm9v!", "Zg===", "Z==="}) {
        BOOST_TEST(!decode_base64(text, Base64Reading::strict).has_value(), text);
        BOOST_TEST(!decode_base64(text, Base64Reading::lenient).has_value(), text);
    }
}

}  // namespace
}  // namespace mtawatch::base
