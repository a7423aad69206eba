#include "shared/auth/spf_advice.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <set>
#include <utility>

#include "shared/auth/dmarc_walk.h"
#include "shared/auth/mail_provider.h"
#include "shared/auth/publication.h"
#include "shared/auth/spf_check_host.h"
#include "shared/auth/spf_mend.h"
#include "shared/base/text.h"

namespace mtawatch::auth {

namespace {

constexpr std::string_view version = "v=spf1";
constexpr std::string_view by_strictness = "+?~-";
// A mended record can show what the broken one hid; more rounds than this never end better.
constexpr int max_rounds = 4;

// One word of a record and what it is.
struct Piece {
    std::string word;
    SpfKind kind = SpfKind::all;
    char qualifier = '+';
    std::string domain;  // as written, lower case; "" without one

    [[nodiscard]] bool is_mechanism() const {
        return kind != SpfKind::redirect && kind != SpfKind::exp && kind != SpfKind::unknown_modifier;
    }
    [[nodiscard]] bool is_network() const { return kind == SpfKind::ip4 || kind == SpfKind::ip6; }
};
using Pieces = std::vector<Piece>;

Pieces pieces_of(const std::string& record) {
    Pieces pieces;
    for (const std::string_view word : base::words(std::string_view(record).substr(version.size()))) {
        const SpfRecord parsed = parse_spf_record(fmt::format("{} {}", version, word));
        const SpfTerm* term = nullptr;
        if (!parsed.mechanisms.empty()) term = &parsed.mechanisms.front();
        if (parsed.redirect) term = &*parsed.redirect;
        if (parsed.exp) term = &*parsed.exp;
        if (!parsed.unknown_modifiers.empty()) term = &parsed.unknown_modifiers.front();
        if (term == nullptr) continue;
        pieces.push_back({std::string(word), term->kind, term->qualifier,
                          term->domain ? base::to_lower(term->domain->written) : std::string()});
    }
    return pieces;
}

std::string text_of(const Pieces& pieces) {
    std::string out(version);
    for (const Piece& piece : pieces) out += " " + piece.word;
    return out;
}

bool names_senders(const Pieces& pieces) {
    return std::ranges::any_of(pieces, [](const Piece& one) {
        return one.kind == SpfKind::redirect || (one.is_mechanism() && one.kind != SpfKind::all);
    });
}

bool passes_everyone(const std::string& record) {
    return std::ranges::any_of(pieces_of(record),
                               [](const Piece& one) { return one.kind == SpfKind::all && one.qualifier == '+'; });
}

// All terms of all records once, the strictest `all` last; what a redirect leads to is included.
std::string merged(const std::vector<std::string>& records) {
    if (records.size() == 1) return records.front();
    Pieces out;
    std::set<std::string> seen;
    std::optional<Piece> all;
    bool explained = false;
    for (const std::string& record : records) {
        for (Piece& piece : pieces_of(record)) {
            if (piece.kind == SpfKind::redirect) {
                piece = {"include:" + piece.word.substr(piece.word.find('=') + 1), SpfKind::include, '+', piece.domain};
            }
            if (piece.kind == SpfKind::exp && std::exchange(explained, true)) continue;
            if (piece.kind == SpfKind::all) {
                const bool stricter = !all || by_strictness.find(piece.qualifier) > by_strictness.find(all->qualifier);
                if (stricter) all = piece;
            } else if (seen.insert(base::to_lower(piece.word)).second) {
                out.push_back(std::move(piece));
            }
        }
    }
    if (all) out.push_back(*all);
    return text_of(out);
}

// Whether another term that stays has every address of this one, as the DNS answers today.
bool is_redundant(const Piece& piece, const Pieces& kept, const SpfLint& lint) {
    if (piece.kind != SpfKind::a && piece.kind != SpfKind::mx) return false;
    const auto stays = [&](const std::string& word) {
        return word != piece.word && std::ranges::any_of(kept, [&word](const Piece& one) { return one.word == word; });
    };
    return std::ranges::all_of(lint.sources, [&](const SpfSource& source) {
        return source.top_term != piece.word || std::ranges::any_of(lint.sources, [&](const SpfSource& other) {
                   return stays(other.top_term) && other.network.prefix <= source.network.prefix &&
                          other.network.contains(source.network.base);
               });
    });
}

class Improver {
  public:
    Improver(const SpfLint& lint, bool strict_end) : lint_(lint), strict_end_(strict_end) {}

    // Nothing when no sender would be left of those that the record names: it is not for us to say who sends.
    std::optional<std::string> run(const std::string& record) {
        const Pieces before = pieces_of(record);
        pieces_ = before;
        drop_terms(" private-network ");
        const bool named = names_senders(pieces_);  // to somebody
        drop_terms(" void takeover dangling loop bad-explanation ");
        drop_repeated_terms();
        if (lint_.tree.lookups > spf_max_lookups) drop_redundant_terms();
        put_end();
        const bool voids =
            lint_.findings.has("void-ipv6") || lint_.findings.has("void-ipv4") || lint_.findings.has("void-mx-hosts");
        if (voids) put_networks_first();
        if (named && !names_senders(pieces_)) return std::nullopt;
        const bool same = std::ranges::equal(before, pieces_, {}, &Piece::word, &Piece::word);
        return same ? record : text_of(pieces_);
    }

