#include "shared/probe/mta_state/mta_host.h"

#include "shared/base/text.h"
#include "shared/mta/logs/mail_log.h"
#include "shared/probe/bounce_rate/bounce_rate.h"
#include "shared/probe/mta_state/remote_accounting.h"

namespace mtawatch::probe::mta_state {

namespace {

using base::fail;
using base::Fault;
using base::Result;

// Enough for an hour of a busy host (some 150 000 lines); a part that does not reach back an hour is reported as such.
constexpr std::size_t max_log_tail = 32U << 20U;

constexpr std::string_view no_mail = "the journal holds no mail messages of the last hour";

void read_disks(const world::Machine& machine, const std::vector<std::string>& paths, const base::Deadline& deadline,
                MtaHostObservation& into) {
    // One run for each path: df leaves out what it cannot look at, and names only the mount point.
    for (const auto& path : paths) {
        auto output = machine.output_of({"df", "-P", "-k", "--", path}, deadline);
        auto disks = output ? read_df(*output) : Result<std::vector<DiskFacts>>(fail(output.error()));
        if (disks && disks->size() != 1) disks = fail(Fault::malformed, "df told of {} file systems", disks->size());
        if (!disks) {
            into.unseen.push_back({"disk " + path, disks.error()});
            continue;
        }
        disks->front().path = path;
        into.disks.push_back(disks->front());
    }
}

// Counts what a program prints. Empty output is counted as nothing seen, so callers ask for `lines`.
Result<mta::logs::MailLogCounts> count_lines(const world::Machine& machine, const std::vector<std::string>& argv,
                                             std::optional<mta::logs::MachineTime> now,
                                             const base::Deadline& deadline) {
    mta::logs::MailLogReader reader(now);
    bool whole_lines = true;
    auto result = machine.commands().stream(
        argv,
        [&](std::string_view piece) {
            whole_lines = piece.ends_with('\n');
            reader.push(piece);
            return true;
        },
        deadline);
    if (!result) return fail(result.error());
    // journalctl exits with 0 and shows only our own messages where it may not show all: that is a failed probe.
    if (base::icontains(result->error_text, "not seeing messages") ||
        base::icontains(result->error_text, "insufficient permissions") ||
        base::icontains(result->error_text, "no journal files were found")) {
        return fail(Fault::permission,
                    "{} {}: the journal cannot be read ({}): add this user to the group systemd-journal", argv.front(),
                    machine.commands().where(), base::one_line(base::trim(result->error_text), 60));
    }
    if (result->exit_status != 0) return fail(world::failed_program(argv.front(), machine.commands(), *result));
    // journalctl ends every line; a log file's last line may be half written.
    if (argv.front() == "journalctl" && !whole_lines) {
        return fail(Fault::malformed, "journalctl {} was cut off in the middle of a line", machine.commands().where());
    }
    return reader.finish();
}

std::vector<std::string> journal(const std::string& more) {
    std::vector<std::string> argv{"journalctl", "--no-pager", "--facility=mail", "--since=-1h", "--output=cat"};
    if (!more.empty()) argv.push_back(more);
    return argv;
}

struct LogAnswer {
    MailLogFacts log;
    DeliveryFacts deliveries;
};

// journalctl knows the priority, so an error is what the program called one.
Result<LogAnswer> ask_journal(const world::Machine& machine, const base::Deadline& deadline) {
    auto all = count_lines(machine, journal(""), {}, deadline);
    if (!all) return fail(all.error());
    // Where Postfix writes files by itself the journal has no mail at all.
    if (all->lines == 0) return fail(Fault::not_found, "{}", no_mail);
    auto errors = count_lines(machine, journal("--priority=err"), {}, deadline);
    if (!errors) return fail(errors.error());
    LogAnswer answer;
    answer.log = {"journal", static_cast<std::int64_t>(errors->lines), static_cast<std::int64_t>(all->rejects),
                  errors->last_error};
    answer.deliveries = {static_cast<std::int64_t>(all->sent), static_cast<std::int64_t>(all->bounced)};
    return answer;
}

void add(const mta::logs::MailLogCounts& counts, LogAnswer& into) {
    into.log.errors += static_cast<std::int64_t>(counts.errors);
    into.log.rejects = into.log.rejects.value_or(0) + static_cast<std::int64_t>(counts.rejects);
    if (into.log.last_error.empty()) into.log.last_error = counts.last_error;
    into.deliveries.delivered += static_cast<std::int64_t>(counts.sent);
    into.deliveries.bounced += static_cast<std::int64_t>(counts.bounced);
}

Result<LogAnswer> ask_file(const world::Machine& machine, const std::string& path, const base::Deadline& deadline) {
    auto printed = machine.output_of({"date", "+%Y-%m-%dT%H:%M:%S%z"}, deadline);
    if (!printed) return fail(printed.error());
    const auto now = mta::logs::parse_machine_time(*printed);
    if (!now) return fail(Fault::malformed, "date printed '{}'", base::one_line(*printed, 60));
    const auto tail = [&](const std::string& file) {
        return count_lines(machine, {"tail", "-c", std::to_string(max_log_tail), "--", file}, now, deadline);
    };
    auto counts = tail(path);
    if (!counts) return fail(counts.error());
    LogAnswer answer;
    answer.log.source = path;
    add(*counts, answer);
    // Rotated within the hour: the rest is in the file before. None there is a young log.
    if (counts->begins_in_window || counts->lines == 0) {
        if (auto older = tail(path + ".1")) add(*older, answer);
    }
    return answer;
}

Result<LogAnswer> ask_log(const world::Machine& machine, const base::Deadline& deadline) {
    auto answer = ask_journal(machine, deadline);
    if (deadline.expired()) return answer;  // what is asked now would be blamed for the time that the journal took
    for (const auto* path : {"/var/log/mail.log", "/var/log/maillog"}) {
        if (answer) return answer;
        auto file = ask_file(machine, path, deadline);
        if (file) return file;
        const std::string& why = file.error().what;
        if (why.find("No such file") == std::string::npos && answer.error().what.find(why) == std::string::npos) {
            answer = fail(Fault::permission, "{}; {}", answer.error().what, file.error().what);
        }
    }
    if (answer || answer.error().fault != Fault::not_found || !answer.error().what.starts_with(no_mail)) return answer;
    // No mail in the journal and no file: a quiet host if the journal holds anything at all, else nobody logs here.
    auto any = count_lines(machine, {"journalctl", "--no-pager", "--lines=1", "--output=cat"}, {}, deadline);
    if (any && any->lines == 0) {
        return fail(Fault::not_found,
                    "the journal is empty and there is neither /var/log/mail.log nor /var/log/maillog");
    }
    if (!any) return fail(any.error());
    return LogAnswer{{"journal", 0, 0, ""}, {}};
}

void read_log(const world::Machine& machine, bool errors, bool deliveries, const base::Deadline& deadline,
              MtaHostObservation& into) {
    auto answer = ask_log(machine, deadline);
    if (answer) {
        if (errors) into.log = answer->log;
        if (deliveries) into.deliveries = answer->deliveries;
        return;
    }
    if (errors) into.unseen.push_back({"mail log", answer.error()});
    if (deliveries) into.unseen.push_back({"deliveries", answer.error()});
}

// A file without any record says nothing about what PowerMTA is told to log, nor does one that cannot be read.
base::Failure no_record(const std::string& glob, const std::vector<bounce_rate::LogSource>& sources) {
    for (const bounce_rate::LogSource& source : sources) {
        if (!source.problem.empty()) return fail(Fault::io, "{}", source.problem);
    }
    return fail(Fault::not_found, "{}: no record in it; PowerMTA has not written any, or it is another file", glob);
}

void read_accounting(const world::Machine& machine, const std::string& glob, const base::Deadline& deadline,
                     world::World& world, MtaHostObservation& into) {
    if (machine.is_remote()) {
        if (auto facts = remote_deliveries(machine, glob, deadline)) {
            into.deliveries = *facts;
        } else {
            into.unseen.push_back({"deliveries", facts.error()});
        }
        return;
    }
    bounce_rate::BounceRateQuery query;
    query.globs = {glob};
    query.end = world.clock->wall();
    auto seen = bounce_rate::bounce_rate(query, deadline, world);
    if (seen && !seen->newest) {
        seen = no_record(glob, seen->sources);
    } else if (seen && !seen->logged.deliveries) {
        seen = fail(Fault::configuration, "PowerMTA does not log d records here: add `records d,b`");
    }
    if (!seen) {
        into.unseen.push_back({"deliveries", seen.error()});
    } else {
        into.deliveries = DeliveryFacts{static_cast<std::int64_t>(seen->total.delivered),
                                        static_cast<std::int64_t>(seen->total.bounced())};
    }
}

void probe_certificate(const std::string& text, const base::Deadline& deadline, world::World& world,
                       MtaHostObservation& into) {
    mail_server::MailCertQuery query;
    auto endpoint = mail_server::parse_cert_endpoint(text);
    if (endpoint) query.endpoints = {*endpoint};
    auto seen = endpoint ? mail_server::mail_cert(query, deadline, world)
                         : Result<mail_server::MailCertObservation>(fail(endpoint.error()));
    if (seen) {
        into.certificate = std::move(*seen);
    } else {
        into.unseen.push_back({"certificate", seen.error()});
    }
}

}  // namespace

double DiskFacts::used_percent() const {
    const auto all = static_cast<double>(used_kib) + static_cast<double>(available_kib);
    return all > 0 ? 100.0 * (static_cast<double>(used_kib) / all) : 0.0;
}

std::optional<double> DeliveryFacts::delivered_percent() const {
    if (delivered + bounced == 0) return std::nullopt;
    return 100.0 * static_cast<double>(delivered) / static_cast<double>(delivered + bounced);
}

base::Result<std::vector<DiskFacts>> read_df(std::string_view text) {
    std::vector<DiskFacts> disks;
    const auto lines = base::split(base::trim(text), '\n');
    if (lines.empty() || lines[0].find("1024-blocks") == std::string_view::npos) {
        return fail(Fault::malformed, "df printed '{}'", base::one_line(text, 80));
    }
    for (std::size_t i = 1; i < lines.size(); ++i) {
        // From the right: a file system's name may hold blanks, a mount point rarely does and stands last.
        const auto words = base::words(lines[i]);
        std::size_t percent = 0;
        for (std::size_t at = 4; at < words.size(); ++at) {
            if (words[at].ends_with('%') || words[at] == "-") percent = at;
        }
        if (percent < 4 || percent + 1 >= words.size()) {
            return fail(Fault::malformed, "df printed '{}'", base::one_line(lines[i], 80));
        }
        const auto used = base::to_number<std::uint64_t>(words[percent - 2]);
        const auto available = base::to_number<std::uint64_t>(words[percent - 1]);
        if (!used || !available) return fail(Fault::malformed, "df printed '{}'", base::one_line(lines[i], 80));
        disks.push_back({"", std::string(words[percent + 1]), *used, *available});
    }
    return disks;
}

base::Result<MtaHostObservation> mta_host(const MtaHostQuery& query, const base::Deadline& deadline,
                                          world::World& world) {
    const auto begin = deadline.clock().steady();
    auto machine = world::Machine::open(world, query.ssh, deadline);
    if (!machine) return fail(machine.error());
    MtaHostObservation seen;
    seen.where = machine->commands().where();
    if (!query.units.empty()) {
        auto units = unit_facts(*machine, query.units, deadline);
        if (units) {
            seen.units = std::move(*units);
        } else {
            seen.unseen.push_back({"services", units.error()});
        }
    }
    if (query.queue) {
        auto queue = query.queue->web ? mta_queue(*query.queue, deadline, world)
                                      : mta_queue_on(*machine, *query.queue, deadline, world);
        if (queue) {
            seen.queue = std::move(*queue);
        } else {
            seen.unseen.push_back({"queue", queue.error()});
        }
    }
    read_disks(*machine, query.disks, deadline, seen);
    const bool by_log = query.deliveries && query.accounting.empty();
    if (query.log || by_log) read_log(*machine, query.log, by_log, deadline, seen);
    if (query.deliveries && !by_log) read_accounting(*machine, query.accounting, deadline, world, seen);
    if (!query.certificate.empty()) probe_certificate(query.certificate, deadline, world, seen);
    seen.took = deadline.clock().steady() - begin;
    return seen;
}

}  // namespace mtawatch::probe::mta_state
