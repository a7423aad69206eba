// The template of a reply: its words with addresses, IP addresses, host names, numbers and ids taken out, so that
// replies that say the same are counted as one, and none that is shown names a person.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace mtawatch::mta::classes {

// "550-5.1.1 <a@b.example>: User unknown 550 5.1.1 x7k2m9q1" becomes "550 5.1.1 <<address>>: User unknown <id>".
//
// One line of valid UTF-8, at most max_template_bytes, cut at a word. The same reply gives the same template on every
// host. What stands for what was there: <address>, <ip>, <host>, <n> a number, <id> anything else that is made up, <v>
// a value in a URL. Codes of receivers ("S3140", "[TSS04]", "OFR_506"), enhanced codes, names of blocklists and the
// last two labels of large providers' hosts ("*.outlook.com") stay. Two templates are one where they differ in case
// alone.
[[nodiscard]] std::string reply_template(std::string_view dsn_diag);

inline constexpr std::size_t max_template_bytes = 240;
// The templates of two versions may differ; they are compared over weeks.
inline constexpr int reply_template_version = 1;

}  // namespace mtawatch::mta::classes
