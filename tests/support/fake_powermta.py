"""A stand-in for PowerMTA: the `pmta` program and the web monitor, fed by one JSON state file.

fake_powermta.py STATE pmta [--dom|--xml|--json] show status …      what /usr/sbin/pmta prints
fake_powermta.py STATE serve PORT [--api-key KEY] [--deny] [--redirect-to PORT] [--tls CERT KEY] [--basic USER:PASSWORD]
fake_powermta.py STATE init                                         writes a state to start from

The layouts are those of PowerMTA 4.5 to 5.0r5; what is not published (DOM and XML of vmtas, the JSON keys of mode and
paused) follows the assumptions that the parsers document.
"""
import base64
import datetime
import http.server
import json
import ssl
import sys
from xml.sax.saxutils import escape

DEFAULT = {
    "version": "5.0r5", "host": "mx1.example.net", "status": "running", "uptime": 20739, "initPct": 100,
    "total": {"in": [2007845, 28046, 8799.7], "out": [2007007, 2007007, 1370100.3]},
    "lastHr": {"in": [348700, 4936, 33.7], "out": [348704, 348704, 142245.3]},
    "lastMin": {"in": [5800, 81, 0.6], "out": [5809, 5809, 2372.6]},
    "conn": {"smtpIn": [1, 5, 1], "smtpOut": [0, 1200, 157]},
    "maxRcp": 25000, "extraQueues": {"pipe": 0, "discard": 0, "file": 0},
    "queues": [
        {"domain": "example.com", "vmta": "vmta1", "rcp": 500, "kb": 120.5, "conn": 3, "mode": "normal", "paused": False,
         "errors": [["2026-11-20 18:24:33", "connect rate limit reached"]]},
        {"domain": "example.com", "vmta": "vmta2", "rcp": 200, "kb": 40.1, "conn": 0, "mode": "backoff", "paused": False,
         "errors": [["2026-11-20 18:24:32",
                     'skip of MX requested: "421 4.2.1 : (DYN:T1) try later" received from mx.example.com (192.0.2.7)']]},
        {"domain": "example.org", "vmta": "vmta1", "rcp": 105, "kb": 9.0, "conn": 0, "mode": "normal", "paused": True,
         "errors": []},
    ],
    "messages": [{"queue": "example.com/vmta2", "rcpt": "anna@example.com", "age": 90300},
                 {"queue": "example.org/vmta1", "rcpt": "ben@example.org", "age": 600}],
    "licence": {"product": "PowerMTA", "version": "5.0", "platform": "linux-intel", "units": 0, "instances": 1,
                "licensee": "Example Corp", "serial": 100001, "issued": "2020-12-10", "expires": "2100-03-20",
                "copyright": "Example"},
}
REFUSAL = ("<html><body>Access denied.  Please consult the http-access directive in the User's Guide for more "
           "information.</body></html>\n")


def stamp(when):
    return when.strftime("%Y-%m-%d %H:%M:%S")


def now_of(state):
    return datetime.datetime.fromisoformat(state["now"]) if "now" in state else datetime.datetime.now()


def flow(values):
    return {direction: dict(zip(("rcp", "msg", "kb"), values[direction])) for direction in ("out", "in")}


def status_tree(state):
    now = now_of(state)
    rcp = sum(queue["rcp"] for queue in state["queues"])
    queue = {"smtp": {"rcp": rcp, "dom": len({q["domain"] for q in state["queues"]}),
                      "kb": round(sum(q["kb"] for q in state["queues"]), 1)}}
    for name, count in state["extraQueues"].items():
        queue[name] = {"rcp": count, "dom": 0, "kb": 0.0}
    traffic = {}
    for name in ("total", "lastHr", "lastMin"):
        traffic[name] = flow(state[name]) | {"bounceProcessed": 0, "feedbackLoopProcessed": 0}
    conn = {name: dict(zip(("cur", "max", "top"), values)) for name, values in state["conn"].items()}
    total = rcp + sum(state["extraQueues"].values())
    return {
        "mta": {
            "product": {"name": "PowerMTA", "version": state["version"], "buildDate": "2020-07-06 17:39:50", "bits": 64},
            "os": {"name": "Linux", "version": "6.1.0-44-amd64", "build": "Example Linux 12 "},
            "fullHostName": state["host"], "userString": "", "hostId": 0},
        "status": {
            "timeNow": stamp(now), "startupTime": stamp(now - datetime.timedelta(seconds=state["uptime"])),
            "shuttingDown": False, "traffic": traffic, "conn": conn,
            "resolver": {"namesCached": 589, "queriesPending": 2, "queriesActive": 0},
            "queue": queue,
            "spool": {"initPct": state["initPct"], "dirs": 1, "files": {"inUse": 504, "recycled": 0, "total": 504},
                      "totalRcp": total, "maxRcp": state["maxRcp"]},
            "status": state["status"]}}


