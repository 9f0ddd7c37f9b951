"""The set-up on machines that lack things: the scripts of `make setup` and `make test`, run in a machine made of a few
commands, with a package manager and a sudo that keep a log."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from support.places import ROOT

VENV_PACKAGE = f"python{sys.version_info.major}.{sys.version_info.minor}-venv"
TORCH = re.findall(r"^torch==(\S+)", (ROOT / "lock" / "torch.lock").read_text(), re.MULTILINE)[0]

LETS_THROUGH = '[ "$1" = -n ] && shift; exec "$@"'
WANTS_A_PASSWORD = "echo 'sudo: a password is required' >&2; exit 1"


class Machine:
    """A PATH that holds nothing but what a test puts there."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.bin = folder / "bin"
        self.log = folder / "log"
        self.environment = {"PATH": str(self.bin), "HOME": str(folder), "LANG": "C.UTF-8"}
        self.bin.mkdir()
        self.log.touch()
        for name in ("sh", "env", "dirname", "sed", "cat", "rm", "tail", "true"):
            (self.bin / name).symlink_to(str(shutil.which(name)))

    def command(self, name: str, body: str) -> Path:
        """Adds a command; its calls are logged."""
        path = self.bin / name
        path.write_text(f'#!/bin/sh\necho "{name} $*" >> {self.log}\n{body}\n')
        path.chmod(0o755)
        return path

    def user(self, number: int) -> None:
        self.command("id", f"echo {number}")

    def run(
        self, script: str, *arguments: str, **environment: str
    ) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [str(self.bin / "sh"), f"scripts/{script}", *arguments],
            cwd=ROOT,
            env=self.environment | environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )

    def calls(self, name: str) -> list[str]:
        return [line for line in self.log.read_text().splitlines() if line.startswith(f"{name} ")]


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    """An ordinary user's Debian without sudo, without a browser."""
    machine = Machine(tmp_path)
    machine.user(1000)
    machine.command("apt-get", "exit 0")
    return machine


@pytest.fixture
def without_venv(machine: Machine) -> Path:
    """Takes `ensurepip` from this Python, as Debian does, until the file that is returned is removed."""
    shadow = machine.folder / "shadow" / "ensurepip.py"
    shadow.parent.mkdir()
    shadow.write_text("raise ImportError")
    machine.environment |= {"PYTHONPATH": str(shadow.parent), "PYTHON": sys.executable}
    machine.environment["VENV"] = str(machine.folder / "venv")
    return shadow


@pytest.mark.usefixtures("without_venv")
def test_where_venv_is_missing_and_nobody_may_install_it_the_remedy_is_named(
    machine: Machine,
) -> None:
    done = machine.run("make-venv")
    assert done.returncode == 1
    assert "no sudo here" in done.stderr
    assert f"As root: apt-get install {VENV_PACKAGE}" in done.stderr
    assert done.stdout == "", "it must not claim to install what it cannot"
    assert machine.calls("apt-get") == []


@pytest.mark.usefixtures("without_venv")
def test_a_sudo_that_wants_a_password_is_not_waited_for_without_a_terminal(
    machine: Machine,
) -> None:
    machine.command("sudo", WANTS_A_PASSWORD)
    done = machine.run("make-venv")
    assert done.returncode == 1
    assert "sudo wants a password, and this is no terminal" in done.stderr
    assert machine.calls("sudo") == ["sudo -n true"]


@pytest.mark.parametrize("user", [0, 1000])
def test_a_missing_venv_is_installed_even_where_one_package_source_is_broken(
    machine: Machine, without_venv: Path, user: int
) -> None:
    machine.user(user)
    machine.command("sudo", LETS_THROUGH)
    machine.command("apt-get", f'[ "$1" = install ] && rm {without_venv}')
    done = machine.run("make-venv")
    assert done.returncode == 0, done.stderr
    assert (machine.folder / "venv" / "bin" / "pip").exists()
    update, install = machine.calls("apt-get")
    assert update.startswith("apt-get update")
    assert install.endswith(f" {VENV_PACKAGE}")
    assert bool(machine.calls("sudo")) == (user != 0)


def test_what_is_no_python_is_named(machine: Machine) -> None:
    missing = machine.run("make-venv", PYTHON="python2.7", VENV="unused")
    other = machine.run("make-venv", PYTHON="dirname", VENV="unused")
    assert missing.returncode == other.returncode == 1
    assert "no 'python2.7' here. Install Python 3.11 or newer" in missing.stderr
    assert "'dirname' is not Python" in other.stderr


def test_a_browser_that_does_not_start_is_passed_over(machine: Machine) -> None:
    machine.command("chromium-browser", "echo 'needs the snap to be installed'; exit 1")
    assert machine.run("find-browser").returncode == 1
    chrome = machine.command("google-chrome", "echo 1.0")
    assert machine.run("find-browser").stdout.strip() == str(chrome)
    chromium = machine.command("chromium", "echo 1.0")
    assert machine.run("find-browser").stdout.strip() == str(chromium)


def test_where_there_is_a_browser_none_is_installed(machine: Machine) -> None:
    machine.command("chromium", "echo 1.0")
    done = machine.run("install-browser")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert machine.calls("apt-get") == []


