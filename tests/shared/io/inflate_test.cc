// Compressed files, whole, cut off, damaged and joined.
#include <isa-l/crc.h>

#include <boost/test/unit_test.hpp>
#include <cstring>
#include <random>
#include <string>

#include "shared/io/gzip_encode.h"
#include "shared/io/inflate.h"

using namespace mtawatch;

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

Outcome inflate(const std::string& bytes, std::size_t input_piece = 1U << 20U, std::size_t output_piece = 1U << 16U) {
    io::GzipReader reader(source_of(bytes, input_piece));
    Outcome outcome;
    std::string piece(output_piece, '\0');
    for (;;) {
        const auto got = reader.read(piece);
        if (!got) {
            outcome.error = got.error().what;
            break;
        }
        if (*got == 0) break;
        outcome.text.append(piece, 0, *got);
    }
    BOOST_CHECK_EQUAL(reader.position(), outcome.text.size());
    outcome.complete = reader.complete();
    return outcome;
}

std::string text_of(std::size_t size) {
    std::mt19937 random(7);
    std::string text;
    while (text.size() < size) text += "d,2026-11-20 10:00:0" + std::to_string(random() % 10) + "+0000,user\n";
    return text;
}

// The same file with a header that has these flags of RFC 1952 and the parts that belong to them.
std::string with_header(const std::string& file, unsigned flags) {
    constexpr std::size_t plain_header = 10;
    std::string header = file.substr(0, plain_header);
    header[3] = static_cast<char>(flags);
    if ((flags & 4U) != 0) header += std::string("\3\0abc", 5);
    if ((flags & 8U) != 0) header += std::string("acct.csv\0", 9);
    if ((flags & 16U) != 0) header += std::string("a comment\0", 10);
    if ((flags & 2U) != 0) {
        const auto crc = crc32_gzip_refl(0, reinterpret_cast<const unsigned char*>(header.data()), header.size());
        header += {static_cast<char>(crc & 0xffU), static_cast<char>(crc >> 8U & 0xffU)};
    }
    return header + file.substr(plain_header);
}

std::string gzip(const std::string& text) { return io::gzip_encode(text).value(); }

}  // namespace

BOOST_AUTO_TEST_CASE(any_pieces_give_the_text) {
    const std::string text = text_of(300'000);
    const std::string file = gzip(text);
    for (const std::size_t input : {std::size_t{1}, std::size_t{13}, std::size_t{4096}, file.size()}) {
        for (const std::size_t output : {std::size_t{1000}, std::size_t{65'536}, std::size_t{400'000}}) {
            const Outcome outcome = inflate(file, input, output);
            BOOST_CHECK(outcome.text == text);
            BOOST_CHECK(outcome.complete);
            BOOST_CHECK_EQUAL(outcome.error, "");
        }
    }
    BOOST_CHECK(inflate(gzip("")).complete);
    BOOST_CHECK_EQUAL(inflate(gzip("one byte at a time"), 1, 1).text, "one byte at a time");
}

BOOST_AUTO_TEST_CASE(members_are_one_text_and_zero_bytes_behind_them_padding) {
    const std::string file = gzip("first,") + gzip("") + gzip("second") + std::string(700, '\0');
    for (const std::size_t piece : {1U, 5U, 100'000U}) {
        const Outcome outcome = inflate(file, piece);
        BOOST_CHECK_EQUAL(outcome.text, "first,second");
        BOOST_CHECK(outcome.complete);
    }
}

BOOST_AUTO_TEST_CASE(a_file_that_is_cut_off_anywhere_is_not_complete) {
    const std::string text = text_of(5'000);
    const std::string file = gzip(text);
    for (std::size_t size = 0; size < file.size(); ++size) {
        const Outcome outcome = inflate(file.substr(0, size));
        BOOST_REQUIRE_MESSAGE(!outcome.complete, size);
        BOOST_REQUIRE_EQUAL(outcome.error, "");
        BOOST_REQUIRE(text.starts_with(outcome.text));
    }
}

BOOST_AUTO_TEST_CASE(a_file_that_grows_is_read_on) {
    const std::string text = text_of(50'000);
    const std::string file = gzip(text);
    std::size_t there = file.size() / 2;
    io::GzipReader reader([&, at = std::size_t{0}](std::span<char> into) mutable -> base::Result<std::size_t> {
        const std::size_t count = std::min(into.size(), there - at);
        std::memcpy(into.data(), file.data() + at, count);
        at += count;
        return count;
    });
    std::string got;
    std::string piece(4096, '\0');
    for (int step = 0; step < 2; ++step) {
        for (auto count = reader.read(piece); *count > 0; count = reader.read(piece)) got.append(piece, 0, *count);
        BOOST_CHECK_EQUAL(reader.complete(), step == 1);
        there = file.size();
    }
    BOOST_CHECK(got == text);
}

BOOST_AUTO_TEST_CASE(damage_is_told) {
    const std::string file = gzip(text_of(5'000));
    std::string wrong_checksum = file;
    wrong_checksum[file.size() - 6] = static_cast<char>(wrong_checksum[file.size() - 6] ^ 1);
    BOOST_CHECK_EQUAL(inflate(wrong_checksum).error, "damaged gzip data: the checksum or length at its end is wrong");
    BOOST_CHECK(!inflate(wrong_checksum).complete);
    BOOST_CHECK_EQUAL(inflate("type,timeLogged\nd,1\n").error,
                      "not gzip data, or damaged after 0 decompressed bytes: no gzip header");
    const Outcome garbage = inflate(gzip("good") + "garbage that is no member");
    BOOST_CHECK_EQUAL(garbage.text, "good");
    BOOST_CHECK_EQUAL(garbage.error, "not gzip data, or damaged after 4 decompressed bytes: no gzip header");
}

// Through a pipe, or while it was being written, such a file came in pieces and was called damaged.
BOOST_AUTO_TEST_CASE(a_header_with_a_checksum_is_read_in_any_pieces) {
    const std::string text = text_of(5'000);
    for (unsigned flags = 0; flags < 32; ++flags) {
        const std::string file = with_header(gzip(text), flags);
        for (const std::size_t piece : {1U, 3U, 7U, 100'000U}) {
            const Outcome outcome = inflate(file + file, piece);
            BOOST_CHECK_EQUAL(outcome.error, "");
            BOOST_CHECK(outcome.complete);
            BOOST_CHECK(outcome.text == text + text);
        }
        for (std::size_t size = 0; size < 50; ++size) BOOST_CHECK_EQUAL(inflate(file.substr(0, size)).error, "");
    }
}

BOOST_AUTO_TEST_CASE(a_header_that_cannot_be_trusted_is_refused_in_any_pieces) {
    const std::string file = gzip("text");
    std::string wrong = with_header(file, 2);
    wrong[10] = static_cast<char>(wrong[10] ^ 1);
    std::string no_deflate = file;
    no_deflate[2] = 7;
    for (const std::size_t piece : {1U, 7U, 100'000U}) {
        BOOST_CHECK_EQUAL(inflate(wrong, piece).error,
                          "not gzip data, or damaged after 0 decompressed bytes: the checksum of its header is wrong");
        for (const std::string& bad :
             {with_header(file, 32), with_header(file, 64), with_header(file, 128), no_deflate}) {
            BOOST_CHECK_EQUAL(inflate(bad, piece).error,
                              "not gzip data, or damaged after 0 decompressed bytes: no gzip header");
        }
    }
}
