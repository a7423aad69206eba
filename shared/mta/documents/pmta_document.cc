#include "shared/mta/documents/pmta_document.h"

#include <algorithm>
#include <pugixml.hpp>

#include "shared/base/text.h"
#include "shared/mta/documents/json_events.h"

namespace mtawatch::mta::documents {

namespace {

using base::fail;
using base::Fault;
using base::Result;

base::Error too_large() {
    return {Fault::limit, fmt::format("PowerMTA's answer has more than {} values", max_pmta_nodes)};
}

std::size_t nodes_below(const PmtaNode& node) {
    std::size_t sum = node.children.size();
    for (const PmtaNode& child : node.children) sum += nodes_below(child);
    return sum;
}

// Counts nodes for every form, so no answer can grow without bound.
class Budget {
  public:
    explicit Budget(const TakeNode& take) : take_(take) {}

    [[nodiscard]] bool take() { return ++used_ <= max_pmta_nodes; }
    // The youngest child of `data` is whole.
    void offer(PmtaNode& data) {
        if (!take_ || data.children.empty() || !take_(data.children.back())) return;
        used_ -= 1 + nodes_below(data.children.back());
        data.children.pop_back();
    }

  private:
    const TakeNode& take_;
    std::size_t used_ = 0;
};

// ---------------------------------------------------------------------------------------------------------- JSON

// {"status": "success", "message": …, "data": {…}}: the members of data become nodes, the elements of an array
// several nodes of its name.
class PmtaJson final : public JsonHandler {
  public:
    PmtaJson(PmtaNode& data, Budget& budget) : budget_(budget) { open_.push_back(&data); }

    std::string_view status;
    std::string_view message;
    bool has_data = false;

    bool begin_object() override {
        ++depth_;
        if (depth_ == of_root + 1 && key_ == "data") {
            in_data_ = has_data = true;
            return true;
        }
        return !in_data_ || open();
    }
    bool key(std::string_view name) override {
        key_ = name;
        return true;
    }
    bool end_object() override {
        --depth_;
        if (in_data_ && depth_ == of_root) in_data_ = false;
        if (in_data_) close();
        return true;
    }
    bool begin_array() override {
        ++depth_;
        if (in_data_) arrays_.push_back(name());
        return true;
    }
    bool end_array() override {
        --depth_;
        if (in_data_) arrays_.pop_back();
        return true;
    }
    bool text(std::string_view value) override {
        if (depth_ == of_root && key_ == "status") status = value;
        if (depth_ == of_root && key_ == "message") message = value;
        return leaf(value);
    }
    bool number(std::string_view written) override { return leaf(written); }
    bool word(std::string_view written) override { return leaf(written == "null" ? std::string_view() : written); }

  private:
    static constexpr int of_root = 1;

    bool leaf(std::string_view value) {
        if (!in_data_) return true;
        if (!open()) return false;
        open_.back()->value = value;
        close();
        return true;
    }
    bool open() {
        if (!budget_.take()) {
            error = too_large();
            return false;
        }
        open_.back()->children.push_back({name(), {}, {}});
        open_.push_back(&open_.back()->children.back());
        frames_.push_back(arrays_.size());
        return true;
    }
    void close() {
        open_.pop_back();
        frames_.pop_back();
        if (open_.size() == 1) budget_.offer(*open_.front());
    }
    // Directly in an array that was opened below the node that is open: the array's name.
    [[nodiscard]] std::string_view name() const {
        const std::size_t outside = frames_.empty() ? 0 : frames_.back();
        return arrays_.size() > outside ? arrays_.back() : key_;
    }

