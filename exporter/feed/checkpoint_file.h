// State file on disk: exclusive lock, load, and atomic replacement with fsync.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "shared/base/result.h"
#include "shared/io/descriptor.h"

namespace mtawatch::exporter::feed {

class CheckpointFile {
  public:
    // Takes the lock beside the file (`path`.lock), which is given back on destruction or when the process ends in
    // whatever way. A file system that is full or read-only now is no error: save() tries again. Faults:
    // configuration (another exporter holds the lock), permission, not_found (no such folder), io.
    [[nodiscard]] static base::Result<CheckpointFile> open(const std::string& path);

    // The last whole document, or nothing on the first start. Faults: permission, io, limit.
    [[nodiscard]] base::Result<std::optional<std::string>> load() const;
    // Writes a temporary file in the same folder, fsyncs it, renames it and fsyncs the folder: after a crash at any
    // moment the file is the old or the new document, whole. On an Error the old one is still there. Takes the lock
    // anew where its file is gone; another exporter that has it by now is an Error.
    [[nodiscard]] base::Result<void> save(std::string_view document);
    // Renames a document that cannot be read to "`path`.unreadable" and says that name.
    [[nodiscard]] base::Result<std::string> keep_aside() const;

  private:
    explicit CheckpointFile(std::string path) : path_(std::move(path)) {}
    [[nodiscard]] base::Result<void> acquire_lock();
    [[nodiscard]] bool lost_lock() const;

    std::string path_;
    io::Descriptor lock_;
};

}  // namespace mtawatch::exporter::feed
