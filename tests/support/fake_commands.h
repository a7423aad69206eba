// Fake of io::Commands with canned output. Keeps what was run, so that a test can look at the arguments.
#pragma once

#include <deque>
#include <map>
#include <string>
#include <vector>

#include "shared/base/text.h"
#include "shared/io/command.h"

namespace mtawatch::test {

struct Said {
    std::string output;
    int exit_status = 0;
    std::string error_text = {};
};

class FakeCommands final : public io::Commands {
  public:
    explicit FakeCommands(std::string where = "on this machine") : where_(std::move(where)) {}

    // The command line as one string with single blanks: "postqueue -j". Several answers are given in turn, the last
    // one for all further runs.
    FakeCommands& add(const std::string& command, Said said) {
        answers_[command].push_back(base::Result<Said>(std::move(said)));
        return *this;
    }
    FakeCommands& add(const std::string& command, base::Error error) {
        answers_[command].push_back(base::fail(std::move(error)));
        return *this;
    }
    [[nodiscard]] const std::vector<std::string>& ran() const { return ran_; }

    [[nodiscard]] base::Result<io::CommandResult> run(const std::vector<std::string>& argv,
                                                      const io::CommandLimits& /*limits*/,
                                                      const base::Deadline& /*deadline*/) override {
        auto said = answer(argv);
        if (!said) return base::fail(said.error());
        return io::CommandResult{said->exit_status, {}, said->output, said->error_text};
    }

    [[nodiscard]] base::Result<io::CommandResult> stream(const std::vector<std::string>& argv,
                                                         const io::OutputSink& sink,
                                                         const base::Deadline& /*deadline*/) override {
        auto said = answer(argv);
        if (!said) return base::fail(said.error());
        if (!said->output.empty() && !sink(said->output)) return io::CommandResult{};
        return io::CommandResult{said->exit_status, {}, {}, said->error_text};
    }

    [[nodiscard]] std::string where() const override { return where_; }

  private:
    base::Result<Said> answer(const std::vector<std::string>& argv) {
        const std::string command = base::join(argv, " ");
        ran_.push_back(command);
        const auto found = answers_.find(command);
        if (found == answers_.end()) {
            return base::fail(base::Fault::not_found, "{} {}: no such program", argv.front(), where_);
        }
        auto& queue = found->second;
        auto said = queue.front();
        if (queue.size() > 1) queue.pop_front();
        return said;
    }

    std::string where_;
    std::map<std::string, std::deque<base::Result<Said>>> answers_;
    std::vector<std::string> ran_;
};

}  // namespace mtawatch::test
