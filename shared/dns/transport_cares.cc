// The c-ares transport: a window of questions in flight over one channel per server, with time-outs of our own.
#include <fmt/core.h>
#include <poll.h>

#include <algorithm>
#include <deque>
#include <unordered_map>
#include <utility>

#include "shared/base/text.h"
#include "shared/dns/cares_channel.h"
#include "shared/dns/transport.h"

namespace mtawatch::dns {
namespace {

using base::fail;

constexpr unsigned max_packets = 3;  // of one question to one server; a loss rate that defeats three defeats mail too

// What has become of one question.
struct Flight {
    base::SteadyTime started;
    unsigned packets = 0;                    // sent so far
    unsigned open = 0;                       // sent and neither answered nor failed
    Delivery last_word = Delivery::timeout;  // what it ends with if nothing better comes
    std::uint8_t last_code = 0;              // of other_code
    std::string last_message;                // that gave an error code: it may say why
    std::uint32_t asked_servers = 0;         // bit per server
    std::uint32_t failed_servers = 0;        // bit per server that gave an error code or cannot be reached
    bool started_ever = false;
    bool done = false;
};

// Questions that share a cap, e.g. all those to one list.
struct Group {
    std::size_t in_flight = 0;
    std::size_t timeouts_in_a_row = 0;
    bool silent = false;  // not asked any more in this call
    std::deque<std::uint32_t> waiting;
};

struct Timer {
    base::SteadyTime when;
    std::uint32_t index = 0;
};

// RFC 1035 4.1.1
std::uint8_t response_code(std::string_view message) { return static_cast<unsigned char>(message[3]) & 0x0fU; }

Delivery delivery_of(std::string_view message) {
    switch (response_code(message)) {
        case 0:
        case 3:
            return Delivery::answered;
        case 2:
            return Delivery::servfail;
        case 5:
            return Delivery::refused;
        default:
            return Delivery::other_code;
    }
}

bool is_formerr(std::string_view message) { return response_code(message) == 1; }

class CaresTransport;

// One call of exchange_many.
class Run {
  public:
    Run(CaresTransport& transport, std::span<const Question> questions, const base::Deadline& deadline,
        const ReplySink& sink);
    void all();
    void on_message(std::uint32_t index, std::uint16_t server, std::string_view message, bool edns);
    void on_failure(std::uint32_t index, std::uint16_t server);

  private:
    void launch_what_fits();
    void launch(std::uint32_t index);
    void send(std::uint32_t index);
    void fail_over();
    void serve_timers();
    void wait();
    void finish(std::uint32_t index, Reply reply);
    void leave_group(std::uint32_t index, bool answered, bool silent);
    [[nodiscard]] std::optional<std::uint32_t> next_to_launch();
    [[nodiscard]] bool nothing_answers() const;
    [[nodiscard]] Reply unanswered(const Flight& flight, Delivery delivery) const;
    [[nodiscard]] std::uint16_t server_for(const Flight& flight) const;

    CaresTransport& transport_;
    std::span<const Question> questions_;
    const base::Deadline& deadline_;
    const ReplySink& sink_;
    base::SteadyTime now_;
    std::vector<Flight> flights_;
    std::unordered_map<std::uint32_t, Group> groups_;
    std::deque<std::uint32_t> ready_;                              // their group has a place kept for them
    std::deque<Timer> retries_;                                    // in order of time: all wait equally long
    std::deque<Timer> ends_;                                       // likewise
    std::vector<std::pair<std::uint32_t, std::uint16_t>> failed_;  // to be asked elsewhere
    std::size_t cursor_ = 0;
    std::size_t in_flight_ = 0;
    std::size_t left_ = 0;
    std::size_t timed_out_ = 0;  // questions that ended in silence
    std::size_t refills_ = 0;    // launches still allowed before the timers are looked at
    bool any_answer_ = false;    // any server said anything
};

class CaresTransport final : public Transport, private PacketSink {
  public:
    explicit CaresTransport(ResolverSettings settings) : settings_(std::move(settings)) {}

