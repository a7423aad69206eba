// JSON of a stranger as a row of events, without a tree: reading a document takes no memory beyond its own bytes.
//
// A tree costs many times the text that describes it, and by a factor that whoever wrote the text can choose; here
// only what a handler keeps is kept.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "shared/base/result.h"

namespace mtawatch::mta::documents {

// What a reader makes of the events. Texts lie in the document's own bytes and stay valid as long as these. False
// ends the reading; `error` says why.
class JsonHandler {
  public:
    JsonHandler() = default;
    JsonHandler(const JsonHandler&) = delete;
    JsonHandler& operator=(const JsonHandler&) = delete;
    virtual ~JsonHandler() = default;

    virtual bool begin_object() = 0;
    virtual bool key(std::string_view name) = 0;
    virtual bool end_object() = 0;
    virtual bool begin_array() = 0;
    virtual bool end_array() = 0;
    virtual bool text(std::string_view value) = 0;
    virtual bool number(std::string_view written) = 0;
    virtual bool word(std::string_view written) = 0;  // true, false or null

    std::optional<base::Error> error;
};

struct JsonLimits {
    std::size_t depth = 32;
    std::size_t values = 4'000'000;  // keys not counted; a limit of time, since none is kept
};

// Reads `bytes`, one document and nothing behind it, and decodes its strings in place. `whose`: "KumoMTA", for
// messages. Faults: malformed (damaged, cut short, not UTF-8, nested too deep), limit (too many values), the handler's.
[[nodiscard]] base::Result<void> read_json_events(std::string& bytes, std::string_view whose, const JsonLimits& limits,
                                                  JsonHandler& handler);

}  // namespace mtawatch::mta::documents
