#include "tests/property/advice_zones.h"

#include <random>

#include "shared/base/text.h"
#include "shared/dns/names.h"

namespace mtawatch::test {

namespace {

const std::string domain = "example.com";
// RSA of 2048 bits and Ed25519, made for this test.
const std::string rsa_key =
    "MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEA7Hi7VKZT4Pn1rqt1AOyBzyHFWOSRxRlC+8wYCx7YD9I76A0eEgOjkWzf"
    "z4Xp0yWKCoqFr4LqrkZ68lYmgZj7Fnf4NkkAayZ4lnmU6nVaZIL7stZwe1C+15FafWz+G/uz1ns7ubFwKrj8B6+xduOkcsRkbHGh"
    "rdo5J29QUYvmtyQHsC2RG/orDzYt86zu+VvWtePE7j/+Q0fOg40BvRg6nXqQtenGVD2rYstPjbdwaShSwCw24gVzwuSMkOvYR0ah"
    "c1WGG9ZqE+24grWqBKYT/8HyWmbvowRn3L3pvN5QxEFPPK/9vaOTGJptjn4tft81bcHnFMs2hPq5DUKsjdI3eQIDAQAB";
const std::string ed25519_key = "11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=";

class Maker {
  public:
    explicit Maker(std::uint64_t seed) : random_(seed) {}
    AdviceCase make();

  private:
    // 0 to n - 1; the standard's distributions differ between libraries.
    std::size_t below(std::size_t n) { return static_cast<std::size_t>(random_() % n); }
    bool one_in(std::size_t n) { return below(n) == 0; }
    const std::string& pick(const std::vector<std::string>& words) { return words[below(words.size())]; }

    void add(const std::string& name, const std::string& type, const std::string& data) {
        case_.zone.records.push_back({name, type, data});
    }
    base::IpAddress address();
    std::string address_text();
    void make_hosts();
    std::string spf_term();
    std::string spf_record();
    std::string spoilt(std::string text);
    void make_spf();
    std::string dmarc_record();
    void make_dmarc();
    void make_dkim();
    void make_fcrdns();
    void make_tls_rpt();

