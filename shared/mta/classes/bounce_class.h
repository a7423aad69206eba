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

// `local` is not a verdict of a receiver (suppression list, deleted by an administrator): outside every ratio.
enum class BounceClass : std::uint8_t { hard, soft, block, other, local };
inline constexpr std::size_t bounce_class_count = 5;
[[nodiscard]] std::string_view name(BounceClass bounce_class);
[[nodiscard]] std::optional<BounceClass> bounce_class_of_name(std::string_view name);

// Whether no receiver said this: "x-pmta;…", a suppression list, deletion by an administrator.
[[nodiscard]] bool is_local_diag(std::string_view dsn_diag);
// Whether a delivery left this host: dlvType empty or "smtp". pipe, file, discard … are local deliveries.
[[nodiscard]] inline bool is_smtp_delivery(std::string_view dlv_type) {
    return dlv_type.empty() || (dlv_type.size() == 4 && std::memcmp(dlv_type.data(), "smtp", 4) == 0);
}
// The class that a reply alone gives; `dsn_status` tells a domain that does not exist (5) from one that did not
// resolve now (4).
[[nodiscard]] BounceClass class_of_reply(ReplyClass reply, std::string_view dsn_status);

// Category to class; the built-in table holds PowerMTA's 17 categories and the classes of KumoMTA's classifier that say
// that mail was not delivered (its AutoReply, Subscribe … are `other`).
class BounceClasses {
  public:
    BounceClasses();
    // Replaces or adds a category.
    void set(std::string_view category, BounceClass bounce_class);
    // The table's answer alone; `other` for empty and unknown categories.
    [[nodiscard]] BounceClass of_category(std::string_view category) const;
    // Whether the category decides nothing (empty, "other" and not configured): the reply class has the say.
    [[nodiscard]] bool is_open(std::string_view category) const;

  private:
    struct Hash {
        using is_transparent = void;
        std::size_t operator()(std::string_view text) const { return std::hash<std::string_view>{}(text); }
    };
    std::unordered_map<std::string, BounceClass, Hash, std::equal_to<>> classes_;
};

}  // namespace mtawatch::mta::classes
