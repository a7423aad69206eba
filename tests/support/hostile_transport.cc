#include "tests/support/hostile_transport.h"

#include "shared/base/ip.h"
#include "shared/base/text.h"
#include "shared/dns/wire_name.h"

namespace mtawatch::test {
namespace {

std::string two_bytes(std::size_t value) {
    return {static_cast<char>(static_cast<unsigned char>(value >> 8U)), static_cast<char>(value & 0xffU)};
}

std::string strings_of(std::string_view text) {
    constexpr std::size_t longest = 255;
    std::string data;
    do {
        const std::string_view piece = text.substr(0, longest);
        data += static_cast<char>(static_cast<unsigned char>(piece.size()));
        data += piece;
        text.remove_prefix(piece.size());
    } while (!text.empty());
    return data;
}

}  // namespace

void HostileTransport::exchange_each(std::span<const dns::Question> questions, const base::Deadline& /*deadline*/,
                                     const dns::ReplySink& sink) {
    for (std::size_t i = 0; i < questions.size(); ++i) {
        ++asked_;
        sink(i, reply_to(questions[i]));
    }
}

dns::Reply HostileTransport::reply_to(const dns::Question& question) const {
    const char first = question.name.empty() ? 'x' : question.name.front();
    if (first == 's') return {dns::Delivery::servfail, {}, false, {}, 0};
    if (first == 't') return {dns::Delivery::timeout, {}, false, {}, 0};
    const auto records = first == 'x' || first == 'v' ? std::vector<std::string>() : data_for(question);
    const std::string name = dns::wire_name(question.name);
    const std::string type = two_bytes(static_cast<std::size_t>(question.type));
    // Id, flags (an answer, recursion done) with the code, one question, the answers.
    std::string message = two_bytes(0) + two_bytes(0x8180U + (first == 'x' ? 3U : 0U)) + two_bytes(1) +
                          two_bytes(records.size()) + two_bytes(0) + two_bytes(0) + name + type + two_bytes(1);
    for (const std::string& data : records) {
        message += name + type + two_bytes(1) + two_bytes(0) + two_bytes(60) + two_bytes(data.size()) + data;
    }
    return {dns::Delivery::answered, std::move(message), false, {}, 0};
}

std::vector<std::string> HostileTransport::data_for(const dns::Question& question) const {
    const std::string_view name = question.name;
    const char first = name.front();
    const std::size_t hosts =
        first == 'm' && name.size() > 1 && base::is_digit(name[1]) ? static_cast<std::size_t>(name[1] - '0') : 1;
    std::vector<std::string> records;
    switch (question.type) {
        case dns::Type::txt: {
            if (texts_.empty()) return {};
            const std::size_t number = base::is_digit(first) ? static_cast<std::size_t>(first - '0') : 0;
            if (number >= texts_.size()) return {};
            return {strings_of(texts_[number])};
        }
        case dns::Type::a:
            return {base::IpAddress::v4(192, 0, 2, static_cast<std::uint8_t>(name.size() & 0xffU)).bytes()};
        case dns::Type::aaaa:
            return {base::IpAddress::parse("2001:db8::1")->bytes()};
        case dns::Type::mx:
            for (std::size_t i = 0; i < 2 * hosts; ++i) {
                records.push_back(two_bytes(i) + dns::wire_name("h" + std::to_string(i) + ".example"));
            }
            return records;
        case dns::Type::ptr:
            for (std::size_t i = 0; i < 2 * hosts; ++i) {
                records.push_back(dns::wire_name("h" + std::to_string(i) + ".example"));
            }
            return records;
        default:
            return {};
    }
}

}  // namespace mtawatch::test
