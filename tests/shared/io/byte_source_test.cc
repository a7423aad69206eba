// Sources of bytes of which only the bytes, or a name, tell the compression.
#include "shared/io/byte_source.h"

#include <boost/test/unit_test.hpp>
#include <cstring>
#include <string>

#include "shared/io/gzip_encode.h"
#include "tests/support/zstd_text.h"

using namespace mtawatch;
using test::zstd_text;

namespace {

io::ReadBytes in_pieces(std::string bytes, std::size_t piece) {
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
    std::uint64_t raw_read = 0;
};

Outcome read_all(const std::string& bytes, std::size_t input_piece, std::size_t output_piece,
                 const std::string& name = "x") {
    const auto source = io::decompressed(in_pieces(bytes, input_piece), name);
    Outcome outcome;
    std::string piece(output_piece, '\0');
    for (;;) {
        const auto got = source->read(piece);
        if (!got) outcome.error = got.error().what;
        if (!got || *got == 0) break;
        outcome.text.append(piece, 0, *got);
    }
    outcome.complete = source->complete();
    outcome.raw_read = source->raw_read();
    return outcome;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(byte_source)

BOOST_AUTO_TEST_CASE(the_first_bytes_tell_the_compression) {
    struct Case {
        std::string bytes;
        io::Compression compression;
        std::string text;
    };
    const std::string longer = "plain text that is longer than the bytes that are looked at";
    for (const Case& one :
         {Case{zstd_text("text"), io::Compression::zstd, "text"},
          Case{io::gzip_encode("text").value(), io::Compression::gzip, "text"},
          Case{"plain text", io::Compression::none, "plain text"}, Case{longer, io::Compression::none, longer},
          Case{"abc", io::Compression::none, "abc"}, Case{"", io::Compression::none, ""}}) {
        for (const std::size_t piece : {1U, 3U, 1000U}) {
            for (const std::size_t room : {2U, 100U}) {
                const Outcome outcome = read_all(one.bytes, piece, room);
                BOOST_CHECK_EQUAL(outcome.text, one.text);
                BOOST_CHECK(outcome.complete);
                BOOST_CHECK_EQUAL(outcome.raw_read, one.bytes.size());
            }
        }
        BOOST_CHECK(io::compression_of(one.bytes) == one.compression);
    }
    BOOST_CHECK(!read_all(zstd_text("text", false), 1000, 100).complete);
}

BOOST_AUTO_TEST_CASE(a_name_tells_while_there_are_too_few_bytes) {
    const Outcome empty = read_all("", 10, 10, "/log/acct.csv.gz");
    BOOST_TEST(empty.error.empty());
    BOOST_TEST(!empty.complete);
    BOOST_TEST(read_all("type,rcpt\n", 10, 10, "/log/acct.csv.gz").error ==
               "/log/acct.csv.gz: not gzip data, or damaged after 0 decompressed bytes: no gzip header");
}

BOOST_AUTO_TEST_CASE(what_cannot_be_read_is_named) {
    for (const std::string& bytes : {std::string("\xfd\x37zXZ\0rest", 10), std::string("BZh91AY&SYrest")}) {
        BOOST_TEST(read_all(bytes, 100, 100, "/log/mail.log.2").error ==
                   "/log/mail.log.2: is compressed with xz or bzip2, which cannot be read; gzip and zstd can");
    }
    BOOST_TEST(read_all("BZh is no beginning of bzip2", 100, 100).error.empty());
}

BOOST_AUTO_TEST_CASE(a_missing_file_and_a_folder_are_named) {
    BOOST_TEST(io::open_source("/nonexistent/acct.csv.gz").error().what.starts_with("/nonexistent/acct.csv.gz"));
    BOOST_TEST((io::open_source("/").error().fault == base::Fault::io));
}

BOOST_AUTO_TEST_SUITE_END()
