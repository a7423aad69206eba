// Writes accounting files in PowerMTA's form: one of any size for the benchmarks, or a small folder of all record
// types.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <ctime>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "shared/base/text.h"
#include "tests/bench/accounting_text.h"

namespace {

using mtawatch::bench::append_time;
using mtawatch::bench::bounce_replies;
using mtawatch::bench::deferral_replies;
using mtawatch::bench::Recipients;
using mtawatch::bench::Reply;

constexpr std::string_view usage_text =
    "usage: generate_accounting --bytes N[K|M|G] [--seed N] [--domains N] [--start EPOCH] [--hours H]\n"
    "                                                                                one file on stdout\n"
    "       generate_accounting --folder DIR --now EPOCH [--records N] [--seed N]           all record types\n"
    "\n"
    "--bytes   d 86 %, b 7 %, t 5.5 %, f 1.5 %; 23 columns, about 380 bytes a row; times run from --start over "
    "--hours\n"
    "--domains recipient domains, 20000 unless told; their shares are those of Zipf(1.05)\n"
    "--folder  acct-*.csv (d b t tq), receipts-*.csv (r), feedback-*.csv (rb rs f): the day before --now\n";

struct Settings {
    std::uint64_t bytes = 0;
    std::string folder;
    std::int64_t now = 0;
    std::size_t records = 4000;
    std::uint64_t seed = 1;
    std::size_t domains = 20'000;
    std::int64_t start = 1'763'596'800;  // 2025-11-20 00:00:00 UTC
    std::int64_t hours = 24;
};

constexpr std::string_view default_columns =
    "type,timeLogged,timeQueued,orig,rcpt,orcpt,dsnAction,dsnStatus,dsnDiag,dsnMta,bounceCat,srcType,srcMta,dlvType,"
    "dlvSourceIp,dlvDestinationIp,dlvEsmtpAvailable,dlvSize,vmta,jobId,envId,queue,vmtaPool";

class Writer {
  public:
    explicit Writer(std::FILE* file) : file_(file) {}
    std::string& line() { return buffer_; }
    void flush(bool all) {
        constexpr std::size_t enough = 1U << 20U;
        if (buffer_.empty() || (!all && buffer_.size() < enough)) return;
        if (std::fwrite(buffer_.data(), 1, buffer_.size(), file_) != buffer_.size()) ok_ = false;
        written_ += buffer_.size();
        buffer_.clear();
    }
    [[nodiscard]] std::uint64_t bytes() const { return written_ + buffer_.size(); }
    [[nodiscard]] bool ok() const { return ok_; }

  private:
    std::FILE* file_;
    std::string buffer_;
    std::uint64_t written_ = 0;
    bool ok_ = true;
};

class Generator {
  public:
    Generator(std::uint64_t seed, std::size_t domains) : random_(seed), recipients_(domains) {}

