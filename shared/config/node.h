// YAML configuration as a tree whose every error names file, line and key.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "shared/base/result.h"
#include "shared/base/target_text.h"

namespace mtawatch::config {

struct NodeData;

// One value of a configuration file: a scalar, a list, a map, or null. Cheap to copy, never changes.
// Every getter that fails gives Fault::configuration as "config.yml line 7: accounting.files: must be a list".
class Node {
  public:
    [[nodiscard]] bool is_null() const;
    [[nodiscard]] bool is_scalar() const;
    [[nodiscard]] bool is_list() const;
    [[nodiscard]] bool is_map() const;

    [[nodiscard]] base::Result<std::string> text() const;  // any scalar but null
    [[nodiscard]] base::Result<bool> boolean() const;      // true or false, nothing else
    [[nodiscard]] base::Result<std::int64_t> integer(std::int64_t least = INT64_MIN,
                                                     std::int64_t most = INT64_MAX) const;
    [[nodiscard]] base::Result<double> number(double least = -1e300, double most = 1e300) const;
    [[nodiscard]] base::Result<std::chrono::milliseconds> duration() const;  // "90s", see base::parse_duration
    [[nodiscard]] base::Result<std::vector<Node>> items() const;             // of a list
    [[nodiscard]] base::Result<std::vector<std::string>> texts() const;      // of a list of scalars, or of one scalar
    [[nodiscard]] base::Result<std::vector<std::pair<std::string, Node>>> members() const;  // of a map, in file order

    // The member of a map, nothing when the key is absent or this is no map.
    [[nodiscard]] std::optional<Node> find(std::string_view key) const;

    [[nodiscard]] std::size_t line() const;  // from 1
    [[nodiscard]] const std::string& file() const;
    [[nodiscard]] const std::string& path() const;  // "accounting.files[2]"; "" at the top
    // "config.yml line 7: accounting.files: <what>", for rules that this class does not know.
    [[nodiscard]] base::Error error(std::string_view what) const;

    explicit Node(std::shared_ptr<const NodeData> data) : data_(std::move(data)) {}

  private:
    std::shared_ptr<const NodeData> data_;
};

// Reads one YAML document. `file` is the name for messages. An empty document is null. Refused: duplicate keys, keys
// that are not scalars, anchors and aliases, several documents, nesting deeper than max_depth, more than max_bytes.
[[nodiscard]] base::Result<Node> parse_yaml(std::string_view text, std::string_view file);

inline constexpr std::size_t max_depth = 32;         // no format of ours nests deeper than 6
inline constexpr std::size_t max_bytes = 8U << 20U;  // far above any list file; a wrong file is refused early

// Reads a map into fields that keep their defaults when a key is absent, and refuses unknown keys:
//
//   MapReader map(node);                       // a null node reads as an empty map
//   map.text("listen", settings.listen).duration("interval", settings.interval).required("zone");
//   map.each("targets", [&](const Node& target) { return add_target(target); });
//   return map.finish();                       // the first error, or the first unknown key with the known ones
class MapReader {
  public:
    explicit MapReader(Node node);
    MapReader& text(std::string_view key, std::string& into);
    MapReader& text(std::string_view key, std::optional<std::string>& into);
    // A domain, host, address or URL, as base::expect_target wants it.
    MapReader& target(std::string_view key, std::string& into, base::TargetKind kind);
    MapReader& targets(std::string_view key, std::vector<std::string>& into, base::TargetKind kind);
    MapReader& boolean(std::string_view key, bool& into);
    MapReader& integer(std::string_view key, std::int64_t& into, std::int64_t least = INT64_MIN,
                       std::int64_t most = INT64_MAX);
    MapReader& number(std::string_view key, double& into, double least = -1e300, double most = 1e300);
    MapReader& duration(std::string_view key, std::chrono::milliseconds& into);
    MapReader& texts(std::string_view key, std::vector<std::string>& into);
    // One of `words`; `into` becomes the word.
    MapReader& choice(std::string_view key, std::string& into, const std::vector<std::string_view>& words);
    // The member as it is, when present.
    MapReader& node(std::string_view key, const std::function<base::Result<void>(const Node&)>& read);
    // Every item of a list member.
    MapReader& each(std::string_view key, const std::function<base::Result<void>(const Node&)>& read);
    // An error when the key is absent.
    MapReader& required(std::string_view key);
    [[nodiscard]] base::Result<void> finish();

  private:
    std::optional<Node> take(std::string_view key);
    template <class T, class Field>
    MapReader& store(base::Result<T> value, Field& into);
    Node node_;
    std::vector<std::string> known_;
    std::optional<base::Error> error_;
};

}  // namespace mtawatch::config
