#include "shared/probe/mta_state/pmta_source.h"

#include "shared/base/text.h"
#include "shared/http/client.h"
#include "shared/mta/documents/pmta_document.h"

namespace mtawatch::probe::mta_state {

namespace {

using base::fail;
using base::Fault;
using base::Result;

constexpr int shown_messages = 10;  // one would do; a few more show where the old mail lies

std::string maxitems() { return fmt::format("--maxitems={}", max_pmta_items); }

class Program final : public PmtaSource {
  public:
    Program(const world::Machine& machine, bool sudo) : machine_(machine), sudo_(sudo) {}

    Result<std::string> status(const base::Deadline& deadline) override {
        return run({"--dom", "show", "status"}, deadline);
    }

    Result<std::string> listing(const std::string& what, const std::string& filter,
                                const base::Deadline& deadline) override {
        std::vector<std::string> words{"--dom", "show", what + "s"};
        if (!filter.empty()) words.push_back(filter);
        words.push_back(maxitems());
        return run(words, deadline);
    }

    Result<std::string> older_than(std::chrono::seconds age, const base::Deadline& deadline) override {
        return run(
            {"--xml", "list", "--older-than=" + pmta_interval(age), fmt::format("--maxitems={}", shown_messages)},
            deadline);
    }

    // The other forms of the licence are not published.
    Result<std::string> licence(const base::Deadline& deadline) override { return run({"show", "license"}, deadline); }

  private:
    Result<std::string> run(const std::vector<std::string>& words, const base::Deadline& deadline) {
        std::vector<std::string> argv;
        if (sudo_) argv = {"sudo", "-n"};
        argv.emplace_back("/usr/sbin/pmta");
        argv.insert(argv.end(), words.begin(), words.end());
        asked_ = base::join(argv, " ");
        auto output = machine_.output_of(argv, deadline, mta::documents::max_pmta_bytes);
        if (output) return output;
        base::Error error = output.error();
        if (error.fault == Fault::permission) {
            error.what +=
                sudo_ ? fmt::format("; allow it in sudoers: NOPASSWD: /usr/sbin/pmta {}", base::join(words, " "))
                      : std::string("; run as a user that may use pmta, or give --sudo");
        }
        return fail(error);
    }

    const world::Machine& machine_;
    bool sudo_;
};

class Monitor final : public PmtaSource {
  public:
    Monitor(world::World& world, const world::WebSource& web) : world_(world), web_(web) {
        // "?format=json" in the URL asks for JSON; XML is what every version knows.
        if (const auto url = http::parse_url(web.url); url && url->target.find("format=json") != std::string::npos) {
            format_ = "json";
        }
    }

    Result<std::string> status(const base::Deadline& deadline) override { return page("/status", deadline); }

    Result<std::string> listing(const std::string& what, const std::string& filter,
                                const base::Deadline& deadline) override {
        // The pages show ten entries and their parameter for more is not published; the command API shows all.
        if (!web_.api_key_file) return page("/" + what + "s", deadline);
        return command(fmt::format("show {}s {}{}{}", what, filter, filter.empty() ? "" : " ", maxitems()), deadline);
    }

    Result<std::string> older_than(std::chrono::seconds age, const base::Deadline& deadline) override {
        if (!web_.api_key_file) return needs_key("the age of messages");
        return command(fmt::format("list --older-than={} --maxitems={}", pmta_interval(age), shown_messages), deadline);
    }

    Result<std::string> licence(const base::Deadline& deadline) override {
        if (!web_.api_key_file) return needs_key("the licence");
        return command("show license", deadline);
    }

  private:
    static base::Failure needs_key(std::string_view what) {
        return fail(Fault::configuration,
                    "PowerMTA's monitor shows {} only to its command interface: give --api-key-file (http-api-key), or "
                    "use --pmta-program",
                    what);
    }

    Result<std::string> page(const std::string& path, const base::Deadline& deadline) {
        return ask({path + "?format=" + format_, {}}, mta::documents::pmta_refusal_remedy, deadline);
    }

    Result<std::string> command(const std::string& words, const base::Deadline& deadline) {
        return ask({"/command", {{"command", words}, {"format", "json"}}},
                   "the key in --api-key-file is not PowerMTA's http-api-key", deadline);
    }

    Result<std::string> ask(const world::WebRequest& request, std::string_view remedy, const base::Deadline& deadline) {
        const auto url = http::parse_url(web_.url);
        asked_ = url ? http::to_string(http::Url{url->tls, url->host, url->port, request.target}) : web_.url;
        return world::ask_web_ok(world_, web_, request, remedy, deadline);
    }

    world::World& world_;
    const world::WebSource& web_;
    std::string format_ = "xml";
};

}  // namespace

std::string pmta_interval(std::chrono::seconds length) {
    const auto count = length.count();
    if (count % 3600 == 0) return fmt::format("{}h", count / 3600);
    if (count % 60 == 0) return fmt::format("{}m", count / 60);
    return fmt::format("{}s", count);
}

std::unique_ptr<PmtaSource> pmta_program(const world::Machine& machine, bool sudo) {
    return std::make_unique<Program>(machine, sudo);
}

std::unique_ptr<PmtaSource> pmta_monitor(world::World& world, const world::WebSource& web) {
    return std::make_unique<Monitor>(world, web);
}

}  // namespace mtawatch::probe::mta_state
