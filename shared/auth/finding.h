// Findings about a published record: what is worth saying about it, each with a weight from a note to a record that
// receivers cannot use.
#pragma once

#include <algorithm>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace mtawatch::auth {

// By what the standards say about it, not by taste: the checks decide what each weight means to an operator.
enum class Weight {
    note,    // worth knowing
    weak,    // works, but not everywhere or not as well as it could
    unseen,  // could not be found out, because a lookup failed
    absent,  // nothing is published
    broken,  // receivers cannot use it or must refuse it
};

struct Finding {
    Weight weight = Weight::note;
    std::string_view code;  // stable, for JSON: "duplicate-tag"; a literal
    std::string text;       // what and where
    std::string remedy;     // what to do about it, where no line to publish is known; "" where the text says it
    std::string term;       // SPF: the term of the domain's own record that it is about, as written; "" for others
    bool operator==(const Finding&) const = default;
    [[nodiscard]] std::string with_remedy() const { return remedy.empty() ? text : text + "; " + remedy; }
};

struct Findings {
    std::vector<Finding> items;
    void add(Weight weight, std::string_view code, std::string text, std::string remedy = {}) {
        items.push_back({weight, code, std::move(text), std::move(remedy), {}});
    }
    void add(const Findings& others) { items.insert(items.end(), others.items.begin(), others.items.end()); }
    [[nodiscard]] bool has(Weight weight) const {
        return std::ranges::any_of(items, [weight](const Finding& one) { return one.weight == weight; });
    }
    [[nodiscard]] bool has(std::string_view code) const {
        return std::ranges::any_of(items, [code](const Finding& one) { return one.code == code; });
    }
    // Nothing is missing, broken or hidden from us.
    [[nodiscard]] bool usable() const { return !has(Weight::broken) && !has(Weight::absent) && !has(Weight::unseen); }
};

}  // namespace mtawatch::auth
