// DNS cache of one run: several readers share it, and every question is sent once.
#pragma once

#include <cstddef>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "shared/base/deadline.h"
#include "shared/base/result.h"
#include "shared/dns/lookup.h"

namespace mtawatch::auth {

// One run's answers, so that its parts agree with each other. For one thread; refers to the transport.
class DnsCache {
  public:
    DnsCache(dns::Transport& transport, const base::Deadline& deadline) : transport_(transport), deadline_(deadline) {}

    // `name` as it is asked: ASCII, without trailing dot, dns::askable(). The reference stays valid.
    const dns::Answer& ask(std::string_view name, dns::Type type);
    // Puts all questions that are new in one go.
    void fetch(std::span<const dns::Question> questions);
    // The reason for an answer that is not known(), in words.
    [[nodiscard]] base::Error failure(std::string_view name, dns::Type type, const dns::Answer& answer) const;
    [[nodiscard]] std::size_t questions() const { return answers_.size(); }
    [[nodiscard]] const base::Deadline& deadline() const { return deadline_; }

  private:
    using Key = std::pair<std::string, dns::Type>;
    dns::Transport& transport_;
    base::Deadline deadline_;
    std::map<Key, dns::Answer> answers_;
};

}  // namespace mtawatch::auth
