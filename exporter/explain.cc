#include "exporter/explain.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>
#include <memory>
#include <optional>
#include <unordered_map>
#include <utility>
#include <variant>
#include <vector>

#include "shared/base/text.h"
#include "shared/mta/classes/attribution.h"
#include "shared/mta/classes/reply_template.h"
#include "shared/mta/logs/accounting_scanner.h"
#include "shared/mta/logs/kumomta_log.h"
#include "shared/mta/logs/postfix_log.h"

namespace mtawatch::exporter {
namespace {

using base::fail;
using base::Fault;
using base::Result;
using mta::classes::BounceClass;
using mta::classes::ReplyVerdict;
using mta::logs::Column;
using mta::logs::RecordType;

constexpr std::size_t first_look = 64U << 10U;  // enough lines to tell a format by
constexpr std::size_t most_kinds = 20'000;      // of replies that are told apart; the rest is counted together
constexpr std::size_t most_rows = 100;          // of the table

// How often each kind of reply was met.
class Survey {
  public:
    explicit Survey(const mta::classes::ReplyClassifier& replies) : replies_(replies) {}

    void add(std::string_view status, std::string_view diag) {
        const ReplyVerdict verdict = replies_.classify(status, diag);
        ++total_;
        ++reasons_[static_cast<std::size_t>(verdict.reply_class)];
        std::string text = mta::classes::reply_template(diag.empty() ? status : diag);
        std::string key = base::to_lower(text);
        const auto known = kinds_.find(key);
        if (known != kinds_.end()) {
            ++known->second.count;
        } else if (kinds_.size() < most_kinds) {
            kinds_.emplace(std::move(key), Kind{std::move(text), verdict, 1});
        } else {
            ++folded_;
        }
    }

    [[nodiscard]] std::uint64_t total() const { return total_; }

    [[nodiscard]] std::string reasons() const {
        std::vector<std::pair<std::uint64_t, std::string_view>> rows;
        for (std::size_t i = 0; i < reasons_.size(); ++i) {
            if (reasons_[i] > 0) rows.emplace_back(reasons_[i], name(static_cast<mta::classes::ReplyClass>(i)));
        }
        std::ranges::stable_sort(rows, std::greater(), [](const auto& row) { return row.first; });
        std::string text;
        for (const auto& [count, reason] : rows) text += fmt::format("{:>10}  {}  {}\n", count, share(count), reason);
        return text;
    }

    [[nodiscard]] std::string kinds(bool unknown) const {
        std::vector<const Kind*> rows;
        std::uint64_t matched = 0;
        for (const auto& [key, kind] : kinds_) {
            if (unknown && kind.verdict.rule != "none") continue;
            rows.push_back(&kind);
            matched += kind.count;
        }
        std::ranges::sort(rows, [](const Kind* a, const Kind* b) {
            return a->count != b->count ? a->count > b->count : a->text < b->text;
        });
        std::string text;
        std::uint64_t shown = 0;
        for (std::size_t i = 0; i < std::min(rows.size(), most_rows); ++i) {
            const Kind& kind = *rows[i];
            shown += kind.count;
            text += unknown ? fmt::format("{:>10}  {}  {}\n", kind.count, share(kind.count), kind.text)
                            : fmt::format("{:>10}  {}  {:<5}  {:<14}  {:<29}  {}\n", kind.count, share(kind.count),
                                          name(kind.verdict.bounce_class), name(kind.verdict.reply_class),
                                          kind.verdict.rule, kind.text);
        }
        if (rows.size() > most_rows) {
            text += fmt::format("{:>10}  {}  {} more kinds of reply\n", matched - shown, share(matched - shown),
                                rows.size() - most_rows);
        }
        if (folded_ > 0) text += fmt::format("{:>10}  {}  of still other kinds\n", folded_, share(folded_));
        return text;
    }

  private:
    struct Kind {
        std::string text;
        ReplyVerdict verdict;
        std::uint64_t count = 0;
    };
    [[nodiscard]] std::string share(std::uint64_t count) const {
        return fmt::format("{:5.1f} %", 100 * static_cast<double>(count) / static_cast<double>(total_));
    }

