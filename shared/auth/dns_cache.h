// DNS cache of one run: several readers share it, and every question is sent once. A view over it shows what the same
// run would see if records were published that are not there yet.
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
    // A view over `below`, which must outlive it: what publish() is told is answered here, everything else there.
    explicit DnsCache(DnsCache& below) : transport_(below.transport_), deadline_(below.deadline_), below_(&below) {}

    // `name` as it is asked: ASCII, without trailing dot, dns::askable(). The reference stays valid.
    const dns::Answer& ask(std::string_view name, dns::Type type);
    // Puts all questions that are new in one go.
    void fetch(std::span<const dns::Question> questions);
    // Only of a view: `records` are all records of that type at the name from now on. The names above it exist then,
    // too. References that ask() gave through this view end here.
    void publish(std::string_view name, dns::Type type, dns::Records records);
    // The reason for an answer that is not known(), in words.
    [[nodiscard]] base::Error failure(std::string_view name, dns::Type type, const dns::Answer& answer) const;
    [[nodiscard]] std::size_t questions() const { return answers_.size(); }
    [[nodiscard]] const base::Deadline& deadline() const { return deadline_; }

  private:
    using Key = std::pair<std::string, dns::Type>;
    dns::Transport& transport_;
    base::Deadline deadline_;
    std::map<Key, dns::Answer> answers_;
    DnsCache* below_ = nullptr;
    std::map<Key, dns::Answer> published_;

    [[nodiscard]] dns::Answer changed(const Key& key, const dns::Answer& below) const;
};

}  // namespace mtawatch::auth
