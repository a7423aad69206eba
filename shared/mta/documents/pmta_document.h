// Parser of PowerMTA's answers: its four output forms (JSON, XML, DOM, text) as one tree of names and values.
//
// The tree holds no text of its own, it points into the document. What a listing is full of, its entries, is handed to
// whoever reads it one by one and never becomes a tree.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "shared/base/result.h"

namespace mtawatch::mta::documents {

enum class PmtaFormat { json, xml, dom, text };

// JSON objects, XML elements and DOM paths alike. An array is several children of one name. JSON writes arrays in the
// plural ("queues") where XML and DOM repeat the singular ("queue"); readers ask for both.
struct PmtaNode {
    std::string_view name;
    std::string_view value;  // of a leaf, as written; JSON booleans are "true" and "false"
    std::vector<PmtaNode> children;
    std::optional<std::uint32_t> index = {};  // of a DOM path: queue[7]

    // The first node at a path of names below this one ("status.spool.maxRcp"), null when there is none.
    [[nodiscard]] const PmtaNode* find(std::string_view path) const;
    // A leaf's value; absent when there is no such leaf. Blank values are present.
    [[nodiscard]] std::optional<std::string_view> text(std::string_view path) const;
    // Absent when there is no such leaf or it is no number: "could not tell", never 0.
    [[nodiscard]] std::optional<std::int64_t> integer(std::string_view path) const;
    [[nodiscard]] std::optional<double> number(std::string_view path) const;
    [[nodiscard]] std::optional<bool> flag(std::string_view path) const;  // 1 0 true false yes no
};

struct PmtaDocument {
    std::unique_ptr<std::string> bytes;  // the nodes' names and values lie here
    PmtaFormat format = PmtaFormat::text;
    PmtaNode data;          // empty for text
    std::string message;    // <succ>…</succ> or "message": a remark to a successful answer
    std::string_view text;  // the whole answer when the format is text
};

inline constexpr std::size_t max_pmta_bytes = 24U << 20U;  // a listing of 100 000 queues is some 20 MiB
// As XML come the monitor's pages, ten entries long; pugixml makes a tree of up to 17 times what it reads.
inline constexpr std::size_t max_pmta_xml_bytes = 8U << 20U;
inline constexpr std::size_t max_pmta_xml_marks = 100'000;  // of '<' and '=', at most 128 bytes of that tree each
inline constexpr std::size_t max_pmta_nodes = 100'000;      // 64 bytes each; entries that were taken do not count
inline constexpr int max_pmta_depth = 32;                   // PowerMTA nests 7 deep

// Gets each child of the data as soon as it is whole. True: it is taken, and does not become a part of the tree.
using TakeNode = std::function<bool(const PmtaNode&)>;

// Tells the form by the first bytes. Takes the document, because it is read in place. Faults: permission (the monitor's
// 403 page), auth (another HTML page, as proxies and login forms send), malformed (nothing at all, cut short, not
// PowerMTA's, or PowerMTA said that it failed), limit. What was taken before a fault belongs to a document of no use.
[[nodiscard]] base::Result<PmtaDocument> read_pmta_document(std::string bytes, const TakeNode& take = {});

// Whether this is the body that PowerMTA's monitor sends with 403, and what to do about it.
[[nodiscard]] bool is_pmta_refusal(std::string_view body);
inline constexpr std::string_view pmta_refusal_remedy =
    "PowerMTA's monitor denies access to this address: add 'http-access ADDRESS monitor' to its configuration";

}  // namespace mtawatch::mta::documents
