// State that all connections share: threads, limits, and connection lists for LRU eviction.
#pragma once

#include <algorithm>
#include <list>
#include <memory>

#include "exporter/web/asio.h"
#include "exporter/web/basic_auth.h"
#include "exporter/web/page_queue.h"
#include "exporter/web/password_queue.h"
#include "exporter/web/rate_limit.h"
#include "exporter/web/server.h"
#include "exporter/web/site.h"
#include "exporter/web/web_policy.h"
#include "shared/base/log.h"

namespace mtawatch::exporter::web {

class Connection;
using Connections = std::list<Connection*>;

// Everything here belongs to the I/O thread; the two pools get work posted and post its result back.
struct Engine {
    Engine(const ServerSettings& settings, std::shared_ptr<const WebPolicy> policy, Site& pages,
           const base::Log& log_to)
        : limits(settings.limits),
          site(&pages),
          log(&log_to),
          policies(settings.web_config_file, std::move(policy), log_to),
          passwords(std::min(settings.limits.waiting_passwords, settings.limits.connections / 2)) {}

    ServerLimits limits;
    Site* site;
    const base::Log* log;
    WebPolicies policies;
    BasicAuth auth;
    // Connections by state, the one that is in it longest first. `waiting`: for bytes from the client.
    Connections waiting;
    Connections working;
    Connections sending;
    PasswordQueue passwords;
    bool checking_password = false;
    RateBucket rate;
    bool stopping = false;
    PageQueue queue{*this};

    asio::thread_pool renderer{1};
    asio::thread_pool password_checker{1};
    // Declared last, so destroyed first: that destroys the connections while everything above still exists.
    asio::io_context io{1};

    [[nodiscard]] std::size_t connections() const { return waiting.size() + working.size() + sending.size(); }
};

// One client. Lives as long as an operation of its own is pending.
class Connection {
  public:
    explicit Connection(Engine& engine) : engine_(&engine) {}
    Connection(const Connection&) = delete;
    Connection& operator=(const Connection&) = delete;
    virtual ~Connection() { leave(); }

    // Ends all pending operations; the object goes when they have ended.
    virtual void close() = 0;
    // The answer that it has asked for.
    virtual void deliver(std::shared_ptr<const Response> response) = 0;
    // Whether it is sending this very answer.
    [[nodiscard]] virtual bool sends(const Response* response) const = 0;
    // close(), with its place in the lists free at once.
    void evict() {
        leave();
        close();
    }

  protected:
    [[nodiscard]] Engine& engine() const { return *engine_; }
    void enter(Connections& list) {
        leave();
        list_ = &list;
        place_ = list.insert(list.end(), this);
    }

  private:
    void leave() {
        if (list_ != nullptr) list_->erase(place_);
        list_ = nullptr;
    }

    Engine* engine_;
    Connections* list_ = nullptr;
    Connections::iterator place_;
};

// Serves the client behind `socket` under the policy that holds now.
void serve(Engine& engine, AnySocket socket);

}  // namespace mtawatch::exporter::web