def select(state, what, options):
    """Entries of a listing and the totals before --maxitems cut it."""
    queues = [q for q in state["queues"] if options.get("mode") in (None, q["mode"])
              and options.get("paused") in (None, "yes" if q["paused"] else "no")]
    if what == "queue":
        entries = [{"name": f'{q["domain"]}/{q["vmta"]}', "rcp": q["rcp"], "kb": q["kb"], "conn": q["conn"],
                    "errors": q["errors"] if "errors" in options else [], "paused": q["paused"], "mode": q["mode"],
                    "retryTime": ""} for q in queues]
    else:
        key = {"domain": "domain", "vmta": "vmta", "job": "job"}[what]
        sums = {}
        for q in queues:
            entry = sums.setdefault(q.get(key, "job1"), {"rcp": 0, "kb": 0.0, "conn": 0, "dom": 0})
            entry["rcp"] += q["rcp"]
            entry["kb"] = round(entry["kb"] + q["kb"], 1)
            entry["conn"] += q["conn"]
            entry["dom"] += 1
        entries = [{"name": name} | sums[name] for name in sums]
    entries.sort(key=lambda e: (-e["rcp"], e["name"]))
    limit = int(options.get("maxitems", options["default"]))
    return entries[:limit], sum(e["rcp"] for e in entries), len(entries)


def listing_tree(state, what, options, plural):
    entries, rcp, count = select(state, what, options)
    for entry in entries:
        errors = [{"time": time, "text": text} for time, text in entry.pop("errors", [])]
        if errors:
            entry["errors" if plural else "event"] = errors if plural else [{"type": "error"} | e for e in errors]
    name = {"queue": "Queues", "domain": "Domains", "vmta": "Vmtas", "job": "Jobs"}[what]
    return {"title": f"Top {len(entries)} {what}s by number of recipients", what + ("s" if plural else ""): entries,
            "totalRcp": rcp, f"total{name}WithRcp": count}


def messages_tree(state, options, plural):
    limit = seconds(options["older-than"]) if "older-than" in options else 0
    found = [m for m in state["messages"] if m["age"] >= limit][:int(options.get("maxitems", 20))]
    return {"msgs" if plural else "msg": [
        {"queue": m["queue"], "orig": "bounce@example.net", "rcpt": m["rcpt"], "file": "/var/spool/pmta/0/000001D6",
         "timeQueued": stamp(now_of(state) - datetime.timedelta(seconds=m["age"])), "header_subject": "", "priority": 50}
        for m in found]}


def seconds(text):
    return int(text[:-1]) * {"s": 1, "m": 60, "h": 3600, "d": 86400}[text[-1]]


def word(value, paused=False):
    if isinstance(value, bool):
        return ("yes" if value else "no") if paused else str(int(value))
    return str(value)


def dom(tree, prefix=""):
    for key, value in tree.items():
        for index, one in enumerate(value if isinstance(value, list) else [value]):
            path = prefix + key + (f"[{index}]" if isinstance(value, list) else "")
            if isinstance(one, dict):
                yield from dom(one, path + ".")
            else:
                yield f'{path}="{word(one, key == "paused")}"\n'


def xml(tree):
    text = ""
    for key, value in tree.items():
        for one in value if isinstance(value, list) else [value]:
            body = xml(one) if isinstance(one, dict) else escape(word(one, key == "paused"))
            text += f"<{key}>{body}</{key}>" if body else f"<{key}/>"
    return text


