#include "shared/probe/world/remote_files.h"

#include <algorithm>

#include "shared/base/text.h"

namespace mtawatch::probe::world {

using base::fail;
using base::Fault;
using base::Result;

constexpr std::size_t max_find_output = 4U << 20U;  // some 50 000 files in the folder

Result<std::vector<RemoteFile>> read_find(std::string_view text) {
    std::vector<RemoteFile> files;
    for (const std::string_view line : base::split(text, '\n')) {
        if (line.empty()) continue;
        std::string_view rest = line;
        const auto word = [&rest] {
            const std::size_t end = std::min(rest.find(' '), rest.size());
            const std::string_view found = rest.substr(0, end);
            rest.remove_prefix(std::min(end + 1, rest.size()));
            return found;
        };
        const auto modified = base::to_double(word());
        const auto bytes = base::to_number<std::uint64_t>(word());
        const auto inode = base::to_number<std::uint64_t>(word());
        constexpr double latest = 1e11;  // seconds; far beyond every clock
        if (!modified || !bytes || !inode || rest.empty() || *modified < 0 || *modified > latest) {
            return fail(Fault::malformed, "find printed '{}'", base::one_line(line, 80));
        }
        files.push_back({std::string(rest), *bytes, *inode, static_cast<std::int64_t>(*modified)});
    }
    return files;
}

Result<std::vector<RemoteFile>> list_files(const Machine& machine, const std::string& glob,
                                           const base::Deadline& deadline) {
    const std::size_t slash = glob.rfind('/');
    const std::string folder = glob.substr(0, std::max<std::size_t>(slash == std::string::npos ? 0 : slash, 1));
    if (!glob.starts_with('/') || folder.find_first_of("*?[") != std::string::npos || slash + 1 == glob.size()) {
        return fail(Fault::usage, "files '{}': over SSH write an absolute path with a pattern in its last part", glob);
    }
    io::CommandLimits limits;
    limits.max_output = max_find_output;
    const std::string name = glob.substr(slash + 1);
    const auto printed = machine.commands().run(
        {"find", "-L", folder, "-maxdepth", "1", "-type", "f", "-name", name, "-printf", "%T@ %s %i %p\\n"}, limits,
        deadline);
    if (!printed) return fail(printed.error());
    if (printed->exit_status != 0) {
        if (printed->error_text.find("No such file or directory") != std::string::npos) {
            return std::vector<RemoteFile>();
        }
        return fail(failed_program("find", machine.commands(), *printed));
    }
    auto files = read_find(printed->output);
    if (!files) return files;
    // Unlike glob(7), find lets * match a dot at the beginning.
    const auto hidden = [](const RemoteFile& file) {
        return file.path.substr(file.path.rfind('/') + 1).starts_with('.');
    };
    if (!name.starts_with('.')) std::erase_if(*files, hidden);
    return files;
}

Result<void> RemoteReader::fetch(std::uint64_t at, std::size_t wanted) {
    const bool goes_on = at != 0 && at == held_at_ + held_.size();
    const std::size_t size = std::max(wanted, goes_on ? std::min(2 * size_, largest_fetch) : first_fetch);
    auto got =
        machine_->output_of({"dd", "if=" + path_, "iflag=skip_bytes,count_bytes,fullblock", fmt::format("skip={}", at),
                             fmt::format("count={}", size), "bs=65536", "status=none"},
                            *deadline_, size);
    if (!got && got.error().fault == Fault::timeout) {
        return fail(Fault::deadline, "{}: no time left after {} MB {}; give a smaller --window or a longer --timeout",
                    path_, fetched_ >> 20U, machine_->commands().where());
    }
    if (!got && got.error().fault == Fault::permission) {
        return fail(Fault::permission, "{}: {}; the user of the connection must be able to read it", path_,
                    got.error().what);
    }
    if (!got) return fail(got.error().at(path_));
    held_ = std::move(*got);
    held_at_ = at;
    size_ = size;  // only now: a fetch that failed has not met the end of the file
    fetched_ += held_.size();
    return {};
}

Result<std::size_t> RemoteReader::read(std::uint64_t at, std::span<char> into) {
    std::size_t filled = 0;
    while (filled < into.size()) {
        const std::uint64_t place = at + filled;
        if (place == held_at_ + held_.size() && held_.size() < size_) break;  // the last fetch met the file's end
        if (place < held_at_ || place >= held_at_ + held_.size()) {
            if (const auto done = fetch(place, into.size() - filled); !done) return fail(done.error());
            if (held_.empty()) break;
        }
        const std::size_t from = static_cast<std::size_t>(place - held_at_);
        const std::size_t count = std::min(held_.size() - from, into.size() - filled);
        std::copy_n(held_.data() + from, count, into.data() + filled);
        filled += count;
    }
    return filled;
}

}  // namespace mtawatch::probe::world
