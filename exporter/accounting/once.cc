#include <algorithm>
#include <optional>

#include "exporter/accounting/accounting.h"
#include "exporter/accounting/checkpoint_file.h"
#include "exporter/accounting/ingest.h"

namespace mtawatch::exporter {
namespace {

using base::fail;
using base::Fault;
using base::Result;

constexpr std::string_view kStdin = "-";
constexpr std::chrono::milliseconds kProgressPause{250};

}  // namespace

Result<void> run_once(AccountingSettings settings, const base::Clock& clock, const LogLine& log,
                      const Progress& progress, ExpositionWriter& writer) {
    if (auto right = check_settings(settings); !right) return right;
    const bool use_stdin = std::erase(settings.globs, kStdin) != 0;
    std::optional<CheckpointFile> file;
    if (!settings.state_file.empty()) {
        auto opened = CheckpointFile::open(settings.state_file);
        if (!opened) return fail(opened.error());
        file = std::move(*opened);
    }
    Ingest ingest(settings, clock, log, true);
    if (file) {
        const auto document = file->load();
        if (!document) return fail(document.error());
        if (*document) {
            if (auto restored = ingest.restore(**document); !restored) {
                return fail(restored.error().at("state file " + settings.state_file));
            }
        }
    }
    base::SteadyTime shown = clock.steady();
    const AfterChunk after_chunk = [&] {
        const base::SteadyTime now = clock.steady();
        if (progress && now - shown >= kProgressPause) {
            shown = now;
            const Ingest::Amount amount = ingest.amount();
            progress(amount.bytes_read, amount.bytes_total, amount.records);
        }
        return true;
    };
    if (use_stdin) ingest.read_stream(0, after_chunk);
    ingest.catch_up(after_chunk);
    const Ingest::Amount amount = ingest.amount();
    if (amount.files == 0 && !use_stdin) {
        std::string globs;
        for (const std::string& glob : settings.globs) globs += (globs.empty() ? "" : ", ") + glob;
        return fail(Fault::not_found, "no readable accounting file matches {}{}", globs,
                    amount.unreadable == 0 ? "" : "; what was found cannot be read, see the messages above");
    }
    ingest.write(writer);
    if (!file) return {};
    return file->save(ingest.checkpoint());
}

}  // namespace mtawatch::exporter
