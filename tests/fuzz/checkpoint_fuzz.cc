// Bytes that claim to be a state file: restored or refused, never more. The frame's length and checksum are put right
// first, because random bytes would never get past them.
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>

#include "exporter/feed/checkpoint.h"
#include "shared/base/hash.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace mtawatch::exporter::feed;
    using namespace mtawatch::exporter::series;
    constexpr std::size_t frame = 28;  // magic, version, length, checksum
    std::string bytes(reinterpret_cast<const char*>(data), size);
    if (bytes.size() >= frame) {
        const std::uint64_t length = bytes.size() - frame;
        const std::uint64_t checksum = mtawatch::base::hash_bytes(std::string_view(bytes).substr(frame));
        std::memcpy(bytes.data() + 12, &length, sizeof length);
        std::memcpy(bytes.data() + 20, &checksum, sizeof checksum);
    }
    FeedSettings settings;
    settings.count.groups = {"job", "recipient_domain"};
    // Version 2 begins with its format.
    if (bytes.size() > frame && bytes[8] == 2)
        settings.count.format = static_cast<RecordFormat>(bytes[frame] & 1 ? 1 : 2);
    SeriesStore store(settings.count);
    const auto restored = decode_checkpoint(bytes, store);
    if (!restored) return 0;
    // What was taken can be saved again.
    CheckpointCopy copy;
    copy.scrapers = restored->scrapers;
    copy.scrapers.next_page = store.next_page();
    copy_store(store, copy);
    copy.files = restored->files;
    copy.memory = restored->memory;
    SeriesStore again(settings.count);
    if (!decode_checkpoint(encode_checkpoint(copy, store), again)) __builtin_trap();
    return 0;
}
