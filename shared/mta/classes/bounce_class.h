// Words for how a bounce ends: hard, soft, block, other, or local (no receiver's verdict), and the tables that decide
// them. The whole decision for a record is bounce_class_of() in attribution.h.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "shared/mta/classes/reply_class.h"
#include "shared/mta/logs/record.h"

namespace mtawatch::mta::classes {

// Whether a delivery left this host: dlvType empty or "smtp". pipe, file, discard … are local deliveries.
[[nodiscard]] inline bool is_smtp_delivery(std::string_view dlv_type) {
    return dlv_type.empty() || (dlv_type.size() == 4 && std::memcmp(dlv_type.data(), "smtp", 4) == 0);
}

// Category to class; the built-in table holds PowerMTA's 17 categories and the classes of KumoMTA's classifier (its
// AutoReply, Subscribe and Unsubscribe, which are no failures, are `other`).
class BounceClasses {
  public:
    BounceClasses();
    // Replaces or adds a category; it then decides, whatever the reply says.
    void set(std::string_view category, BounceClass bounce_class);
    // The table's answer alone; `other` for empty and unknown categories.
    [[nodiscard]] BounceClass of_category(std::string_view category) const;
    // Whether the category decides nothing (empty, "other", or a word of the operator's own that no configuration
    // explains): the reply class has the say.
    [[nodiscard]] bool is_open(std::string_view category) const;
    // The class of a bounce whose reply says `said`. A local one stays local; an open category leaves it to the reply;
    // so does a class of KumoMTA's classifier where the reply says anything, because that goes by the enhanced code.
    [[nodiscard]] BounceClass of_bounce(std::string_view category, BounceClass said) const;

  private:
    struct Hash {
        using is_transparent = void;
        std::size_t operator()(std::string_view text) const { return std::hash<std::string_view>{}(text); }
    };
    struct Meaning {
        BounceClass bounce_class = BounceClass::other;
        bool hint = false;  // the reply knows better
    };
    std::unordered_map<std::string, Meaning, Hash, std::equal_to<>> classes_;
};

}  // namespace mtawatch::mta::classes