  private:
    // Terms with findings of these codes, which stand between blanks.
    void drop_terms(std::string_view codes) {
        std::erase_if(pieces_, [this, codes](const Piece& piece) {
            return std::ranges::any_of(lint_.findings.items, [&piece, codes](const Finding& finding) {
                return finding.term == piece.word &&
                       codes.find(fmt::format(" {} ", finding.code)) != std::string_view::npos;
            });
        });
    }

    void drop_repeated_terms() {
        std::set<std::string> words;
        std::set<std::string> includes;
        std::erase_if(pieces_, [&](const Piece& piece) {
            if (!words.insert(base::to_lower(piece.word)).second) return true;
            return piece.kind == SpfKind::include && !includes.insert(piece.domain).second;
        });
    }

    void drop_redundant_terms() {
        for (std::size_t i = pieces_.size(); i-- > 0;) {
            if (is_redundant(pieces_[i], pieces_, lint_)) pieces_.erase(pieces_.begin() + static_cast<long>(i));
        }
    }

    // One `all` behind every mechanism; with it a redirect does nothing.
    void put_end() {
        const auto first = std::ranges::find_if(pieces_, [](const Piece& piece) { return piece.kind == SpfKind::all; });
        const bool redirects =
            std::ranges::any_of(pieces_, [](const Piece& piece) { return piece.kind == SpfKind::redirect; });
        if (first == pieces_.end() && redirects) return;
        Piece end = first == pieces_.end() ? Piece{"~all", SpfKind::all, '~', ""} : *first;
        if (end.qualifier == '?') end = {"~all", SpfKind::all, '~', ""};
        if (end.qualifier == '~' && strict_end_) end = {"-all", SpfKind::all, '-', ""};
        const bool in_order = first != pieces_.end() && std::none_of(first + 1, pieces_.end(), [](const Piece& piece) {
                                  return piece.is_mechanism();
                              });
        if (in_order) *first = end;
        const bool others = std::ranges::any_of(
            pieces_, [](const Piece& piece) { return piece.is_mechanism() && piece.kind != SpfKind::all; });
        std::erase_if(pieces_, [&](const Piece& piece) {
            return (piece.kind == SpfKind::redirect && others) || (piece.kind == SpfKind::all && !in_order);
        });
        if (!in_order) pieces_.push_back(end);
    }

    // Only where no qualifier makes the order of terms matter.
    void put_networks_first() {
        const bool plain = std::ranges::all_of(pieces_, [](const Piece& piece) {
            return !piece.is_mechanism() || piece.kind == SpfKind::all || piece.qualifier == '+';
        });
        if (plain) std::ranges::stable_partition(pieces_, [](const Piece& piece) { return piece.is_network(); });
    }

    const SpfLint& lint_;
    bool strict_end_;
    Pieces pieces_;
};

// Tries records out at one domain.
class Trial {
  public:
    Trial(DnsCache& dns, const std::string& domain, const SpfLint& before, const SpfWish& wish)
        : dns_(dns), domain_(domain), before_(before), wish_(wish) {}

    // The record as it can be published, made from `start`, or nothing.
    std::optional<SpfOffer> offer(std::string record, const std::vector<std::string>& replaces, bool improve) {
        if (passes_everyone(record)) return std::nullopt;
        for (int round = 0; improve && round < max_rounds; ++round) {
            const SpfLint lint = lint_with(record, replaces);
            auto better = Improver(lint, wish_.strict_end).run(record);
            if (!better) return std::nullopt;
            if (*better == record) break;
            record = std::move(*better);
        }
        if (improve && !keeps(record, replaces)) return std::nullopt;
        const std::string added = networks_of(failing(record, replaces));
        if (!added.empty()) record = fmt::format("{} {}{}", version, added, record.substr(version.size()));
        const bool named = std::ranges::any_of(replaces, [](const std::string& text) {
            const auto mended = mended_spf_record(text);
            return mended && names_senders(pieces_of(*mended));
        });
        if (named && !names_senders(pieces_of(record))) return std::nullopt;
        const bool nothing_new = replaces.size() == 1 && replaces.front() == record;
        if (nothing_new || !is_good(record, replaces)) return std::nullopt;
        return SpfOffer{std::move(record), replaces};
    }

