// Proves that every mistake in a configuration file is refused with file, line and key.
#include <boost/test/unit_test.hpp>

#include "shared/config/node.h"

using namespace mtawatch;
using config::MapReader;
using config::Node;
using config::parse_yaml;

namespace {

Node good(std::string_view text) {
    auto node = parse_yaml(text, "c.yml");
    BOOST_REQUIRE_MESSAGE(node.has_value(), text);
    return *node;
}

std::string refusal(std::string_view text) {
    const auto node = parse_yaml(text, "c.yml");
    if (node) return "accepted";
    BOOST_TEST((node.error().fault == base::Fault::configuration));
    return node.error().what;
}

struct Settings {
    std::string listen = ":10925";
    std::int64_t limit = 10;
    bool follow = false;
    double share = 0.5;
    std::chrono::milliseconds every{60'000};
    std::vector<std::string> files;
    std::string mode = "a";
    std::vector<std::string> targets;
};

// What a MapReader makes of it: "" or the error.
std::string read(std::string_view text, Settings& into) {
    MapReader map(good(text));
    map.text("listen", into.listen).integer("limit", into.limit, 1, 100).boolean("follow", into.follow);
    map.number("share", into.share, 0, 1).duration("every", into.every).texts("files", into.files);
    map.choice("mode", into.mode, {"a", "b"}).each("targets", [&](const Node& target) -> base::Result<void> {
        std::string host;
        MapReader item(target);
        item.text("host", host).required("host");
        into.targets.push_back(host);
        return item.finish();
    });
    const auto done = map.finish();
    return done ? "" : done.error().what;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(yaml)

BOOST_AUTO_TEST_CASE(a_map_is_read_into_fields_and_absent_keys_keep_their_defaults) {
    Settings s;
    BOOST_TEST(read("limit: 20\nfollow: true\nshare: 0.25\nevery: 1h30m\nfiles: [/a, \"/b c\"]\n"
                    "targets:\n  - host: mx1.example.com\n  - host: mx2.example.com\n",
                    s) == "");
    BOOST_TEST(s.listen == ":10925");
    BOOST_TEST(s.limit == 20);
    BOOST_TEST(s.follow);
    BOOST_TEST(s.share == 0.25);
    BOOST_TEST((s.every == std::chrono::minutes(90)));
    BOOST_TEST(s.files == (std::vector<std::string>{"/a", "/b c"}), boost::test_tools::per_element());
    BOOST_TEST(s.targets.size() == 2);
}

BOOST_AUTO_TEST_CASE(an_empty_file_is_an_empty_map) {
    for (const char* text : {"", "# nothing\n", "---\n", "~\n"}) {
        Settings s;
        BOOST_TEST(read(text, s) == "");
    }
}

BOOST_AUTO_TEST_CASE(every_wrong_value_names_file_line_and_key) {
    const std::pair<const char*, const char*> table[] = {
        {"listen: [a]", "c.yml line 1: listen: must be one value, not a list or a map"},
        {"listen:", "c.yml line 1: listen: needs a value"},
        {"limit: many", "c.yml line 1: limit: \"many\" is no whole number"},
        {"limit: \"20\"", "c.yml line 1: limit: \"20\" is no whole number"},
        {"\n\nlimit: 101", "c.yml line 3: limit: 101 is out of range, 1 to 100 is allowed"},
        {"follow: yes", "c.yml line 1: follow: must be true or false"},
        {"share: 1.5", "c.yml line 1: share: 1.5 is out of range, 0 to 1 is allowed"},
        {"share: .inf", "c.yml line 1: share: \".inf\" is no number"},
        {"files: {a: b}", "c.yml line 1: files: must be a list (lines that begin with \"- \")"},
        {"files: [a, [b]]", "c.yml line 1: files[1]: must be one value, not a list or a map"},
        {"mode: c", "c.yml line 1: mode: \"c\" is not known here; write one of: a, b"},
        {"targets:\n  - host: a\n  - port: 25\n", "c.yml line 3: targets[1]: \"host\" is missing"},
        {"targets:\n  - host: a\n    port: 25\n", "c.yml line 3: targets[0].port: unknown key; known here: host"},
        {"limits: 3",
         "c.yml line 1: limits: unknown key; known here: listen, limit, follow, share, every, files, mode, "
         "targets"},
        {"- a", "c.yml line 1: must be a map (lines of \"key: value\")"},
    };
    for (const auto& [text, expected] : table) {
        Settings s;
        BOOST_TEST(read(text, s) == expected);
    }
    Settings s;
    BOOST_TEST(read("every: 90", s).find("c.yml line 1: every: '90' is not a duration") == 0);
}

BOOST_AUTO_TEST_CASE(a_duplicate_key_is_refused_with_both_lines) {
    BOOST_TEST(refusal("a: 1\nb: 2\na: 3\n") == "c.yml line 3: a: is there already, in line 1; give it once");
    BOOST_TEST(refusal("x:\n  a: 1\n  a: 1\n") == "c.yml line 3: x.a: is there already, in line 2; give it once");
}

BOOST_AUTO_TEST_CASE(what_could_surprise_is_refused) {
    BOOST_TEST(refusal("a: &x 1\nb: *x\n").find("c.yml line 1: anchors") == 0);
    BOOST_TEST(refusal("a: 1\n---\nb: 2\n").find("a second document") != std::string::npos);
    BOOST_TEST(refusal("? [a, b]\n: 1\n") == "c.yml line 1: a key must be plain text");
    const std::string brackets = std::string(40, '[') + std::string(40, ']');
    BOOST_TEST(refusal(brackets) == "c.yml line 1: nested too deeply");
    BOOST_TEST(refusal("a: [1, 2\nb: 3\n").find("c.yml line ") == 0);
    BOOST_TEST(refusal("\ta: 1\n").find("c.yml line 1") == 0);
}

BOOST_AUTO_TEST_CASE(a_file_too_large_to_be_a_configuration_is_refused) {
    const auto node = parse_yaml(std::string(config::max_bytes + 1, ' '), "c.yml");
    BOOST_REQUIRE(!node.has_value());
    BOOST_TEST((node.error().fault == base::Fault::limit));
}

BOOST_AUTO_TEST_SUITE_END()
