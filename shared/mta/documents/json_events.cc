#include "shared/mta/documents/json_events.h"

#include <rapidjson/error/en.h>
#include <rapidjson/reader.h>

namespace mtawatch::mta::documents {

namespace {

using base::fail;
using base::Fault;
using base::Result;

// Numbers stay as written, so none is rounded; iterative, so depth costs no stack.
constexpr unsigned how = rapidjson::kParseInsituFlag | rapidjson::kParseValidateEncodingFlag |
                         rapidjson::kParseNumbersAsStringsFlag | rapidjson::kParseIterativeFlag;

// RapidJSON's names for the events, and the limits.
class Counted {
  public:
    Counted(std::string_view whose, const JsonLimits& limits, JsonHandler& handler)
        : whose_(whose), limits_(limits), handler_(handler) {}

    // NOLINTBEGIN(readability-identifier-naming): the names that the library calls
    bool Null() { return count() && handler_.word("null"); }
    bool Bool(bool value) { return count() && handler_.word(value ? "true" : "false"); }
    bool RawNumber(const char* text, rapidjson::SizeType length, bool) {
        return count() && handler_.number({text, length});
    }
    bool String(const char* text, rapidjson::SizeType length, bool) { return count() && handler_.text({text, length}); }
    bool Key(const char* text, rapidjson::SizeType length, bool) { return handler_.key({text, length}); }
    bool StartObject() { return count() && deeper() && handler_.begin_object(); }
    bool EndObject(rapidjson::SizeType) { return shallower() && handler_.end_object(); }
    bool StartArray() { return count() && deeper() && handler_.begin_array(); }
    bool EndArray(rapidjson::SizeType) { return shallower() && handler_.end_array(); }
    // Never called: numbers come as they are written.
    bool Int(int) { return false; }
    bool Uint(unsigned) { return false; }
    bool Int64(std::int64_t) { return false; }
    bool Uint64(std::uint64_t) { return false; }
    bool Double(double) { return false; }
    // NOLINTEND(readability-identifier-naming)

  private:
    bool count() {
        if (++values_ <= limits_.values) return true;
        handler_.error =
            base::Error{Fault::limit, fmt::format("{}'s JSON has more than {} values", whose_, limits_.values)};
        return false;
    }
    bool deeper() {
        if (++depth_ <= limits_.depth) return true;
        handler_.error =
            base::Error{Fault::malformed, fmt::format("{}'s JSON is nested deeper than {}", whose_, limits_.depth)};
        return false;
    }
    bool shallower() {
        --depth_;
        return true;
    }

    std::string_view whose_;
    const JsonLimits& limits_;
    JsonHandler& handler_;
    std::size_t values_ = 0;
    std::size_t depth_ = 0;
};

}  // namespace

Result<void> read_json_events(std::string& bytes, std::string_view whose, const JsonLimits& limits,
                              JsonHandler& handler) {
    // A NUL byte is the end to the library, wherever it stands.
    if (const std::size_t nul = bytes.find('\0'); nul != std::string::npos) {
        return fail(Fault::malformed, "{}'s JSON is damaged: a NUL byte at {}", whose, nul);
    }
    rapidjson::InsituStringStream stream(bytes.data());
    rapidjson::Reader reader;
    Counted counted(whose, limits, handler);
    const rapidjson::ParseResult read = reader.Parse<how>(stream, counted);
    if (read) return {};
    if (handler.error) return fail(*handler.error);
    return fail(Fault::malformed, "{}'s JSON is damaged or cut short at byte {}: {}", whose, read.Offset(),
                rapidjson::GetParseError_En(read.Code()));
}

}  // namespace mtawatch::mta::documents
