#include "shared/io/read_ahead.h"

#include <algorithm>
#include <array>
#include <condition_variable>
#include <cstring>
#include <mutex>
#include <optional>
#include <system_error>
#include <thread>
#include <vector>

namespace mtawatch::io {
namespace {

using base::fail;
using base::Result;

// Two pieces in hand keep both threads busy; more would only be memory.
constexpr std::size_t pieces = 3;
constexpr std::size_t piece_bytes = 128U << 10U;

class ReadAhead final : public ByteSource {
  public:
    explicit ReadAhead(std::unique_ptr<ByteSource> source) : source_(std::move(source)) {
        try {
            thread_ = std::thread([this] { fill(); });
        } catch (const std::system_error&) {  // no further thread is to be had: read() reads
        }
    }
    ReadAhead(const ReadAhead&) = delete;
    ReadAhead& operator=(const ReadAhead&) = delete;
    ~ReadAhead() override {
        {
            const std::lock_guard turn(lock_);
            stopping_ = true;
        }
        changed_.notify_all();
        if (thread_.joinable()) thread_.join();
    }

    [[nodiscard]] Result<std::size_t> read(std::span<char> into) override {
        if (!thread_.joinable()) return source_->read(into);
        std::unique_lock turn(lock_);
        changed_.wait(turn, [this] { return filled_ > 0; });
        Piece& piece = pieces_[taken_ % pieces];
        if (piece.error) return fail(*piece.error);
        raw_read_ = piece.raw_read;
        complete_ = piece.complete;
        if (piece.size == 0) return 0;  // the end stays the end
        const std::size_t size = std::min(into.size(), piece.size - piece.used);
        std::memcpy(into.data(), piece.bytes.data() + piece.used, size);
        piece.used += size;
        if (piece.used == piece.size) {
            ++taken_;
            --filled_;
            changed_.notify_all();
        }
        return size;
    }
    [[nodiscard]] bool complete() const override { return thread_.joinable() ? complete_ : source_->complete(); }
    [[nodiscard]] std::uint64_t raw_read() const override {
        return thread_.joinable() ? raw_read_ : source_->raw_read();
    }

  private:
    struct Piece {
        std::vector<char> bytes;
        std::size_t size = 0;
        std::size_t used = 0;
        std::uint64_t raw_read = 0;
        bool complete = false;
        std::optional<base::Error> error;
    };

    // Until the end, an error or the destructor. A piece belongs to this thread until it is counted in filled_.
    void fill() {
        for (std::size_t next = 0;; ++next) {
            {
                std::unique_lock turn(lock_);
                changed_.wait(turn, [this] { return filled_ < pieces || stopping_; });
                if (stopping_) return;
            }
            Piece& piece = pieces_[next % pieces];
            piece.bytes.resize(piece_bytes);
            const auto got = source_->read(piece.bytes);
            piece.size = got ? *got : 0;
            piece.used = 0;
            piece.raw_read = source_->raw_read();
            piece.complete = source_->complete();
            if (!got) piece.error = got.error();
            {
                const std::lock_guard turn(lock_);
                ++filled_;
            }
            changed_.notify_all();
            if (piece.size == 0) return;
        }
    }

    std::unique_ptr<ByteSource> source_;
    std::array<Piece, pieces> pieces_;
    std::mutex lock_;
    std::condition_variable changed_;
    std::size_t filled_ = 0;  // pieces that wait to be read
    std::size_t taken_ = 0;
    bool stopping_ = false;
    bool complete_ = false;
    std::uint64_t raw_read_ = 0;
    std::thread thread_;
};

}  // namespace

std::unique_ptr<ByteSource> read_ahead(std::unique_ptr<ByteSource> source) {
    return std::make_unique<ReadAhead>(std::move(source));
}

}  // namespace mtawatch::io
