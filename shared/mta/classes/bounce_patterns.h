// PowerMTA's <bounce-category-patterns>: reads them from its configuration and matches replies as PowerMTA does.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "shared/base/result.h"

namespace mtawatch::mta::classes {

// Compiled patterns, in file order; immutable, but matching uses scratch memory: one for each thread.
class BouncePatterns {
  public:
    // The lines "/PCRE/ category" between <bounce-category-patterns> and its end tag, wherever they stand in a
    // configuration file, or the whole text when it has no such tag (an include file). Case does not matter unless a
    // pattern says (?-i). Fault::configuration names file and line of a line that cannot be read.
    [[nodiscard]] static base::Result<BouncePatterns> parse(std::string_view text, std::string_view file);
    BouncePatterns(BouncePatterns&&) noexcept;
    BouncePatterns& operator=(BouncePatterns&&) noexcept;
    ~BouncePatterns();

    // The category of the first pattern that matches "X.Y.Z;text" (the status's leading token, a semicolon, the reply
    // without "smtp;"), or "". Assumption: that is the text PowerMTA matches; its stock patterns such as
    // "/^[45]\.1\.1;/" say so, its guide does not. A pattern that takes too long counts as no match.
    [[nodiscard]] std::string_view category(std::string_view dsn_status, std::string_view dsn_diag) const;
    [[nodiscard]] std::size_t size() const;

  private:
    struct Compiled;
    explicit BouncePatterns(std::unique_ptr<Compiled> compiled);
    std::unique_ptr<Compiled> compiled_;
};

}  // namespace mtawatch::mta::classes
