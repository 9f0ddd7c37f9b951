"""The watch itself: it sees what leaves a machine by each way there is, and complains of nothing else."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tests.isolation.conftest import Machine

IPV6 = Path("/proc/net/if_inet6").exists()

# 192.0.2.0/24 and 2001:db8::/32 are nobody's, and .invalid is no domain.
PLANTED = {
    "a connection to another machine": ("sent", "tcp.connect(('192.0.2.1', 443))"),
    "a datagram to another machine": ("sent", "udp.sendto(b'x', ('192.0.2.1', 9))"),
    "several datagrams": ("sent", "udp.sendmsg([b'x'], [], 0, ('192.0.2.1', 9))"),
    "a connection by IPv6": (
        "sent",
        "socket.socket(socket.AF_INET6).connect(('2001:db8::1', 443))",
    ),
    "an open door": ("sent", "tcp.bind(('0.0.0.0', 0))"),
    "a name": ("name looked up", "socket.getaddrinfo('kb.invalid', 443)"),
    "a name asked of a resolver here": ("name looked up", "udp.sendto(b'x', ('127.0.0.1', 53))"),
    "a daemon": ("another program asked", "unix.connect('/run/systemd/resolve/io.systemd')"),
    "raw packets": ("socket", "socket.socket(socket.AF_PACKET, socket.SOCK_RAW)"),
    "a file in the home": ("written", "open(home + '/device-id', 'w')"),
    "a folder in the home": ("written", "os.mkdir(home + '/.cache')"),
    "a file moved to the home": ("written", "os.rename(made, home + '/queue')"),
    "a link in the home": ("written", "os.symlink('/', home + '/link')"),
    "a file through a link": ("written", "os.symlink(home, 'to'); open('to/queue', 'w')"),
    "a folder where it was not started": ("written", "os.chdir(home); os.mkdir('cache')"),
    "a file taken away": ("written", "os.unlink(home + '/nothing')"),
    "a database in the home": (
        "written",
        "sqlite3.connect(home + '/db').execute('create table t(x)')",
    ),
}
SCRIPT = """
import os, socket, sqlite3, subprocess, sys, threading
home = os.environ["HOME"]
os.chdir(os.environ["TMPDIR"])
made = os.path.abspath("made")
open(made, "w").close()
tcp, udp = socket.socket(), socket.socket(type=socket.SOCK_DGRAM)
unix = socket.socket(socket.AF_UNIX)
tcp.setblocking(False)
def plant():
    {planted}
threading.excepthook = lambda _: None
thread = threading.Thread(target=plant)
thread.start()
thread.join()
"""
A_CHILD = "import subprocess, sys; subprocess.run([sys.executable, '-c', sys.argv[1]], check=True)"


@pytest.mark.parametrize("name", PLANTED)
def test_it_catches_what_a_thread_of_a_child_does(machine: Machine, name: str) -> None:
    kind, planted = PLANTED[name]
    if "INET6" in planted and not IPV6:
        pytest.skip("no IPv6 here")
    script = SCRIPT.format(planted=planted)
    done = machine.run(sys.executable, "-c", A_CHILD, script, loopback=True)
    assert done.code == 0, done.err
    assert kind in {found.partition(":")[0] for found in done.broken}, done.broken


def test_it_lets_pass_what_stays_here(machine: Machine, tmp_path: Path) -> None:
    given = tmp_path / "given"
    given.mkdir()
    script = """
import os, socket, subprocess, sys, tempfile
from pathlib import Path
folder = Path(sys.argv[1])
(folder / "new").mkdir()
(folder / "new" / "a file").write_text("x")
(folder / "new" / "a file").rename(folder / "ä")
tempfile.TemporaryFile().write(b"x")
Path("/dev/null").write_text("x")
Path("/etc/passwd").read_text()
subprocess.run(["true"], check=True)
with socket.create_server(("127.0.0.1", 0)) as server:
    socket.create_connection(server.getsockname()).close()
if sys.argv[2] == "True":
    with socket.create_server(("::1", 0), family=socket.AF_INET6) as server:
        socket.create_connection(server.getsockname()[:2]).close()
"""
    done = machine.run(sys.executable, "-c", script, given, IPV6, given=(given,), loopback=True)
    done.kept_to_the_rules()


def test_a_socket_is_one_too_many_where_none_is_needed(machine: Machine) -> None:
    script = "import socket; socket.create_server(('127.0.0.1', 0))"
    done = machine.run(sys.executable, "-c", script)
    assert {found.partition(":")[0] for found in done.broken} == {"socket"}


def test_a_file_that_is_left_in_the_home_is_seen_without_a_trace_too(machine: Machine) -> None:
    done = machine.run(sys.executable, "-c", "import os; open(os.environ['HOME'] + '/x', 'w')")
    assert done.in_home == [machine.home / "x"]


def test_the_runtime_reports_unless_it_is_told_not_to(machine: Machine) -> None:
    """What `kb.reporting.telemetry` is for. Where this fails, ONNX Runtime has stopped reporting by itself."""
    done = machine.run(sys.executable, "-c", "import onnxruntime", by_itself=True)
    assert any(path.name == "deviceid" for path in done.in_home)
    assert any(found.startswith("written: ") and "deviceid" in found for found in done.broken)