    [[nodiscard]] base::Result<void> open() {
        for (const Server& server : settings_.servers) {
            auto channel = CaresChannel::open(server, *this);
            if (!channel) return fail(channel.error());
            channels_.push_back(std::move(*channel));
        }
        return {};
    }

    void exchange_each(std::span<const Question> questions, const base::Deadline& deadline,
                       const ReplySink& sink) override {
        if (!questions.empty()) {
            const std::string others = questions.size() > 1 ? fmt::format(" and {} more", questions.size() - 1) : "";
            deadline.doing(fmt::format("asking {} for {} {}{}", describe(), name(questions.front().type),
                                       questions.front().name, others));
        }
        Run run(*this, questions, deadline, sink);
        run_ = &run;
        run.all();
        // What is still in flight are late answers to questions that are done.
        for (auto& channel : channels_) channel->cancel();
        run_ = nullptr;
    }

    [[nodiscard]] std::string describe() const override {
        std::vector<std::string> names;
        for (const Server& server : settings_.servers) names.push_back(server.to_string());
        return base::join(names, ", ");
    }

    [[nodiscard]] bool ad_counts(std::uint16_t server) const {
        return settings_.trust_ad || settings_.servers[server].address.is_loopback();
    }

    [[nodiscard]] const ResolverSettings& settings() const { return settings_; }
    [[nodiscard]] std::vector<std::unique_ptr<CaresChannel>>& channels() { return channels_; }
    // The server that is asked first: moves on when that one is silent and another answers.
    std::uint16_t preferred = 0;

  private:
    void on_message(std::uint64_t token, std::string_view message, bool edns) override {
        if (run_ != nullptr) {
            run_->on_message(static_cast<std::uint32_t>(token >> 16U), static_cast<std::uint16_t>(token & 0xffffU),
                             message, edns);
        }
    }
    void on_failure(std::uint64_t token, bool cancelled) override {
        if (run_ != nullptr && !cancelled) {
            run_->on_failure(static_cast<std::uint32_t>(token >> 16U), static_cast<std::uint16_t>(token & 0xffffU));
        }
    }

