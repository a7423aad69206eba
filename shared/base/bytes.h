// Bounds-checked reader of binary data: a read past the end fails, and never touches memory there.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>
#include <type_traits>

namespace mtawatch::base {

// Network byte order (big endian). After the first failed read every further one fails too, so a parser may read
// a whole structure and ask ok() once. Does not own the bytes.
class ByteReader {
  public:
    explicit ByteReader(std::string_view bytes) : bytes_(bytes) {}

    [[nodiscard]] bool ok() const { return ok_; }
    [[nodiscard]] std::size_t position() const { return at_; }
    [[nodiscard]] std::size_t remaining() const { return ok_ ? bytes_.size() - at_ : 0; }

    std::uint8_t u8() { return static_cast<std::uint8_t>(number(1)); }
    std::uint16_t u16() { return static_cast<std::uint16_t>(number(2)); }
    std::uint32_t u32() { return static_cast<std::uint32_t>(number(4)); }
    std::uint64_t u64() { return number(8); }
    // The next `count` bytes, or an empty view and ok() == false.
    std::string_view take(std::size_t count) {
        if (!ok_ || count > bytes_.size() - at_) {
            ok_ = false;
            return {};
        }
        at_ += count;
        return bytes_.substr(at_ - count, count);
    }
    void skip(std::size_t count) { take(count); }
    // A value in this machine's own form, for files that never leave it; zeros after a failed read.
    template <class T>
    [[nodiscard]] T native() {
        static_assert(std::is_trivially_copyable_v<T>);
        T value{};
        if (const std::string_view bytes = take(sizeof value); !bytes.empty()) {
            std::memcpy(&value, bytes.data(), sizeof value);
        }
        return value;
    }
    // Makes this and every further read fail: what was read cannot be true.
    void refuse() { ok_ = false; }

  private:
    std::uint64_t number(std::size_t count) {
        std::uint64_t value = 0;
        for (const char byte : take(count)) value = value << 8 | static_cast<std::uint8_t>(byte);
        return ok_ ? value : 0;
    }

    std::string_view bytes_;
    std::size_t at_ = 0;
    bool ok_ = true;
};

}  // namespace mtawatch::base