def status_text(state):
    tree = status_tree(state)["status"]
    rows = [f'PowerMTA v{state["version"]} status on {state["host"]} on {tree["timeNow"]}',
            "Traffic    ------------inbound------------  ------------outbound-----------",
            "                 rcpts      msgs      kbytes      rcpts      msgs      kbytes"]
    for label, name in (("Total", "total"), ("Last Hour", "lastHr"), ("Last Min.", "lastMin")):
        values = [tree["traffic"][name][d][k] for d in ("in", "out") for k in ("rcp", "msg", "kb")]
        rows.append(f"{label:>11}" + "".join(f"{value:>11}" for value in values))
    inbound, outbound = state["conn"]["smtpIn"], state["conn"]["smtpOut"]
    smtp = tree["queue"]["smtp"]
    other = sum(state["extraQueues"].values())
    rows += ["Connections    active       top     maximum  Domain       cached     pending",
             f"    Inbound {inbound[0]:>10} {inbound[2]:>9} {inbound[1]:>11}  Names           589           2",
             f"   Outbound {outbound[0]:>10} {outbound[2]:>9} {outbound[1]:>11}",
             "Queues      rcpts   domains      kbytes  Spool        in use    recycled",
             f'       SMTP {smtp["rcp"]:>10} {smtp["dom"]:>9} {smtp["kb"]:>11}  Files         504           0',
             f"      other {other:>10}         0         0.0    Init.                complete",
             f'Status    {state["status"]}    Started  {tree["startupTime"]}    Uptime   0  5:45:39']
    return "\n".join(rows) + "\n"


def listing_text(state, what, options):
    entries, _, count = select(state, what, options)
    shown = len(entries)
    if what == "domain":
        rows = ["-----------------------------domain --#rcpt ---kbytes conn last error----------"]
        rows += [f'{e["name"]:>35} {e["rcp"]:>7} {e["kb"]:>9} {e["conn"]:>4}' for e in entries]
        return "\n".join(rows + [f"{shown} of {count} domains shown."]) + "\n"
    if what == "vmta":
        rows = ["name    domains #rcpt % total kbytes conn", "------- ------- ----- ------- ------ ----"]
        rows += [f'{e["name"]:<7} {e["dom"]:>7} {e["rcp"]:>5}       1 {e["kb"]:>6} {e["conn"]:>4}' for e in entries]
        return "\n".join(rows + [f"{shown} of {count} virtual MTAs."]) + "\n"
    if what == "job":
        rows = ["-----------------------------job-id ----#rcpt ---kbytes"]
        rows += [f'{e["name"]:>35} {e["rcp"]:>9} {e["kb"]:>9}' for e in entries]
        return "\n".join(rows + [f"Total of {count} job(s)."]) + "\n"
    rows = ["queue           #rcpt kbytes conn st    retry last error",
            "--------------- ----- ------ ---- -- -------- ----------", "*/*"]
    rows += [f'{e["name"]} {e["rcp"]:>5} {e["kb"]:>6} {e["conn"]:>4}    09:35:42' for e in entries]
    rows += ["Recipient Events (deliveries:0, bounces:1, deferrals:0)",
             "bounced | 2026-11-20 09:36:09 | 192.0.2.25 | vc@example.com | job1 | [192.0.2.7] (192.0.2.7) | smtp;550 No Such "
             f"User{shown} of {count} matching queues."]
    return "\n".join(rows) + "\n"


def licence_text(state):
    return "".join(f"{key:>9}: {value}\n" for key, value in state["licence"].items())


def answer(state, form, words, options):
    """What a command prints in one of the forms, None for a command that is not known."""
    names = {"queues": "queue", "topqueues": "queue", "domains": "domain", "vmtas": "vmta", "jobs": "job"}
    command = " ".join(words[:2])
    if words[:1] == ["list"]:
        tree = messages_tree(state, options, form == "json")
    elif command == "show status":
        if form == "text":
            return status_text(state)
        tree = status_tree(state)
    elif command == "show license":
        if form == "text":
            return licence_text(state)
        tree = {"license": state["licence"]}
    elif words[:1] == ["show"] and len(words) > 1 and words[1] in names:
        if form == "text":
            return listing_text(state, names[words[1]], options)
        tree = listing_tree(state, names[words[1]], options, form == "json")
    else:
        return None
    if form == "json":
        return json.dumps({"data": tree, "status": "success", "message": ""}, indent=2, ensure_ascii=False) + "\n"
    if form == "xml":
        return f"<rsp><data>{xml(tree)}</data><succ/></rsp>\n"
    return "".join(dom(tree))


def parse(words, default_items):
    form = "text"
    if words and words[0] in ("--dom", "--xml", "--json"):
        form = words[0][2:]
        words = words[1:]
    options = {"default": default_items}
    plain = []
    for one in words:
        if one.startswith("--"):
            key, _, value = one[2:].partition("=")
            options[key] = value
        else:
            plain.append(one)
    return form, plain, options


def load(path):
    with open(path, encoding="utf-8") as file:
        return json.load(file)


def save(path, state):
    with open(path, "w", encoding="utf-8") as file:
        json.dump(state, file, indent=1)


