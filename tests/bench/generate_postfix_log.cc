// Writes a Postfix log of any size, with a chosen number of messages on their way at a time.
#include <fmt/format.h>

#include <array>
#include <cstdio>
#include <ctime>
#include <optional>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "shared/base/text.h"
#include "tests/bench/accounting_text.h"

namespace {

using mtawatch::bench::Recipients;

constexpr std::string_view usage_text =
    "usage: generate_postfix_log (--bytes N[K|M|G] | --messages N) [--alive N] [--seed N] [--start EPOCH] [--hours H]\n"
    "                            [--yearless]\n"
    "\n"
    "Five lines a message: client, message-id, sender, status, removed; 3 % are deferred once, 4 % bounce, half have a "
    "line\n"
    "about TLS. --alive messages are taken in before the first of them is delivered. Stamps are RFC 3339, as rsyslog "
    "writes\n"
    "them on Debian 12, or those of RFC 3164. Times run from --start over --hours.\n";

struct Settings {
    std::uint64_t bytes = 0;
    std::uint64_t messages = 0;
    std::size_t alive = 2000;
    std::uint64_t seed = 1;
    std::int64_t start = 1'763'596'800;  // 2025-11-20 00:00:00 UTC
    std::int64_t hours = 24;
    bool yearless = false;
};

constexpr std::array<std::string_view, 4> bounces{
    "host {0}[{1}] said: 550 5.1.1 <{2}>: Recipient address rejected: User unknown in virtual mailbox table (in reply "
    "to RCPT "
    "TO command)",
    "host {0}[{1}] said: 552 5.2.2 <{2}>: The mailbox is full (in reply to RCPT TO command)",
    "host {0}[{1}] said: 554 5.7.1 Service unavailable; client blocked using bl.example.org (in reply to RCPT TO "
    "command)",
    "host {0}[{1}] said: 550 5.7.26 This mail is unauthenticated, DKIM and SPF did not pass (in reply to end of DATA "
    "command)"};

class Generator {
  public:
    explicit Generator(const Settings& settings)
        : settings_(settings), random_(settings.seed), recipients_(20'000), waiting_(settings.alive) {}

    bool run() {
        const std::uint64_t total =
            settings_.messages != 0 ? settings_.messages : settings_.bytes / bytes_a_message + 1;
        const double span = static_cast<double>(settings_.hours) * 3600;
        for (std::uint64_t number = 0; more(number); ++number) {
            const auto share = static_cast<double>(number) / static_cast<double>(total);
            stamp(settings_.start + static_cast<std::int64_t>(span * (share > 1 ? 1 : share)));
            std::optional<Message>& place = waiting_[number % waiting_.size()];
            if (place) deliver(*place);
            place = accept_message(number);
            if (!flush(false)) return false;
        }
        return flush(true);
    }

  private:
    static constexpr std::uint64_t bytes_a_message = 860;
    struct Message {
        std::string id;
        std::string to;
        std::string domain;
        std::uint64_t number = 0;
    };

    [[nodiscard]] bool more(std::uint64_t number) const {
        return settings_.messages != 0 ? number < settings_.messages : written_ + out_.size() < settings_.bytes;
    }
    bool flush(bool all) {
        constexpr std::size_t enough = 1U << 20U;
        if (!all && out_.size() < enough) return true;
        const bool fine = std::fwrite(out_.data(), 1, out_.size(), stdout) == out_.size();
        written_ += out_.size();
        out_.clear();
        return fine;
    }
    void stamp(std::int64_t now) {
        if (now == now_) return;
        now_ = now;
        std::tm parts{};
        const std::time_t time = now;
        gmtime_r(&time, &parts);
        char text[40];
        const char* form = settings_.yearless ? "%b %e %H:%M:%S mx1 postfix/" : "%Y-%m-%dT%H:%M:%S";
        stamp_.assign(text, std::strftime(text, sizeof text, form, &parts));
    }
    void head(std::string_view program, std::uint64_t process) {
        out_ += stamp_;
        if (!settings_.yearless) {
            fmt::format_to(std::back_inserter(out_), ".{:06}+00:00 mx1 postfix/", random_() % 1'000'000);
        }
        fmt::format_to(std::back_inserter(out_), "{}[{}]: ", program, process);
    }
    Message accept_message(std::uint64_t number) {
        Message message;
        message.number = number;
        message.id = fmt::format("{:X}", 0x400000000 + number * 0x9E3779B1 % 0x3FFFFFFFF);
        message.domain = recipients_.domain(recipients_.draw(random_));
        message.to = fmt::format("user{}@{}", random_() % 1'000'000, message.domain);
        auto out = std::back_inserter(out_);
        head("smtpd", 1000 + number % 50);
        fmt::format_to(out, "{}: client=app{}.example.com[203.0.113.{}]\n", message.id, number % 9, number % 200);
        head("cleanup", 2000 + number % 20);
        fmt::format_to(out, "{}: message-id=<{}.{}@example.com>\n", message.id, now_, number);
        head("qmgr", 900);
        fmt::format_to(out, "{}: from=<bounce+{}@news{}.example.com>, size={}, nrcpt=1 (queue active)\n", message.id,
                       number, number % 40, 2000 + random_() % 60'000);
        return message;
    }
    void deliver(Message& message) {
        auto out = std::back_inserter(out_);
        const std::uint64_t process = 3000 + random_() % 100;
        const std::string host = "mx" + std::to_string(message.number % 4) + "." + message.domain;
        const std::string ip = fmt::format("192.0.2.{}", message.domain.size() * 7 % 250);
        const std::uint64_t chance = random_() % 100;
        if (chance % 2 == 0) {
            head("smtp", process);
            fmt::format_to(
                out,
                "Trusted TLS connection established to {}[{}]:25: TLSv1.3 with cipher TLS_AES_256_GCM_SHA384 "
                "(256/256 bits)\n",
                host, ip);
        }
        const auto status = [&](const char* dsn, const char* word, std::string_view text) {
            head("smtp", process);
            fmt::format_to(
                out, "{}: to=<{}>, relay={}[{}]:25, delay={}.{}, delays=0.05/0.01/0.2/0.4, dsn={}, status={} ({})\n",
                message.id, message.to, host, ip, random_() % 30, random_() % 10, dsn, word, text);
        };
        if (chance < 3) {
            status("4.7.1", "deferred",
                   fmt::format(
                       "host {}[{}] said: 451 4.7.1 Greylisting in action, please come back later (in reply to RCPT TO "
                       "command)",
                       host, ip));
        }
        if (chance >= 96) {
            status("5.0.0", "bounced", fmt::format(fmt::runtime(bounces[chance - 96]), host, ip, message.to));
        } else {
            status("2.0.0", "sent", fmt::format("250 2.0.0 Ok: queued as {:012X}", random_()));
        }
        head("qmgr", 900);
        fmt::format_to(out, "{}: removed\n", message.id);
    }

    Settings settings_;
    std::mt19937_64 random_;
    Recipients recipients_;
    std::vector<std::optional<Message>> waiting_;
    std::string out_;
    std::uint64_t written_ = 0;
    std::int64_t now_ = -1;
    std::string stamp_;
};

std::optional<std::uint64_t> size_of(std::string_view text) {
    unsigned shift = 0;
    if (text.ends_with('K')) shift = 10;
    if (text.ends_with('M')) shift = 20;
    if (text.ends_with('G')) shift = 30;
    if (shift != 0) text.remove_suffix(1);
    const auto number = mtawatch::base::to_number<std::uint64_t>(text);
    return number ? std::optional(*number << shift) : std::nullopt;
}

bool read_settings(int count, char** arguments, Settings& settings) {
    for (int i = 1; i < count; ++i) {
        const std::string_view option = arguments[i];
        if (option == "--yearless") {
            settings.yearless = true;
            continue;
        }
        const auto value = ++i < count ? size_of(arguments[i]) : std::nullopt;
        if (!value) return false;
        if (option == "--bytes") {
            settings.bytes = *value;
        } else if (option == "--messages") {
            settings.messages = *value;
        } else if (option == "--alive") {
            settings.alive = static_cast<std::size_t>(*value);
        } else if (option == "--seed") {
            settings.seed = *value;
        } else if (option == "--start") {
            settings.start = static_cast<std::int64_t>(*value);
        } else if (option == "--hours") {
            settings.hours = static_cast<std::int64_t>(*value);
        } else {
            return false;
        }
    }
    return (settings.bytes != 0) != (settings.messages != 0) && settings.alive != 0;
}

}  // namespace

int main(int argc, char** argv) {
    Settings settings;
    if (!read_settings(argc, argv, settings)) {
        std::fputs(usage_text.data(), stderr);
        return 2;
    }
    if (Generator(settings).run() && std::fflush(stdout) == 0) return 0;
    std::perror("generate_postfix_log");
    return 1;
}
