#include "exporter/web/site.h"

#include <fmt/format.h>

#include <string_view>

#include "exporter/web/negotiation.h"
#include "shared/io/gzip_encode.h"

namespace mtawatch::exporter::web {
namespace {

// A smaller body fits one packet or two and is not worth compressing.
constexpr std::size_t gzip_from_bytes = 1400;

std::string html(std::string_view text) {
    std::string out;
    for (const char c : text) {
        switch (c) {
            case '&':
                out += "&amp;";
                break;
            case '<':
                out += "&lt;";
                break;
            case '>':
                out += "&gt;";
                break;
            case '"':
                out += "&quot;";
                break;
            default:
                out += c;
        }
    }
    return out;
}

constexpr std::string_view page_head = R"(<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>pmta_exporter</title><style>
body{font:16px/1.5 system-ui,sans-serif;max-width:56rem;margin:3rem auto;padding:0 1rem;color:#1d2733;background:#fff}
h1{font-size:1.6rem;margin:0}p.about{margin:.2rem 0 1.6rem;color:#5a6673}
nav a{display:inline-block;margin:0 .6rem .6rem 0;padding:.35rem .8rem;border:1px solid #c9d2dc;border-radius:.4rem;
color:#0b5cad;text-decoration:none}nav a:hover{background:#eef4fb}
table{border-collapse:collapse;width:100%;margin-top:1rem}th,td{text-align:left;padding:.45rem .6rem;
border-bottom:1px solid #e3e8ee;vertical-align:top;overflow-wrap:anywhere}th{color:#5a6673;font-weight:600}
.good,.bad{font-weight:600;white-space:nowrap}.good{color:#1a7f37}.bad{color:#b42318}
@media(prefers-color-scheme:dark){body{color:#e2e8ef;background:#14191f}p.about,th{color:#9aa7b4}
nav a{border-color:#3a4653;color:#7ab8f5}nav a:hover{background:#1d2630}th,td{border-color:#2a333d}
.good{color:#4cc26a}.bad{color:#f0786c}}
</style></head><body>
)";

Response plain(unsigned status, std::string body) {
    Response response;
    response.status = status;
    response.body = std::move(body);
    return response;
}

Response not_allowed(std::string_view allowed) {
    Response response = plain(405, fmt::format("This page takes {} only.\n", allowed));
    response.headers.emplace_back("Allow", allowed);
    return response;
}

bool is_get(const Request& request) { return request.method == "GET" || request.method == "HEAD"; }

}  // namespace

bool Site::is_quick(const Request& request) { return request.path == "/-/healthy" || request.path == "/-/ready"; }

std::string Site::shared_key(const Request& request) const {
    if (request.path != content_.metrics_path || !is_get(request)) return {};
    return fmt::format("{} {} {}", exposition::content_type(wanted_format(request.accept)),
                       takes_gzip(request.accept_encoding), request.view.key);
}

void Site::choose_view(Request& request) const {
    const bool counts =
        content_.scrapers != nullptr && zero_first_ && request.path == content_.metrics_path && request.method == "GET";
    if (!counts) request.scraper = 0;
    if (request.scraper != 0) request.view = content_.scrapers->view_for(request.scraper);
}

Response Site::respond(const Request& request) {
    const std::string& path = request.path;
    if (path == "/-/reload") {
        if (!content_.reload) return plain(403, "Reloading over HTTP is off: start with --web.enable-lifecycle.\n");
        return request.method == "POST" ? reload() : not_allowed("POST");
    }
    const bool known = path == "/" || path == content_.metrics_path || path == "/-/healthy" || path == "/-/ready";
    if (!known) return plain(404, "There is no such page.\n");
    if (!is_get(request)) return not_allowed("GET, HEAD");
    if (path == content_.metrics_path) return metrics(request);
    if (path == "/-/healthy") return plain(200, "pmta_exporter is healthy.\n");
    if (path == "/-/ready") return ready();
    return landing_page();
}

std::string Site::exposition(exposition::Format format, exposition::PageView& view) {
    std::string text;
    text.reserve(last_size_ + last_size_ / 16);
    exposition::ExpositionWriter writer(format, text, &view);
    for (const exposition::MetricSource* source : content_.sources) source->write(writer);
    writer.finish();
    last_size_ = text.size();
    return text;
}

Response Site::metrics(const Request& request) {
    const exposition::Format format = wanted_format(request.accept);
    Response response;
    response.content_type = exposition::content_type(format);
    response.headers.emplace_back("Vary", "Accept, Accept-Encoding");
    exposition::PageView view = request.view;
    response.body = exposition(format, view);
    response.pages = std::move(view.pages);
    if (response.body.size() >= gzip_from_bytes && takes_gzip(request.accept_encoding)) {
        // What cannot be packed is sent as it is.
        if (auto packed = io::gzip_encode(response.body)) {
            response.body = std::move(*packed);
            response.gzip = true;
        }
    }
    return response;
}

Response Site::ready() const {
    const std::string reason = content_.not_ready_because ? content_.not_ready_because() : std::string();
    if (reason.empty()) return plain(200, "pmta_exporter is ready.\n");
    return plain(503, fmt::format("pmta_exporter is not ready: {}.\n", reason));
}

Response Site::reload() const {
    const base::Result<void> done = content_.reload();
    if (done) return plain(200, "The configuration was read again.\n");
    return plain(500,
                 fmt::format("The configuration was refused, the old one stays in force: {}\n", done.error().what));
}

Response Site::landing_page() const {
    Response response;
    response.content_type = "text/html; charset=utf-8";
    response.headers.emplace_back("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'");
    response.headers.emplace_back("X-Content-Type-Options", "nosniff");
    std::string& page = response.body;
    page = page_head;
    page += fmt::format(
        "<h1>pmta_exporter</h1>\n<p class=\"about\">Version {}. Mail delivery metrics for Prometheus.</p>\n"
        "<nav><a href=\"{}\">Metrics</a><a href=\"/-/healthy\">Health</a><a href=\"/-/ready\">Readiness</a></nav>\n",
        html(content_.version), html(content_.metrics_path));
    if (content_.status) {
        page += "<table><tr><th>Source</th><th>State</th><th></th></tr>\n";
        for (const exposition::SourceStatus& row : content_.status()) {
            page += fmt::format("<tr><td>{}</td><td class=\"{}\">{}</td><td>{}</td></tr>\n", html(row.name),
                                row.healthy ? "good" : "bad", row.healthy ? "ok" : "trouble", html(row.state));
        }
        page += "</table>\n";
    }
    page += "</body></html>\n";
    return response;
}

}  // namespace mtawatch::exporter::web
