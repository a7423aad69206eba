#include "exporter/pipe/pipe_options.h"

namespace mtawatch::exporter::pipe {

using options::Kind;

options::Program pipe_program() {
    return {.name = "pmta_acct_pipe",
            .purpose = "Keeps the accounting records that PowerMTA pipes, for pmta_exporter",
            .options = options::options_of({{{.name = "name",
                                              .metavar = "NAME",
                                              .help = "Name of the spool: letters, digits, - and _",
                                              .required = true},
                                             {.name = "spool",
                                              .metavar = "DIR",
                                              .help = "Folder of all spools",
                                              .fallback = "/var/spool/pmta_exporter"},
                                             {.name = "file-size",
                                              .kind = Kind::integer,
                                              .metavar = "BYTES",
                                              .help = "A new file begins after so many",
                                              .fallback = "67108864",
                                              .least = 1},
                                             {.name = "max-size",
                                              .kind = Kind::integer,
                                              .metavar = "BYTES",
                                              .help = "The files of NAME together; beyond it the oldest are deleted",
                                              .fallback = "1073741824",
                                              .least = 1},
                                             {.name = "wait",
                                              .kind = Kind::duration,
                                              .help = "How long PowerMTA waits while nothing can be written, before "
                                                      "the oldest files or records are given up; keep it below "
                                                      "PowerMTA's write-timeout",
                                              .fallback = "50s"}},
                                            options::help_and_version()}),
            .description =
                "Reads PowerMTA's accounting records on stdin and appends them to DIR/NAME/NAME-*.csv, "
                "which pmta_exporter follows: --acct '/var/spool/pmta_exporter/*/*.csv'.",
            .notes =
                "In PowerMTA's configuration:\n"
                "<acct-file |/usr/bin/pmta_acct_pipe --name bounces>\n"
                "    records b\n"
                "</acct-file>\n"};
}

base::Result<options::Options> parse_pipe_options(const std::vector<std::string>& arguments) {
    return options::Options::parse(pipe_program().options, arguments, {.later_counts = true});
}

SpoolSettings spool_settings(const options::Options& given) {
    return {.folder = given.text("spool"),
            .name = given.text("name"),
            .file_bytes = static_cast<std::uint64_t>(given.integer("file-size")),
            .max_bytes = static_cast<std::uint64_t>(given.integer("max-size")),
            .wait = given.duration("wait")};
}

}  // namespace mtawatch::exporter::pipe
