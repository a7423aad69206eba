// Queue of page requests. Clients that ask for the same page before it is begun get one and the same answer, so a crowd
// costs no more time and memory than one of them, and none of it is sent away.
#pragma once

#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "exporter/web/message.h"

namespace mtawatch::exporter::web {

class Connection;
struct Engine;

// Belongs to the I/O thread. One page is made at a time, on the renderer.
class PageQueue {
  public:
    explicit PageQueue(Engine& engine) : engine_(&engine) {}
    // The client gets its answer by Connection::deliver. It is kept alive until then.
    void ask(std::shared_ptr<Connection> client, const Request& request);
    // Nobody waits any more; the page that is being made is thrown away.
    void clear();

  private:
    struct Wanted {
        std::string key;  // "" is an answer for this one alone
        Request request;
        std::vector<std::shared_ptr<Connection>> clients;
    };
    void make_next();
    void deliver(const std::shared_ptr<const Response>& page);
    void make_room();

    Engine* engine_;
    std::deque<Wanted> wanted_;
    std::vector<std::shared_ptr<Connection>> served_;  // those that the page that is being made is for
    bool making_ = false;
    std::vector<std::weak_ptr<const Response>> sent_;  // pages that somebody may still be reading, oldest first
};

}  // namespace mtawatch::exporter::web
