#include "shared/ssh/frame.h"

#include <fmt/format.h>
#include <sys/random.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <new>

#include "shared/base/text.h"

namespace mtawatch::ssh {

namespace {

constexpr std::size_t max_status = 4;  // three digits and ';'

// The length of the longest end of `bytes` that a mark may begin with.
std::size_t begun_mark(std::string_view bytes, std::string_view mark) {
    std::size_t length = std::min(bytes.size(), mark.size() - 1);
    while (length > 0 && !bytes.ends_with(mark.substr(0, length))) --length;
    return length;
}

std::string random_mark() {
    std::array<unsigned char, 16> bytes{};
    while (getrandom(bytes.data(), bytes.size(), 0) != static_cast<ssize_t>(bytes.size())) {
        if (errno != EINTR) throw std::bad_alloc();  // every kernel that we run on has it
    }
    std::string mark = "~mtawatch-";
    for (const unsigned char byte : bytes) mark += fmt::format("{:02x}", byte);
    return mark + '~';
}

}  // namespace

Marks random_marks() { return {random_mark(), random_mark()}; }

std::string framed(std::string_view words, const Marks& marks) {
    // `sh` and `env` without a path, because restricted shells run no others. The status comes as text, because what a
    // login shell or a forced command makes of it is its own affair.
    constexpr std::string_view script =
        "o=$1; e=$2; shift 2; printf %s \"$o\"; printf %s \"$e\" >&2; \"$@\"; s=$?; "
        "printf %s \"$e\" >&2; printf %s \"$o$s;\"; exit $s";
    return fmt::format("env LC_ALL=C PATH=/usr/sbin:/usr/bin:/sbin:/bin sh -c '{}' sh '{}' '{}' {} </dev/null", script,
                       marks.output, marks.errors, words);
}

void FrameReader::hand_on(std::string_view bytes) {
    if (bytes.empty()) return;
    if (part_ == Part::before) noise_ += bytes.substr(0, max_noise - std::min(max_noise, noise_.size()));
    if (part_ == Part::inside) inside_(bytes);
    if (part_ == Part::after) status_ += bytes.substr(0, max_status - std::min(max_status, status_.size()));
}

void FrameReader::take(std::string_view piece) {
    std::string joined;
    if (!held_.empty()) {
        joined = std::move(held_);
        joined += piece;
        piece = joined;
        held_.clear();
    }
    while (part_ != Part::after) {
        const std::size_t at = piece.find(mark_);
        if (at == std::string_view::npos) {
            const std::size_t kept = begun_mark(piece, mark_);
            hand_on(piece.substr(0, piece.size() - kept));
            held_ = piece.substr(piece.size() - kept);
            return;
        }
        hand_on(piece.substr(0, at));
        piece.remove_prefix(at + mark_.size());
        part_ = part_ == Part::before ? Part::inside : Part::after;
    }
    hand_on(piece);
}

std::optional<int> FrameReader::status() const {
    const std::size_t end = status_.find(';');
    if (end == std::string::npos) return std::nullopt;
    return base::to_number<std::uint8_t>(std::string_view(status_).substr(0, end));
}

}  // namespace mtawatch::ssh