    const mta::classes::ReplyClassifier& replies_;
    std::uint64_t total_ = 0;
    std::uint64_t folded_ = 0;
    std::array<std::uint64_t, mta::classes::reply_classes> reasons_{};
    std::unordered_map<std::string, Kind> kinds_;
};

using LogReader = std::variant<mta::logs::AccountingScanner, mta::logs::PostfixLogReader, mta::logs::KumoLogReader>;

// A reader of a log and how it is called.
struct Log {
    std::string_view program;
    std::unique_ptr<LogReader> reader;

    [[nodiscard]] mta::logs::RecordReader& records() {
        return std::visit([](auto& one) -> mta::logs::RecordReader& { return one; }, *reader);
    }
    // Lines that were of this format, whatever they said.
    [[nodiscard]] std::uint64_t own_lines() {
        if (auto* postfix = std::get_if<mta::logs::PostfixLogReader>(reader.get())) return postfix->own_lines();
        if (auto* kumomta = std::get_if<mta::logs::KumoLogReader>(reader.get())) return kumomta->own_lines();
        return records().counts().parsed + records().counts().headers;
    }
};

std::vector<Log> every_log() {
    std::vector<Log> logs;
    logs.push_back({"KumoMTA", std::make_unique<LogReader>(std::in_place_type<mta::logs::KumoLogReader>)});
    logs.push_back({"Postfix", std::make_unique<LogReader>(std::in_place_type<mta::logs::PostfixLogReader>,
                                                           mta::logs::PostfixLogOptions{})});
    logs.push_back({"PowerMTA", std::make_unique<LogReader>(std::in_place_type<mta::logs::AccountingScanner>,
                                                            mta::logs::ScannerOptions{})});
    return logs;
}

// The log that begins like `text`, at its beginning; nothing where the lines are no log's.
std::optional<Log> log_of(std::string_view text) {
    std::vector<Log> tried = every_log();
    for (std::size_t i = 0; i < tried.size(); ++i) {
        for (std::string_view rest = text; !rest.empty() && tried[i].own_lines() == 0;) {
            rest.remove_prefix(tried[i].records().push(rest));
            while (!tried[i].records().next().empty()) {
            }
        }
        if (tried[i].own_lines() > 0) return std::move(every_log()[i]);
    }
    return std::nullopt;
}

// The replies of a log's bounces and deferrals that left this host.
class LogReplies {
  public:
    LogReplies(mta::logs::RecordReader& reader, Survey& survey) : reader_(reader), survey_(survey) {}

    void feed(std::string_view bytes) {
        while (!bytes.empty()) {
            bytes.remove_prefix(reader_.push(bytes));
            take();
        }
    }
    void finish() {
        reader_.finish();
        take();
    }
    [[nodiscard]] std::uint64_t records() const { return records_; }

  private:
    void take() {
        for (auto records = reader_.next(); !records.empty(); records = reader_.next()) {
            records_ += records.size();
            for (const mta::logs::Record& record : records) {
                const bool failed = record.type == RecordType::b || record.type == RecordType::t ||
                                    record.type == RecordType::tq || record.type == RecordType::rb;
                if (!failed || mta::classes::is_local(record)) continue;
                survey_.add(record.raw(Column::dsn_status), record.raw(Column::dsn_diag));
            }
        }
    }

    mta::logs::RecordReader& reader_;
    Survey& survey_;
    std::uint64_t records_ = 0;
};

// A reply a line.
class Lines {
  public:
    Lines(const mta::classes::ReplyClassifier& replies, Survey* survey, const TextSink& sink)
        : replies_(replies), survey_(survey), sink_(sink) {}

    void feed(std::string_view bytes) {
        for (std::size_t end = bytes.find('\n'); end != std::string_view::npos; end = bytes.find('\n')) {
            line_ += bytes.substr(0, end);
            line();
            bytes.remove_prefix(end + 1);
        }
        line_ += bytes;
    }
    void finish() {
        if (!line_.empty()) line();
    }

