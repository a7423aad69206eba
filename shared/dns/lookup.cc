#include "shared/dns/lookup.h"

#include <algorithm>
#include <utility>

#include "shared/dns/names.h"

namespace mtawatch::dns {
namespace {

// A question on its way through CNAMEs that no single message resolved.
struct Pending {
    std::size_t index = 0;
    Question question;
};

Failure failure_of(Delivery delivery) {
    switch (delivery) {
        case Delivery::answered:
            return Failure::none;
        case Delivery::servfail:
            return Failure::servfail;
        case Delivery::refused:
            return Failure::refused;
        case Delivery::other_code:
            return Failure::other_code;
        case Delivery::timeout:
            return Failure::timeout;
        case Delivery::unreachable:
            return Failure::unreachable;
        case Delivery::deadline:
            return Failure::deadline;
        case Delivery::bad_name:
            return Failure::none;
    }
    return Failure::malformed;
}

void set_failed(Answer& answer, Failure failure) {
    answer.outcome = Outcome::failed;
    answer.failure = failure;
    answer.records = {};
    answer.authenticated = false;
}

constexpr std::uint8_t rcode_ok = 0;
constexpr std::uint8_t rcode_no_name = 3;

// Whether the chain, lengthened by the reading's part, is still sane; says so in `answer` if not.
bool extend_chain(Answer& answer, const Question& asked, Reading& reading) {
    for (std::string& target : reading.chain) {
        const bool again = target == asked.name || std::ranges::count(answer.chain, target) > 0;
        answer.chain.push_back(std::move(target));
        if (again) reading.loop = true;
        if (reading.loop) break;
    }
    if (reading.loop) {
        set_failed(answer, Failure::cname_loop);
        return false;
    }
    if (answer.chain.size() > max_cnames) {
        set_failed(answer, Failure::cname_limit);
        return false;
    }
    return true;
}

// Takes one message into the answer; true if the chain's end has to be asked.
bool absorb(Answer& answer, const Question& asked, const Question& original, const Reply& reply) {
    answer.took = reply.took;
    if (reply.delivery == Delivery::bad_name) {
        // RFC 7686 names and names beyond the limits cannot exist.
        answer.outcome = Outcome::no_name;
        answer.authenticated = false;
        return false;
    }
    if (reply.delivery != Delivery::answered) {
        set_failed(answer, failure_of(reply.delivery));
        answer.rcode = reply.rcode;
        if (!reply.message.empty()) answer.reason = extended_error(reply.message);
        answer.over_tcp = reply.over_tcp;
        return false;
    }
    auto read = read_message(reply.message, asked);
    if (!read) {
        set_failed(answer, Failure::malformed);
        return false;
    }
    if (read->referral) {
        set_failed(answer, Failure::referral);
        return false;
    }
    const bool chained = !read->chain.empty();
    answer.authenticated = answer.authenticated && read->ad && reply.ad_counts;
    if (!extend_chain(answer, original, *read)) return false;
    if (!read->records.empty() && read->rcode == rcode_ok) {
        answer.records = std::move(read->records);
        answer.outcome = Outcome::records;
        return false;
    }
    if (read->rcode == rcode_no_name) {
        answer.outcome = Outcome::no_name;
        return false;
    }
    if (read->rcode != rcode_ok) {
        set_failed(answer, Failure::other_code);
        answer.rcode = read->rcode;
        return false;
    }
    answer.outcome = Outcome::no_data;
    return chained && !read->has_soa;
}

Pending next_step(std::size_t index, const Question& original, const Answer& answer) {
    Pending next{index, original};
    next.question.name = answer.chain.back();
    return next;
}

}  // namespace

std::vector<Answer> lookup_many(Transport& transport, std::span<const Question> questions,
                                const base::Deadline& deadline) {
    std::vector<Answer> answers(questions.size());
    for (std::size_t i = 0; i < questions.size(); ++i) answers[i].authenticated = true;
    std::vector<Pending> pending;
    transport.exchange_each(questions, deadline, [&](std::size_t i, const Reply& reply) {
        if (absorb(answers[i], questions[i], questions[i], reply)) {
            pending.push_back(next_step(i, questions[i], answers[i]));
        }
    });
    // Each round makes every chain longer, and max_cnames ends it.
    while (!pending.empty()) {
        std::vector<Question> batch;
        batch.reserve(pending.size());
        for (const Pending& one : pending) batch.push_back(one.question);
        std::vector<Pending> again;
        transport.exchange_each(batch, deadline, [&](std::size_t i, const Reply& reply) {
            const std::size_t index = pending[i].index;
            if (absorb(answers[index], batch[i], questions[index], reply)) {
                again.push_back(next_step(index, questions[index], answers[index]));
            }
        });
        pending = std::move(again);
    }
    return answers;
}

Answer lookup(Transport& transport, const Question& question, const base::Deadline& deadline) {
    return std::move(lookup_many(transport, {&question, 1}, deadline).front());
}

std::string_view name(Failure failure) {
    switch (failure) {
        case Failure::none:
            return "none";
        case Failure::servfail:
            return "SERVFAIL";
        case Failure::refused:
            return "REFUSED";
        case Failure::other_code:
            return "error code";
        case Failure::timeout:
            return "timeout";
        case Failure::unreachable:
            return "unreachable";
        case Failure::malformed:
            return "malformed";
        case Failure::referral:
            return "referral";
        case Failure::cname_loop:
            return "CNAME loop";
        case Failure::cname_limit:
            return "too many CNAMEs";
        case Failure::deadline:
            return "out of time";
    }
    return "none";
}

std::string failure_text(const Answer& answer) {
    if (answer.failure != Failure::other_code) return std::string(name(answer.failure));
    switch (answer.rcode) {  // RFC 1035 section 4.1.1, RFC 2136 section 2.2
        case 1:
            return "FORMERR";
        case 4:
            return "NOTIMP";
        case 9:
            return "NOTAUTH";
        default:
            return fmt::format("response code {}", answer.rcode);
    }
}

base::Error failure_error(const Transport& transport, const Question& question, const Answer& answer) {
    const std::string what = fmt::format("{} {}", name(question.type), question.name);
    const std::string server = transport.describe();
    // Said, because that resolver does answer over UDP when somebody tries it by hand.
    const std::string_view way = answer.over_tcp ? " over TCP, which its answer over UDP was too long for" : "";
    const auto error = [](std::string text) { return base::Error{base::Fault::resolver, std::move(text)}; };
    switch (answer.failure) {
        case Failure::servfail:
        case Failure::refused:
        case Failure::other_code:
            return error(fmt::format("{}: the resolver {} answered {}{}", what, server, failure_text(answer),
                                     answer.reason.empty() ? "" : fmt::format(": {}", answer.reason)));
        case Failure::timeout:
            return error(fmt::format("{}: no answer from the resolver {}{}", what, server, way));
        case Failure::unreachable:
            if (answer.over_tcp) {
                return error(
                    fmt::format("{}: the resolver {} says over UDP that the answer is too long for it, and gives none "
                                "over TCP; let TCP through to it, or name another with --dns-server",
                                what, server));
            }
            return error(
                fmt::format("{}: the resolver {} cannot be reached; name another with --dns-server", what, server));
        case Failure::malformed:
            return error(fmt::format("{}: the answer of the resolver {} cannot be read", what, server));
        case Failure::referral:
            return error(fmt::format(
                "{}: {} names other servers instead of answering, so it does not resolve for us; name a resolver with "
                "--dns-server",
                what, server));
        case Failure::cname_loop:
            return error(fmt::format("{}: its CNAMEs lead in a circle", what));
        case Failure::cname_limit:
            return error(fmt::format("{}: more than {} CNAMEs one after another", what, max_cnames));
        case Failure::deadline:
            return {
                base::Fault::deadline,
                fmt::format("{}: the time of the whole run ended before an answer of use came from the resolver {}{}",
                            what, server, way)};
        case Failure::none:
            break;
    }
    return {base::Fault::internal, fmt::format("{}: not a failed lookup", what)};
}

}  // namespace mtawatch::dns