    std::mt19937_64 random_;
    AdviceCase case_;
};

base::IpAddress Maker::address() {
    const auto low = static_cast<std::uint8_t>(below(8));
    switch (below(12)) {
        case 0:
            return base::IpAddress::v4(10, 0, 0, low);
        case 1:
            return base::IpAddress::v4(127, 0, 0, 1);
        case 2:
        case 3:
            return base::IpAddress::v6({0x20, 0x01, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, low});
        case 4:
            return base::IpAddress::v4(198, 51, 100, low);
        default:
            return base::IpAddress::v4(192, 0, 2, low);
    }
}

std::string Maker::address_text() {
    const base::IpAddress ip = address();
    case_.senders.push_back(ip);
    return ip.to_string();
}

// The hosts that terms name: with addresses of one family, of both, of none, and some that do not exist.
void Maker::make_hosts() {
    for (const char* host : {"a.example.com", "b.example.com", "mx1.example.com", "mx2.example.com", "h.example.net"}) {
        for (std::size_t i = below(3); i > 0; --i) {
            const base::IpAddress ip = address();
            case_.senders.push_back(ip);
            add(host, ip.is_v4() ? "A" : "AAAA", ip.to_string());
        }
    }
    if (one_in(2)) add(domain, "A", "192.0.2.1");
    switch (below(6)) {
        case 0:
            add(domain, "MX", "1 aspmx.l.google.com.");
            add("aspmx.l.google.com", "A", "192.0.2.200");
            break;
        case 1:
            add(domain, "MX", "0 example-com.mail.protection.outlook.com.");
            break;
        case 2:
            add(domain, "MX", "0 .");
            break;
        case 3:
            break;
        default:
            add(domain, "MX", "10 mx1.example.com.");
            if (one_in(2)) add(domain, "MX", "20 mx2.example.com.");
            break;
    }
    if (one_in(2)) add("_spf.google.com", "TXT", "v=spf1 ip4:192.0.2.200/29 ~all");
    if (one_in(2)) add("spf.protection.outlook.com", "TXT", "v=spf1 ip4:198.51.100.128/25 -all");
    add("google.com", "A", "192.0.2.201");
    add("outlook.com", "A", "192.0.2.202");
    add("good.example.net", "TXT", one_in(3) ? "v=spf1 a:h.example.net -all" : "v=spf1 ip4:203.0.113.0/28 ?all");
    add("open.example.net", "TXT", "v=spf1 +all");
    add("deep.example.net", "TXT",
        "v=spf1 a:h.example.net a:h.example.net mx a:b.example.com include:good.example.net -all");
    add("loop.example.net", "TXT", "v=spf1 include:example.com -all");
    if (one_in(8)) add("*.example.com", one_in(2) ? "MX" : "A", one_in(2) ? "10 mx1.example.com." : "192.0.2.77");
    for (ZoneRecord& record : case_.zone.records) {
        const bool wrong = (record.type == "MX") != (record.data.find(' ') != std::string::npos);
        if (wrong && record.name == "*.example.com") record.type = record.type == "MX" ? "A" : "MX";
    }
}

std::string Maker::spf_term() {
    const std::string ip = address_text();
    switch (below(34)) {
        case 0:
        case 1:
        case 2:
        case 3:
            return (ip.find(':') == std::string::npos ? "ip4:" : "ip6:") + ip;
        case 4:
            return "ip4:192.0.2." + std::to_string(below(256)) + "/" + std::to_string(22 + below(14));
        case 5:
            return "ip4:192.0.2.0/255.255.255.0";
        case 6:
            return "ip4:192.0.2.1-192.0.2.20";
        case 7:
            return "ip4:192.0.2.4,";
        case 8:
            return "ip4:192.0.2.5ip4:192.0.2.6";
        case 9:
            return "ip4:192.0.2";
        case 10:
            return "ip4=" + ip;
        case 11:
            return pick({"a:", "mx:"}) + ip;
        case 12:
            return "ipv4:" + ip;
        case 13:
            return pick({"include:good.example.net", "include:deep.example.net", "include: good.example.net"});
        case 14:
            return pick(
                {"include:https://good.example.net/", "include:include:good.example.net", "include=good.example.net"});
        case 15:
            return pick({"include:user@example.net", "include:nothere.example.net", "include:unregistered.org"});
        case 16:
            return pick({"include:open.example.net", "include:loop.example.net", "include:example.com"});
        case 17:
            return pick({"a", "mx", "A", "+mx", "?a"});
        case 18:
            return pick({"a:a.example.com", "a:b.example.com", "a:gone.example.com", "a:gone.org", "mx:gone.org"});
        case 19:
            return pick({"mx:example.com", "mx:nomx.example.net", "a:h.example.net/28", "a/24//64"});
        case 20:
            return pick({"ptr", "ptr:example.com"});
        case 21:
            return pick({"exists:%{i}._s.example.com", "exists:exists:%{i}._s.example.com", "exists:%{i}.gone.org"});
        case 22:
            return pick({"redirect=good.example.net", "redirect=gone.example.net", "redirect:good.example.net"});
        case 23:
            return pick({"exp=why.example.com", "exp=why.example.com exp=why.example.com", "unknown=x"});
        case 24:
            return pick({"ip4:0.0.0.0/0", "ip4:0.0.0.0/1 ip4:128.0.0.0/1", "ip4:64.0.0.0/6", "ip6:2000::/3"});
        case 25:
            return pick({"-", "nonsense", "192.0.2.7", "a:b..c", "%{x}", "v=spf1"});
        case 26:
            return "-ip4:" + ip;
        case 27:
            return "a:a.example.com a:b.example.com a:h.example.net";
        case 28:
            return "include:good.example.net include:good.example.net";
        case 29:
            return "\xe2\x80\x93" + std::string("all");
        case 30:
            return "- all";
        default:
            return "include:deep.example.net";
    }
}

std::string Maker::spf_record() {
    std::string text = "v=spf1";
    for (std::size_t terms = below(7); terms > 0; --terms) text += " " + spf_term();
    text += pick({" -all", " ~all", " ?all", " +all", "", "~all", " -all ip4:192.0.2.3", " -all", " ~all"});
    return text;
}

// As people and zone editors spoil a text.
std::string Maker::spoilt(std::string text) {
    switch (below(12)) {
        case 0:
            return " " + text;
        case 1:
            return "\"" + text + "\"";
        case 2:
            return text.insert(std::min<std::size_t>(text.size(), 6), ";");
        case 3: {
            const std::size_t blank = text.find(' ');
            if (blank != std::string::npos) text.replace(blank, 1, "\t");
            return text;
        }
        case 4: {
            const std::size_t blank = text.rfind(' ');
            if (blank != std::string::npos) text.replace(blank, 1, "\xc2\xa0");
            return text;
        }
        default:
            return text;
    }
}

void Maker::make_spf() {
    case_.plugin = AskedPlugin::spf;
    case_.domain = one_in(5) ? "news.example.com" : domain;
    const std::size_t records = one_in(6) ? 0 : one_in(5) ? 2 : 1;
    for (std::size_t i = 0; i < records; ++i) add(case_.domain, "TXT", spoilt(spf_record()));
    if (one_in(6))
        add(case_.domain, "TXT", pick({"v=spf10 -all", "spf1 test of the team", "google-site-verification=x"}));
    if (one_in(4)) add("why.example.com", "TXT", one_in(2) ? "%{i} may not send" : "100%");
    if (records == 0 && case_.domain != domain && one_in(4)) add(case_.domain, "CNAME", "example.com.");
    case_.arguments = {"-d", case_.domain};
    for (std::size_t i = below(4); i > 0; --i) {
        case_.arguments.emplace_back("-i");
        case_.arguments.push_back(address_text());
    }
    if (one_in(4)) case_.arguments.insert(case_.arguments.end(), {"--helo", "a.example.com"});
    if (one_in(4)) case_.arguments.insert(case_.arguments.end(), {"--require-all", "fail"});
    if (one_in(6)) case_.arguments.insert(case_.arguments.end(), {"-w", "3"});
}

std::string Maker::dmarc_record() {
    const std::string separator = pick({"; ", ";", "; ", "; ", ", ", " ", ";; "});
    std::string text = pick({"v=DMARC1", "v=DMARC1", "v=DMARC1", "v=dmarc1", "V=DMARC1", "v = DMARC1", "v=DMARC1:"});
    for (std::size_t tags = 1 + below(5); tags > 0; --tags) {
        text += separator + pick({"p=none",
                                  "p=quarantine",
                                  "p=reject",
                                  "p=reject",
                                  "p:reject",
                                  "p=\"reject\"",
                                  "p=monitor",
                                  "p=quarentine",
                                  "sp=none",
                                  "sp=reject",
                                  "sp=bogus",
                                  "np=bogus",
                                  "np=none",
                                  "pct=20",
                                  "pct=100",
                                  "t=y",
                                  "t=x",
                                  "adkim=s",
                                  "adkim=strict",
                                  "aspf=relaxed",
                                  "aspf=s",
                                  "fo=1",
                                  "fo=x",
                                  "rf=afrf",
                                  "ri=86400",
                                  "psd=y",
                                  "rua=mailto:d@example.com",
                                  "rua=d@example.com,",
                                  "rua=mailto://d@example.com",
                                  "rua=mailto:<d@example.com>",
                                  "rua=mailto:d@example.com mailto:e@example.com",
                                  "rua=mailto:d@gone.example.net",
                                  "rua=mailto:d@other.example.net",
                                  "ruf=mailto:f@example.com",
                                  "rua:mailto:d@example.com",
                                  "xyz=foo"});
    }
    return text;
}

void Maker::make_dmarc() {
    case_.plugin = AskedPlugin::dmarc;
    case_.domain = one_in(4) ? "news.example.com" : domain;
    if (case_.domain != domain) add(case_.domain, "A", "192.0.2.1");
    add("other.example.net", "MX", "10 h.example.net.");
    const std::string at = one_in(8) ? case_.domain : "_dmarc." + case_.domain;
    const std::size_t records = one_in(5) ? 0 : one_in(6) ? 2 : 1;
    for (std::size_t i = 0; i < records; ++i) add(at, "TXT", spoilt(dmarc_record()));
    if (one_in(6)) add(at, "TXT", pick({"dmarc verification 123", " v=DMARC1; p=none", "v=spf1 -all"}));
    if (case_.domain != domain && one_in(2)) add("_dmarc.example.com", "TXT", dmarc_record());
    if (records == 0 && one_in(8)) add("_dmarc." + case_.domain, "CNAME", "_dmarc.gone.example.net.");
    case_.arguments = {"-d", case_.domain, "--min-policy", pick({"none", "quarantine", "reject"})};
    if (one_in(3)) case_.arguments.insert(case_.arguments.end(), {"--dkim-domain", "mail.example.com"});
}

void Maker::make_dkim() {
    case_.plugin = AskedPlugin::dkim;
    const std::string name = "mail._domainkey.example.com";
    const std::string key = one_in(3) ? ed25519_key : rsa_key;
    std::string text;
    for (const std::string& tag :
         {pick({"v=DKIM1", "v=DKIM1", "v=DKIM1", "v=dkim1", "", "v=DKIM2"}),
          key == rsa_key ? pick({"k=rsa", "k=rsa", "", "k=ed25519"}) : pick({"k=ed25519", "", "k=rsa"}),
          pick({"", "", "t=y", "t=s", "h=sha1", "s=web", "g=*", "n=note", "k=rsa", "foo=bar"}),
          pick({"p=", "p=", "p=", "p = ", "p=-----BEGIN PUBLIC KEY-----", "q="}) +
              key.substr(0, one_in(8) ? 60 : key.size())}) {
        if (!tag.empty()) text += (text.empty() ? "" : pick({"; ", "; ", ";", ", ", " ", "\\; "})) + tag;
    }
    if (one_in(9)) text = pick({"v=spf1 -all", "v=DKIM1; p=", "", rsa_key});
    if (!one_in(8)) add(name, "TXT", spoilt(text));
    if (one_in(10)) add(name, "TXT", pick({"google-site-verification=x", "v=spf1 -all", rsa_key.substr(40)}));
    if (case_.zone.records.empty() && one_in(2)) add(name, "CNAME", "s1.domainkey.gone.example.net.");
    case_.arguments = {"-d", domain, "-s", "mail"};
}

void Maker::make_fcrdns() {
    case_.plugin = AskedPlugin::fcrdns;
    const base::IpAddress ip = base::IpAddress::v4(192, 0, 2, static_cast<std::uint8_t>(1 + below(4)));
    const std::string reverse = dns::reverse_name(ip);
    const std::string dashed = "192-0-2-" + std::to_string(ip.v4_value() & 0xffU) + ".dsl.example.net";
    for (std::size_t i = below(3); i > 0; --i) {
        add(reverse, "PTR",
            pick({"a.example.com.", "mail.example.com.", "localhost.", ".", "b.example.com.", dashed + "."}));
    }
    if (one_in(6)) add(reverse, "CNAME", "1.0-127.2.0.192.in-addr.arpa.");
    if (case_.zone.records.back().type == "CNAME") {
        std::erase_if(case_.zone.records, [](const ZoneRecord& one) { return one.type == "PTR"; });
    }
    if (one_in(2)) add("mail.example.com", "A", one_in(2) ? ip.to_string() : "198.51.100.9");
    if (one_in(3)) add(dashed, "A", ip.to_string());
    case_.arguments = {"-i", ip.to_string()};
    if (one_in(2)) {
        case_.arguments.insert(case_.arguments.end(),
                               {"--helo", pick({"mail.example.com", "a.example.com", "mail.gone.org"})});
    }
}

void Maker::make_tls_rpt() {
    case_.plugin = AskedPlugin::tls_rpt;
    const std::string name = "_smtp._tls.example.com";
    for (std::size_t i = below(3); i > 0; --i) {
        add(name, "TXT",
            spoilt(pick({"v=TLSRPTv1; rua=mailto:t@example.com", "v=TLSRPTv1; rua=t@example.com", "v=TLSRPTv1",
                         "v=TLSRPT1; rua=mailto:t@example.com", "v=tlsrptv1;rua=https://example.com/r",
                         "v=TLSRPTv1; rua=mailto://t@example.com,", "v=TLSRPTv1; rua=nonsense", "v=spf1 -all"})));
    }
    if (one_in(6) && case_.zone.records.back().name != name) add(name, "CNAME", "tls.gone.example.net.");
    case_.arguments = {"-d", domain};
}

AdviceCase Maker::make() {
    const std::size_t kind = below(10);
    if (kind != 6) make_hosts();
    if (kind < 4) make_spf();
    if (kind == 4 || kind == 5 || kind == 9) make_dmarc();
    if (kind == 6) make_dkim();
    if (kind == 7) make_fcrdns();
    if (kind == 8) make_tls_rpt();
    return std::move(case_);
}

}  // namespace

AdviceCase make_advice_case(std::uint64_t seed) { return Maker(seed).make(); }

}  // namespace mtawatch::test
