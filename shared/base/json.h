// JSON writer for probes, checks and the exporter. Reading JSON is shared/mta's work.
#pragma once

#include <concepts>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace mtawatch::base {

// Builds one JSON value on one line (RFC 8259). Commas are set by the writer; strings are cleaned to valid UTF-8;
// a number that JSON cannot hold (inf, nan) becomes null. Calls in the wrong order (a value without a key inside an
// object, an end too many) throw std::logic_error: they are mistakes in the code.
//
//   JsonWriter json;
//   json.object().member("target", "192.0.2.1").member("age", age /* optional: null when absent */);
//   json.key("codes").array().value("127.0.0.2").end().end();
//   report.observation = json.take();
class JsonWriter {
  public:
    JsonWriter& object();
    JsonWriter& array();
    // Closes the innermost object or array.
    JsonWriter& end();
    JsonWriter& key(std::string_view name);
    JsonWriter& null();
    JsonWriter& value(std::string_view text);
    JsonWriter& value(const char* text) { return value(std::string_view(text)); }
    JsonWriter& value(const std::string& text) { return value(std::string_view(text)); }
    JsonWriter& value(bool truth);
    JsonWriter& value(double number);
    template <std::integral T>
    JsonWriter& value(T number) {
        if constexpr (std::signed_integral<T>) return signed_value(static_cast<std::int64_t>(number));
        return unsigned_value(static_cast<std::uint64_t>(number));
    }
    template <class T>
    JsonWriter& value(const std::optional<T>& maybe) {
        return maybe ? value(*maybe) : null();
    }
    template <class T>
    JsonWriter& value(const std::vector<T>& items) {
        array();
        for (const auto& item : items) value(static_cast<const T&>(item));
        return end();
    }
    // A value that is JSON already, e.g. another writer's result.
    JsonWriter& raw(std::string_view json);
    template <class T>
    JsonWriter& member(std::string_view name, const T& content) {
        return key(name).value(content);
    }
    // The text; everything opened must have been ended.
    [[nodiscard]] std::string take();

  private:
    JsonWriter& signed_value(std::int64_t number);
    JsonWriter& unsigned_value(std::uint64_t number);
    void before_value();
    JsonWriter& open(char opening, char closing);

    std::string text_;
    std::string closing_;  // the closing brackets still owed, innermost last
    bool first_ = true;    // nothing yet in the innermost object or array
    bool keyed_ = false;   // a key waits for its value
};

}  // namespace mtawatch::base
