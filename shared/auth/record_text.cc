#include "shared/auth/record_text.h"

#include <algorithm>
#include <array>
#include <utility>

namespace mtawatch::auth {

namespace {

// What word processors and web pages put in the place of an ASCII character.
constexpr std::array<std::pair<std::string_view, std::string_view>, 20> substitutes{{
    {"\xc2\xa0", " "},     {"\xe2\x80\x89", " "}, {"\xe2\x80\xaf", " "}, {"\xe2\x80\x8b", ""},
    {"\xef\xbb\xbf", ""},  {"\xe2\x80\x90", "-"}, {"\xe2\x80\x91", "-"}, {"\xe2\x80\x92", "-"},
    {"\xe2\x80\x93", "-"}, {"\xe2\x80\x94", "-"}, {"\xe2\x88\x92", "-"}, {"\xe2\x80\x9c", ""},
    {"\xe2\x80\x9d", ""},  {"\xe2\x80\x98", ""},  {"\xe2\x80\x99", ""},  {"\"", ""},
    {"\t", " "},           {"\r", " "},           {"\n", " "},           {"\\", ""},
}};

}  // namespace

std::string plain_record_text(std::string_view text) {
    std::string out;
    while (!text.empty()) {
        const auto found =
            std::ranges::find_if(substitutes, [text](const auto& one) { return text.starts_with(one.first); });
        if (found == substitutes.end()) {
            out += text.front();
            text.remove_prefix(1);
        } else {
            out += found->second;
            text.remove_prefix(found->first.size());
        }
    }
    return out;
}

}  // namespace mtawatch::auth
