// What went wrong, in words an operator can act on, and what kind of thing it was.
#pragma once

#include <string>
#include <string_view>
#include <utility>

namespace mtawatch::base {

// The kind of a failed look. Only plugin::state_of turns it into a state; nothing else may judge.
// "A bad target is an observation; a failed look is an Error": an expired certificate or NXDOMAIN is no Fault.
enum class Fault {
    usage,          // an option or argument that cannot be right
    configuration,  // a configuration file or setting that cannot be right
    not_found,      // the file, program or host name to look at does not exist
    permission,     // we may not look
    resolver,       // name resolution failed (no answer, SERVFAIL, REFUSED)
    login,          // SSH or HTTP would not let us in, or the host key is not the known one
    io,             // reading or writing failed on this machine
    malformed,      // an answer came that cannot be read
    limit,          // an answer outgrew a limit of ours
    refused,        // the thing being checked refused the connection
    silent,         // the thing being checked did not answer in its time
    cut,            // our own whole run ran out of time
    internal,       // a mistake of ours
};

// A stable lower-case word for JSON, logs and metric labels, e.g. "permission".
std::string_view name(Fault fault);

struct Error {
    Fault fault = Fault::internal;
    std::string what;  // names the input, the place and the remedy; no trailing full stop, no newline

    // The same error with where it happened in front: "acct.csv line 7: …".
    [[nodiscard]] Error at(std::string_view place) const;
    bool operator==(const Error&) const = default;
};

}  // namespace mtawatch::base
