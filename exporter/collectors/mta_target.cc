#include "exporter/collectors/mta_target.h"

namespace mtawatch::exporter::collectors {

using base::fail;

namespace {

// "nagios@mx1.example.net:2222" is mx1.example.net; "http://192.0.2.1:8080/x" is 192.0.2.1.
std::string host_in(std::string text) {
    if (const auto scheme = text.find("://"); scheme != std::string::npos) text.erase(0, scheme + 3);
    text.erase(std::min(text.size(), text.find('/')));
    if (const auto at = text.rfind('@'); at != std::string::npos) text.erase(0, at + 1);
    if (text.starts_with('[')) return text.substr(1, text.find(']') - 1);
    const auto colon = text.find(':');
    if (colon != std::string::npos && text.find(':', colon + 1) == std::string::npos) text.erase(colon);
    return text;
}

}  // namespace

MtaTargetReader::MtaTargetReader(config::MapReader& map, bool web) {
    map.text("host", host_).text("ssh", ssh_).text("ssh_key", ssh_details_.key_file);
    map.text("ssh_known_hosts", ssh_details_.known_hosts_file).text("ssh_host_key", ssh_details_.host_key);
    map.text("ssh_jump", ssh_details_.jump);
    if (!web) return;
    map.target("url", web_.url, base::TargetKind::url)
        .text("api_key_file", web_.api_key_file)
        .text("basic_auth_file", web_.basic_auth_file);
    map.boolean("insecure", web_.insecure).text("certificate_pin", web_.certificate_pin);
}

base::Result<MtaTarget> MtaTargetReader::finish(const config::Node& node) const {
    MtaTarget target;
    if (!ssh_.empty() && !web_.url.empty()) return fail(node.error("give url or ssh, not both"));
    if (ssh_.empty() &&
        (ssh_details_.key_file || ssh_details_.known_hosts_file || ssh_details_.host_key || ssh_details_.jump)) {
        return fail(node.error("ssh_key, ssh_known_hosts, ssh_host_key and ssh_jump need ssh"));
    }
    if (!ssh_.empty()) {
        target.ssh = ssh_details_;
        target.ssh->target = ssh_;
    }
    if (!web_.url.empty()) target.web = web_;
    const std::string& written = !ssh_.empty() ? ssh_ : web_.url;
    target.host = !host_.empty() ? host_ : written.empty() ? "localhost" : host_in(written);
    target.name = !written.empty() ? written : target.host;
    return target;
}

void read_pace(config::MapReader& map, Pace& into) {
    map.duration("interval", into.interval).duration("timeout", into.timeout);
}

base::Result<void> check_pace(const config::Node& section, const Pace& pace) {
    if (pace.interval < std::chrono::seconds(1)) return fail(section.error("interval must be at least 1s"));
    if (pace.timeout > pace.interval) return fail(section.error("timeout must not be longer than interval"));
    return {};
}

base::Result<std::vector<Task>> read_targets(const config::Node& section, TargetReader read, const Pace& usual) {
    Pace pace = usual;
    std::vector<Task> tasks;
    config::MapReader map(section);
    read_pace(map, pace);
    map.each("targets", [&](const config::Node& node) -> base::Result<void> {
        auto task = read(node, pace);
        if (!task) return fail(task.error());
        tasks.push_back(std::move(*task));
        return {};
    });
    if (auto done = map.required("targets").finish(); !done) return fail(done.error());
    if (auto done = check_pace(section, pace); !done) return fail(done.error());
    return tasks;
}

}  // namespace mtawatch::exporter::collectors
