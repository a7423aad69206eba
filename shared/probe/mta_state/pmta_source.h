// Access to PowerMTA: its program (here or over SSH) or its web monitor, with the answers not parsed yet. Internal to
// shared/probe.
#pragma once

#include <chrono>
#include <memory>
#include <string>

#include "shared/probe/mta_state/mta_queue.h"

namespace mtawatch::probe::mta_state {

// PowerMTA shows 10 or 20 entries unless asked for more; this asks for all that a machine can hold.
inline constexpr std::size_t max_pmta_items = 100'000;

class PmtaSource {
  public:
    PmtaSource() = default;
    PmtaSource(const PmtaSource&) = delete;
    PmtaSource& operator=(const PmtaSource&) = delete;
    virtual ~PmtaSource() = default;

    [[nodiscard]] virtual base::Result<std::string> status(const base::Deadline& deadline) = 0;
    // `show <what>s <filter>`; `filter` is "--mode=backoff", "--paused=yes" or empty. A source that cannot filter gives
    // everything: the caller looks at mode and paused itself.
    [[nodiscard]] virtual base::Result<std::string> listing(const std::string& what, const std::string& filter,
                                                            const base::Deadline& deadline) = 0;
    // The first few messages that are older.
    [[nodiscard]] virtual base::Result<std::string> older_than(std::chrono::seconds age,
                                                               const base::Deadline& deadline) = 0;
    [[nodiscard]] virtual base::Result<std::string> licence(const base::Deadline& deadline) = 0;
    // What was asked last, "http://mx1:8080/status?format=xml" or "/usr/sbin/pmta --dom show status": where an answer
    // comes from that cannot be used.
    [[nodiscard]] const std::string& asked() const { return asked_; }

  protected:
    std::string asked_;
};

[[nodiscard]] std::unique_ptr<PmtaSource> pmta_program(const world::Machine& machine, bool sudo);
[[nodiscard]] std::unique_ptr<PmtaSource> pmta_monitor(world::World& world, const world::WebSource& web);

// "24h", "90m" or "45s": one whole number and unit, as PowerMTA reads it.
[[nodiscard]] std::string pmta_interval(std::chrono::seconds length);

}  // namespace mtawatch::probe::mta_state