@pytest.mark.parametrize(
    ("user", "apt_get", "reason"),
    [
        (1000, "exit 0", "no sudo here"),
        (0, "echo 'E: Unable to locate package chromium' >&2; exit 100", "Unable to locate"),
        (0, None, "no apt-get here"),
        (0, "exit 0", "no Chromium that starts"),
    ],
)
def test_where_no_browser_can_be_installed_it_says_why_and_what_is_left_out(
    machine: Machine, user: int, apt_get: str | None, reason: str
) -> None:
    machine.user(user)
    if apt_get is None:
        (machine.bin / "apt-get").unlink()
    else:
        machine.command("apt-get", apt_get)
    done = machine.run("install-browser")
    assert done.returncode == 0
    assert reason in done.stderr
    assert "the tests in tests/browser/ are left out" in done.stderr


def test_where_strace_may_trace_it_is_not_installed(machine: Machine) -> None:
    strace = machine.command("strace", "exit 0")
    assert machine.run("find-strace").stdout.strip() == str(strace)
    done = machine.run("install-strace")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert machine.calls("apt-get") == []


def test_strace_is_installed_where_it_is_missing(machine: Machine) -> None:
    machine.user(0)
    machine.command(
        "apt-get", f'[ "$1" = install ] && ln -s {shutil.which("true")} {machine.bin}/strace'
    )
    (machine.bin / "ln").symlink_to(str(shutil.which("ln")))
    done = machine.run("install-strace")
    assert (done.returncode, done.stderr) == (0, "")
    assert machine.calls("apt-get")[-1].endswith(" strace")
    assert machine.run("find-strace").returncode == 0


def test_where_strace_may_not_trace_it_says_what_is_left_out(machine: Machine) -> None:
    machine.user(0)
    machine.command("strace", "echo 'ptrace: Operation not permitted' >&2; exit 1")
    done = machine.run("install-strace")
    assert done.returncode == 0
    assert "the tests in tests/isolation/ are left out" in done.stderr
    assert "CAP_SYS_PTRACE" in done.stderr


@pytest.fixture
def cpu_wheel(machine: Machine) -> Path:
    """A wheel in an index, named as torch's CPU build, and a $VENV whose pip installs into a folder of its own."""
    folder = machine.folder / "index" / "torch"
    folder.mkdir(parents=True)
    wheel = folder / f"torch-{TORCH}+cpu-py3-none-any.whl"
    about = f"torch-{TORCH}+cpu.dist-info"
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr("torch.py", "")
        archive.writestr(
            f"{about}/METADATA", f"Metadata-Version: 2.1\nName: torch\nVersion: {TORCH}+cpu\n"
        )
        archive.writestr(
            f"{about}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        archive.writestr(f"{about}/RECORD", "")
    (folder / "index.html").write_text(f'<a href="{wheel.name}">{wheel.name}</a>')
    (machine.folder / "empty").mkdir()
    python = machine.folder / "venv" / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.write_text(f'#!/bin/sh\nexec {sys.executable} "$@" --target {machine.folder / "site"}\n')
    python.chmod(0o755)
    machine.environment |= {
        "VENV": str(machine.folder / "venv"),
        "PIP_CONFIG_FILE": os.devnull,
        "PIP_INDEX_URL": (machine.folder / "empty").as_uri(),
    }
    return wheel


@pytest.mark.parametrize("what", ["index", "path", "address"])
def test_torchs_cpu_build_comes_from_an_index_or_as_a_wheel(
    machine: Machine, cpu_wheel: Path, what: str
) -> None:
    torch = {
        "index": cpu_wheel.parent.parent.as_uri(),
        "path": str(cpu_wheel),
        "address": cpu_wheel.as_uri().replace("+", "%2B"),
    }
    done = machine.run("install-torch", TORCH=torch[what])
    assert done.returncode == 0, done.stderr
    assert (machine.folder / "site" / "torch.py").exists()


def test_a_torch_that_the_lock_does_not_know_is_not_installed_unasked(
    machine: Machine, cpu_wheel: Path
) -> None:
    done = machine.run("install-torch", PIP_FIND_LINKS=str(cpu_wheel.parent))
    assert done.returncode != 0
    assert "DO NOT MATCH THE HASHES" in done.stderr
    assert not (machine.folder / "site").exists()


def test_servers_are_unpacked_for_the_tests_and_not_installed(machine: Machine) -> None:
    machine.user(0)
    machine.command("systemd-analyze", "exit 0")
    machine.command("nginx", "exit 0")
    for name in ("chmod", "mkdir", "mktemp"):
        (machine.bin / name).symlink_to(str(shutil.which(name)))
    machine.command("apt-get", '[ "$1" = download ] && echo > caddy_1_amd64.deb; exit 0')
    unpacked = 'echo "exit 0" > "$3/caddy"; PATH=/bin:/usr/bin chmod 755 "$3/caddy"'
    machine.command("dpkg-deb", unpacked)
    done = machine.run("apt-unpack", str(machine.folder / "servers"), "caddy")
    assert done.returncode == 0, done.stderr
    assert [call.split()[1] for call in machine.calls("apt-get")] == ["update", "download"]
    assert (machine.folder / "servers" / "caddy").exists()


def test_where_there_are_servers_nothing_is_fetched(machine: Machine) -> None:
    for name in ("nginx", "caddy", "systemd-analyze"):
        machine.command(name, "exit 0")
    done = machine.run("install-servers")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert machine.calls("apt-get") == []


def test_where_no_server_can_be_had_it_says_why_and_what_is_left_out(machine: Machine) -> None:
    (machine.bin / "apt-get").unlink()
    for name in ("nginx", "caddy"):
        machine.command(name, "echo 'error while loading shared libraries'; exit 127")
    done = machine.run("install-servers")
    assert done.returncode == 0
    assert "Could not unpack nginx: there is no apt-get here" in done.stderr
    for name in ("nginx", "caddy", "systemd-analyze"):
        assert f"There is no {name}" in done.stderr
