"""A machine whose home has nothing in it, on which commands are watched by strace."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from support.places import ROOT
from support.programs import missing, path_by
from support.waiting import until
from tests.isolation.strace import Rules, command

KB = (sys.executable, "-m", "kb_cli")

LONGEST_S = 1200
"""For a command, where the machine has much else to do."""

ASKS_FOR_REPORTS = {
    "ORT_DISABLE_TELEMETRY": "0",
    "HF_HUB_DISABLE_TELEMETRY": "0",
    "DISABLE_SAFETENSORS_CONVERSION": "0",
    "DO_NOT_TRACK": "0",
    "HAYSTACK_TELEMETRY_ENABLED": "true",
    "HAYSTACK_CONTENT_TRACING_ENABLED": "true",
    "LANGSMITH_TRACING": "true",
    "LANGSMITH_API_KEY": "lsv2_pt_00000000000000000000000000000000_0000000000",
}
"""An environment in which every library would report that can."""


@pytest.fixture(scope="session")
def strace() -> str:
    found = path_by("find-strace")
    if not found:
        missing("no strace that may trace here", "KB_REQUIRE_STRACE")
    return found


@dataclass
class Watched:
    """A command that has ended: what it said, and what it did against the rules."""

    code: int
    out: str
    err: str
    broken: list[str]
    in_home: list[Path]

    def kept_to_the_rules(self, code: int = 0, told: str = "") -> Watched:
        """Every line on stderr must be one of the pattern `told`, or say how far a build is."""
        assert self.broken == []
        assert self.in_home == []
        assert self.code == code, self.err[-2000:]
        progress = r"[a-z' ]+(: [\d,]+( of [\d,]+(, about \d+ (s|min) left)?)?)?"
        lines = self.err.splitlines()
        assert [line for line in lines if not re.fullmatch(f"{progress}|{told}", line)] == []
        return self

    def logged_json(self, code: int = 0) -> list[dict[str, object]]:
        """What the lines on stderr say, each of which must be an object."""
        assert self.broken == []
        assert self.in_home == []
        assert self.code == code, self.err[-2000:]
        entries = [json.loads(line) for line in self.err.splitlines()]
        assert all({"time", "level", "logger", "message"} <= entry.keys() for entry in entries)
        return entries


@dataclass
class Running:
    """A command that runs in the background. `ended` is set once it has been stopped."""

    process: subprocess.Popen[str]
    pid: int
    log: Path
    ended: Watched | None = None

    def said(self, pattern: str, times: int = 1) -> str:
        """The first group of the pattern in what it has said, once it has said it so often."""
        until(
            lambda: self._has_ended() or len(re.findall(pattern, self._text())) >= times, LONGEST_S
        )
        assert not self._has_ended(), self._text()
        found: str = re.findall(pattern, self._text())[-1]
        return found

    def _text(self) -> str:
        return self.log.read_text()

    def _has_ended(self) -> bool:
        return self.process.poll() is not None


@dataclass
class Machine:
    """Commands start in an empty folder. They may write where `given` says, and temporary files."""

    strace: str
    root: Path
    more: dict[str, str] = field(default_factory=dict)
    """Of the environment, beside what all commands have."""
    count: int = 0

    def __post_init__(self) -> None:
        for folder in (self.home, self.temporary, self.cwd):
            folder.mkdir(parents=True)

    @property
    def home(self) -> Path:
        return self.root / "home"

    @property
    def temporary(self) -> Path:
        return self.root / "tmp"

    @property
    def cwd(self) -> Path:
        return self.root / "started-in"

    def kb(self, *arguments: object, given: tuple[Path, ...] = (), **options: bool) -> Watched:
        return self.run(*KB, *arguments, given=given, **options)

    def run(
        self,
        *arguments: object,
        given: tuple[Path, ...] = (),
        loopback: bool = False,
        by_itself: bool = False,
    ) -> Watched:
        """`by_itself`: without an environment that asks for reports."""
        traces = self._traces()
        with subprocess.Popen(
            [*command(self.strace, traces), *map(str, arguments)],
            cwd=self.cwd,
            env=self.environment({} if by_itself else ASKS_FOR_REPORTS),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        ) as process:
            try:
                out, err = process.communicate(timeout=LONGEST_S)
            finally:
                _end(process)
        return self._watched(process.returncode, out, err, traces, given, loopback)

    @contextmanager
    def running(
        self, *arguments: object, given: tuple[Path, ...] = (), stop: int = signal.SIGTERM
    ) -> Iterator[Running]:
        """`kb` with these arguments in the background; a service, which may have sockets of this machine."""
        traces = self._traces()
        log, pid_file = traces / "stderr", self.temporary / "pid"
        # The shell becomes the command, so that signals can be sent to that instead of strace.
        by_shell = ["sh", "-c", 'echo $$ >"$0"; exec "$@"', str(pid_file)]
        with (
            log.open("w") as stderr,
            subprocess.Popen(
                [*command(self.strace, traces), *by_shell, *KB, *map(str, arguments)],
                cwd=self.cwd,
                env=self.environment(ASKS_FOR_REPORTS),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=stderr,
                text=True,
                start_new_session=True,
            ) as process,
        ):
            try:
                until(lambda: process.poll() is not None or _holds_a_number(pid_file), LONGEST_S)
                running = Running(process, int(pid_file.read_text()), log)
                pid_file.unlink()
                yield running
                os.kill(running.pid, stop)
                code = process.wait(120)
            finally:
                _end(process)
        running.ended = self._watched(code, "", log.read_text(), traces, given, loopback=True)

    def environment(self, more: dict[str, str]) -> dict[str, str]:
        """All that the commands have of one."""
        return {
            "PATH": os.environ["PATH"],
            "HOME": str(self.home),
            "TMPDIR": str(self.temporary),
            "LOGNAME": "reader",
            "LANG": "C.UTF-8",
            "PYTHONPATH": str(ROOT),
            "PYTHONDONTWRITEBYTECODE": "1",  # beside the program's files; where it is installed they are there
            **more,
            **self.more,
        }

    def watched_command(self, *given: Path) -> tuple[list[str], Callable[[], list[str]]]:
        """What to put before a command that somebody else starts in `cwd`, and what it did against the rules."""
        traces = self._traces()
        rules = Rules(self.cwd, [self.temporary, *given])
        return command(self.strace, traces), lambda: rules.broken(traces)

    def _traces(self) -> Path:
        self.count += 1
        folder = self.root / f"traces-{self.count}"
        folder.mkdir()
        return folder

    def _watched(
        self, code: int, out: str, err: str, traces: Path, given: tuple[Path, ...], loopback: bool
    ) -> Watched:
        broken = Rules(self.cwd, [self.temporary, *given], loopback).broken(traces)
        return Watched(code, out, err, broken, [*self.home.rglob("*"), *self.cwd.rglob("*")])


def _end(process: subprocess.Popen[str]) -> None:
    """End what is still there of a session: strace, and whom it traces."""
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGKILL)


def _holds_a_number(path: Path) -> bool:
    return path.exists() and path.read_text().endswith("\n")


@pytest.fixture
def machine(strace: str, tmp_path: Path) -> Machine:
    return Machine(strace, tmp_path / "machine")
