"""Given a command, what it and its children did to the world, as strace saw it, and what of that they may not do.

Threads and processes have a file of their trace each, so that no line is torn by another's.
"""

from __future__ import annotations

import ast
import ipaddress
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

SENDING = ("connect", "bind", "sendto", "sendmsg", "sendmmsg")
OPENING = ("open", "openat", "openat2", "creat")
CHANGING = (
    *("mkdir", "mkdirat", "mknod", "mknodat", "rmdir", "unlink", "unlinkat", "truncate"),
    *("rename", "renameat", "renameat2", "link", "linkat", "symlink", "symlinkat"),
    *("chmod", "fchmodat", "fchmodat2", "chown", "lchown", "fchownat"),
    *("utime", "utimes", "utimensat", "futimesat", "setxattr", "lsetxattr", "removexattr"),
)
# What goes through a ring of io_uring is seen by no tracer.
UNSEEN = ("io_uring_setup",)
MOVING = ("chdir", "fchdir")
CALLS = ("socket", *SENDING, *OPENING, *CHANGING, *UNSEEN, *MOVING)

WRITING = re.compile(r"\bO_(WRONLY|RDWR|CREAT|TRUNC|APPEND|TMPFILE)\b")
NAME_PORTS = {53, 853, 5353, 5355}
"""Of DNS, also over TLS, by multicast, and of LLMNR."""
NAME_FILES = {"/etc/resolv.conf", "/etc/hosts"}
"""What the C library reads to look up a host, and for nothing else."""
NAME_DAEMON = "/var/run/nscd/socket"
KERNEL = re.compile(r"/proc/(self|\d+)(/|$)|/dev/null$|/dev/shm/sem\.")
"""What looks like files and is the kernel: a process's own niceness, semaphores."""

_CALL = re.compile(r"(?P<name>\w+)\((?P<arguments>.*?)(\) += (?P<result>.*)|<unfinished \.\.\.>)?$")
_QUOTED = r'"((?:[^"\\]|\\.)*)"'
_PATH = re.compile(rf"(?:(?:AT_FDCWD|\d+)<((?:[^>\\]|\\.)*)>, )?{_QUOTED}")
_OPENED = re.compile(r"\d+<((?:[^>\\]|\\.)*)>")
_FAMILY = re.compile(r"AF_\w+")
_IPV4 = re.compile(r'sin_port=htons\((\d+)\), sin_addr=inet_addr\("([^"]*)"\)')
_IPV6 = re.compile(r'sin6_port=htons\((\d+)\).*?inet_pton\(AF_INET6, "([^"]*)"')
_UNIX = re.compile(rf"sun_path=(@?){_QUOTED}")


def command(strace: str, folder: Path) -> list[str]:
    """What to put before a command so that its trace is written into `folder`."""
    traced = ["-e", f"trace={','.join('?' + name for name in CALLS)}", "-e", "signal=none"]
    return [
        strace,
        "-ff",
        "-qqq",
        "-y",
        "--seccomp-bpf",
        *traced,
        "-o",
        str(folder / "trace"),
        "--",
    ]


@dataclass
class Rules:
    """Files may be written within `folders` alone; only where `loopback` is set may there be sockets of the Internet,
    and these for this machine. `cwd` is where the command was started."""

    cwd: Path
    folders: list[Path]
    loopback: bool = False
    _roots: list[str] = field(init=False)

    def __post_init__(self) -> None:
        self._roots = [os.path.realpath(folder) for folder in self.folders]

    def broken(self, traces: Path) -> list[str]:
        """Each call in a trace that was against the rules, with what it did."""
        files = sorted(traces.glob("trace.*"))
        assert files, "nothing was traced"
        lines = [line for file in files for line in file.read_text("utf-8", "replace").splitlines()]
        calls = [found for line in lines if (found := _CALL.match(line))]
        assert calls, "nothing was traced"
        moved = any(call["name"] in MOVING for call in calls)
        return [
            f"{what}: {call[0]}" for call in calls for what in dict.fromkeys(self._of(call, moved))
        ]

    def _of(self, call: re.Match[str], moved: bool) -> Iterator[str]:
        name, arguments, result = call["name"], call["arguments"], call["result"] or ""
        if name in UNSEEN:
            yield "unseen"
        elif name == "socket":
            yield from self._socket(arguments)
        elif name in SENDING:
            yield from self._sending(arguments, result)
        elif name in OPENING:
            yield from self._opening(name, arguments, result)
        elif name in CHANGING and "EEXIST" not in result:
            yield from self._changing(name, arguments, moved)

    def _socket(self, arguments: str) -> Iterator[str]:
        family = arguments.split(",", maxsplit=1)[0]
        if family == "AF_UNIX" or (family in ("AF_INET", "AF_INET6") and self.loopback):
            return
        yield "socket"

    def _sending(self, arguments: str, result: str) -> Iterator[str]:
        for port, address in (*_IPV4.findall(arguments), *_IPV6.findall(arguments)):
            if int(port) in NAME_PORTS:
                yield "name looked up"
            elif not ipaddress.ip_address(address).is_loopback:
                yield "sent"
        for _, path in _UNIX.findall(arguments):
            # Daemons listen there: what they do with what they are told, no trace of this process says. That of the C
            # library is asked for users as well as hosts; where it does not run, what is then read tells which.
            is_absent = _unquoted(path) == NAME_DAEMON and result.startswith("-1 ENOENT")
            if not is_absent and not self._is_within(_unquoted(path)):
                yield "another program asked"

    def _opening(self, name: str, arguments: str, result: str) -> Iterator[str]:
        base, quoted = _PATH.search(arguments).groups()  # type: ignore[union-attr]
        opened = _OPENED.match(result)
        path = _unquoted(opened[1]) if opened else self._resolved(base, quoted)
        if path in NAME_FILES or self._resolved(base, quoted) in NAME_FILES:
            yield "name looked up"
        writes = name == "creat" or WRITING.search(arguments[arguments.rindex('"') :])
        if writes and not self._is_within(path):
            yield "written"

    def _changing(self, name: str, arguments: str, moved: bool) -> Iterator[str]:
        paths = _PATH.findall(arguments)
        if name in ("symlink", "symlinkat"):
            paths = paths[1:]  # the first is what the link says
        for base, quoted in paths:
            # Without a folder beside it a relative path is of the process's own, which may have changed.
            unknown = moved and not base and not quoted.startswith("/")
            if unknown or not self._is_within(self._resolved(base, quoted)):
                yield "written"

    def _resolved(self, base: str | None, quoted: str) -> str:
        start = _unquoted(base) if base else str(self.cwd)
        return os.path.normpath(Path(start, _unquoted(quoted)))

    def _is_within(self, path: str) -> bool:
        if KERNEL.match(path):
            return True
        real = os.path.realpath(path.removesuffix(" (deleted)"))
        return any(real == root or real.startswith(f"{root}/") for root in self._roots)


def _unquoted(text: str) -> str:
    found: bytes = ast.literal_eval(f'b"{text}"')
    return found.decode("utf-8", "surrogateescape")
