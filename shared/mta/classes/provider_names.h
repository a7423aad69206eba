// Built-in table of mailbox providers: domains of their mailboxes, their mail exchangers, PowerMTA's rollup queues and
// what their complaint reports say.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

namespace mtawatch::mta::classes {

struct NamedProvider {
    std::string_view provider;
    std::string_view names;  // between blanks
};

// Exact domains. A provider's national domains are listed, because a pattern such as yahoo.* would take in strangers.
inline constexpr std::array provider_domains = std::to_array<NamedProvider>({
    {"gmail", "gmail.com googlemail.com google.com"},
    {"microsoft",
     "outlook.com hotmail.com live.com msn.com passport.com windowslive.com "
     "hotmail.at hotmail.be hotmail.ca hotmail.ch hotmail.cl hotmail.co.id hotmail.co.il hotmail.co.jp hotmail.co.kr "
     "hotmail.co.nz hotmail.co.th hotmail.co.uk hotmail.co.za hotmail.com.ar hotmail.com.au hotmail.com.br "
     "hotmail.com.hk "
     "hotmail.com.tr hotmail.com.tw hotmail.cz hotmail.de hotmail.dk hotmail.es hotmail.fi hotmail.fr hotmail.gr "
     "hotmail.hu "
     "hotmail.it hotmail.jp hotmail.my hotmail.nl hotmail.no hotmail.ph hotmail.se hotmail.sg "
     "live.at live.be live.ca live.ch live.cl live.cn live.co.kr live.co.uk live.co.za live.com.ar live.com.au "
     "live.com.mx "
     "live.com.my live.com.ph live.com.pt live.com.sg live.de live.dk live.fi live.fr live.hk live.ie live.in live.it "
     "live.jp "
     "live.nl live.no live.ru live.se "
     "outlook.at outlook.be outlook.cl outlook.co.id outlook.co.il outlook.co.nz outlook.co.th outlook.com.ar "
     "outlook.com.au "
     "outlook.com.br outlook.com.gr outlook.com.tr outlook.com.vn outlook.cz outlook.de outlook.dk outlook.es "
     "outlook.fr "
     "outlook.hu outlook.ie outlook.in outlook.it outlook.jp outlook.kr outlook.lv outlook.my outlook.ph outlook.pt "
     "outlook.sa outlook.sg outlook.sk"},
    {"yahoo",
     "yahoo.com ymail.com rocketmail.com myyahoo.com yahoo.at yahoo.be yahoo.ca yahoo.cn yahoo.co.id yahoo.co.in "
     "yahoo.co.kr "
     "yahoo.co.nz yahoo.co.th yahoo.co.uk yahoo.co.za yahoo.com.ar yahoo.com.au yahoo.com.br yahoo.com.cn yahoo.com.co "
     "yahoo.com.hk yahoo.com.mx yahoo.com.my yahoo.com.pe yahoo.com.ph yahoo.com.sg yahoo.com.tr yahoo.com.tw "
     "yahoo.com.ve "
     "yahoo.com.vn yahoo.cz yahoo.de yahoo.dk yahoo.es yahoo.fi yahoo.fr yahoo.gr yahoo.hu yahoo.ie yahoo.in yahoo.it "
     "yahoo.nl yahoo.no yahoo.pl yahoo.pt yahoo.ro yahoo.se"},
    {"aol",
     "aol.com aol.co.uk aol.de aol.fr aol.it aol.nl aol.es aim.com love.com games.com wow.com netscape.net "
     "verizon.net"},
    {"yahoo-japan", "yahoo.co.jp ybb.ne.jp"},
    {"apple", "icloud.com me.com mac.com privaterelay.appleid.com"},
    {"gmx",
     "gmx.de gmx.net gmx.at gmx.ch gmx.com gmx.org gmx.eu gmx.info gmx.biz gmx.fr gmx.es gmx.it gmx.co.uk gmx.us"},
    {"web.de", "web.de email.de"},
    {"mail.com", "mail.com email.com usa.com post.com consultant.com europe.com asia.com engineer.com"},
    {"t-online", "t-online.de magenta.de"},
    {"ionos", "online.de onlinehome.de 1und1.de"},
    {"freenet", "freenet.de"},
    {"vodafone", "arcor.de vodafone.de vodafonemail.de kabelmail.de unitybox.de"},
    {"posteo", "posteo.de posteo.net"},
    {"mailbox.org", "mailbox.org"},
    {"proton", "proton.me protonmail.com protonmail.ch pm.me"},
    {"tuta", "tuta.com tutanota.com tutanota.de tutamail.com tuta.io keemail.me"},
    {"fastmail", "fastmail.com fastmail.fm"},
    {"zoho", "zoho.com zohomail.com zoho.eu"},
    {"orange", "orange.fr wanadoo.fr voila.fr"},
    {"free", "free.fr aliceadsl.fr libertysurf.fr online.fr"},
    {"sfr", "sfr.fr neuf.fr cegetel.net club-internet.fr numericable.fr noos.fr 9online.fr 9business.fr"},
    {"laposte", "laposte.net"},
    {"bouygues", "bbox.fr"},
    {"libero", "libero.it iol.it inwind.it blu.it giallo.it"},
    {"virgilio", "virgilio.it alice.it tim.it tin.it"},
    {"tiscali", "tiscali.it"},
    {"aruba", "aruba.it pec.it"},
    {"telefonica", "telefonica.net terra.es"},
    {"bt", "btinternet.com btopenworld.com talk21.com"},
    {"sky", "sky.com"},
    {"talktalk", "talktalk.net tiscali.co.uk"},
    {"virgin", "virginmedia.com virgin.net ntlworld.com blueyonder.co.uk"},
    {"ziggo", "ziggo.nl home.nl upcmail.nl casema.nl chello.nl"},
    {"kpn", "kpnmail.nl planet.nl hetnet.nl kpnplanet.nl xs4all.nl telfort.nl"},
    {"telenet", "telenet.be pandora.be"},
    {"proximus", "skynet.be proximus.be"},
    {"bluewin", "bluewin.ch"},
    {"a1", "a1.net aon.at"},
    {"seznam", "seznam.cz email.cz post.cz spoluzaci.cz"},
    {"centrum", "centrum.cz centrum.sk atlas.cz volny.cz"},
    {"wp", "wp.pl o2.pl tlen.pl"},
    {"onet", "onet.pl onet.eu op.pl poczta.onet.pl vp.pl"},
    {"interia", "interia.pl interia.eu poczta.fm"},
    {"telia", "telia.com"},
    {"mail.ru", "mail.ru inbox.ru list.ru bk.ru internet.ru xmail.ru"},
    {"yandex", "yandex.ru yandex.com ya.ru yandex.by yandex.kz yandex.ua narod.ru"},
    {"rambler", "rambler.ru lenta.ru ro.ru myrambler.ru autorambler.ru"},
    {"ukr.net", "ukr.net"},
    {"comcast", "comcast.net"},
    {"att",
     "att.net sbcglobal.net bellsouth.net ameritech.net pacbell.net swbell.net prodigy.net snet.net flash.net "
     "nvbell.net"},
    {"charter", "charter.net spectrum.net rr.com roadrunner.com twc.com brighthouse.com"},
    {"cox", "cox.net"},
    {"earthlink", "earthlink.net mindspring.com"},
    {"centurylink", "centurylink.net embarqmail.com q.com"},
    {"frontier", "frontier.com frontiernet.net"},
    {"optimum", "optonline.net optimum.net"},
    {"windstream", "windstream.net"},
    {"juno", "juno.com netzero.net netzero.com"},
    {"bell", "bell.net sympatico.ca"},
    {"rogers", "rogers.com"},
    {"shaw", "shaw.ca"},
    {"telus", "telus.net"},
    {"videotron", "videotron.ca"},
    {"bigpond", "bigpond.com bigpond.net.au telstra.com"},
    {"optus", "optusnet.com.au"},
    {"xtra", "xtra.co.nz"},
    {"uol", "uol.com.br bol.com.br"},
    {"terra", "terra.com.br"},
    {"ig", "ig.com.br"},
    {"qq", "qq.com foxmail.com vip.qq.com"},
    {"netease", "163.com 126.com yeah.net vip.163.com vip.126.com"},
    {"sina", "sina.com sina.cn vip.sina.com"},
    {"sohu", "sohu.com"},
    {"aliyun", "aliyun.com"},
    {"naver", "naver.com"},
    {"daum", "daum.net hanmail.net kakao.com"},
    {"docomo", "docomo.ne.jp"},
    {"au", "ezweb.ne.jp au.com"},
    {"softbank", "softbank.ne.jp i.softbank.jp"},
    {"rediff", "rediffmail.com"},
});

// Suffixes of mail exchangers: a hosted domain counts to its host.
inline constexpr std::array provider_mx = std::to_array<NamedProvider>({
    {"gmail", "google.com googlemail.com smtp.goog"},
    {"microsoft", "protection.outlook.com mx.microsoft olc.protection.outlook.com hotmail.com outlook.com"},
    {"yahoo", "yahoodns.net"},
    {"aol", "mx.aol.com mx-aol.mail.gm0.yahoodns.net"},
    {"yahoo-japan", "yahoo.co.jp"},
    {"apple", "mail.icloud.com apple.com"},
    {"gmx", "gmx.net"},
    {"web.de", "web.de"},
    {"mail.com", "mail.com"},
    {"t-online", "t-online.de"},
    {"ionos", "kundenserver.de ionos.com ionos.de ionos.co.uk ionos.fr ionos.es 1and1.com perfora.net"},
    {"strato", "rzone.de"},
    {"hosteurope", "hosteurope.de"},
    {"freenet", "freenet.de"},
    {"vodafone", "arcor-online.net vodafonemail.de"},
    {"posteo", "posteo.de"},
    {"mailbox.org", "mailbox.org"},
    {"proton", "protonmail.ch"},
    {"tuta", "tutanota.de"},
    {"fastmail", "messagingengine.com"},
    {"zoho", "zoho.com zoho.eu zoho.in"},
    {"orange", "orange.fr"},
    {"free", "free.fr"},
    {"sfr", "sfr.fr"},
    {"laposte", "laposte.net"},
    {"bouygues", "bbox.fr"},
    {"ovh", "ovh.net"},
    {"gandi", "gandi.net"},
    {"libero", "libero.it"},
    {"virgilio", "tim.it"},
    {"aruba", "aruba.it"},
    {"bt", "bt.lon5.cpcloud.co.uk"},
    {"ziggo", "ziggo.nl upcmail.net"},
    {"kpn", "kpnmail.nl"},
    {"telenet", "telenet-ops.be"},
    {"bluewin", "bluewin.ch"},
    {"seznam", "seznam.cz"},
    {"centrum", "centrum.cz"},
    {"wp", "wp.pl"},
    {"onet", "onet.pl"},
    {"interia", "interia.pl"},
    {"mail.ru", "mail.ru"},
    {"yandex", "yandex.ru yandex.net"},
    {"rambler", "rambler.ru"},
    {"comcast", "comcast.net"},
    {"att", "att.net prodigy.net"},
    {"charter", "charter.net"},
    {"cox", "cox.net"},
    {"earthlink", "earthlink.net oxsus-vadesecure.net"},
    {"bell", "bell.net"},
    {"shaw", "shaw.ca"},
    {"bigpond", "bigpond.com"},
    {"uol", "uol.com.br"},
    {"terra", "terra.com"},
    {"qq", "qq.com"},
    {"netease", "163.com netease.com"},
    {"aliyun", "mxhichina.com aliyun.com"},
    {"naver", "naver.com"},
    {"daum", "daum.net kakao.com"},
    {"docomo", "docomo.ne.jp"},
    {"proofpoint", "pphosted.com ppe-hosted.com"},
    {"mimecast", "mimecast.com mimecast.co.za mimecast-offshore.com"},
    {"barracuda", "barracudanetworks.com ess.barracuda.com"},
    {"cisco", "iphmx.com"},
    {"messagelabs", "messagelabs.com"},
    {"trendmicro", "trendmicro.com trendmicro.eu"},
    {"sophos", "sophos.com reflexion.net"},
    {"hornetsecurity", "hornetsecurity.com antispameurope.com"},
    {"retarus", "retarus.com"},
    {"mailcontrol", "mailcontrol.com"},
    {"rackspace", "emailsrvr.com"},
    {"godaddy", "secureserver.net"},
    {"amazon", "amazonaws.com awsapps.com"},
    {"cloudflare", "mx.cloudflare.net"},
});

// Names that operators and PowerMTA's own configuration give to queues of one receiver (mx-rollup, domain macros).
inline constexpr std::array provider_rollups = std::to_array<NamedProvider>({
    {"gmail", "gmail google googlemail gsuite gapps"},
    {"microsoft", "hotmail microsoft outlook msn live office365 o365 outlook365"},
    {"yahoo", "yahoo yahooinc"},
    {"aol", "aol"},
    {"apple", "apple icloud"},
    {"gmx", "gmx"},
    {"web.de", "webde web.de"},
    {"t-online", "t-online tonline"},
    {"orange", "orange wanadoo"},
    {"free", "free"},
    {"sfr", "sfr"},
    {"laposte", "laposte"},
    {"libero", "libero"},
    {"mail.ru", "mailru mail.ru"},
    {"yandex", "yandex"},
    {"comcast", "comcast"},
    {"att", "att"},
    {"charter", "charter roadrunner spectrum"},
    {"cox", "cox"},
    {"earthlink", "earthlink"},
    {"seznam", "seznam"},
    {"qq", "qq"},
    {"netease", "netease"},
    {"proofpoint", "proofpoint pphosted"},
    {"mimecast", "mimecast"},
    {"barracuda", "barracuda"},
    {"messagelabs", "messagelabs"},
    {"godaddy", "godaddy secureserver"},
    {"rackspace", "rackspace emailsrvr"},
});

// What complaint reports without a recipient say about who sent them.
enum class ComplaintField : std::uint8_t { format, user_agent };
struct ComplaintSource {
    ComplaintField field;
    std::string_view text;  // anywhere in the field, any case
    std::string_view provider;
};
inline constexpr std::array complaint_sources = std::to_array<ComplaintSource>({
    {ComplaintField::format, "jmrp", "microsoft"},
    {ComplaintField::user_agent, "yahoo", "yahoo"},
    {ComplaintField::user_agent, "aol", "aol"},
    {ComplaintField::user_agent, "hotmail", "microsoft"},
    {ComplaintField::user_agent, "outlook", "microsoft"},
    {ComplaintField::user_agent, "comcast", "comcast"},
    {ComplaintField::user_agent, "mail.ru", "mail.ru"},
    {ComplaintField::user_agent, "yandex", "yandex"},
    {ComplaintField::user_agent, "laposte", "laposte"},
    {ComplaintField::user_agent, "libero", "libero"},
    {ComplaintField::user_agent, "seznam", "seznam"},
    {ComplaintField::user_agent, "rackspace", "rackspace"},
    {ComplaintField::user_agent, "fastmail", "fastmail"},
    {ComplaintField::user_agent, "cox", "cox"},
});

}  // namespace mtawatch::mta::classes
