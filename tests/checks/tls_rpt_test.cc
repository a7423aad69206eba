// Proves check_tls_rpt: one record, with an address that reports can go to.
#include <boost/test/unit_test.hpp>

#include "tests/support/dns_check.h"

namespace {
std::string record(const std::string& text) { return "_smtp._tls.example.com TXT \"" + text + "\"\n"; }
const std::vector<std::string> arguments{"-d", "example.com"};
}  // namespace

BOOST_AUTO_TEST_CASE(check_tls_rpt) {
    mtawatch::test::run_scenarios({
        {"ok", record("v=TLSRPTv1; rua=mailto:tls@example.com,https://example.com/tls"), arguments, 0,
         "TLS_RPT OK - example.com: reports go to mailto:tls@example.com, https://example.com/tls\n"},
        {"crit_absent", "example.com A 192.0.2.1", arguments, 2,
         "TLS_RPT CRITICAL - example.com: there is no TLSRPT record; publish v=TLSRPTv1; rua=mailto:ADDRESS at "
         "_smtp._tls.example.com, with an address that somebody reads\n"},
        {"crit_two", record("v=TLSRPTv1; rua=mailto:a@example.com") + record("v=TLSRPTv1; rua=mailto:b@example.com"),
         arguments, 2,
         "TLS_RPT CRITICAL - example.com: 2 TLSRPT records at _smtp._tls.example.com, so senders ignore them all; keep "
         "one\n"},
        {"crit_near_miss", record("v=TLSRPTV1; rua=mailto:tls@example.com"), arguments, 2,
         "TLS_RPT CRITICAL - example.com: \"v=TLSRPTV1; rua=mailto:tls@example.com\" is no TLSRPT record: it must "
         "begin with exactly \"v=TLSRPTv1;\"; publish: _smtp._tls.example.com. IN TXT \"v=TLSRPTv1; "
         "rua=mailto:tls@example.com\"\n"},
        {"crit_no_rua", record("v=TLSRPTv1;"), arguments, 2,
         "TLS_RPT CRITICAL - example.com: rua= is missing, so no report is sent; write v=TLSRPTv1; "
         "rua=mailto:ADDRESS\n"},
        {"crit_bad_uri", record("v=TLSRPTv1; rua=tls@example.com"), arguments, 2,
         "TLS_RPT CRITICAL - example.com: rua=tls@example.com lacks its scheme; write rua=mailto:tls@example.com; "
         "publish: _smtp._tls.example.com. IN TXT \"v=TLSRPTv1; rua=mailto:tls@example.com\"\n"},
        {"warn_one_bad_uri", record("v=TLSRPTv1; rua=ftp://example.com,mailto:tls@example.com"), arguments, 1,
         "TLS_RPT WARNING - example.com: rua=ftp://example.com is no address for reports; write rua=mailto:ADDRESS or "
         "an https address; publish: _smtp._tls.example.com. IN TXT \"v=TLSRPTv1; rua=mailto:tls@example.com\"\n"},
        {"crit_syntax", record("v=TLSRPTv1; nonsense; rua=mailto:tls@example.com"), arguments, 2,
         "TLS_RPT CRITICAL - example.com: \"nonsense\" is no tag (name=value); publish: _smtp._tls.example.com. IN TXT "
         "\"v=TLSRPTv1; rua=mailto:tls@example.com\"\n"},
        {"ok_extension", record("v=TLSRPTv1; rua=mailto:tls@example.com; ext=1"), arguments, 0,
         "TLS_RPT OK - example.com: reports go to mailto:tls@example.com\n"},
        {"unknown_servfail", "_smtp._tls.example.com !SERVFAIL", arguments, 3,
         "TLS_RPT UNKNOWN - example.com: TXT _smtp._tls.example.com: the resolver 192.0.2.53 answered SERVFAIL\n"},
        {"unknown_timeout", "_smtp._tls.example.com !TIMEOUT", arguments, 3,
         "TLS_RPT UNKNOWN - example.com: TXT _smtp._tls.example.com: no answer from the resolver 192.0.2.53\n"},
        {"usage_none", "", {}, 3, "TLS_RPT UNKNOWN - --domain DOMAIN is required; see --help\n"},
        {"usage_bad",
         "",
         {"-d", "a..b"},
         3,
         "TLS_RPT UNKNOWN - --domain: \"a..b\" has an empty label; write a domain such as example.com\n"},
    });
}