  private:
    void line() {
        const std::string whole = base::one_line(line_, line_.size());
        const std::string_view text = base::trim(whole);
        line_.clear();
        if (text.empty()) return;
        if (survey_ != nullptr) return survey_->add({}, text);
        const ReplyVerdict verdict = replies_.classify({}, text);
        sink_(
            fmt::format("{}\t{}\t{}\t{}\n", name(verdict.bounce_class), name(verdict.reply_class), verdict.rule, text));
    }

    const mta::classes::ReplyClassifier& replies_;
    Survey* const survey_;  // null: each line is told by itself
    const TextSink& sink_;
    std::string line_;
};

constexpr std::string_view unknown_title = "Replies that no rule knows (count, share of all replies, template):\n";

Result<void> each_piece(io::ByteSource& source, std::string_view first, const TextSink& feed) {
    feed(first);
    const std::unique_ptr<char[]> room = std::make_unique<char[]>(first_look);
    for (;;) {
        const auto count = source.read({room.get(), first_look});
        if (!count) return fail(count.error());
        if (*count == 0) return {};
        feed({room.get(), *count});
    }
}

}  // namespace

std::string explain_reply(std::string_view reply, const mta::classes::ReplyClassifier& replies) {
    const ReplyVerdict verdict = replies.classify({}, reply);
    const mta::classes::ReplyCodes codes = mta::classes::reply_codes({}, reply);
    std::string answer = fmt::format("reason:        {}\nrule:          {}\n", name(verdict.reply_class), verdict.rule);
    if (codes.code != 0) answer += fmt::format("code:          {}\n", codes.code);
    if (codes.enhanced_size != 0) answer += fmt::format("enhanced code: {}\n", codes.enhanced_code());
    const mta::logs::OwnedRecord bounced(RecordType::b, mta::logs::no_time, {{Column::dsn_diag, std::string(reply)}});
    const BounceClass bounce =
        mta::classes::bounce_class_of(bounced.view(), mta::classes::BounceClasses(), {}, verdict.bounce_class);
    return answer + fmt::format("bounce class:  {} (where PowerMTA's category does not decide)\n", name(bounce));
}

Result<void> explain_source(io::ByteSource& source, const std::string& name,
                            const mta::classes::ReplyClassifier& replies, bool unknown, const TextSink& sink) {
    std::string first(first_look, '\0');
    std::size_t size = 0;
    while (size < first.size()) {
        const auto count = source.read({first.data() + size, first.size() - size});
        if (!count) return fail(count.error());
        if (*count == 0) break;
        size += *count;
    }
    first.resize(size);
    if (base::trim(first).empty()) return fail(Fault::malformed, "{}: is empty", name);
    Survey survey(replies);
    auto found = log_of(first);
    if (!found) {
        Lines lines(replies, unknown ? &survey : nullptr, sink);
        if (auto done = each_piece(source, first, [&](std::string_view piece) { lines.feed(piece); }); !done)
            return done;
        lines.finish();
        if (unknown) sink(fmt::format("{}{}", unknown_title, survey.kinds(true)));
        return {};
    }
    LogReplies log(found->records(), survey);
    if (auto done = each_piece(source, first, [&](std::string_view piece) { log.feed(piece); }); !done) return done;
    log.finish();
    if (survey.total() == 0) {
        return fail(Fault::malformed, "{}: {} records ({}), none of them a bounce or a deferral", name, log.records(),
                    found->program);
    }
    sink(fmt::format("{}: {} bounces and deferrals of {} records ({})\n\n", name, survey.total(), log.records(),
                     found->program));
    if (unknown) {
        sink(fmt::format("{}{}", unknown_title, survey.kinds(true)));
    } else {
        sink(fmt::format("By reason:\n{}\nBy kind (count, share, class, reason, rule, template):\n{}", survey.reasons(),
                         survey.kinds(false)));
    }
    return {};
}

}  // namespace mtawatch::exporter
