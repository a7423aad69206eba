// zstd files: whole, cut off, growing, damaged and joined; and files of which only their bytes tell the compression.
#include "shared/io/zstd_reader.h"

#include <boost/test/unit_test.hpp>
#include <cstring>
#include <string>

#include "shared/io/gzip_encode.h"
#include "tests/support/zstd_text.h"

using namespace mtawatch;
using test::zstd_text;

namespace {

io::ReadBytes source_of(std::string bytes, std::size_t piece) {
    return [bytes = std::move(bytes), piece,
            at = std::size_t{0}](std::span<char> into) mutable -> base::Result<std::size_t> {
        const std::size_t count = std::min({piece, into.size(), bytes.size() - at});
        std::memcpy(into.data(), bytes.data() + at, count);
        at += count;
        return count;
    };
}

struct Outcome {
    std::string text;
    std::string error;
    bool complete = false;
};

template <class Reader>
Outcome read_all(const std::string& bytes, std::size_t input_piece = 1U << 20U, std::size_t output_piece = 1U << 16U) {
    Reader reader(source_of(bytes, input_piece));
    Outcome outcome;
    std::string piece(output_piece, '\0');
    for (;;) {
        const auto got = reader.read(piece);
        if (!got) outcome.error = got.error().what;
        if (!got || *got == 0) break;
        outcome.text.append(piece, 0, *got);
    }
    outcome.complete = reader.complete();
    return outcome;
}

std::string text_of(std::size_t size) {
    std::string text;
    for (std::size_t i = 0; text.size() < size; ++i) {
        text += "{\"type\":\"Delivery\",\"size\":" + std::to_string(i * i) + "}\n";
    }
    return text;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(zstd_reader)

BOOST_AUTO_TEST_CASE(any_pieces_give_the_text) {
    const std::string text = text_of(300'000);
    const std::string file = zstd_text(text);
    for (const std::size_t input : {std::size_t{1}, std::size_t{13}, file.size()}) {
        for (const std::size_t output : {std::size_t{1000}, std::size_t{400'000}}) {
            const Outcome outcome = read_all<io::ZstdReader>(file, input, output);
            BOOST_CHECK(outcome.text == text && outcome.complete);
            BOOST_CHECK_EQUAL(outcome.error, "");
        }
    }
    const std::string skippable("\x50\x2a\x4d\x18\x03\x00\x00\x00xyz", 11);
    const Outcome joined = read_all<io::ZstdReader>(zstd_text("one,") + skippable + zstd_text("") + zstd_text("two"));
    BOOST_CHECK_EQUAL(joined.text, "one,two");
    BOOST_CHECK(joined.complete);
}

BOOST_AUTO_TEST_CASE(a_segment_without_its_end_is_read_as_far_as_it_goes) {
    const std::string text = text_of(5'000);
    const std::string open = zstd_text(text, false);
    const Outcome growing = read_all<io::ZstdReader>(open);
    BOOST_CHECK(growing.text == text);
    BOOST_CHECK(!growing.complete);
    BOOST_CHECK_EQUAL(growing.error, "");
    const std::string file = zstd_text(text);
    for (std::size_t size = 0; size < file.size(); ++size) {
        const Outcome outcome = read_all<io::ZstdReader>(file.substr(0, size));
        BOOST_REQUIRE_MESSAGE(!outcome.complete, size);
        BOOST_REQUIRE_EQUAL(outcome.error, "");
        BOOST_REQUIRE(text.starts_with(outcome.text));
    }
}

BOOST_AUTO_TEST_CASE(damage_is_told) {
    std::string file = zstd_text(text_of(5'000));
    file[file.size() - 2] = static_cast<char>(file[file.size() - 2] ^ 1);
    const Outcome damaged = read_all<io::ZstdReader>(file);
    BOOST_CHECK(damaged.error.starts_with("not zstd data, or damaged after "));
    BOOST_CHECK(!damaged.complete);
    BOOST_CHECK(read_all<io::ZstdReader>("type,timeLogged\n").error.starts_with("not zstd data"));
}

BOOST_AUTO_TEST_SUITE_END()
