// pmta_exporter: see docs/exporter.md.
#include <string>
#include <vector>

#include "exporter/program.h"

int main(int argc, char** argv) {
    const std::vector<std::string> arguments(argv + 1, argv + argc);
    return mtawatch::exporter::run(arguments);
}