  private:
    // Whether every term that was spelled anew is there: one that then leads nowhere was meant for something else.
    static bool keeps(const std::string& record, const std::vector<std::string>& replaces) {
        const Pieces left = pieces_of(record);
        for (const std::string& text : replaces) {
            const auto mended = mended_spf_record(text);
            if (!mended) return false;
            const auto words = base::words(text);
            for (const Piece& piece : pieces_of(*mended)) {
                const bool spelled_anew = std::ranges::find(words, piece.word) == words.end();
                const bool counts = piece.is_mechanism() && piece.kind != SpfKind::all;
                if (!spelled_anew || !counts) continue;
                if (std::ranges::find(left, piece.word, &Piece::word) == left.end()) return false;
            }
        }
        return true;
    }

    SpfLint lint_with(const std::string& record, const std::vector<std::string>& replaces) {
        DnsCache view(dns_);
        publish(view, {domain_, dns::Type::txt, record}, replaces);
        return lint_spf(view, domain_);
    }

    // The wished senders that would not pass.
    std::vector<base::IpAddress> failing(const std::string& record, const std::vector<std::string>& replaces) {
        DnsCache view(dns_);
        publish(view, {domain_, dns::Type::txt, record}, replaces);
        std::vector<base::IpAddress> out;
        for (const base::IpAddress& given : wish_.senders) {
            const base::IpAddress ip = given.unmapped();
            if (base::not_public(ip)) continue;
            const SpfIdentity identity{domain_, ip, "postmaster@" + domain_, domain_};
            if (spf_check_host(view, identity, 0).result != SpfResult::pass) out.push_back(ip);
        }
        return out;
    }

    static std::string networks_of(const std::vector<base::IpAddress>& addresses) {
        std::vector<base::IpNetwork> networks;
        networks.reserve(addresses.size());
        for (const base::IpAddress& ip : addresses) networks.push_back(base::IpNetwork::of(ip, ip.is_v4() ? 32 : 128));
        std::string out;
        for (const base::IpNetwork& network : merged_networks(networks)) {
            const bool v4 = network.base.is_v4();
            const bool single = network.prefix == (v4 ? 32U : 128U);
            out += fmt::format("{}{}:{}", out.empty() ? "" : " ", v4 ? "ip4" : "ip6",
                               single ? network.base.to_string() : network.to_string());
        }
        return out;
    }

    bool is_good(const std::string& record, const std::vector<std::string>& replaces) {
        const SpfLint after = lint_with(record, replaces);
        if (!after.findings.usable() || after.records.size() != 1) return false;
        if (after.findings.has("private-network")) return false;
        if (after.tree.lookups > spf_max_lookups || after.tree.void_lookups > spf_max_void_lookups) return false;
        std::vector<base::IpNetwork> passing = before_.networks;
        std::erase_if(passing, [](const base::IpNetwork& one) {
            return base::not_public(one.base) && base::not_public(one.last());
        });
        return networks_beyond(passing, after.networks).empty() && failing(record, replaces).empty();
    }

    DnsCache& dns_;
    const std::string& domain_;
    const SpfLint& before_;
    const SpfWish& wish_;
};

// What a domain without any record can begin with.
std::vector<std::string> first_records(DnsCache& dns, const std::string& domain, const SpfWish& wish) {
    std::vector<std::string> out;
    if (const MailProvider* provider = mail_provider_of(dns, domain)) {
        out.push_back(fmt::format("{} include:{} ~all", version, provider->include));
    }
    if (!wish.senders.empty()) out.push_back(fmt::format("{} ~all", version));
    return out;
}

}  // namespace

std::vector<SpfOffer> spf_offers(DnsCache& dns, const std::string& domain, const SpfLint& lint, const SpfWish& wish) {
    std::vector<SpfOffer> offers;
    if (lint.findings.has(Weight::unseen) || lint.findings.has("everyone") || is_unregistered(dns, domain))
        return offers;
    Trial trial(dns, domain, lint, wish);
    const auto add = [&](const std::string& record, const std::vector<std::string>& replaces, bool improve) {
        auto offer = trial.offer(record, replaces, improve);
        if (offer) offers.push_back(std::move(*offer));
    };
    std::vector<std::string> replaces;
    std::vector<std::string> mended;
    for (const std::string& text : lint.records.empty() ? lint.near_misses : lint.records) {
        auto record = mended_spf_record(text);
        if (!record && !lint.records.empty()) return offers;
        if (!record) continue;
        replaces.push_back(text);
        mended.push_back(std::move(*record));
    }
    const bool any_sender =
        std::ranges::any_of(wish.senders, [](const base::IpAddress& ip) { return !base::not_public(ip.unmapped()); });
    if (!mended.empty()) {
        add(merged(mended), replaces, true);
        if (lint.records.size() == 1) add(lint.records.front(), replaces, false);
    } else if (lint.near_misses.empty() || any_sender) {
        for (const std::string& record : first_records(dns, domain, wish)) {
            if (any_sender || record.find("include:") != std::string::npos) add(record, {}, false);
        }
    }
    if (!offers.empty() && cannot_publish(dns, domain)) offers.clear();
    return offers;
}

}  // namespace mtawatch::auth
