"""Programs that do their work wrong in one stated way, in the place of those that the plugins run.

One script plays all of them. Which fault is wanted it reads from the environment of whoever started it, because the plugins hand on none:
FAULT=program:fault. Without one it prints what a healthy machine prints.
"""
import json
import pathlib
import subprocess
import sys
import time

import fault_servers

PROGRAM_FAULTS = ("hangs", "ignores SIGTERM", "endless good lines", "one endless line", "floods stderr", "killed by a signal",
                  "garbage", "good output, then exit 3", "half of the output, then exit 0", "half of the output, then killed",
                  "closes stdout, then hangs", "good output, then hangs", "leaves a child with the pipe", "says why and exits 1",
                  "not executable", "no such program")

SCRIPT = """#!/bin/sh
me=${0##*/}
fault=$(tr '\\0' '\\n' </proc/$PPID/environ | sed -n "s/^FAULT=$me://p")
good=FOLDER/$me
if [ -f FOLDER/fault ]; then fault=$(sed -n "s/^$me://p" FOLDER/fault); fi
case $* in *--priority*) good=/dev/null ;; esac  # no errors in the journal
half() { head -c $(($(wc -c <FOLDER/$me) * 2 / 3 - 7)) FOLDER/$me; }
case $fault in
    "") exec cat "$good" ;;
    hangs) exec sleep 1000 ;;
    "ignores SIGTERM") trap '' TERM; sleep 1000; sleep 1000 ;;
    "endless good lines") while cat "FOLDER/$me.many"; do :; done 2>/dev/null ;;
    "one endless line") exec tr '\\0' x </dev/zero ;;
    "floods stderr") cat "$good"; tr '\\0' x </dev/zero >&2 ;;
    "killed by a signal") kill -SEGV $$ ;;
    garbage) exec cat FOLDER/garbage ;;
    "good output, then exit 3") cat "$good"; exit 3 ;;
    "half of the output, then exit 0") half ;;
    "half of the output, then killed") half; kill -KILL $$ ;;
    "closes stdout, then hangs") exec >&- 2>&-; sleep 1000 ;;
    "good output, then hangs") cat "$good"; sleep 1000 ;;
    "leaves a child with the pipe") cat "$good"; sleep 1000 & exit 0 ;;
    "says why and exits 1") printf '%s: fatal: \\033[31m the disk | is on fire\\n' "$me" >&2; exit 1 ;;
    "not executable" | "no such program") exit 0 ;;
esac
"""


def queue_listing(count):
    return "".join(json.dumps({
        "queue_name": "deferred", "queue_id": f"4F3A{number:06X}", "arrival_time": int(time.time()) - 60, "message_size": 1200,
        "sender": "bounce@example.net", "recipients": [{"address": "user@example.com", "delay_reason": "try later"}]}) + "\n"
        for number in range(count))


def log_lines(count):
    stamp = time.strftime("%Y-%m-%dT%H:%M:%S.000000+00:00", time.gmtime(time.time() - 60))
    return "".join(f"{stamp} mx1 postfix/smtp[4711]: 4F3A{number:06X}: to=<user@example.net>, relay=mx.example.net[192.0.2.1]:25, "
                   "delay=0.5, delays=0.1/0/0.2/0.2, dsn=2.0.0, status=sent (250 2.0.0 Ok)\n" for number in range(count))


UNIT = ("Id=x.service\nLoadState=loaded\nActiveState=active\nSubState=running\nUnitFileState=enabled\nType=simple\nResult=success\n"
        "NRestarts=0\nExecMainStatus=0\nExecMainCode=0\nActiveEnterTimestamp=Tue 2023-11-14 21:13:20 UTC\n")
DISK = "Filesystem 1024-blocks Used Available Capacity Mounted on\n/dev/sda1 1000000 100000 900000 10% /\n"


def pmta_status(root, form):
    sys.path.insert(0, str(pathlib.Path(root) / "tests/support"))
    import fake_powermta
    return fake_powermta.answer(fake_powermta.DEFAULT, form, ["show", "status"], {"default": 20})


def pmta_pages(root):
    """What the web monitor shows of its status and of its domains."""
    pmta_status(root, "xml")
    import fake_powermta
    return [fake_powermta.answer(fake_powermta.DEFAULT, "xml", ["show", what], {"default": 10}).encode() for what in ("status", "domains")]


def install(folder, root):
    """Fills `folder` with what the programs print and puts the programs where the plugins look first, in this mount namespace."""
    outputs, programs = folder / "outputs", folder / "programs"
    outputs.mkdir()
    programs.mkdir()
    for name, good, many in (
            ("pmta", pmta_status(root, "dom"), None), ("postqueue", queue_listing(20), queue_listing(500)),
            ("systemctl", UNIT, None), ("journalctl", log_lines(150), log_lines(500)), ("df", DISK, None)):
        (outputs / name).write_text(good)
        (outputs / f"{name}.many").write_text(many or good * 100)
        (programs / name).write_text(SCRIPT.replace("FOLDER", str(outputs)))
        (programs / name).chmod(0o755)
    (outputs / "garbage").write_bytes(fault_servers.GARBAGE * 20)
    (folder / "empty").mkdir()
    (folder / "no_program").write_text("#!/bin/sh\n")
    (folder / "no_program").chmod(0o644)
    subprocess.run(["mount", "--bind", programs, "/usr/sbin"], check=True)


def surroundings(folder, program, fault):
    """What the plugin is started through, where the fault is one of the file and not of what runs."""
    if fault == "not executable":
        return ["/usr/bin/unshare", "--mount", "/bin/sh", "-c",
                f'mount --bind {folder}/no_program /usr/sbin/{program} && exec "$@"', "sh"]
    if fault == "no such program":
        return ["/usr/bin/unshare", "--mount", "/bin/sh", "-c", f'mount --bind {folder}/empty /usr/sbin && exec "$@"', "sh"]
    return []
