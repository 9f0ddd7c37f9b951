"""Given a version of Python, a Debian root that has it, made by mmdebstrap, and what a command in it needs mounted.

apt and pip in the root reach their servers as this machine does: their configuration, and the paths that it names, are
mounted into it. All of it is for root, in a name space of mounts of its own (`apart`).
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parent.parent
SUITES = {"3.11": "bookworm", "3.13": "trixie", "3.14": "forky"}
"""The release of Debian that has that Python. None has 3.12."""
TESTING = "forky"
PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
CONFIGURATION = ("/etc/apt/apt.conf.d", "/etc/pip.conf", "/etc/xdg/pip", "/etc/ssl/certs")
NETWORK = ("/etc/resolv.conf", "/etc/hosts")


class StepFailed(Exception):
    """A step does not do what it has to."""


def reaching() -> dict[str, str]:
    """The variables by which pip and apt of this machine reach their servers."""
    wanted = re.compile(r"PIP_\w+|\w+_proxy|SSL_CERT_FILE|REQUESTS_CA_BUNDLE", re.IGNORECASE)
    return {name: value for name, value in os.environ.items() if wanted.fullmatch(name)}


def to_mount() -> Iterator[Path]:
    """The configuration of this machine's apt and pip, and each path that is named in it."""
    texts = list(reaching().values())
    for name in (*NETWORK, *CONFIGURATION):
        path = Path(name)
        if path.exists():
            yield path
        files = [path] if path.is_file() else [*path.glob("*.conf"), *path.glob("*.txt")]
        texts += [file.read_text(errors="replace") for file in files if "apt" not in file.parts]
    for named in sorted(set(re.findall(r"(?:(?<=file://)|(?<![\w:/]))/[\w./-]+", " ".join(texts)))):
        path = Path(named)
        if path.exists() and not any(named.startswith(known) for known in CONFIGURATION):
            yield path


def mount(*arguments: str | Path) -> None:
    subprocess.run(["mount", *map(str, arguments)], check=True)


def mount_for_steps(root: Path) -> None:
    """What RUN sees beside the root itself. It goes with this process's name space of mounts."""
    mount("-t", "proc", "proc", root / "proc")
    mount("--rbind", "/dev", root / "dev")
    for path in to_mount():
        inside = root / str(path).lstrip("/")
        if path.is_dir():
            inside.mkdir(parents=True, exist_ok=True)
        else:
            inside.parent.mkdir(parents=True, exist_ok=True)
            inside.touch()
        mount("--bind", "-o", "ro", path.resolve(), inside)


def make_root(folder: Path, version: str, packages: str) -> None:
    """A minimal Debian with these packages. Raises StepFailed where its Python is another than `version`."""
    options = ["--quiet", "--variant=minbase", f"--include={packages}"]
    if (
        SUITES[version] == TESTING
    ):  # the list of a mirror that lags has run out; its signature still counts
        options.append('--aptopt=Acquire::Check-Valid-Until "false"')
    subprocess.run(["mmdebstrap", *options, SUITES[version], str(folder)], check=True)
    found = subprocess.run(
        ["chroot", str(folder), "python3", "-c", "import sys; print('%d.%d' % sys.version_info[:2])"],
        check=True, stdout=subprocess.PIPE, text=True,
    ).stdout.strip()  # fmt: skip
    if found != version:
        raise StepFailed(f"that root has Python {found}")


def is_root() -> bool:
    """Whether this runs as root, as mmdebstrap and chroot want it; says so where it does not."""
    if os.geteuid() == 0:
        return True
    print("mmdebstrap and chroot want root: run this as root.", file=sys.stderr)
    return False


def apart(module: str, folder: Path, *arguments: str | Path) -> int:
    """Run a module with `--in-name-space`, and `folder` anew and removed afterwards; its exit code.

    Mounts and what is started end with it, however it ends.
    """
    unshare = ["unshare", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc"]
    command = [*unshare, sys.executable, "-m", module, *map(str, arguments), "--in-name-space"]
    remove(folder)
    folder.mkdir(parents=True)
    try:
        environment = {**os.environ, "PYTHONPATH": str(ROOT)}
        return subprocess.run(command, cwd="/", env=environment, check=False).returncode
    finally:
        remove(folder)


def remove(folder: Path) -> None:
    subprocess.run(["rm", "-rf", "--one-file-system", folder], check=True)


def say(text: str) -> None:
    print(f"\n==> {text}", file=sys.stderr, flush=True)
