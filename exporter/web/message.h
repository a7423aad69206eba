// HTTP request and response as the pages see them, independent of the HTTP library.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "exporter/exposition/page_view.h"

namespace mtawatch::exporter::web {

struct Request {
    std::string method;  // "GET"
    std::string path;    // without query and fragment, as sent: nothing is decoded or folded
    std::string accept;
    std::string accept_encoding;
    std::string authorization;
    std::string user_agent;
    bool scrapes = false;               // says what only a scraper says: how long it waits for the page
    exposition::ScraperId scraper = 0;  // see scraper.h
    exposition::PageView view;          // of the metrics page, for who asks
};

struct Response {
    unsigned status = 200;
    std::string content_type = "text/plain; charset=utf-8";
    std::string body;
    bool gzip = false;                                         // the body is compressed
    std::vector<std::pair<std::string, std::string>> headers;  // further ones
    std::vector<std::uint32_t> pages;                          // of a metrics page: its numbers
};

}  // namespace mtawatch::exporter::web
