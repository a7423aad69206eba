#include "shared/plugin/extra_opts.h"

#include <fmt/format.h>

#include "shared/base/text.h"
#include "shared/config/ini.h"

namespace mtawatch::plugin {

namespace {

using base::fail;
using base::Fault;

constexpr std::size_t max_ini_bytes = 1U << 20U;  // options written by hand; a wrong file is refused early

// Where the monitoring plugins look, in their order.
constexpr std::string_view usual_folders[] = {
    "/etc/nagios", "/usr/local/nagios/etc", "/usr/local/etc/nagios", "/etc/opt/nagios", "/etc", "/usr/local/etc",
    "/etc/opt"};
constexpr std::string_view file_names[] = {"monitoring-plugins.ini", "plugins.ini", "nagios-plugins.ini"};

struct Found {
    std::string path;
    std::string text;
};

base::Result<Found> default_file(const io::Files& files, std::string_view ini_path) {
    std::vector<std::string_view> folders;
    for (const std::string_view folder : base::split(ini_path, ':')) {
        if (!folder.empty()) folders.push_back(folder);
    }
    for (const std::string_view folder : usual_folders) folders.push_back(folder);
    for (const std::string_view folder : folders) {
        for (const std::string_view name : file_names) {
            const std::string path = fmt::format("{}/{}", folder, name);
            auto text = files.read(path, max_ini_bytes);
            if (text) return Found{path, *std::move(text)};
            if (text.error().fault != Fault::not_found) return fail(text.error());
        }
    }
    return fail(Fault::configuration,
                "--extra-opts: no ini file found; name one (--extra-opts=SECTION@FILE) or create "
                "/etc/nagios/monitoring-plugins.ini");
}

base::Result<std::vector<options::ExtraOption>> load(std::string_view spec, const std::string& program,
                                                     const io::Files& files, std::string_view ini_path) {
    const std::size_t at = spec.find('@');
    const std::string section(spec.substr(0, at).empty() ? std::string_view(program) : spec.substr(0, at));
    Found found;
    if (at == std::string_view::npos) {
        auto standard = default_file(files, ini_path);
        if (!standard) return fail(standard.error());
        found = *std::move(standard);
    } else {
        found.path = spec.substr(at + 1);
        auto text = files.read(found.path, max_ini_bytes);
        if (!text) return fail(text.error().at("--extra-opts"));
        found.text = *std::move(text);
    }
    const auto sections = config::parse_ini(found.text, found.path);
    if (!sections) return fail(sections.error());
    for (const config::IniSection& candidate : *sections) {
        if (candidate.name != section) continue;
        std::vector<options::ExtraOption> found_here;
        for (const config::IniEntry& entry : candidate.entries) {
            found_here.push_back({entry.key, entry.value, fmt::format("{} line {}", found.path, entry.line)});
        }
        return found_here;
    }
    return fail(Fault::configuration, "--extra-opts: {} has no section [{}]", found.path, base::one_line(section, 60));
}

}  // namespace

options::ExtraLoader extra_loader(std::string_view program, const io::Files& files, std::string_view ini_path) {
    return [program = std::string(program), &files, ini_path = std::string(ini_path)](std::string_view spec) {
        return load(spec, program, files, ini_path);
    };
}

}  // namespace mtawatch::plugin