    ResolverSettings settings_;
    Run* run_ = nullptr;
    std::vector<std::unique_ptr<CaresChannel>> channels_;
};

Run::Run(CaresTransport& transport, std::span<const Question> questions, const base::Deadline& deadline,
         const ReplySink& sink)
    : transport_(transport),
      questions_(questions),
      deadline_(deadline),
      sink_(sink),
      now_(deadline.clock().steady()),
      flights_(questions.size()),
      left_(questions.size()) {}

void Run::all() {
    while (left_ > 0) {
        now_ = deadline_.clock().steady();
        if (now_ >= deadline_.end()) break;
        serve_timers();
        fail_over();
        launch_what_fits();
        if (left_ > 0 && failed_.empty()) wait();
    }
    for (std::uint32_t i = 0; i < questions_.size(); ++i) {
        const Flight& flight = flights_[i];
        if (flight.done) continue;
        // As at the end of a question's own time: an error code that came says more than the silence after it.
        finish(i, unanswered(flight, flight.last_code != 0 ? flight.last_word : Delivery::deadline));
    }
}

std::optional<std::uint32_t> Run::next_to_launch() {
    if (!ready_.empty()) {
        const std::uint32_t index = ready_.front();
        ready_.pop_front();
        return index;
    }
    while (cursor_ < questions_.size()) {
        const auto index = static_cast<std::uint32_t>(cursor_++);
        const std::uint32_t group_id = questions_[index].group;
        if (group_id == 0) return index;
        Group& group = groups_[group_id];
        if (group.silent || group.in_flight < transport_.settings().group_window) {
            ++group.in_flight;
            return index;
        }
        group.waiting.push_back(index);
    }
    return std::nullopt;
}

// A resolver that answered none of a whole window of questions is gone: asking it the rest would only cost time.
bool Run::nothing_answers() const { return !any_answer_ && timed_out_ >= transport_.settings().window; }

void Run::launch_what_fits() {
    while (in_flight_ < transport_.settings().window) {
        const auto index = next_to_launch();
        if (!index) return;
        launch(*index);
    }
}

void Run::launch(std::uint32_t index) {
    const std::uint32_t group_id = questions_[index].group;
    ++in_flight_;
    if (nothing_answers() || (group_id != 0 && groups_[group_id].silent)) {
        finish(index, {Delivery::timeout, {}, false, {}, 0});
        return;
    }
    Flight& flight = flights_[index];
    flight.started = now_;
    flight.started_ever = true;
    ends_.push_back({now_ + transport_.settings().question_time, index});
    send(index);
}

// The preferred server first, then the others in turn, without those that already said no.
std::uint16_t Run::server_for(const Flight& flight) const {
    const auto count = static_cast<unsigned>(transport_.channels().size());
    for (unsigned step = 0; step < count; ++step) {
        const unsigned server = (transport_.preferred + flight.packets + step) % count;
        if ((flight.failed_servers & 1U << server) == 0) return static_cast<std::uint16_t>(server);
    }
    return transport_.preferred;
}

void Run::send(std::uint32_t index) {
    Flight& flight = flights_[index];
    const std::uint16_t server = server_for(flight);
    ++flight.packets;
    ++flight.open;
    flight.asked_servers |= 1U << server;
    retries_.push_back({now_ + transport_.settings().retry_after, index});
    if (!transport_.channels()[server]->send(questions_[index], std::uint64_t{index} << 16U | server)) {
        finish(index, {Delivery::bad_name, {}, false, {}, 0});
    }
}

void Run::on_message(std::uint32_t index, std::uint16_t server, std::string_view message, bool edns) {
    Flight& flight = flights_[index];
    any_answer_ = true;
    --flight.open;
    if (flight.done || message.size() < 12) return;
    flight.last_word = delivery_of(message);
    flight.last_code = response_code(message);
    if (flight.last_word == Delivery::answered) {
        if (server != transport_.preferred && (flight.asked_servers & 1U << transport_.preferred) != 0) {
            transport_.preferred = server;
        }
        now_ = deadline_.clock().steady();
        finish(index, {Delivery::answered, std::string(message), transport_.ad_counts(server), {}, server});
        // The next packet leaves before the next answer is read, so that the resolver always has work.
        if (refills_ > 0) {
            --refills_;
            launch_what_fits();
        }
        return;
    }
    flight.last_message = message;
    if (edns && is_formerr(message)) {
        transport_.channels()[server]->stop_edns();
    } else {
        flight.failed_servers |= 1U << server;
    }
    failed_.emplace_back(index, server);
}

void Run::on_failure(std::uint32_t index, std::uint16_t server) {
    Flight& flight = flights_[index];
    --flight.open;
    if (flight.done) return;
    flight.failed_servers |= 1U << server;
    if (flight.last_word == Delivery::timeout) flight.last_word = Delivery::unreachable;
    failed_.emplace_back(index, server);
}

void Run::fail_over() {
    // send() may fail at once and lengthen the list; each question fails at most once a server.
    for (std::size_t i = 0; i < failed_.size(); ++i) {
        const std::uint32_t index = failed_[i].first;
        Flight& flight = flights_[index];
        if (flight.done) continue;
        const std::uint32_t every = (1U << transport_.channels().size()) - 1;
        if (flight.failed_servers != every) {
            send(index);
        } else if (flight.open == 0) {
            finish(index, unanswered(flights_[index], flights_[index].last_word));
        }
    }
    failed_.clear();
}

void Run::serve_timers() {
    const auto allowed = static_cast<unsigned>(max_packets * transport_.channels().size());
    while (!ends_.empty() && ends_.front().when <= now_) {
        const std::uint32_t index = ends_.front().index;
        ends_.pop_front();
        if (flights_[index].done) continue;
        // An error code that one server gave says more than the silence of another.
        finish(index, unanswered(flights_[index], flights_[index].last_word));
    }
    while (!retries_.empty() && retries_.front().when <= now_) {
        const std::uint32_t index = retries_.front().index;
        retries_.pop_front();
        if (!flights_[index].done && flights_[index].packets < allowed) send(index);
    }
}

void Run::wait() {
    base::SteadyTime until = deadline_.end();
    while (!retries_.empty() && flights_[retries_.front().index].done) retries_.pop_front();
    while (!ends_.empty() && flights_[ends_.front().index].done) ends_.pop_front();
    if (!retries_.empty()) until = std::min(until, retries_.front().when);
    if (!ends_.empty()) until = std::min(until, ends_.front().when);
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(until - now_).count();
    std::vector<pollfd> sockets;
    std::vector<CaresChannel*> owners;
    for (auto& channel : transport_.channels()) {
        for (const pollfd& one : channel->sockets()) {
            sockets.push_back(one);
            owners.push_back(channel.get());
        }
    }
    const int ready = poll(sockets.data(), sockets.size(), static_cast<int>(std::clamp<long>(left, 0, 60'000)));
    if (ready <= 0) return;  // time, or a signal: the loop looks again
    // Bounded, or a resolver that answers faster than we read would keep us from our timers.
    refills_ = transport_.settings().window;
    for (std::size_t i = 0; i < sockets.size(); ++i) {
        const short events = sockets[i].revents;
        if (events == 0) continue;
        const bool broken = (events & (POLLERR | POLLHUP)) != 0;
        owners[i]->process(sockets[i].fd, (events & POLLIN) != 0 || broken, (events & POLLOUT) != 0);
    }
}

Reply Run::unanswered(const Flight& flight, Delivery delivery) const {
    Reply reply;
    reply.delivery = delivery;
    reply.rcode = flight.last_code;
    if (delivery == flight.last_word) reply.message = flight.last_message;
    // c-ares does not tell with which of several questions it went over to TCP.
    reply.over_tcp = questions_.size() == 1 && std::ranges::any_of(transport_.channels(), [](const auto& one) {
                         return one->went_over_to_tcp();
                     });
    return reply;
}

void Run::finish(std::uint32_t index, Reply reply) {
    Flight& flight = flights_[index];
    flight.done = true;
    --left_;
    if (flight.started_ever) reply.took = now_ - flight.started;
    const Delivery delivery = reply.delivery;
    sink_(index, std::move(reply));
    if (delivery == Delivery::deadline) return;
    --in_flight_;
    if (delivery == Delivery::timeout) ++timed_out_;
    leave_group(index, delivery != Delivery::timeout, delivery == Delivery::timeout);
}

void Run::leave_group(std::uint32_t index, bool answered, bool silent) {
    if (questions_[index].group == 0) return;
    Group& group = groups_[questions_[index].group];
    --group.in_flight;
    if (answered) group.timeouts_in_a_row = 0;
    if (silent) ++group.timeouts_in_a_row;
    // As many questions in a row as the group may have in flight timed out: the rest would only time out later.
    if (group.timeouts_in_a_row >= transport_.settings().group_window) group.silent = true;
    do {
        if (group.waiting.empty()) return;
        ready_.push_back(group.waiting.front());
        group.waiting.pop_front();
        ++group.in_flight;
    } while (group.silent);
}

}  // namespace

base::Result<std::unique_ptr<Transport>> make_cares_transport(const ResolverSettings& settings) {
    if (settings.servers.empty()) return fail(base::Fault::usage, "no DNS server to ask");
    if (settings.servers.size() > max_servers) {
        return fail(base::Fault::usage, "{} DNS servers: {} at most", settings.servers.size(), max_servers);
    }
    if (settings.window == 0 || settings.window > max_window) {
        return fail(base::Fault::usage, "{} questions at once: write a number from 1 to {}", settings.window,
                    max_window);
    }
    auto transport = std::make_unique<CaresTransport>(settings);
    if (auto done = transport->open(); !done) return fail(done.error());
    return transport;
}

}  // namespace mtawatch::dns
