// Error value: the kind of failure and a text that an operator can act on.
#pragma once

#include <string>
#include <string_view>
#include <utility>

namespace mtawatch::base {

// The kind of a failed probe. Only plugin::state_of turns it into a state; nothing else may judge. "A bad target is an
// observation; a failed probe is an Error": an expired certificate or NXDOMAIN is no Fault.
enum class Fault {
    usage,          // an option or argument that cannot be right
    configuration,  // a configuration file or setting that cannot be right
    not_found,      // the file, program or host name does not exist
    permission,     // we may not read or run it
    resolver,       // name resolution failed (no answer, SERVFAIL, REFUSED)
    auth,           // SSH or HTTP refused the login, or the host key is not the known one
    io,             // reading or writing failed on this machine
    malformed,      // an answer came that cannot be read
    limit,          // an answer outgrew a limit of ours
    refused,        // the target refused the connection
    timeout,        // the target did not answer in its time
    deadline,       // the time of our own whole run is over
    internal,       // a mistake of ours
};

// A stable lower-case word for JSON, logs and metric labels, e.g. "permission". Three differ from the enumerator,
// because JSON readers know them: auth is "login", timeout "silent", deadline "cut".
std::string_view name(Fault fault);

struct Error {
    Fault fault = Fault::internal;
    std::string what;  // names the input, the place and the remedy; no trailing full stop, no newline

    // The same error with where it happened in front: "acct.csv line 7: …".
    [[nodiscard]] Error at(std::string_view place) const;
    bool operator==(const Error&) const = default;
};

}  // namespace mtawatch::base
