#include "shared/mta/classes/reply_class.h"

#include <algorithm>
#include <cstring>

#include "shared/base/text.h"
#include "shared/mta/classes/reply_builtin.h"
#include "shared/mta/classes/reply_table.h"

namespace mtawatch::mta::classes {

struct ReplyClassifier::Own {
    ReplyTableBuilder builder;
    ReplyTable table;
};

ReplyClassifier::ReplyClassifier() = default;
ReplyClassifier::~ReplyClassifier() = default;

ReplyClassifier::ReplyClassifier(std::span<const ReplyRule> own) {
    if (own.empty()) return;
    auto made = std::make_unique<Own>();
    // A text that no table can hold was refused when the configuration was read.
    for (const ReplyRule& rule : own) static_cast<void>(made->builder.add(rule));
    made->table = made->builder.table();
    own_ = std::move(made);
}

std::size_t ReplyClassifier::rules() const {
    return reply_builtin().rules.size() + (own_ == nullptr ? 0 : own_->table.rules.size());
}

ReplyVerdict ReplyClassifier::classify(std::string_view dsn_status, std::string_view dsn_diag) const {
    ReplyReader reader;
    return classify(reader.read(dsn_status, dsn_diag));
}

ReplyVerdict ReplyClassifier::classify(const ReplyText& reply) const {
    const auto verdict = [&](const ReplyTable::Rule& rule) {
        const bool soft = rule.by_code && reply.words.starts_with(" 4xx:");
        return ReplyVerdict{rule.reply_class, soft ? BounceClass::soft : rule.bounce_class, rule.name};
    };
    if (own_ != nullptr) {
        const std::size_t rule = own_->table.find(reply);
        if (rule != ReplyTable::none) return verdict(own_->table.rules[rule]);
    }
    const ReplyTable& builtin = reply_builtin();
    const std::size_t rule = builtin.find(reply);
    return rule == ReplyTable::none ? ReplyVerdict{ReplyClass::other, BounceClass::other, "none"}
                                    : verdict(builtin.rules[rule]);
}

namespace {

struct EnhancedCode {
    std::size_t size = 0;    // 0: there is none
    std::size_t looked = 0;  // bytes that were looked at, one past the end where the end decided
};

// "X.Y.Z" of RFC 3463 section 2 at the front of `text`.
EnhancedCode enhanced_code(std::string_view text) {
    if (text.size() < 5 || (text[0] != '2' && text[0] != '4' && text[0] != '5') || text[1] != '.') return {0, 5};
    std::size_t at = 2;
    for (const bool last : {false, true}) {
        const std::size_t begin = at;
        while (at < text.size() && at - begin < 3 && base::is_digit(text[at])) ++at;
        if (at == begin) return {0, at + 1};
        if (!last && (at >= text.size() || text[at++] != '.')) return {0, at + 1};
    }
    const bool goes_on = at < text.size() && (base::is_digit(text[at]) || base::is_alpha(text[at]));
    return {goes_on ? 0 : at, at + 1};
}

}  // namespace

ReplyCodes reply_codes(std::string_view dsn_status, std::string_view dsn_diag) {
    ReplyCodes codes;
    const auto take = [&](std::string_view text) {
        const EnhancedCode found = enhanced_code(text);
        std::copy_n(text.begin(), found.size, codes.enhanced);
        codes.enhanced_size = static_cast<std::uint8_t>(found.size);
        return found.looked;
    };
    std::string_view text = dsn_diag;
    if (text.size() >= 5 && std::memcmp(text.data(), "smtp;", 5) == 0) text.remove_prefix(5);
    while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
    codes.looked = dsn_diag.size() - text.size() + 4;
    const bool code = text.size() >= 3 && text[0] >= '2' && text[0] <= '5' && base::is_digit(text[1]) &&
                      base::is_digit(text[2]) && (text.size() == 3 || text[3] == ' ' || text[3] == '-');
    if (code) {
        codes.code = static_cast<std::uint16_t>((text[0] - '0') * 100 + (text[1] - '0') * 10 + (text[2] - '0'));
        codes.looked += text.size() > 4 ? take(text.substr(4)) : 1;
    }
    if (codes.enhanced_size == 0) take(dsn_status);
    return codes;
}

}  // namespace mtawatch::mta::classes
