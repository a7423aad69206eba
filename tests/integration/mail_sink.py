"""A receiving server that answers by the recipient's name and counts what it answered."""
import collections
import re
import socketserver
import subprocess
import threading

# Not on loopback: mail for a server there is a content filter's, and no outbound mail.
ADDRESS = ("192.0.2.10", 2525)
# By the beginning of the recipient's name.
REPLIES = {"later": "451 4.7.1 Greylisted, please try again later", "full": "552 5.2.2 Mailbox full",
           "unknown": "550 5.1.1 User unknown"}


class Sink(socketserver.StreamRequestHandler):
    seen = collections.Counter()
    lock = threading.Lock()

    def say(self, text):
        self.wfile.write(text.encode() + b"\r\n")

    def count(self, what, number=1):
        with self.lock:
            self.seen[what] += number

    def handle(self):
        self.say("220 sink.example.org ESMTP")
        accepted = 0
        for line in self.rfile:
            word = line.strip().upper()
            if word.startswith(b"EHLO"):
                self.say("250 sink.example.org")
            elif word.startswith(b"RCPT"):
                name = re.search(rb"<([a-z]+)", line)[1].decode()
                reply = REPLIES.get(name, "250 2.1.5 Ok")
                accepted += reply.startswith("250")
                if not reply.startswith("250"):
                    self.count(name)
                self.say(reply)
            elif word == b"DATA":
                self.say("354 go on")
                for data in self.rfile:
                    if data == b".\r\n":
                        break
                self.count("accepted", accepted)
                self.say("250 2.0.0 Ok: taken")
                accepted = 0
            elif word == b"QUIT":
                self.say("221 2.0.0 Bye")
                return
            else:
                accepted = 0 if word.startswith((b"MAIL", b"RSET")) else accepted
                self.say("250 2.0.0 Ok")


class Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True


def start_sink():
    """Starts it with nothing counted; gives what stops it."""
    subprocess.run(["ip", "address", "replace", ADDRESS[0] + "/32", "dev", "lo"], check=True)
    Sink.seen.clear()
    server = Server(ADDRESS, Sink)
    threading.Thread(target=server.serve_forever, daemon=True).start()

    def stop():
        server.shutdown()
        server.server_close()
    return stop
