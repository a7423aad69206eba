// The one user of yaml-cpp: its events become our tree, so that duplicates and aliases are refused and lines are kept.
#include <fmt/format.h>
#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/parser.h>

#include <algorithm>
#include <istream>
#include <streambuf>

#include "shared/base/text.h"
#include "shared/config/node.h"
#include "shared/config/tree.h"

namespace mtawatch::config {

namespace {

using base::fail;
using base::Fault;

// Ends yaml-cpp's parse at the first thing that we refuse; never leaves parse_yaml.
struct Refused {
    std::size_t line;
    std::string what;
};

class Builder final : public YAML::EventHandler {
  public:
    explicit Builder(std::shared_ptr<const std::string> file) : file_(std::move(file)) {}

    [[nodiscard]] std::shared_ptr<NodeData> root() const { return root_; }

    void OnDocumentStart(const YAML::Mark& mark) override {
        if (root_) throw Refused{line_of(mark), "a second document; only one is read"};
    }
    void OnDocumentEnd() override {}
    void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override { attach(mark, anchor, NodeData::Type::null); }
    void OnAlias(const YAML::Mark& mark, YAML::anchor_t) override { refuse_alias(mark); }
    void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  const std::string& value) override {
        if (in_map_without_key()) return add_key(mark, anchor, value);
        const bool quoted = tag == "!";
        const bool null = !quoted && (value.empty() || value == "~" || value == "null");
        NodeData& node = attach(mark, anchor, null ? NodeData::Type::null : NodeData::Type::scalar);
        node.text = value;
        node.quoted = quoted;
    }
    void OnSequenceStart(const YAML::Mark& mark, const std::string&, YAML::anchor_t anchor,
                         YAML::EmitterStyle::value) override {
        open(attach(mark, anchor, NodeData::Type::list), mark);
    }
    void OnSequenceEnd() override { open_.pop_back(); }
    void OnMapStart(const YAML::Mark& mark, const std::string&, YAML::anchor_t anchor,
                    YAML::EmitterStyle::value) override {
        open(attach(mark, anchor, NodeData::Type::map), mark);
    }
    void OnMapEnd() override { open_.pop_back(); }

  private:
    struct Open {
        NodeData* node;
        bool has_key = false;
        std::string key;
    };

    static std::size_t line_of(const YAML::Mark& mark) { return static_cast<std::size_t>(mark.line) + 1; }

    [[noreturn]] static void refuse_alias(const YAML::Mark& mark) {
        throw Refused{line_of(mark), "anchors (&name) and aliases (*name) are not read; write the value out"};
    }

    [[nodiscard]] bool in_map_without_key() const {
        return !open_.empty() && open_.back().node->type == NodeData::Type::map && !open_.back().has_key;
    }

    void add_key(const YAML::Mark& mark, YAML::anchor_t anchor, const std::string& key) {
        if (anchor != 0) refuse_alias(mark);
        for (const auto& [known, node] : open_.back().node->members) {
            if (known != key) continue;
            throw Refused{line_of(mark), fmt::format("{}: is there already, in line {}; give it once",
                                                     path_of_member(key), node->line)};
        }
        open_.back().has_key = true;
        open_.back().key = key;
    }

    [[nodiscard]] std::string path_of_member(const std::string& key) const {
        const std::string& parent = open_.back().node->path;
        const std::string shown = base::one_line(key, 100);
        return parent.empty() ? shown : parent + "." + shown;
    }

    // A new node in its place: the root, the next item of a list, or the value of the key that was read.
    NodeData& attach(const YAML::Mark& mark, YAML::anchor_t anchor, NodeData::Type type) {
        if (anchor != 0) refuse_alias(mark);
        auto node = std::make_shared<NodeData>();
        node->type = type;
        node->line = line_of(mark);
        node->file = file_;
        if (open_.empty()) {
            root_ = node;
            return *node;
        }
        Open& parent = open_.back();
        if (parent.node->type == NodeData::Type::list) {
            node->path = fmt::format("{}[{}]", parent.node->path, parent.node->items.size());
            parent.node->items.push_back(node);
        } else {
            if (!parent.has_key) throw Refused{line_of(mark), "a key must be plain text"};
            node->path = path_of_member(parent.key);
            parent.node->members.emplace_back(parent.key, node);
            parent.has_key = false;
        }
        return *node;
    }

    void open(NodeData& node, const YAML::Mark& mark) {
        if (open_.size() >= max_depth) throw Refused{line_of(mark), "nested too deeply"};
        open_.push_back({&node, false, {}});
    }

    std::shared_ptr<const std::string> file_;
    std::shared_ptr<NodeData> root_;
    std::vector<Open> open_;
};

// An istream over a view, without a copy.
class ViewBuffer final : public std::streambuf {
  public:
    explicit ViewBuffer(std::string_view text) {
        char* begin = const_cast<char*>(text.data());  // NOLINT: streambuf's interface; nothing is written
        setg(begin, begin, begin + text.size());
    }
};

base::Failure failure(std::string_view file, std::size_t line, std::string_view what) {
    return fail(Fault::configuration, "{} line {}: {}", file, line, what);
}

}  // namespace

base::Result<Node> parse_yaml(std::string_view text, std::string_view file) {
    if (text.size() > max_bytes) {
        return fail(Fault::limit, "{}: larger than {} bytes, which no configuration is", file, max_bytes);
    }
    const auto name = std::make_shared<const std::string>(file);
    Builder builder(name);
    ViewBuffer buffer(text);
    std::istream stream(&buffer);
    try {
        YAML::Parser parser(stream);
        while (parser.HandleNextDocument(builder)) {
        }
    } catch (const Refused& refused) {
        return failure(file, refused.line, refused.what);
    } catch (const YAML::Exception& error) {
        return failure(file, static_cast<std::size_t>(std::max(error.mark.line, 0)) + 1, error.msg);
    }
    std::shared_ptr<NodeData> root = builder.root();
    if (!root) {
        root = std::make_shared<NodeData>();
        root->file = name;
    }
    return Node(std::move(root));
}

}  // namespace mtawatch::config
