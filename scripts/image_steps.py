"""Given deploy/Containerfile, whether its steps work: each in turn, in a Debian root, and what they make runs.

    make image-steps                (as root; needs the network, some minutes, and 3 GB in build/image/)

No image is pulled: in place of python:X.Y-slim stands a root that mmdebstrap makes of Debian's own packages, with the
same Python. Steps are run by chroot; the entry point as its user, on a read-only root with an empty /tmp and the index,
in a network of its own. The health check has to succeed, a question to be answered, and the signal to end it with 0.
"""

from __future__ import annotations

import argparse
import ctypes
import json
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from scripts.debian_roots import (
    PATH,
    ROOT,
    SUITES,
    StepFailed,
    apart,
    is_root,
    make_root,
    mount,
    mount_for_steps,
    reaching,
    say,
)

CONTAINERFILE = ROOT / "deploy" / "Containerfile"
# What the image of that Python has beside a minimal Debian.
PACKAGES = "ca-certificates,python-is-python3,python3,python3-dev,python3-venv"
STARTS_WITHIN_S = 120.0
QUESTION = """
import json, urllib.request
asked = urllib.request.Request("http://127.0.0.1:8000/api/v1/search", json.dumps({"question": "sore gums"}).encode(),
                               {"Content-Type": "application/json"})
print(json.load(urllib.request.urlopen(asked, timeout=60))["answered"])
"""


@dataclass
class Stage:
    """What a FROM begins: its instructions, the name of each and the rest of its line."""

    base: str
    name: str
    steps: list[tuple[str, str]] = field(default_factory=list)

    def last(self, instruction: str) -> str:
        """The rest of the last instruction of that name."""
        return next(rest for name, rest in reversed(self.steps) if name == instruction)


def stages(text: str) -> list[Stage]:
    """The stages of a Containerfile. Raises StepFailed for an instruction that is none of those that are known."""
    found: list[Stage] = []
    lines = [line for line in text.splitlines() if not line.lstrip().startswith("#")]
    for line in "\n".join(lines).replace("\\\n", " ").splitlines():
        name, _, rest = line.strip().partition(" ")
        if name == "FROM":
            base, _, as_name = rest.partition(" AS ")
            found.append(Stage(base.strip(), as_name.strip()))
        elif name in STEPS:
            found[-1].steps.append((name, rest.strip()))
        elif name:
            raise StepFailed(f"no such instruction here: {name}")
    return found


def assignments(rest: str) -> dict[str, str]:
    """The names and values of an ENV or ARG."""
    pairs = (part.partition("=") for part in shlex.split(rest))
    return {name: value for name, _, value in pairs}


def health_check(stage: Stage) -> list[str]:
    """The command of its health check."""
    command: list[str] = json.loads(stage.last("HEALTHCHECK").partition("CMD ")[2])
    return command


@dataclass
class Root:
    """A file system in the making, and what its instructions have set."""

    folder: Path
    environment: dict[str, str] = field(default_factory=lambda: {"PATH": PATH})
    arguments: dict[str, str] = field(default_factory=dict)
    workdir: str = "/"
    user: str = ""

    def chroot(self, command: Sequence[str]) -> list[str]:
        as_user = [f"--userspec={self.user}"] if self.user else []
        return ["chroot", *as_user, str(self.folder), *command]

    def run(self, rest: str) -> None:
        script = f"cd {shlex.quote(self.workdir)} && {rest}"
        environment = reaching() | self.arguments | self.environment
        done = subprocess.run(self.chroot(["sh", "-ec", script]), env=environment, check=False)
        if done.returncode:
            raise StepFailed(f"exit {done.returncode} of RUN {rest}")

    def copy(self, rest: str, stages_before: dict[str, Root]) -> None:
        parts = shlex.split(rest)
        context = ROOT
        if parts[0].startswith("--from="):
            context = stages_before[parts.pop(0).removeprefix("--from=")].folder
        *sources, target = parts
        into = self.folder / self.workdir.lstrip("/") / target.rstrip("/").lstrip("/")
        for source in sources:
            given = context / source.lstrip("/")
            if given.is_dir():
                shutil.copytree(given, into, symlinks=True, dirs_exist_ok=True)
            else:
                into.mkdir(parents=True, exist_ok=True)
                shutil.copy(given, into)

    def change(self, name: str, rest: str, stages_before: dict[str, Root]) -> None:
        match name:
            case "RUN":
                self.run(rest)
            case "COPY":
                self.copy(rest, stages_before)
            case "WORKDIR":
                self.workdir = rest
                (self.folder / rest.lstrip("/")).mkdir(parents=True, exist_ok=True)
            case "ENV":
                self.environment |= assignments(rest)
            case "ARG":
                self.arguments |= {n: os.environ.get(n, v) for n, v in assignments(rest).items()}
            case "USER":
                self.user = rest
            case _:
                pass  # nothing to do until it runs


