#include "exporter/web/page_queue.h"

#include <algorithm>

#include "exporter/web/engine.h"

namespace mtawatch::exporter::web {
namespace {

// On the renderer: touches nothing of the connections.
Response make_page(const Engine& engine, const Request& request) {
    try {
        return engine.site->respond(request);
    } catch (const std::exception& error) {
        engine.log->error("a page could not be made", {{"path", request.path}, {"reason", error.what()}});
        Response response;
        response.status = 500;
        response.body = "The page could not be made; the log of the exporter says why.\n";
        return response;
    }
}

}  // namespace

void PageQueue::ask(std::shared_ptr<Connection> client, const Request& request) {
    std::string key = engine_->site->shared_key(request);
    const auto same = std::ranges::find_if(wanted_, [&](const Wanted& one) { return !key.empty() && one.key == key; });
    if (same != wanted_.end()) {
        same->clients.push_back(std::move(client));
        return;
    }
    wanted_.push_back({std::move(key), request, {std::move(client)}});
    if (!making_) make_next();
}

void PageQueue::make_next() {
    if (wanted_.empty() || engine_->stopping) return;
    make_room();
    making_ = true;
    Wanted next = std::move(wanted_.front());
    wanted_.pop_front();
    served_ = std::move(next.clients);
    asio::post(engine_->renderer, [this, request = std::move(next.request)] {
        auto page = std::make_shared<const Response>(make_page(*engine_, request));
        asio::post(engine_->io, [this, page = std::move(page)] {
            making_ = false;
            deliver(page);
            make_next();
        });
    });
}

void PageQueue::deliver(const std::shared_ptr<const Response>& page) {
    if (!served_.empty()) sent_.push_back(page);
    for (const auto& client : std::exchange(served_, {})) client->deliver(page);
}

// A client that reads slowly keeps its page in memory, and gives way where there would be too many.
void PageQueue::make_room() {
    std::erase_if(sent_, [](const std::weak_ptr<const Response>& page) { return page.expired(); });
    if (sent_.size() < engine_->limits.pages_at_once) return;
    const auto oldest = sent_.front().lock();
    for (Connection* client : Connections(engine_->sending)) {
        if (client->sends(oldest.get())) client->evict();
    }
}

void PageQueue::clear() {
    wanted_.clear();
    served_.clear();
}

}  // namespace mtawatch::exporter::web