    Budget& budget_;
    int depth_ = 0;
    bool in_data_ = false;
    std::string_view key_;
    std::vector<PmtaNode*> open_;           // from the data down; only the last one's children move
    std::vector<std::string_view> arrays_;  // the keys of those that are open
    std::vector<std::size_t> frames_;       // of each open node but the first: how many arrays were open then
};

Result<PmtaDocument> read_json(PmtaDocument document, const TakeNode& take) {
    document.format = PmtaFormat::json;
    Budget budget(take);
    PmtaJson handler(document.data, budget);
    const JsonLimits limits{static_cast<std::size_t>(max_pmta_depth), JsonLimits{}.values};
    if (auto done = read_json_events(*document.bytes, "PowerMTA", limits, handler); !done) return fail(done.error());
    if (handler.status != "success") {
        return fail(Fault::malformed, "PowerMTA answered status '{}': {}", base::one_line(handler.status, 40),
                    handler.message.empty() ? "no message" : base::one_line(handler.message, 300));
    }
    if (!handler.has_data) return fail(Fault::malformed, "the JSON has no 'data': it is not PowerMTA's");
    document.message = std::string(handler.message);
    return document;
}

// ----------------------------------------------------------------------------------------------------------- XML

Result<void> from_xml(const pugi::xml_node& element, PmtaNode& into, Budget& budget, int depth) {
    if (depth > max_pmta_depth) {
        return fail(Fault::malformed, "PowerMTA's XML is nested deeper than {}", max_pmta_depth);
    }
    for (const auto& child : element.children()) {
        if (child.type() != pugi::node_element) continue;
        if (!budget.take()) return fail(too_large());
        into.children.push_back({child.name(), child.text().get(), {}});
        if (auto done = from_xml(child, into.children.back(), budget, depth + 1); !done) return done;
        if (depth == 0) budget.offer(into);
    }
    return {};
}

// How much memory a tree of it takes is known by its marks before there is one.
Result<void> check_size(std::string_view bytes) {
    if (bytes.size() > max_pmta_xml_bytes) {
        return fail(Fault::limit, "PowerMTA's XML is larger than {} bytes", max_pmta_xml_bytes);
    }
    const auto marks = std::ranges::count_if(bytes, [](char c) { return c == '<' || c == '='; });
    if (static_cast<std::size_t>(marks) > max_pmta_xml_marks) {
        return fail(Fault::limit, "PowerMTA's XML has more than {} marks ('<' and '=')", max_pmta_xml_marks);
    }
    return {};
}

Result<PmtaDocument> read_xml(PmtaDocument document, const TakeNode& take) {
    if (auto done = check_size(*document.bytes); !done) return fail(done.error());
    pugi::xml_document parsed;
    const auto outcome = parsed.load_buffer_inplace(document.bytes->data(), document.bytes->size(), pugi::parse_default,
                                                    pugi::encoding_utf8);
    if (!outcome) {
        return fail(Fault::malformed, "PowerMTA's XML is damaged or cut short at byte {}: {}", outcome.offset,
                    outcome.description());
    }
    const pugi::xml_node root = parsed.child("rsp");
    if (!root) return fail(Fault::malformed, "the XML has no <rsp>: it is not PowerMTA's");
    const pugi::xml_node success = root.child("succ");
    if (!success) {
        // The element that says an error is not documented, so whatever stands there beside the data is shown.
        for (const auto& child : root.children()) {
            if (std::string_view(child.name()) != "data") {
                return fail(Fault::malformed, "PowerMTA answered <{}>: {}", child.name(),
                            base::one_line(child.text().get(), 300));
            }
        }
        return fail(Fault::malformed, "PowerMTA's XML has no <succ>: the command failed or the answer is cut short");
    }
    document.format = PmtaFormat::xml;
    document.message = success.text().get();
    Budget budget(take);
    if (auto done = from_xml(root.child("data"), document.data, budget, 0); !done) return fail(done.error());
    return document;
}

// ----------------------------------------------------------------------------------------------------------- DOM

struct Step {
    std::string_view name;
    std::optional<std::uint32_t> index;
};

// "event[3]" is a name and an index.
Step read_step(std::string_view text) {
    if (!text.ends_with(']')) return {text, {}};
    const auto open = text.rfind('[');
    if (open == std::string_view::npos) return {text, {}};
    const auto index = base::to_number<std::uint32_t>(text.substr(open + 1, text.size() - open - 2));
    if (!index) return {text, {}};
    return {text.substr(0, open), index};
}

// Only the youngest child can be the one that a path continues: PowerMTA writes depth first. So a document takes
// linear time whatever it holds; find() looks through nodes of the same name.
PmtaNode* descend(PmtaNode& parent, const Step& step, bool top, Budget& budget) {
    if (!parent.children.empty()) {
        PmtaNode& last = parent.children.back();
        if (last.name == step.name && last.index == step.index) return &last;
    }
    if (top) budget.offer(parent);  // another path begins, so the one before it is whole
    if (!budget.take()) return nullptr;
    parent.children.push_back({step.name, {}, {}, step.index});
    return &parent.children.back();
}

// One line: path="value". Quotes inside the value are not escaped, so it ends at the last quote of the line.
Result<void> add_dom_line(std::string_view line, std::size_t number, PmtaNode& root, Budget& budget) {
    const auto equals = line.find("=\"");
    if (equals == std::string_view::npos || equals == 0 || line.size() < equals + 3 || !line.ends_with('"')) {
        return fail(Fault::malformed, "line {} is not path=\"value\", so the answer is damaged or cut short: '{}'",
                    number, base::one_line(line, 60));
    }
    PmtaNode* node = &root;
    const std::string_view path = line.substr(0, equals);
    if (std::ranges::count(path, '.') >= max_pmta_depth) {
        return fail(Fault::malformed, "line {} has too long a path", number);
    }
    for (const auto piece : base::split(path, '.')) {
        node = descend(*node, read_step(piece), node == &root, budget);
        if (node == nullptr) return fail(too_large());
    }
    node->value = line.substr(equals + 2, line.size() - equals - 3);
    return {};
}

Result<PmtaDocument> read_dom(PmtaDocument document, std::string_view bytes, const TakeNode& take) {
    document.format = PmtaFormat::dom;
    Budget budget(take);
    std::size_t number = 0;
    while (!bytes.empty()) {
        std::string_view line = base::take_line(bytes);
        if (line.ends_with('\r')) line.remove_suffix(1);
        ++number;
        if (base::trim(line).empty()) continue;
        if (auto done = add_dom_line(line, number, document.data, budget); !done) return fail(done.error());
    }
    budget.offer(document.data);
    return document;
}

// The path of a first line such as mta.product.name="PowerMTA": letters, digits, dots and indices up to '='.
bool looks_like_dom(std::string_view bytes) {
    const auto line = bytes.substr(0, bytes.find('\n'));
    const auto equals = line.find("=\"");
    if (equals == std::string_view::npos || equals == 0) return false;
    for (const char c : line.substr(0, equals)) {
        if (!base::is_alpha(c) && !base::is_digit(c) && std::string_view("._-[]").find(c) == std::string_view::npos) {
            return false;
        }
    }
    return true;
}

base::Failure html_page(std::string_view bytes) {
    if (is_pmta_refusal(bytes)) return fail(Fault::permission, "{}", pmta_refusal_remedy);
    std::string title;
    const std::string lower = base::to_lower(bytes.substr(0, 65536));
    const auto from = lower.find("<title>");
    const auto to = lower.find("</title>");
    if (from != std::string::npos && to != std::string::npos && to > from + 7) {
        title = " (\"" + base::one_line(base::trim(bytes.substr(from + 7, to - from - 7)), 80) + "\")";
    }
    return fail(Fault::auth,
                "an HTML page came{} instead of PowerMTA's data: is this PowerMTA's monitor, and may we in?", title);
}

template <class Read>
auto leaf(const PmtaNode& node, std::string_view path, Read read) -> decltype(read(std::string_view())) {
    const auto value = node.text(path);
    if (!value) return std::nullopt;
    return read(base::trim(*value));
}

}  // namespace

const PmtaNode* PmtaNode::find(std::string_view path) const {
    const auto dot = path.find('.');
    const auto first = path.substr(0, dot);
    for (const auto& child : children) {
        if (child.name != first) continue;
        if (dot == std::string_view::npos) return &child;
        if (const auto* found = child.find(path.substr(dot + 1))) return found;
    }
    return nullptr;
}

std::optional<std::string_view> PmtaNode::text(std::string_view path) const {
    const auto* node = find(path);
    if (node == nullptr || !node->children.empty()) return std::nullopt;
    return node->value;
}

namespace {

std::optional<std::int64_t> whole_number(const std::string& digits) { return base::to_number<std::int64_t>(digits); }

}  // namespace

std::optional<std::int64_t> PmtaNode::integer(std::string_view path) const {
    return leaf(*this, path, [](std::string_view digits) {
        if (auto whole = base::to_number<std::int64_t>(digits)) return whole;
        // JSON may write 2 as 2.0 or 2e0.
        const auto fraction = base::to_double(digits);
        return fraction ? whole_number(base::plain(*fraction)) : std::nullopt;
    });
}

std::optional<double> PmtaNode::number(std::string_view path) const {
    return leaf(*this, path, [](std::string_view digits) { return base::to_double(digits); });
}

std::optional<bool> PmtaNode::flag(std::string_view path) const {
    return leaf(*this, path, [](std::string_view word) -> std::optional<bool> {
        if (word == "1" || word == "true" || word == "yes") return true;
        if (word == "0" || word == "false" || word == "no") return false;
        return std::nullopt;
    });
}

bool is_pmta_refusal(std::string_view body) {
    return base::icontains(body, "access denied") && base::icontains(body, "http-access");
}

base::Result<PmtaDocument> read_pmta_document(std::string bytes, const TakeNode& take) {
    if (bytes.size() > max_pmta_bytes) {
        return fail(Fault::limit, "PowerMTA's answer is larger than {} bytes", max_pmta_bytes);
    }
    PmtaDocument document;
    document.bytes = std::make_unique<std::string>(std::move(bytes));
    if (document.bytes->starts_with("\xEF\xBB\xBF")) document.bytes->erase(0, 3);
    const std::string_view whole = *document.bytes;
    const std::string_view start = base::trim(whole);
    if (start.empty()) return fail(Fault::malformed, "PowerMTA answered nothing at all");
    if (start.front() == '{') return read_json(std::move(document), take);
    const std::string opening = base::to_lower(start.substr(0, 16));
    if (opening.starts_with("<html") || opening.starts_with("<!doctype html")) return html_page(start);
    if (start.front() == '<') return read_xml(std::move(document), take);
    // Line ends are data here: a cut last line must be seen as such.
    if (looks_like_dom(start)) {
        return read_dom(std::move(document), whole.substr(static_cast<std::size_t>(start.data() - whole.data())), take);
    }
    document.text = whole;
    return document;
}

}  // namespace mtawatch::mta::documents
