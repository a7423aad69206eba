#include "exporter/feed/checkpoint.h"

#include <algorithm>
#include <cstring>
#include <type_traits>
#include <unordered_map>

#include "shared/base/bytes.h"
#include "shared/base/hash.h"

namespace mtawatch::exporter::feed {
namespace {

using base::fail;
using base::Fault;
using base::Result;

constexpr std::string_view magic = "MTAWATCH";
// Even versions are of another format than PowerMTA's. Before the third, nothing was known of scrapers.
constexpr std::uint32_t pmta_version = 3;
constexpr std::uint32_t format_version = 4;
constexpr std::uint32_t first_version = 1;
constexpr std::uint32_t first_version_with_scrapers = 3;
// A state file of this size would hold tens of millions of series: it is not ours.
constexpr std::uint64_t max_checkpoint_bytes = 4ULL << 30U;
constexpr std::size_t frame_bytes = magic.size() + sizeof(std::uint32_t) + 2 * sizeof(std::uint64_t);
constexpr std::uint32_t no_index = 0xffffffffU;
// A page a second for a hundred years.
constexpr std::uint32_t max_page = 0xc0000000U;

class Writer {
  public:
    template <class T>
    void number(T value) {
        static_assert(std::is_arithmetic_v<T>);
        bytes_.append(reinterpret_cast<const char*>(&value), sizeof value);
    }
    void text(std::string_view text) {
        number(static_cast<std::uint32_t>(text.size()));
        bytes_.append(text);
    }
    template <class T>
    void plain(const T& value) {
        static_assert(std::is_trivially_copyable_v<T>);
        bytes_.append(reinterpret_cast<const char*>(&value), sizeof value);
    }
    std::string take() { return std::move(bytes_); }

  private:
    std::string bytes_;
};

std::string_view read_text(base::ByteReader& in) { return in.take(in.native<std::uint32_t>()); }

// A count of things that take at least `bytes_each`: more than could follow is a damaged file.
std::size_t read_count(base::ByteReader& in, std::size_t bytes_each) {
    const auto value = in.native<std::uint32_t>();
    if (value > in.remaining() / bytes_each) in.refuse();
    return in.ok() ? value : 0;
}

// Texts are numbered anew in the document, so that only those in use are in it.
class TextNumbers {
  public:
    explicit TextNumbers(const series::TextPool& pool) : pool_(pool), numbers_(pool.end(), no_index) {}
    std::uint32_t of(series::TextId id) {
        std::uint32_t& number = numbers_[id];
        if (number == no_index) {
            number = static_cast<std::uint32_t>(used_.size());
            used_.push_back(id);
        }
        return number;
    }
    void write(Writer& out) const {
        out.number(static_cast<std::uint32_t>(used_.size()));
        for (const series::TextId id : used_) {
            out.number(static_cast<std::uint8_t>(id == series::other_text ? 1 : 0));
            out.text(pool_.text(id));
        }
    }

