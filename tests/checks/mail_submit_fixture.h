// Fixture of check_mail_submit's tests: a scripted submission server, a clock that the script moves, and the
// credentials.
#pragma once

#include <sys/stat.h>

#include <boost/test/unit_test.hpp>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "shared/base/base64.h"
#include "shared/base/text.h"
#include "tests/support/certificate_maker.h"
#include "tests/support/fake_clock.h"
#include "tests/support/folder.h"
#include "tests/support/run_check.h"
#include "tests/support/scripted_stream.h"
#include "tests/support/zone_transport.h"

namespace mtawatch::test::mail_submit {

inline const std::string user = "monitor@example.net";
inline const std::string password = "correct horse battery";
inline const std::string token = "ya29.a0AfH6SMBx-an-access-token";

inline std::string plain_line() {
    return "AUTH PLAIN " + base::encode_base64(std::string(1, '\0') + user + std::string(1, '\0') + password);
}

// A network whose clock goes on when the client says certain things: time that passes on the server.
class SlowNetwork final : public io::Connector {
  public:
    SlowNetwork(test::ScriptedNetwork& inner, test::FakeClock& clock) : inner_(inner), clock_(clock) {}
    std::map<std::string, std::chrono::milliseconds> slow;  // by the beginning of the line

    base::Result<std::unique_ptr<io::Stream>> connect(const io::Endpoint& endpoint,
                                                      const base::Deadline& deadline) override {
        pass("connect");
        auto stream = inner_.connect(endpoint, deadline);
        if (!stream) return base::fail(stream.error());
        return std::make_unique<SlowStream>(*this, std::move(*stream));
    }

  private:
    void pass(std::string_view line) {
        for (const auto& [beginning, length] : slow) {
            if (line.starts_with(beginning)) clock_.advance(length);
        }
    }
    struct SlowStream final : io::Stream {
        SlowStream(SlowNetwork& slow_network, std::unique_ptr<io::Stream> below)
            : network(slow_network), stream(std::move(below)) {}
        base::Result<std::size_t> read_some(std::span<char> into, const base::Deadline& deadline) override {
            return stream->read_some(into, deadline);
        }
        base::Result<void> write(std::string_view bytes, const base::Deadline& deadline) override {
            network.pass(bytes);
            return stream->write(bytes, deadline);
        }
        SlowNetwork& network;
        std::unique_ptr<io::Stream> stream;
    };
    test::ScriptedNetwork& inner_;
    test::FakeClock& clock_;
};

struct Fixture {
    test::FakeClock clock;
    test::Folder folder;
    io::Files files = folder.files();
    test::ScriptedNetwork network;
    SlowNetwork slow{network, clock};
    test::ZoneText zone{R"(
mail.example.net           A     192.0.2.25
dead.example.net           !SERVFAIL
)"};
    probe::world::World world;
    MadeCertificate root = test::make_authority("Example Root");
    MadeCertificate leaf =
        test::make_certificate({.common_name = "mail.example.net", .names = {"DNS:mail.example.net"}, .issuer = &root});

