// pmta_exporter: see docs/exporter.md.
#include <malloc.h>

#include <string>
#include <vector>

#include "exporter/program.h"
#include "shared/base/last_resort.h"
#include "shared/io/standard_streams.h"

namespace {

// Blocks from this size on are mapped apart and go back to the system when they are freed. By itself glibc raises its
// limit to 32 MiB once such a block was freed, and keeps what follows, in every thread that ever read a large document.
constexpr int mapped_apart = 1 << 20;

}  // namespace

int main(int argc, char** argv) {
    mallopt(M_MMAP_THRESHOLD, mapped_apart);  // NOLINT(concurrency-mt-unsafe): before there is a second thread
    mtawatch::io::open_standard_streams();
    return mtawatch::base::run_main({.before = "pmta_exporter: "}, [&] {
        return mtawatch::exporter::run(std::vector<std::string>(argv + 1, argv + argc));
    });
}
