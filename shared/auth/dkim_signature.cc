#include "shared/auth/dkim_signature.h"

#include <algorithm>
#include <map>
#include <utility>

#include "shared/auth/tag_list.h"
#include "shared/base/base64.h"
#include "shared/base/text.h"
#include "shared/dns/names.h"

namespace mtawatch::auth {

namespace {

using base::fail;
using base::Fault;
using base::Result;

// Each name is looked for in the whole header, so their number must stay small; real signatures name about thirty.
constexpr std::size_t max_signed_fields = 500;
constexpr std::string_view line_end = "\r\n";

Result<std::string> required(const TagList& list, std::string_view tag) {
    const std::string* value = list.find(tag);
    if (value == nullptr || value->empty()) return fail(Fault::malformed, "{}= is missing", tag);
    return *value;
}

Result<std::string> required_base64(const TagList& list, std::string_view tag) {
    auto value = required(list, tag);
    if (!value) return value;
    const auto bytes = base::decode_base64(*value, base::Base64Reading::lenient);
    if (!bytes || bytes->empty()) return fail(Fault::malformed, "{}= is not base64", tag);
    return *bytes;
}

Result<std::string> required_domain(const TagList& list, std::string_view tag) {
    auto value = required(list, tag);
    if (!value) return value;
    auto name = dns::ascii_name(*value);
    if (!name) return fail(Fault::malformed, "{}={} is no domain name", tag, base::one_line(*value, 80));
    return name;
}

Result<Canonicalization> read_canonicalization(std::string_view word) {
    if (base::iequals(word, "simple")) return Canonicalization::simple;
    if (base::iequals(word, "relaxed")) return Canonicalization::relaxed;
    return fail(Fault::malformed, "c={} is no canonicalization", base::one_line(word, 40));
}

template <class T>
Result<void> read_number(const TagList& list, std::string_view tag, std::optional<T>& into) {
    const std::string* value = list.find(tag);
    if (value == nullptr) return {};
    into = base::to_number<T>(*value);
    if (!into || value->size() > 18) {
        return fail(Fault::malformed, "{}={} is no number", tag, base::one_line(*value, 40));
    }
    return {};
}

Result<void> read_canonicalizations(const TagList& list, DkimSignature& signature) {
    const std::string* value = list.find("c");
    if (value == nullptr) return {};
    const std::size_t slash = value->find('/');
    const auto header = read_canonicalization(base::trim(value->substr(0, slash)));
    if (!header) return fail(header.error());
    signature.header = *header;
    if (slash == std::string::npos) return {};
    const auto body = read_canonicalization(base::trim(value->substr(slash + 1)));
    if (!body) return fail(body.error());
    signature.body = *body;
    return {};
}

// i= must be d= or below it (section 3.5).
Result<void> read_identity(const TagList& list, DkimSignature& signature) {
    signature.identity_domain = signature.domain;
    const std::string* value = list.find("i");
    if (value == nullptr) return {};
    const std::size_t at = value->rfind('@');
    const auto name = at == std::string::npos ? Result<std::string>(fail(Fault::malformed, "no @"))
                                              : dns::ascii_name(std::string_view(*value).substr(at + 1));
    if (!name) return fail(Fault::malformed, "i={} is no address", base::one_line(*value, 80));
    if (!dns::is_within(*name, signature.domain)) {
        return fail(Fault::malformed, "i={} is not within d={}", base::one_line(*value, 80), signature.domain);
    }
    signature.identity_domain = *name;
    return {};
}

Result<void> read_signed_fields(const TagList& list, DkimSignature& signature) {
    const auto value = required(list, "h");
    if (!value) return fail(value.error());
    signature.signed_fields = words_of(*value, ':');
    if (signature.signed_fields.size() > max_signed_fields) {
        return fail(Fault::malformed, "h= names more than {} fields", max_signed_fields);
    }
    const bool has_from = std::ranges::any_of(signature.signed_fields,
                                              [](const std::string& name) { return base::iequals(name, "From"); });
    if (!has_from) {
        return fail(Fault::malformed, "h= does not name From, so the signature says nothing about the sender");
    }
    return {};
}

bool is_wsp(char c) { return c == ' ' || c == '\t'; }

// Runs of blanks become one; blanks at the end go.
std::string squeezed(std::string_view line) {
    std::string out;
    for (const char c : line) {
        if (!is_wsp(c)) {
            out += c;
        } else if (out.empty() || out.back() != ' ') {
            out += ' ';
        }
    }
    if (!out.empty() && out.back() == ' ') out.pop_back();
    return out;
}

// The field with the value of its b= tag cut out, everything else untouched (section 3.5).
HeaderField without_signature(const HeaderField& field) {
    std::string kept;
    const std::string& value = field.value;
    for (std::size_t at = 0; at <= value.size();) {
        const std::size_t end = std::min(value.find(';', at), value.size());
        const std::string_view piece = std::string_view(value).substr(at, end - at);
        const std::size_t equals = piece.find('=');
        const bool is_b = equals != std::string_view::npos && base::trim(piece.substr(0, equals)) == "b";
        kept += is_b ? piece.substr(0, equals + 1) : piece;
        if (end < value.size()) kept += ';';
        at = end + 1;
    }
    HeaderField out = field;
    out.raw = field.raw.substr(0, field.raw.size() - value.size()) + kept;
    out.value = std::move(kept);
    return out;
}

}  // namespace

Result<DkimSignature> parse_dkim_signature(std::string_view value) {
    const TagList list = parse_tag_list(value);
    if (!list.findings.items.empty()) return fail(Fault::malformed, "{}", list.findings.items.front().text);
    DkimSignature signature;
    const auto version = required(list, "v");
    if (!version) return fail(version.error());
    if (*version != "1") return fail(Fault::malformed, "v={} is not 1", base::one_line(*version, 20));
    const auto algorithm = required(list, "a");
    if (!algorithm) return fail(algorithm.error());
    signature.algorithm = base::to_lower(*algorithm);
    auto bytes = required_base64(list, "b");
    if (!bytes) return fail(bytes.error());
    signature.signature = std::move(*bytes);
    auto hash = required_base64(list, "bh");
    if (!hash) return fail(hash.error());
    signature.body_hash = std::move(*hash);
    auto domain = required_domain(list, "d");
    if (!domain) return fail(domain.error());
    signature.domain = std::move(*domain);
    auto selector = required_domain(list, "s");
    if (!selector) return fail(selector.error());
    signature.selector = std::move(*selector);
    if (const std::string* query = list.find("q"); query != nullptr && !base::icontains(*query, "dns/txt")) {
        return fail(Fault::malformed, "q={} names no way to find the key but dns/txt", base::one_line(*query, 40));
    }
    for (const auto& step :
         {read_canonicalizations(list, signature), read_identity(list, signature), read_signed_fields(list, signature),
          read_number(list, "l", signature.body_length), read_number(list, "t", signature.timestamp),
          read_number(list, "x", signature.expiration)}) {
        if (!step) return fail(step.error());
    }
    if (signature.timestamp && signature.expiration && *signature.expiration <= *signature.timestamp) {
        return fail(Fault::malformed, "x= is not after t=");
    }
    return signature;
}

std::string canonical_body(std::string_view body, Canonicalization how) {
    std::string out;
    out.reserve(body.size() + line_end.size());
    std::size_t last_full = 0;  // end of the last line that is not empty
    for (std::size_t at = 0; at < body.size();) {
        const std::size_t end = std::min(body.find(line_end, at), body.size());
        const std::string_view line = body.substr(at, end - at);
        if (how == Canonicalization::relaxed) {
            out += squeezed(line);
        } else {
            out += line;
        }
        const bool is_empty = out.empty() || out.ends_with(line_end);
        out += line_end;
        if (!is_empty) last_full = out.size();
        at = end + line_end.size();
    }
    out.resize(last_full);
    if (out.empty() && how == Canonicalization::simple) out = line_end;
    return out;
}

std::string canonical_field(const HeaderField& field, Canonicalization how) {
    if (how == Canonicalization::simple) return field.raw + "\r\n";
    std::string value = unfolded(field.value);
    value = squeezed(value);
    return base::to_lower(field.name) + ":" + value + "\r\n";
}

std::string signed_header_bytes(const Message& message, const HeaderField& field, const DkimSignature& signature) {
    std::string out;
    std::map<std::string, std::size_t> used;  // how many of a name were taken, from the bottom
    for (const std::string& name : signature.signed_fields) {
        std::size_t skip = used[base::to_lower(name)]++;
        for (auto at = message.fields.rbegin(); at != message.fields.rend(); ++at) {
            if (!base::iequals(at->name, name) || skip-- > 0) continue;
            out += canonical_field(*at, signature.header);
            break;
        }
    }
    std::string own = canonical_field(without_signature(field), signature.header);
    own.resize(own.size() - line_end.size());
    return out + own;
}

}  // namespace mtawatch::auth