    // One record under the 23 default columns; `extra` is appended to d, b and t.
    void row(std::string& out, char type, std::int64_t logged, std::string_view extra) {
        const std::size_t rank = recipients_.draw(random_);
        const std::string& domain = recipients_.domain(rank);
        const unsigned vmta = below(60) + 1;
        const unsigned job = below(300);
        const bool delivered = type == 'd';
        const auto& replies = type == 't' ? deferral_replies() : bounce_replies();
        const Reply& reply = replies[below(static_cast<unsigned>(replies.size()))];
        out.push_back(type);
        out.push_back(',');
        append_time(out, logged);
        out.push_back(',');
        append_time(out, logged - delay(type));
        fmt::format_to(std::back_inserter(out), ",bounce-{:x}@mail{}.example.com,user{}@{},,", random_() >> 24,
                       vmta % 7, below(9'000'000), domain);
        out += delivered ? "relayed,2.0.0 (success)," : type == 't' ? "delayed," : "failed,";
        if (delivered) {
            delivery_reply(out);
        } else {
            const std::string_view quote = reply.quoted ? "\"" : "";
            fmt::format_to(std::back_inserter(out), "{},{}{}{},", reply.status, quote, reply.diag, quote);
        }
        fmt::format_to(std::back_inserter(out),
                       "{},{},smtp,feeder{}.example.com (192.0.2.{}),smtp,203.0.113.{},198.51.100.{},{},{},vmta{},"
                       "job{},,",
                       recipients_.mx(rank), delivered ? "" : reply.category, vmta % 4, vmta % 4 + 10, vmta,
                       rank % 250 + 1, below(10) > 0 ? "\"PIPELINING,8BITMIME,SIZE,STARTTLS\"" : "SIZE",
                       delivered ? std::to_string(below(150'000) + 2'000) : "", vmta, job);
        fmt::format_to(std::back_inserter(out), "{}/vmta{},pool-{}{}\n", domain, vmta, "abcdef"[vmta % 6], extra);
    }

    [[nodiscard]] unsigned below(unsigned limit) { return static_cast<unsigned>(random_() % limit); }
    [[nodiscard]] const Recipients& recipients() const { return recipients_; }
    [[nodiscard]] std::mt19937_64& random() { return random_; }

  private:
    std::int64_t delay(char type) {
        const unsigned kind = below(100);
        if (type == 'b' && kind < 20) return 86'400 + below(172'800);
        if (kind < 80) return below(4);
        return kind < 97 ? below(300) : below(14'400);
    }
    void delivery_reply(std::string& out) {
        const std::uint64_t id = random_();
        if (below(100) < 7) {
            fmt::format_to(std::back_inserter(out), "\"smtp;250 2.0.0 Ok: queued as \"\"{:X}\"\", thanks\",", id >> 20);
        } else {
            fmt::format_to(std::back_inserter(out), "smtp;250 2.0.0 OK {} {:x}-v{}si,", id % 1'000'000'000, id,
                           id >> 50);
        }
    }

    std::mt19937_64 random_;
    Recipients recipients_;
};

int write_bytes(const Settings& settings) {
    Generator generator(settings.seed, settings.domains);
    Writer writer(stdout);
    writer.line() += std::string(default_columns) + "\n";
    while (writer.bytes() < settings.bytes && writer.ok()) {
        const double share = static_cast<double>(writer.bytes()) / static_cast<double>(settings.bytes);
        const auto at = settings.start + static_cast<std::int64_t>(share * 3600 * static_cast<double>(settings.hours));
        const unsigned kind = generator.below(1000);
        // Records come a few seconds out of order.
        const std::int64_t logged = at - generator.below(3);
        generator.row(writer.line(), kind < 860 ? 'd' : kind < 930 ? 'b' : kind < 985 ? 't' : 'f', logged, "");
        writer.flush(false);
    }
    writer.flush(true);
    return writer.ok() && std::fflush(stdout) == 0 ? 0 : 1;
}

// The folder's files by name, each opened with its header when the first record goes there.
class Folder {
  public:
    explicit Folder(std::string path) : path_(std::move(path)) {}
    std::string& file(const std::string& name, std::string_view header) {
        std::string& text = files_[name];
        if (text.empty()) text = std::string(header) + "\n";
        return text;
    }
    [[nodiscard]] bool write() const {
        std::error_code error;
        std::filesystem::create_directories(path_, error);
        for (const auto& [name, text] : files_) {
            const std::string path = path_ + "/" + name;
            const std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(std::fopen(path.c_str(), "wb"), std::fclose);
            if (!file || std::fwrite(text.data(), 1, text.size(), file.get()) != text.size() ||
                std::fflush(file.get()) != 0) {
                fmt::print(stderr, "generate_accounting: {}: {}\n", path,
                           std::strerror(errno));  // NOLINT(concurrency-mt-unsafe)
                return false;
            }
            fmt::print("{} {} bytes\n", path, text.size());
        }
        return true;
    }