  private:
    const series::TextPool& pool_;
    std::vector<std::uint32_t> numbers_;
    std::vector<series::TextId> used_;
};

void write_rows(Writer& out, const series::FamilyCopy& rows, TextNumbers& texts) {
    out.number(static_cast<std::uint32_t>(rows.rows));
    for (const series::TextId id : rows.keys) out.number(texts.of(id));
    for (const std::uint64_t count : rows.counts) out.number(count);
}

void write_origins(Writer& out, const series::FamilyCopy& rows, TextNumbers& texts) {
    out.number(static_cast<std::uint32_t>(rows.rows));
    for (std::size_t i = 0; i < rows.rows; ++i) {
        out.number(texts.of(rows.keys[i]));
        out.number(texts.of(static_cast<series::TextId>(rows.counts[2 * i])));
        out.number(texts.of(static_cast<series::TextId>(rows.counts[2 * i + 1])));
    }
}

void write_files(Writer& out, const std::vector<files::FileState>& files) {
    const auto known =
        std::ranges::count_if(files, [](const files::FileState& f) { return f.fingerprint.length != 0; });
    out.number(static_cast<std::uint32_t>(known));
    for (const files::FileState& file : files) {
        if (file.fingerprint.length == 0) continue;
        out.text(file.path);
        out.text(file.header);
        out.number(file.device);
        out.number(file.inode);
        out.number(file.fingerprint.length);
        out.number(file.fingerprint.hash);
        out.number(file.offset);
        out.number(file.vanished_at);
        out.number(file.first_time);
    }
}

std::vector<files::FileState> read_files(base::ByteReader& in) {
    std::vector<files::FileState> files(read_count(in, 2 * sizeof(std::uint32_t)));
    for (files::FileState& file : files) {
        file.path = read_text(in);
        file.header = read_text(in);
        file.device = in.native<std::uint64_t>();
        file.inode = in.native<std::uint64_t>();
        file.fingerprint.length = in.native<std::uint32_t>();
        file.fingerprint.hash = in.native<std::uint64_t>();
        file.offset = in.native<std::uint64_t>();
        file.vanished_at = in.native<std::int64_t>();
        file.first_time = in.native<std::int64_t>();
    }
    return files;
}

void write_marks(Writer& out, const IngestMarks& marks) {
    out.number(static_cast<std::uint8_t>(marks.baseline));
    out.number(marks.backlog_end);
    out.number(marks.last_read);
    for (const std::uint64_t count : marks.log_events) out.number(count);
}

IngestMarks read_marks(base::ByteReader& in) {
    IngestMarks marks;
    const auto baseline = in.native<std::uint8_t>();
    if (baseline > static_cast<std::uint8_t>(Baseline::after_loss)) in.refuse();
    marks.baseline = static_cast<Baseline>(baseline);
    marks.backlog_end = in.native<std::int64_t>();
    marks.last_read = in.native<std::int64_t>();
    for (std::uint64_t& count : marks.log_events) count = in.native<std::uint64_t>();
    return marks;
}

void write_births(Writer& out, const std::vector<series::BirthRun>& runs) {
    out.number(static_cast<std::uint32_t>(runs.size()));
    for (const series::BirthRun& run : runs) {
        out.number(run.row);
        out.number(run.birth);
    }
}

std::vector<series::BirthRun> read_births(base::ByteReader& in) {
    std::vector<series::BirthRun> runs(read_count(in, 2 * sizeof(std::uint32_t)));
    for (series::BirthRun& run : runs) {
        run.row = in.native<std::uint32_t>();
        run.birth = in.native<std::uint32_t>();
    }
    return runs;
}

void write_scrapers(Writer& out, const series::ScraperMarks& marks, bool final) {
    out.number(static_cast<std::uint8_t>(final ? 1 : 0));
    out.number(marks.next_page);
    out.number(marks.unknown);
    out.number(static_cast<std::uint32_t>(marks.known.size()));
    for (const series::ScraperMark& mark : marks.known) {
        out.number(mark.id);
        out.number(mark.page);
        out.number(mark.interval);
    }
}

void read_scrapers(base::ByteReader& in, RestoredCheckpoint& restored) {
    restored.final = in.native<std::uint8_t>() != 0;
    series::ScraperMarks& marks = restored.scrapers;
    marks.next_page = in.native<std::uint32_t>();
    marks.unknown = in.native<std::uint32_t>();
    marks.known.resize(read_count(in, sizeof(exposition::ScraperId) + 2 * sizeof(std::uint32_t)));
    if (marks.known.size() > series::max_scrapers || marks.next_page > max_page) in.refuse();
    for (series::ScraperMark& mark : marks.known) {
        mark.id = in.native<exposition::ScraperId>();
        mark.page = in.native<std::uint32_t>();
        mark.interval = in.native<std::uint32_t>();
    }
}

// Gives the document's texts their numbers in a store: values of records when the document lists them as such, words
// of ours otherwise. Only texts that some row uses come in.
class RestoredTexts {
  public:
    RestoredTexts(base::ByteReader& in, series::SeriesStore& store) : store_(store) {
        const std::size_t count = read_count(in, sizeof(std::uint8_t) + sizeof(std::uint32_t));
        for (std::size_t i = 0; i < count; ++i) {
            const bool other = in.native<std::uint8_t>() != 0;
            texts_.push_back({read_text(in), other ? series::other_text : series::no_text});
        }
    }
    void list_value(std::uint32_t number, series::Kind kind, std::uint32_t last_seen) {
        if (number >= texts_.size() || texts_[number].id == series::other_text) return;
        texts_[number].kind = kind;
        texts_[number].last_seen = last_seen;
    }
    // series::no_text for a number that the document does not have.
    series::TextId id(std::uint32_t number) {
        if (number >= texts_.size()) return series::no_text;
        Text& text = texts_[number];
        if (text.id == series::no_text) {
            text.id =
                text.kind ? store_.values(*text.kind).restore(text.bytes, text.last_seen) : store_.word(text.bytes);
        }
        return text.id;
    }