    Fixture() {
        world.clock = &clock;
        world.files = &files;
        world.connector = &slow;
        world.open_dns = zone.opener();
        folder.write("/ca.pem", root.pem());
        secret("/password", password + "\n");
        secret("/token", token);
    }
    void secret(const std::string& path, const std::string& text, mode_t mode = 0640) const {
        folder.write(path, text);
        ::chmod((folder.path() + path).c_str(), mode);
    }
    void serve(Script script, const std::string& endpoint = "192.0.2.25:587") {
        network.add(endpoint, std::move(script));
    }
    [[nodiscard]] Script beginning() const {
        return {say("220 mail.example.net ESMTP\r\n"),
                expect("EHLO localhost.localdomain"),
                say("250-mail.example.net\r\n250 STARTTLS\r\n"),
                expect("STARTTLS"),
                say("220 go\r\n"),
                test::tls({.own = leaf})};
    }
    // Up to the offer of these mechanisms, then `rest`.
    [[nodiscard]] Script offering(const std::string& mechanisms, const Script& rest) const {
        Script script = beginning();
        script.push_back(expect("EHLO localhost.localdomain"));
        script.push_back(say("250-mail.example.net\r\n250 AUTH " + mechanisms + "\r\n"));
        script.insert(script.end(), rest.begin(), rest.end());
        return script;
    }
    // Logged in with PLAIN, then `rest`.
    [[nodiscard]] Script logged_in(const Script& rest) const {
        Script script = offering("PLAIN LOGIN", {expect(plain_line()), say("235 2.7.0 welcome\r\n")});
        script.insert(script.end(), rest.begin(), rest.end());
        return script;
    }
    plugin::Outcome run(std::vector<std::string> arguments) { return test::run_check(arguments, world); }
};

inline const Script good_mail{expect("MAIL FROM:<monitor@example.net>"),
                              say("250 2.1.0 Ok\r\n"),
                              expect("RCPT TO:<ops@example.org>"),
                              say("250 2.1.5 Ok\r\n"),
                              expect("RSET"),
                              say("250 2.0.0 Ok\r\n"),
                              expect("QUIT"),
                              say("221 2.0.0 Bye\r\n"),
                              close()};
inline const Step sender_taken = say("250 2.1.0 Ok\r\n");

inline std::vector<std::string> with(std::vector<std::string> more) {
    std::vector<std::string> arguments{"-H",        "mail.example.net", "--user", user,
                                       "--ca-file", "/ca.pem",          "--to",   "ops@example.org"};
    if (std::ranges::find(more, "--token-file") == more.end()) {
        arguments.emplace_back("--password-file");
        arguments.emplace_back("/password");
    }
    arguments.insert(arguments.end(), more.begin(), more.end());
    return arguments;
}

inline const std::string head = "MAIL_SUBMIT CRITICAL - mail.example.net:587 ";
// The times of a clock that stands still, up to the phase that is named.
inline std::string times(const std::string& last) {
    std::string text;
    for (const std::string step : {"resolve", "connect", "tls", "greeting", "hello", "auth", "mail", "rcpt"}) {
        text += " time_" + step + "=0s;;;0";
        if (step == last) break;
    }
    return text + "\n";
}

struct Case {
    const char* name;
    std::function<void(Fixture&)> prepare;
    std::vector<std::string> arguments;
    int exit_code;
    std::string text;  // the whole answer, or with "…" at its end the beginning of it
};

inline void check(const std::vector<Case>& cases) {
    for (const Case& c : cases) {
        BOOST_TEST_CONTEXT(c.name) {
            Fixture net;
            c.prepare(net);
            auto outcome = net.run(c.arguments);
            const std::string_view open = "…";
            if (c.text.ends_with(open)) {
                const std::string beginning = c.text.substr(0, c.text.size() - open.size());
                BOOST_TEST(outcome.text.substr(0, beginning.size()) == beginning);
            } else {
                BOOST_TEST(outcome.text == c.text);
            }
            BOOST_TEST(outcome.exit_code == c.exit_code);
            BOOST_TEST(net.network.complaints() == "");
            BOOST_TEST(!base::icontains(outcome.text, password));
            BOOST_TEST(!base::icontains(outcome.text, token));
        }
    }
}

inline std::function<void(Fixture&)> logged_in(const Script& rest) {
    return [rest](Fixture& net) { net.serve(net.logged_in(rest)); };
}
inline std::function<void(Fixture&)> offering(const std::string& mechanisms, const Script& rest) {
    return [mechanisms, rest](Fixture& net) { net.serve(net.offering(mechanisms, rest)); };
}
inline std::function<void(Fixture&)> serving(const Script& script) {
    return [script](Fixture& net) { net.serve(script); };
}

}  // namespace mtawatch::test::mail_submit
