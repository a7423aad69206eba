// The scanner's two paths against the reference reader, on texts made of everything that can go wrong, in any pieces.
#include <fmt/core.h>

#include <boost/test/unit_test.hpp>
#include <random>
#include <string>
#include <vector>

#include "tests/support/reference_reader.h"

using namespace mtawatch;

namespace {

using Random = std::mt19937;

std::string pick(Random& random, const std::vector<std::string>& from) { return from[random() % from.size()]; }

const std::vector<std::string> headers{
    "type,timeLogged,timeQueued,rcpt,dsnStatus,dsnDiag,bounceCat,vmta",
    "TYPE,TimeLogged,RCPT,unknown,unknown,vmta",
    "type,rcpt,jobId",
    "\"type\",\"timeLogged\",\"rcpt\",\"dsnDiag\"",
    "timestamp,rcpt,diag_code,diag_text",
    "rcpt,vmta,timeQueued,type",
    "timeLogged,dsnAction,rcpt,dlvSize",
    "\xEF\xBB\xBFtype,timeLogged,rcpt,rcpt,dsnDiag",
};

const std::vector<std::string> cells{"d",
                                     "b",
                                     "t",
                                     "tq",
                                     "x",
                                     "",
                                     "2019-02-08 21:54:05+0000",
                                     "2019-02-08 21:54:06+0000",
                                     "1178807903",
                                     "user@example.com",
                                     "\"a,b\"",
                                     "\"say \"\"no\"\"\"",
                                     "\"",
                                     "\"\"",
                                     "a\"b",
                                     "\"line\nbreak\"",
                                     "\"line\nd,2019-02-08 21:54:05+0000,x\"",
                                     "\"\nb,1178807903\"",
                                     "type",
                                     "5.1.1 (bad)",
                                     "relayed",
                                     std::string("n\0l", 3),
                                     "\xff\xfe",
                                     "9",
                                     "not a time",
                                     "\r"};

// A file of headers, good lines, lines of random cells and stray bytes.
std::string random_file(Random& random) {
    std::string file;
    std::string header = pick(random, headers);
    const std::string newline = random() % 4 == 0 ? "\r\n" : "\n";
    const bool with_header = random() % 8 != 0;
    if (with_header) file += header + newline;
    const std::size_t lines = random() % 40;
    for (std::size_t i = 0; i < lines; ++i) {
        const unsigned kind = random() % 16;
        if (kind == 0) {
            header = pick(random, headers);
            file += header;
        } else if (kind == 1) {
            file += std::string(random() % 200, "x,\"\n\r"[random() % 5]);
        } else {
            const auto columns = static_cast<std::size_t>(std::ranges::count(header, ',')) + (kind == 2 ? 0 : 1);
            const bool good = kind > 6;
            for (std::size_t c = 0; c < columns; ++c) {
                if (c > 0) file += ',';
                if (good && c == 0) {
                    file += pick(random, {"d", "b", "t", "rb", "f"});
                } else if (good && c == 1) {
                    file += fmt::format("2026-11-{:02}T10:{:02}:{:02}+0100", 1 + random() % 30, random() % 60,
                                        random() % 60);
                } else {
                    file += pick(random, cells);
                }
            }
        }
        if (i + 1 < lines || random() % 2 == 0) file += newline;
    }
    return file;
}

std::vector<std::size_t> random_pieces(Random& random) {
    const std::size_t most = std::size_t{1} << (random() % 12);
    std::vector<std::size_t> pieces;
    for (int i = 0; i < 5; ++i) pieces.push_back(1 + random() % most);
    return pieces;
}

mta::logs::ScannerOptions options_of(Random& random) {
    mta::logs::ScannerOptions options;
    options.zone = mta::logs::Zone::utc();
    if (random() % 4 == 0) options.record_types = {{"r", mta::logs::RecordType::d}, {"x", mta::logs::RecordType::f}};
    if (random() % 4 == 0) options.custom_columns = {"unknown", "jobId"};
    if (random() % 8 == 0) options.untyped = mta::logs::RecordType::b;
    return options;
}

void check_file(const std::string& file, mta::logs::ScannerOptions options, bool finished,
                const std::vector<std::size_t>& pieces, const std::string& what) {
    const auto expected = test::read_slowly(file, options, finished);
    for (const mta::logs::ScanPath path : mta::logs::scan_paths) {
        options.path = path;
        const auto got = test::read_in_pieces(file, options, finished, pieces);
        const std::string differs = test::difference(expected, got);
        BOOST_CHECK_MESSAGE(differs.empty(), what << ", " << name(path) << ": " << differs);
    }
}

}  // namespace

BOOST_AUTO_TEST_CASE(all_paths_read_what_the_reference_reads) {
    for (unsigned seed = 1; seed <= 4000; ++seed) {
        Random random(seed);
        const std::string file = random_file(random);
        const bool finished = random() % 2 == 0;
        check_file(file, options_of(random), finished, random_pieces(random), fmt::format("seed {}", seed));
    }
}

BOOST_AUTO_TEST_CASE(raw_bytes_of_the_three_separators_in_any_pieces) {
    for (unsigned seed = 1; seed <= 2000; ++seed) {
        Random random(seed);
        std::string file = "type,timeLogged,rcpt\n";
        const std::size_t size = random() % 600;
        for (std::size_t i = 0; i < size; ++i) {
            file += pick(random, {",", "\"", "\n", "d", "d,1178807903", "x", "\r", "\nb,1178807903,"});
        }
        check_file(file, options_of(random), random() % 2 == 0, random_pieces(random), fmt::format("seed {}", seed));
    }
}

// Records around the size limit, quoted and not, with and without a line inside that begins a record.
BOOST_AUTO_TEST_CASE(the_record_limit_does_not_depend_on_the_pieces) {
    unsigned seed = 0;
    for (const std::size_t length : {mta::logs::max_record_bytes - 40, mta::logs::max_record_bytes - 22,
                                     mta::logs::max_record_bytes, mta::logs::max_record_bytes * 2}) {
        for (const std::string filling : {"x", "x\n", ",", "\nd,1178807903,y"}) {
            for (const bool quoted : {false, true}) {
                Random random(++seed);
                std::string file = "type,timeLogged,rcpt\nd,1178807903,";
                if (quoted) file += '"';
                while (file.size() < length) file += filling;
                if (seed % 3 == 0) file += '"';
                file += "\nb,1178807904,last\nb,1178807905,one";
                check_file(file, options_of(random), seed % 2 == 0, {1 + random() % 100'000},
                           fmt::format("case {}", seed));
            }
        }
    }
}