  private:
    struct Text {
        std::string_view bytes;
        series::TextId id = series::no_text;
        std::optional<series::Kind> kind = std::nullopt;
        std::uint32_t last_seen = 0;
    };
    series::SeriesStore& store_;
    std::vector<Text> texts_;
};

// Reads the rows of a family; they go into `table` unless it is null. False: a row that cannot be.
bool read_rows(base::ByteReader& in, std::size_t arity, std::size_t width, series::SeriesTable* table,
               RestoredTexts& texts) {
    const std::size_t rows = read_count(in, arity * sizeof(std::uint32_t) + width * sizeof(std::uint64_t));
    const std::string_view keys = in.take(rows * arity * sizeof(std::uint32_t));
    const std::string_view counts = in.take(rows * width * sizeof(std::uint64_t));
    if (!in.ok() || table == nullptr) return in.ok();
    std::array<series::TextId, series::max_labels> key{};
    for (std::size_t row = 0; row < rows; ++row) {
        for (std::size_t i = 0; i < arity; ++i) {
            std::uint32_t number = 0;
            std::memcpy(&number, keys.data() + (row * arity + i) * sizeof number, sizeof number);
            key[i] = texts.id(number);
            if (key[i] == series::no_text) return false;
        }
        if (table->find(key.data()) != series::SeriesTable::none) return false;
        std::memcpy(table->counts(table->add(key.data())), counts.data() + row * width * sizeof(std::uint64_t),
                    width * sizeof(std::uint64_t));
    }
    return true;
}

void read_origins(base::ByteReader& in, series::SeriesStore& store, RestoredTexts& texts) {
    const std::size_t rows = read_count(in, 3 * sizeof(std::uint32_t));
    for (std::size_t row = 0; row < rows; ++row) {
        const series::TextId source = texts.id(in.native<std::uint32_t>());
        const series::TextId vmta = texts.id(in.native<std::uint32_t>());
        const series::TextId pool = texts.id(in.native<std::uint32_t>());
        if (source != series::no_text && vmta != series::no_text && pool != series::no_text) {
            store.learn_origin(source, {vmta, pool});
        }
    }
}

std::optional<series::Family> family_of(std::string_view metric, const series::SeriesStore& store) {
    for (std::size_t i = 0; i < series::family_count; ++i) {
        const series::FamilyShape& shape = store.shape(static_cast<series::Family>(i));
        if (shape.metric != nullptr && shape.metric->name == metric) return static_cast<series::Family>(i);
    }
    return std::nullopt;
}

// One family of the document. It is kept when it means the same now; sender lifetimes are kept whatever the budget.
bool read_family(base::ByteReader& in, bool with_births, series::SeriesStore& store, RestoredTexts& texts,
                 std::vector<std::string>& restarted) {
    const std::string_view metric = read_text(in);
    const auto hash = in.native<std::uint64_t>();
    const auto arity = in.native<std::uint8_t>();
    const auto width = in.native<std::uint8_t>();
    std::array<std::uint64_t, series::max_labels> folded{};
    for (std::uint64_t& count : folded) count = in.native<std::uint64_t>();
    const auto retired = in.native<std::uint64_t>();
    if (!in.ok() || arity > series::max_labels || width == 0 || width > series::delay_width) return false;
    const std::optional<series::Family> family = family_of(metric, store);
    series::SeriesTable* table = nullptr;
    if (family && store.shape(*family).enabled) {
        series::SeriesTable& own = store.table(*family);
        const bool same_form = own.arity() == arity && own.width() == width;
        const bool same = store.shape(*family).hash == hash || *family == series::Family::sender_lifetime;
        if (same_form && same) {
            table = &own;
            store.folded[series::index_of(*family)] = folded;
            store.retired[series::index_of(*family)] = retired;
        }
    }
    const bool wanted = family && store.shape(*family).enabled;
    if (table == nullptr && wanted) restarted.emplace_back(metric);
    if (!read_rows(in, arity, width, table, texts)) return false;
    if (!with_births) return true;
    const std::vector<series::BirthRun> births = read_births(in);
    return in.ok() && (table == nullptr || table->restore_births(births));
}

struct Framed {
    std::uint32_t version = 0;
    std::string_view body;
};

Result<Framed> unframe(std::string_view bytes) {
    base::ByteReader in(bytes);
    if (in.take(magic.size()) != magic) return fail(Fault::malformed, "is not a state file of this exporter");
    const auto version = in.native<std::uint32_t>();
    if (in.ok() && (version < first_version || version > format_version)) {
        return fail(Fault::malformed, "has version {}, this exporter reads {} to {}", version, first_version,
                    format_version);
    }
    const auto size = in.native<std::uint64_t>();
    const auto checksum = in.native<std::uint64_t>();
    if (!in.ok() || size > max_checkpoint_bytes || size != bytes.size() - frame_bytes) {
        return fail(Fault::malformed, "is cut off or has bytes too many ({} bytes)", bytes.size());
    }
    const std::string_view body = bytes.substr(frame_bytes);
    if (base::hash_bytes(body) != checksum) return fail(Fault::malformed, "does not fit its checksum");
    return Framed{version, body};
}

std::size_t families_of(const series::SeriesStore& store) {
    std::size_t count = 0;
    for (std::size_t i = 0; i < series::family_count; ++i) {
        count += store.shape(static_cast<series::Family>(i)).metric == nullptr ? 0 : 1;
    }
    return count;
}

// What version 2 has before the rest.
struct Preface {
    series::RecordFormat format = series::RecordFormat::pmta;
    std::size_t families = series::family_count;
    std::string memory;
};

void write_preface(Writer& out, const series::SeriesStore& store, std::string_view memory) {
    out.number(static_cast<std::uint8_t>(store.format()));
    out.number(static_cast<std::uint32_t>(families_of(store)));
    out.text(memory);
}

Preface read_preface(base::ByteReader& in) {
    Preface preface;
    preface.format = static_cast<series::RecordFormat>(in.native<std::uint8_t>());
    preface.families = read_count(in, sizeof(std::uint32_t));
    preface.memory = read_text(in);
    return preface;
}

}  // namespace

void copy_store(const series::SeriesStore& store, CheckpointCopy& copy) {
    for (std::size_t i = 0; i < series::family_count; ++i) {
        const auto family = static_cast<series::Family>(i);
        series::copy_family(store, family, copy.families[i]);
        copy.births[i] = store.table(family).births_after(copy.scrapers.floor());
    }
    copy.origins = {store.origins().keys(), store.origins().counts(), store.origins().size()};
    for (std::size_t i = 0; i < series::open_kinds; ++i) {
        copy.values[i] = store.values(static_cast<series::Kind>(i)).places();
    }
    copy.totals = store.totals;
    copy.folded = store.folded;
    copy.retired = store.retired;
}

StoreSizes sizes_of(const series::SeriesStore& store) {
    StoreSizes sizes;
    for (std::size_t i = 0; i < series::family_count; ++i) {
        sizes.rows[i] = store.table(static_cast<series::Family>(i)).size();
    }
    for (std::size_t i = 0; i < series::open_kinds; ++i) {
        sizes.places[i] = store.values(static_cast<series::Kind>(i)).places().size();
    }
    return sizes;
}

void reserve_copy(const StoreSizes& sizes, const series::SeriesStore& store, CheckpointCopy& copy) {
    for (std::size_t i = 0; i < series::family_count; ++i) {
        series::reserve_family(store, static_cast<series::Family>(i), sizes.rows[i], copy.families[i]);
    }
    for (std::size_t i = 0; i < series::open_kinds; ++i) copy.values[i].resize(sizes.places[i]);
}

std::string encode_checkpoint(const CheckpointCopy& copy, const series::SeriesStore& store) {
    TextNumbers texts(store.texts());
    Writer rows;
    for (std::size_t i = 0; i < series::family_count; ++i) {
        const series::FamilyShape& shape = store.shape(static_cast<series::Family>(i));
        if (shape.metric == nullptr) continue;
        rows.text(shape.metric->name);
        rows.number(shape.hash);
        rows.number(static_cast<std::uint8_t>(shape.labels.size()));
        rows.number(static_cast<std::uint8_t>(store.table(static_cast<series::Family>(i)).width()));
        for (const std::uint64_t count : copy.folded[i]) rows.number(count);
        rows.number(copy.retired[i]);
        write_rows(rows, copy.families[i], texts);
        write_births(rows, copy.births[i]);
    }
    Writer values;
    for (const std::vector<series::ValueTable::Entry>& entries : copy.values) {
        const auto used = std::ranges::count_if(entries, [](const auto& e) { return e.text != series::no_text; });
        values.number(static_cast<std::uint32_t>(used));
        for (const series::ValueTable::Entry& entry : entries) {
            if (entry.text == series::no_text) continue;
            values.number(texts.of(entry.text));
            values.number(entry.last_seen);
        }
    }
    Writer origins;
    write_origins(origins, copy.origins, texts);
    const bool pmta = store.format() == series::RecordFormat::pmta;
    Writer body;
    if (!pmta) write_preface(body, store, copy.memory);
    texts.write(body);
    body.plain(copy.totals);
    write_marks(body, copy.marks);
    write_scrapers(body, copy.scrapers, copy.final);
    write_files(body, copy.files);
    write_files(body, copy.log_files);
    std::string bytes = body.take() + values.take() + rows.take() + origins.take();
    Writer frame;
    frame.plain(std::array<char, 8>{'M', 'T', 'A', 'W', 'A', 'T', 'C', 'H'});
    frame.number(pmta ? pmta_version : format_version);
    frame.number(static_cast<std::uint64_t>(bytes.size()));
    frame.number(base::hash_bytes(bytes));
    return frame.take() + bytes;
}

Result<RestoredCheckpoint> decode_checkpoint(std::string_view bytes, series::SeriesStore& store) {
    const Result<Framed> framed = unframe(bytes);
    if (!framed) return fail(framed.error());
    base::ByteReader in(framed->body);
    RestoredCheckpoint restored;
    Preface preface;
    const bool with_scrapers = framed->version >= first_version_with_scrapers;
    if (framed->version % 2 == 0) preface = read_preface(in);
    if (preface.format != store.format()) return fail(Fault::malformed, "belongs to another kind of log");
    restored.memory = std::move(preface.memory);
    RestoredTexts texts(in, store);
    store.totals = in.native<series::Totals>();
    store.clock_restored();
    restored.marks = read_marks(in);
    if (with_scrapers) read_scrapers(in, restored);
    store.restore_pages(restored.scrapers.next_page);
    restored.files = read_files(in);
    restored.log_files = read_files(in);
    for (std::size_t kind = 0; kind < series::open_kinds; ++kind) {
        const std::size_t count = read_count(in, 2 * sizeof(std::uint32_t));
        for (std::size_t i = 0; i < count; ++i) {
            const auto number = in.native<std::uint32_t>();
            texts.list_value(number, static_cast<series::Kind>(kind), in.native<std::uint32_t>());
        }
    }
    for (std::size_t i = 0; i < preface.families; ++i) {
        if (!read_family(in, with_scrapers, store, texts, restored.restarted)) {
            return fail(Fault::malformed, "holds counts that cannot be");
        }
    }
    read_origins(in, store, texts);
    if (!in.ok() || in.remaining() != 0) return fail(Fault::malformed, "ends in the wrong place");
    return restored;
}

}  // namespace mtawatch::exporter::feed
