#include "shared/mta/documents/pmta_document.h"

#include <simdjson.h>

#include <pugixml.hpp>

#include "shared/base/text.h"

namespace mtawatch::mta::documents {

namespace {

using base::fail;
using base::Fault;
using base::Result;

base::Failure too_large() { return fail(Fault::limit, "PowerMTA's answer has more than {} values", max_pmta_nodes); }

// Counts nodes for every form, so no answer can grow without bound.
class Budget {
  public:
    [[nodiscard]] bool take() { return ++used_ <= max_pmta_nodes; }

  private:
    std::size_t used_ = 0;
};

// ---------------------------------------------------------------------------------------------------------- JSON

Result<void> from_json(const simdjson::dom::element& element, PmtaNode& into, Budget& budget, int depth);

Result<void> add_json(std::string_view name, const simdjson::dom::element& element, PmtaNode& into, Budget& budget,
                      int depth) {
    if (depth > max_pmta_depth) {
        return fail(Fault::malformed, "PowerMTA's JSON is nested deeper than {}", max_pmta_depth);
    }
    if (element.type() == simdjson::dom::element_type::ARRAY) {
        for (const auto& one : simdjson::dom::array(element)) {
            if (auto done = add_json(name, one, into, budget, depth + 1); !done) return done;
        }
        return {};
    }
    if (!budget.take()) return too_large();
    into.children.push_back({std::string(name), {}, {}});
    return from_json(element, into.children.back(), budget, depth + 1);
}

Result<void> from_json(const simdjson::dom::element& element, PmtaNode& into, Budget& budget, int depth) {
    switch (element.type()) {
        case simdjson::dom::element_type::OBJECT:
            for (const auto& [key, value] : simdjson::dom::object(element)) {
                if (auto done = add_json(key, value, into, budget, depth); !done) return done;
            }
            return {};
        case simdjson::dom::element_type::ARRAY:
            return add_json("item", element, into, budget, depth);
        case simdjson::dom::element_type::STRING:
            into.value = std::string(std::string_view(element));
            return {};
        case simdjson::dom::element_type::INT64:
            into.value = std::to_string(std::int64_t(element));
            return {};
        case simdjson::dom::element_type::UINT64:
            into.value = std::to_string(std::uint64_t(element));
            return {};
        case simdjson::dom::element_type::DOUBLE:
            into.value = base::plain(double(element));
            return {};
        case simdjson::dom::element_type::BOOL:
            into.value = bool(element) ? "true" : "false";
            return {};
        case simdjson::dom::element_type::NULL_VALUE:
            return {};
    }
    return {};
}

// Empty when the root has no such text.
std::string_view json_text(const simdjson::dom::element& root, std::string_view key) {
    std::string_view text;
    return root[key].get(text) ? std::string_view() : text;
}

Result<PmtaDocument> read_json(std::string_view bytes) {
    simdjson::dom::parser parser(max_pmta_bytes);
    simdjson::dom::element root;
    if (const auto error = parser.parse(bytes.data(), bytes.size()).get(root); error) {
        return fail(Fault::malformed, "PowerMTA's JSON is damaged or cut short: {}", simdjson::error_message(error));
    }
    const std::string_view status = json_text(root, "status");
    const std::string_view message = json_text(root, "message");
    if (status != "success") {
        return fail(Fault::malformed, "PowerMTA answered status '{}': {}", base::one_line(status, 40),
                    message.empty() ? "no message" : base::one_line(message, 300));
    }
    simdjson::dom::element data;
    if (root["data"].get(data) || data.type() != simdjson::dom::element_type::OBJECT) {
        return fail(Fault::malformed, "the JSON has no 'data': it is not PowerMTA's");
    }
    PmtaDocument document{PmtaFormat::json, {}, std::string(message), {}};
    Budget budget;
    if (auto done = from_json(data, document.data, budget, 0); !done) return fail(done.error());
    return document;
}

// ----------------------------------------------------------------------------------------------------------- XML

Result<void> from_xml(const pugi::xml_node& element, PmtaNode& into, Budget& budget, int depth) {
    if (depth > max_pmta_depth) {
        return fail(Fault::malformed, "PowerMTA's XML is nested deeper than {}", max_pmta_depth);
    }
    for (const auto& child : element.children()) {
        if (child.type() != pugi::node_element) continue;
        if (!budget.take()) return too_large();
        into.children.push_back({child.name(), child.text().get(), {}});
        if (auto done = from_xml(child, into.children.back(), budget, depth + 1); !done) return done;
    }
    return {};
}

Result<PmtaDocument> read_xml(std::string_view bytes) {
    pugi::xml_document parsed;
    const auto outcome = parsed.load_buffer(bytes.data(), bytes.size(), pugi::parse_default, pugi::encoding_utf8);
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
    PmtaDocument document{PmtaFormat::xml, {}, success.text().get(), {}};
    Budget budget;
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
PmtaNode* descend(PmtaNode& parent, const Step& step, Budget& budget) {
    if (!parent.children.empty()) {
        PmtaNode& last = parent.children.back();
        if (last.name == step.name && last.index == step.index) return &last;
    }
    if (!budget.take()) return nullptr;
    parent.children.push_back({std::string(step.name), {}, {}, step.index});
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
    int depth = 0;
    for (const auto piece : base::split(line.substr(0, equals), '.')) {
        if (++depth > max_pmta_depth) return fail(Fault::malformed, "line {} has too long a path", number);
        node = descend(*node, read_step(piece), budget);
        if (node == nullptr) return too_large();
    }
    node->value = std::string(line.substr(equals + 2, line.size() - equals - 3));
    return {};
}

std::string_view next_line(std::string_view& rest) {
    const auto end = rest.find('\n');
    std::string_view line = rest.substr(0, end);
    rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
    if (line.ends_with('\r')) line.remove_suffix(1);
    return line;
}

Result<PmtaDocument> read_dom(std::string_view bytes) {
    PmtaDocument document{PmtaFormat::dom, {}, {}, {}};
    Budget budget;
    std::size_t number = 0;
    while (!bytes.empty()) {
        const auto line = next_line(bytes);
        ++number;
        if (base::trim(line).empty()) continue;
        if (auto done = add_dom_line(line, number, document.data, budget); !done) return fail(done.error());
    }
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

std::optional<std::int64_t> PmtaNode::integer(std::string_view path) const {
    return leaf(*this, path, [](std::string_view digits) { return base::to_number<std::int64_t>(digits); });
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

base::Result<PmtaDocument> read_pmta_document(std::string_view bytes) {
    if (bytes.size() > max_pmta_bytes) {
        return fail(Fault::limit, "PowerMTA's answer is larger than {} bytes", max_pmta_bytes);
    }
    std::string_view start = bytes;
    if (start.starts_with("\xEF\xBB\xBF")) start.remove_prefix(3);
    start = base::trim(start);
    if (start.empty()) return fail(Fault::malformed, "PowerMTA answered nothing at all");
    if (start.front() == '{') return read_json(start);
    const std::string opening = base::to_lower(start.substr(0, 16));
    if (opening.starts_with("<html") || opening.starts_with("<!doctype html")) return html_page(start);
    if (start.front() == '<') return read_xml(start);
    // Line ends are data here: a cut last line must be seen as such.
    if (looks_like_dom(start)) return read_dom(bytes.substr(static_cast<std::size_t>(start.data() - bytes.data())));
    return PmtaDocument{PmtaFormat::text, {}, {}, std::string(bytes)};
}

}  // namespace mtawatch::mta::documents
