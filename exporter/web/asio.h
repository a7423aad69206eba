// Include of Boost.Asio and Beast, the only one in this folder: Boost 1.74 needs <utility> before its coroutine headers
// under GCC 12 in C++20, and its std::coroutine support, which nothing here uses, does not compile there at all.
#pragma once

#include <utility>

#define BOOST_ASIO_DISABLE_CO_AWAIT 1

#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ip/v6_only.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/thread_pool.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>
#include <boost/beast/ssl.hpp>

namespace mtawatch::exporter::web {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = boost::beast::http;

// TCP over IPv4 and IPv6 and unix sockets are one type of socket here.
using AnySocket = asio::generic::stream_protocol::socket;
using PlainStream = beast::basic_stream<asio::generic::stream_protocol>;
using TlsStream = beast::ssl_stream<PlainStream>;

}  // namespace mtawatch::exporter::web
