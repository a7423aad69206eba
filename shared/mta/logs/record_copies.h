// Owning copies of records with their bytes, for handing to another thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "shared/mta/logs/record.h"

namespace mtawatch::mta::logs {

// Used again and again, it keeps its memory.
class RecordCopies {
  public:
    // Only the cells that Record can name are copied. False, with nothing added, when the records stand under other
    // columns than those that are here already.
    [[nodiscard]] bool add(std::span<const Record> records);
    // Valid until the next add() or clear().
    [[nodiscard]] std::span<const Record> records();
    // Of the copied cells.
    void clear();

  private:
    struct Place {
        RecordType type;
        std::int64_t time;
        std::size_t ends;  // index in ends_ of the first cell's end
    };

    ColumnMap map_{};
    std::size_t cells_ = 0;  // up to the last one that a column stands in
    std::vector<char> bytes_;
    std::vector<std::uint32_t> ends_;
    std::vector<Place> places_;
    std::vector<Record> records_;
};

}  // namespace mtawatch::mta::logs