STEPS = frozenset(
    [
        "ARG",
        "COPY",
        "ENTRYPOINT",
        "ENV",
        "EXPOSE",
        "HEALTHCHECK",
        "RUN",
        "STOPSIGNAL",
        "USER",
        "WORKDIR",
    ]
)


def make_base(folder: Path, base: str) -> None:
    """The stand-in of an image such as docker.io/library/python:3.13-slim."""
    found = re.fullmatch(r"docker\.io/library/python:(3\.\d+)-slim", base)
    if found is None or found[1] not in SUITES:
        raise StepFailed(f"there is no Debian known here for {base}")
    say(f"Debian {SUITES[found[1]]} in place of {base}")
    make_root(folder, found[1], PACKAGES)


def make(folder: Path) -> tuple[Stage, Root]:
    """The last stage, made."""
    roots: dict[str, Root] = {}
    base = folder / "base"
    for number, stage in enumerate(stages(CONTAINERFILE.read_text())):
        if not base.exists():
            make_base(base, stage.base)
        root = Root(folder / f"stage-{number}")
        subprocess.run(["cp", "-a", str(base), str(root.folder)], check=True)
        mount_for_steps(root.folder)
        for name, rest in stage.steps:
            say(f"{name} {rest}")
            root.change(name, rest, roots)
        roots[stage.name] = root
    return stage, root


def read_only(root: Path, view: Path, index: Path) -> None:
    """Mount a root without what its making needed: read-only but for an empty /tmp, with the index."""
    view.mkdir()
    (root / "index").mkdir(exist_ok=True)
    mount("--bind", root, view)
    mount("-o", "remount,ro,bind", view)
    mount("-t", "tmpfs", "tmpfs", view / "tmp")
    mount("--bind", "-o", "ro", index, view / "index")
    mount("-t", "proc", "proc", view / "proc")
    mount("--bind", "/dev", view / "dev")


def cut_off() -> None:
    """Leave this machine's network for one that has nothing but loopback."""
    new_network = 0x40000000  # CLONE_NEWNET; os.unshare came with Python 3.12
    if ctypes.CDLL(None, use_errno=True).unshare(new_network):
        raise StepFailed(
            f"there is no network of its own to be had: {os.strerror(ctypes.get_errno())}"
        )
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)


def answer(stage: Stage, root: Root) -> None:
    """Start the entry point; it has to become healthy, to answer and to end well."""
    entry = root.chroot(json.loads(stage.last("ENTRYPOINT")))
    began = time.monotonic()
    service = subprocess.Popen(entry, env=root.environment)
    try:
        check = root.chroot(health_check(stage))
        while subprocess.run(
            check, env=root.environment, stderr=subprocess.DEVNULL, check=False
        ).returncode:
            if service.poll() is not None or time.monotonic() - began > STARTS_WITHIN_S:
                raise StepFailed("the health check does not succeed")
            time.sleep(0.2)
        say(f"the health check succeeds {time.monotonic() - began:.0f} s after the start")
        asked = root.chroot(["/opt/kb/bin/python", "-c", QUESTION])
        done = subprocess.run(asked, env=root.environment, stdout=subprocess.PIPE, text=True, check=False)  # fmt: skip
        if done.returncode:
            raise StepFailed("a question has no answer")
        say(f"a question is answered: {done.stdout.strip()}")
        service.send_signal(getattr(signal, stage.last("STOPSIGNAL")))
        if code := service.wait(60):
            raise StepFailed(f"{stage.last('STOPSIGNAL')} ended it with {code}")
        say(f"{stage.last('STOPSIGNAL')} ends it with 0")
    finally:
        if service.poll() is None:
            service.kill()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--index", type=Path, default=ROOT / "index")
    parser.add_argument("--folder", type=Path, default=ROOT / "build" / "image")
    parser.add_argument("--in-name-space", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if not is_root():
        return 2
    if not options.in_name_space:
        paths = ["--index", options.index.resolve(), "--folder", options.folder.resolve()]
        return apart("scripts.image_steps", options.folder, *paths)
    try:
        stage, root = make(options.folder)
        size = subprocess.run(
            ["du", "-xsm", root.folder / "opt"], check=True, stdout=subprocess.PIPE, text=True
        )
        say(f"{size.stdout.split()[0]} MB in /opt")
        view = options.folder / "view"
        read_only(root.folder, view, options.index)
        root.folder = view
        cut_off()
        answer(stage, root)
    except StepFailed as error:
        print(f"\nFailed: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