  private:
    std::string path_;
    std::map<std::string, std::string> files_;
};

std::string dated(std::string_view base, std::int64_t seconds, int number) {
    std::string time;
    append_time(time, seconds);
    return fmt::format("{}-{}-{:04}.csv", base, time.substr(0, 10), number);
}

// tq, r, rb, rs or f in its own columns.
void other_row(Generator& generator, Folder& folder, std::string_view type, std::int64_t logged, int number) {
    const std::size_t rank = generator.recipients().draw(generator.random());
    const std::string& domain = generator.recipients().domain(rank);
    const unsigned vmta = generator.below(60) + 1;
    std::string time;
    append_time(time, logged);
    const std::string user = fmt::format("user{}@{}", generator.below(9'000'000), domain);
    const std::string acct_header = std::string(default_columns) + ",dlvTlsProtocol,dlvTlsCipher,rcvSmtpUser";
    if (type == "tq") {
        folder.file(dated("acct", logged, number), acct_header) += fmt::format(
            "tq,{},,,,,,4.4.1 (no answer from host),,{},,,,smtp,203.0.113.{},198.51.100.{},,,vmta{},,,{}/vmta{},,,,\n",
            time, generator.recipients().mx(rank), vmta, rank % 250 + 1, vmta, domain, vmta);
    } else if (type == "r") {
        folder.file(
            dated("receipts", logged, 0),
            "type,timeLogged,orig,rcpt,orcpt,srcType,srcMta,rcvSourceIp,rcvDestinationIp,vmta,vmtaPool,jobId,envId,"
            "rcvSmtpUser") +=
            fmt::format(
                "r,{},bounce@mail{}.example.com,{},,smtp,feeder{}.example.com "
                "(192.0.2.{}),192.0.2.{},192.0.2.1,pool-{},"
                "pool-{},job{},,campaigns{}\n",
                time, vmta % 7, user, vmta % 4, vmta % 4 + 10, vmta % 4 + 10, "abcdef"[vmta % 6], "abcdef"[vmta % 6],
                generator.below(300), vmta % 3);
    } else if (type == "rb" || type == "rs") {
        const Reply& reply = bounce_replies()[generator.below(3)];
        folder.file(
            dated("feedback", logged, 0),
            "type,timeLogged,orig,rcpt,orcpt,dsnAction,dsnStatus,dsnDiag,dsnMta,dsnReportingMta,bounceCat,srcType,"
            "srcMta,"
            "envId,format,repSourceIp,feedbackType,userAgent,reportingMta,dlvSourceIp,reportedDomain,header_From,"
            "header_Return-Path,header_X-job,header_Subject") +=
            type == "rb"
                ? fmt::format(
                      "rb,{},bounce@mail{}.example.com,{},,,{},\"{}\",{},mx1.{},{},smtp,mx1.{} "
                      "(198.51.100.{}),,dsn,,,,,,,,,,\n",
                      time, vmta % 7, user, reply.status, reply.diag, generator.recipients().mx(rank), domain,
                      reply.category, domain, rank % 250 + 1)
                : fmt::format(
                      "rs,{},bounce@mail{}.example.com,{},,delivered,2.0.0 (success),,{},,,smtp,,,dsn,,,,,,,,,,\n",
                      time, vmta % 7, user, generator.recipients().mx(rank));
    } else {
        const bool jmrp = vmta % 4 == 0;
        folder.file(
            dated("feedback", logged, 0),
            "type,timeLogged,orig,rcpt,orcpt,dsnAction,dsnStatus,dsnDiag,dsnMta,dsnReportingMta,bounceCat,srcType,"
            "srcMta,"
            "envId,format,repSourceIp,feedbackType,userAgent,reportingMta,dlvSourceIp,reportedDomain,header_From,"
            "header_Return-Path,header_X-job,header_Subject") +=
            fmt::format(
                "f,{},,{},,,,,,,,,,,{},192.0.2.200,abuse,{},{},203.0.113.{},mail{}.example.com,\"\"\"Shop, Example\"\" "
                "<news@mail{}.example.com>\",bounce@mail{}.example.com,job{},\"Offers, news and more\"\n",
                time, jmrp ? "" : user, jmrp ? "jmrp" : "arf", jmrp ? "" : "Yahoo!-Mail-Feedback/2.0",
                jmrp ? "" : "mta7.am0.yahoodns.net", vmta, vmta % 7, vmta % 7, vmta % 7, generator.below(300));
    }
}

int write_folder(const Settings& settings) {
    Generator generator(settings.seed, settings.domains);
    Folder folder(settings.folder);
    const std::string header = std::string(default_columns) + ",dlvTlsProtocol,dlvTlsCipher,rcvSmtpUser";
    for (std::size_t i = 0; i < settings.records; ++i) {
        // Half of the records lie in the last hour, so that a window of an hour has something to judge.
        const std::size_t half = settings.records / 2;
        const auto back = i < half
                              ? 86'400 - static_cast<std::int64_t>(i * 82'800 / std::max<std::size_t>(half, 1))
                              : 3'600 - static_cast<std::int64_t>((i - half) * 3'600 /
                                                                  std::max<std::size_t>(settings.records - half, 1));
        const std::int64_t logged = settings.now - back;
        const int number = i < half ? 0 : 1;
        const unsigned kind = generator.below(1000);
        if (kind < 850) {
            const char type = kind < 770 ? 'd' : kind < 795 ? 'b' : 't';
            const bool tls = type == 'd' && generator.below(10) > 0;
            generator.row(folder.file(dated("acct", logged, number), header), type, logged,
                          tls ? ",TLSv1.3,TLS_AES_256_GCM_SHA384,campaigns1" : ",,,campaigns1");
        } else {
            const std::string_view type = kind < 870   ? "tq"
                                          : kind < 965 ? "r"
                                          : kind < 983 ? "rb"
                                          : kind < 998 ? "rs"
                                                       : "f";
            other_row(generator, folder, type, logged, number);
        }
    }
    return folder.write() ? 0 : 1;
}