def run_program(path, words):
    state = load(path)
    with open(path + ".calls", "a", encoding="utf-8") as log:
        log.write(" ".join(words) + "\n")
    if state.get("down"):
        print("pmta: unable to connect to the PowerMTA service", file=sys.stderr)
        return 1
    if words == ["reset", "counters"]:
        for name in ("total", "lastHr", "lastMin"):
            state[name] = {"in": [0, 0, 0.0], "out": [0, 0, 0.0]}
        save(path, state)
        return 0
    text = answer(state, *parse(words, 20))
    if text is None:
        print(f"unknown command: {' '.join(words)}", file=sys.stderr)
        return 2
    sys.stdout.write(text[:len(text) // 2] if state.get("truncate") else text)
    return 0


class Monitor(http.server.BaseHTTPRequestHandler):
    """The web monitor: ten items by default, a refusal page, a redirect to HTTPS, the command API with a key."""
    protocol_version = "HTTP/1.1"
    settings = {}

    def log_message(self, format, *arguments):
        pass

    def send(self, code, kind, text, headers=()):
        body = text.encode("utf-8")
        self.send_response(code)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        for name, value in headers:
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def refused(self):
        settings = self.settings
        if settings.get("redirect"):
            host = self.headers["Host"].rsplit(":", 1)[0]
            self.send(301, "text/html", "", [("Location", f"https://{host}:{settings['redirect']}{self.path}")])
            return True
        if settings.get("deny"):
            self.send(403, "text/html", REFUSAL)
            return True
        if settings.get("basic"):
            wanted = "Basic " + base64.b64encode(settings["basic"].encode()).decode()
            if self.headers.get("Authorization") != wanted:
                self.send(401, "text/html", "<html><title>401</title></html>",
                          [("WWW-Authenticate", 'Basic realm="PowerMTA"')])
                return True
        return False

    def do_GET(self):
        if self.refused():
            return
        path, _, query = self.path.partition("?")
        options = dict(pair.partition("=")[::2] for pair in query.split("&") if pair)
        form = options.pop("format", "html")
        pages = {"/status": ["show", "status"], "/queues": ["show", "queues"], "/domains": ["show", "domains"],
                 "/vmtas": ["show", "vmtas"], "/jobs": ["show", "jobs"]}
        if path not in pages or form not in ("json", "xml"):
            self.send(200, "text/html", "<html><head><title>PowerMTA Web Monitor</title></head></html>")
            return
        text = answer(load(self.settings["state"]), form, pages[path], {"default": 10})
        self.send(200, "application/json" if form == "json" else "text/html", text)

    def do_POST(self):
        size = int(self.headers.get("Content-Length", "0"))
        body = self.rfile.read(size).decode("utf-8")
        if self.refused():
            return
        key = self.settings.get("api_key")
        if self.path != "/command" or key is None or self.headers.get("X-API-Key") != key:
            self.send(403, "text/html", REFUSAL)
            return
        fields = {}
        boundary = self.headers["Content-Type"].partition("boundary=")[2]
        for part in body.split("--" + boundary):
            head, _, value = part.partition("\r\n\r\n")
            name = head.partition('name="')[2].partition('"')[0]
            if name:
                fields[name] = value.rstrip("\r\n")
        _, words, options = parse(fields["command"].split(), 20)
        text = answer(load(self.settings["state"]), fields.get("format", "json"), words, options)
        if text is None:
            text = json.dumps({"data": {}, "status": "fail", "message": "unknown command"})
        self.send(200, "application/json", text)


def serve(path, arguments):
    settings = {"state": path}
    port = int(arguments.pop(0))
    certificate = None
    while arguments:
        option = arguments.pop(0)
        if option == "--deny":
            settings["deny"] = True
        elif option == "--tls":
            certificate = (arguments.pop(0), arguments.pop(0))
        else:
            settings[{"--api-key": "api_key", "--redirect-to": "redirect", "--basic": "basic"}[option]] = arguments.pop(0)
    Monitor.settings = settings
    server = http.server.ThreadingHTTPServer(("127.0.0.1", port), Monitor)
    if certificate:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*certificate)
        server.socket = context.wrap_socket(server.socket, server_side=True)
    print("ready", flush=True)
    server.serve_forever()


def main():
    path, action, *rest = sys.argv[1:]
    if action == "init":
        save(path, DEFAULT)
        return 0
    if action == "pmta":
        return run_program(path, rest)
    return serve(path, rest)


if __name__ == "__main__":
    sys.exit(main())
