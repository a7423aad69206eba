#include "shared/config/node.h"

#include <fmt/format.h>

#include <algorithm>

#include "shared/base/duration.h"
#include "shared/base/text.h"
#include "shared/config/tree.h"

namespace mtawatch::config {

namespace {

using base::fail;
using base::Fault;
using base::Result;
using Type = NodeData::Type;

constexpr std::size_t longest_quote = 60;  // of a bad value in a message

std::string quoted(std::string_view text) { return fmt::format("\"{}\"", base::one_line(text, longest_quote)); }

}  // namespace

bool Node::is_null() const { return data_->type == Type::null; }
bool Node::is_scalar() const { return data_->type == Type::scalar; }
bool Node::is_list() const { return data_->type == Type::list; }
bool Node::is_map() const { return data_->type == Type::map; }
std::size_t Node::line() const { return data_->line; }
const std::string& Node::file() const { return *data_->file; }
const std::string& Node::path() const { return data_->path; }

base::Error Node::error(std::string_view what) const {
    const std::string key = data_->path.empty() ? "" : data_->path + ": ";
    return {Fault::configuration, fmt::format("{} line {}: {}{}", *data_->file, data_->line, key, what)};
}

Result<std::string> Node::text() const {
    if (is_null()) return fail(error("needs a value"));
    if (!is_scalar()) return fail(error("must be one value, not a list or a map"));
    return data_->text;
}

Result<bool> Node::boolean() const {
    if (is_scalar() && !data_->quoted) {
        if (data_->text == "true") return true;
        if (data_->text == "false") return false;
    }
    return fail(error("must be true or false"));
}

Result<std::int64_t> Node::integer(std::int64_t least, std::int64_t most) const {
    auto value = text();
    if (!value) return fail(value.error());
    const auto number = data_->quoted ? std::nullopt : base::to_number<std::int64_t>(*value);
    if (!number) return fail(error(quoted(*value) + " is no whole number"));
    if (*number < least || *number > most) {
        return fail(error(fmt::format("{} is out of range, {} to {} is allowed", *number, least, most)));
    }
    return *number;
}

Result<double> Node::number(double least, double most) const {
    auto value = text();
    if (!value) return fail(value.error());
    const auto number = data_->quoted ? std::nullopt : base::to_double(*value);
    if (!number) return fail(error(quoted(*value) + " is no number"));
    if (*number < least || *number > most) {
        return fail(error(
            fmt::format("{} is out of range, {} to {} is allowed", *value, base::plain(least), base::plain(most))));
    }
    return *number;
}

Result<std::chrono::milliseconds> Node::duration() const {
    auto value = text();
    if (!value) return fail(value.error());
    auto length = base::parse_duration(*value);
    if (!length) return fail(error(length.error().what));
    return *length;
}

Result<std::vector<Node>> Node::items() const {
    if (!is_list()) return fail(error("must be a list (lines that begin with \"- \")"));
    std::vector<Node> nodes;
    nodes.reserve(data_->items.size());
    for (const auto& item : data_->items) nodes.emplace_back(item);
    return nodes;
}

Result<std::vector<std::string>> Node::texts() const {
    if (is_scalar()) return std::vector<std::string>{data_->text};
    auto nodes = items();
    if (!nodes) return fail(nodes.error());
    std::vector<std::string> values;
    for (const Node& node : *nodes) {
        auto value = node.text();
        if (!value) return fail(value.error());
        values.push_back(*std::move(value));
    }
    return values;
}

Result<std::vector<std::pair<std::string, Node>>> Node::members() const {
    if (!is_map()) return fail(error("must be a map (lines of \"key: value\")"));
    std::vector<std::pair<std::string, Node>> result;
    for (const auto& [key, node] : data_->members) result.emplace_back(key, Node(node));
    return result;
}

std::optional<Node> Node::find(std::string_view key) const {
    for (const auto& [known, node] : data_->members) {
        if (known == key) return Node(node);
    }
    return std::nullopt;
}

MapReader::MapReader(Node node) : node_(std::move(node)) {
    if (!node_.is_map() && !node_.is_null()) error_ = node_.members().error();
}

std::optional<Node> MapReader::take(std::string_view key) {
    if (std::ranges::find(known_, key) == known_.end()) known_.emplace_back(key);
    if (error_) return std::nullopt;
    return node_.find(key);
}

template <class T, class Field>
MapReader& MapReader::store(Result<T> value, Field& into) {
    if (value) {
        into = *std::move(value);
    } else if (!error_) {
        error_ = value.error();
    }
    return *this;
}

MapReader& MapReader::text(std::string_view key, std::string& into) {
    const auto member = take(key);
    return member ? store(member->text(), into) : *this;
}

MapReader& MapReader::text(std::string_view key, std::optional<std::string>& into) {
    const auto member = take(key);
    return member ? store(member->text(), into) : *this;
}

MapReader& MapReader::boolean(std::string_view key, bool& into) {
    const auto member = take(key);
    return member ? store(member->boolean(), into) : *this;
}

MapReader& MapReader::integer(std::string_view key, std::int64_t& into, std::int64_t least, std::int64_t most) {
    const auto member = take(key);
    return member ? store(member->integer(least, most), into) : *this;
}

MapReader& MapReader::number(std::string_view key, double& into, double least, double most) {
    const auto member = take(key);
    return member ? store(member->number(least, most), into) : *this;
}

MapReader& MapReader::duration(std::string_view key, std::chrono::milliseconds& into) {
    const auto member = take(key);
    return member ? store(member->duration(), into) : *this;
}

MapReader& MapReader::texts(std::string_view key, std::vector<std::string>& into) {
    const auto member = take(key);
    return member ? store(member->texts(), into) : *this;
}

MapReader& MapReader::target(std::string_view key, std::string& into, base::TargetKind kind) {
    const auto member = take(key);
    if (!member) return *this;
    auto value = member->text();
    if (value) {
        if (auto done = base::expect_target(*value, kind); !done) value = fail(member->error(done.error().what));
    }
    return store(std::move(value), into);
}

MapReader& MapReader::targets(std::string_view key, std::vector<std::string>& into, base::TargetKind kind) {
    const auto member = take(key);
    if (!member) return *this;
    auto values = member->texts();
    for (const std::string& value : values ? *values : std::vector<std::string>()) {
        if (auto done = base::expect_target(value, kind); !done) {
            return store(Result<std::vector<std::string>>(fail(member->error(done.error().what))), into);
        }
    }
    return store(std::move(values), into);
}

MapReader& MapReader::choice(std::string_view key, std::string& into, const std::vector<std::string_view>& words) {
    const auto member = take(key);
    if (!member) return *this;
    auto value = member->text();
    if (value && std::ranges::find(words, *value) == words.end()) {
        std::string list;
        for (const std::string_view word : words) list += fmt::format("{}{}", list.empty() ? "" : ", ", word);
        value = fail(member->error(fmt::format("{} is not known here; write one of: {}", quoted(*value), list)));
    }
    return store(std::move(value), into);
}

MapReader& MapReader::node(std::string_view key, const std::function<Result<void>(const Node&)>& read) {
    const auto member = take(key);
    if (!member) return *this;
    if (auto done = read(*member); !done && !error_) error_ = done.error();
    return *this;
}

MapReader& MapReader::each(std::string_view key, const std::function<Result<void>(const Node&)>& read) {
    return node(key, [&](const Node& list) -> Result<void> {
        const auto items = list.items();
        if (!items) return fail(items.error());
        for (const Node& item : *items) {
            if (auto done = read(item); !done) return done;
        }
        return {};
    });
}

MapReader& MapReader::required(std::string_view key) {
    const auto member = take(key);
    if (!error_ && (!member || member->is_null())) error_ = node_.error(fmt::format("\"{}\" is missing", key));
    return *this;
}

Result<void> MapReader::finish() {
    if (error_) return fail(*error_);
    if (node_.is_null()) return {};
    const auto members = node_.members();
    for (const auto& [key, member] : *members) {
        if (std::ranges::find(known_, key) != known_.end()) continue;
        std::string list;
        for (const std::string& known : known_) list += (list.empty() ? "" : ", ") + known;
        return fail(member.error(fmt::format("unknown key; known here: {}", list)));
    }
    return {};
}

}  // namespace mtawatch::config