std::optional<std::uint64_t> size_of(std::string_view text) {
    unsigned shift = 0;
    if (!text.empty()) shift = text.back() == 'K' ? 10 : text.back() == 'M' ? 20 : text.back() == 'G' ? 30 : 0;
    if (shift > 0) text.remove_suffix(1);
    const auto number = mtawatch::base::to_number<std::uint64_t>(text);
    return number ? std::optional(*number << shift) : std::nullopt;
}

bool read_option(Settings& settings, std::string_view option, std::string_view value) {
    const auto number = size_of(value);
    if (option == "--folder") {
        settings.folder = value;
        return !value.empty();
    }
    if (!number) return false;
    if (option == "--bytes") {
        settings.bytes = *number;
    } else if (option == "--seed") {
        settings.seed = *number;
    } else if (option == "--domains") {
        settings.domains = std::max<std::size_t>(*number, 1);
    } else if (option == "--records") {
        settings.records = *number;
    } else if (option == "--now") {
        settings.now = static_cast<std::int64_t>(*number);
    } else if (option == "--start") {
        settings.start = static_cast<std::int64_t>(*number);
    } else if (option == "--hours") {
        settings.hours = static_cast<std::int64_t>(*number);
    } else {
        return false;
    }
    return true;
}

}  // namespace

int main(int argc, char** argv) {
    Settings settings;
    for (int i = 1; i + 1 < argc; i += 2) {
        if (!read_option(settings, argv[i], argv[i + 1])) {
            fmt::print(stderr, "generate_accounting: {} {}: unknown option or value\n{}", argv[i], argv[i + 1],
                       usage_text);
            return 2;
        }
    }
    const bool folder = !settings.folder.empty();
    if (argc % 2 == 0 || folder == (settings.bytes > 0) || (folder && settings.now == 0)) {
        fmt::print(stderr, "{}", usage_text);
        return 2;
    }
    return folder ? write_folder(settings) : write_bytes(settings);
}
