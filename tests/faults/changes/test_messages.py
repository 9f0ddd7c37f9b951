"""What commands say where they cannot do what they were told: a sentence with the way out, and the right exit code"""

from __future__ import annotations

import errno
import gzip
import os
import re
import socket
from pathlib import Path

import pytest

from support.commands import Kb, commands
from support.library import Library, leftovers, markdown


@pytest.fixture
def kb(library: Library, capsys: pytest.CaptureFixture[str]) -> Kb:
    """Runs a command on the library's index in this process: exit code, stdout and stderr."""
    return commands(capsys, library.index)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ("--host=", "--host is '': it must not be empty."),
        (("--port", "abc"), "--port is 'abc': it must be a whole number from 0 to 65,535."),
        (("--port", 70000), "--port is '70000': it must be a whole number from 0 to 65,535."),
        (("--workers", "x"), "--workers is 'x': it must be a whole number from 1 to 256."),
        (
            ("--max-waiting", "abc"),
            "--max-waiting is 'abc': it must be a whole number from 0 to 100,000.",
        ),
        (("--deadline-s", "nan"), "--deadline-s is 'nan': it must be a number from 0.01 to 3,600."),
        (
            ("--log-level", "loud"),
            "--log-level is 'loud': it must be 'debug', 'info', 'warning' or 'error'.",
        ),
        (
            ("--base-url", "nonsense"),
            "--base-url is 'nonsense': it must be an http or https address, such as https://example.org/kb.",
        ),
    ],
)
def test_a_flag_of_the_service_is_named_as_typed_with_what_is_accepted(
    kb: Kb, arguments: tuple[object, ...] | str, said: str
) -> None:
    given = (arguments,) if isinstance(arguments, str) else arguments
    assert kb("serve", *given) == (2, "", f"kb: {said}\n")


@pytest.mark.parametrize("command", ["search", "mcp"])
def test_a_public_address_that_is_none_is_refused_as_the_service_does(kb: Kb, command: str) -> None:
    question = ("legs",) if command == "search" else ()
    for address in ("nonsense", "http://[", "https://example.org/?q=1"):
        code, out, err = kb(command, *question, "--base-url", address)
        assert (code, out) == (2, "")
        assert "'--base-url'" in err
        assert "it must be an http or https address, such as https://example.org/kb" in err


def test_an_option_of_a_search_is_named_as_typed(kb: Kb) -> None:
    code, _, err = kb("search", "legs", "--updated-since", "x")
    assert (code, err.startswith("kb: --updated-since is not a date: ")) == (2, True)
    code, _, err = kb("search", "legs", "--limit", 500)
    assert (code, err) == (2, "kb: --limit is 500; it must be from 1 to 100.\n")


@pytest.mark.parametrize("command", [("serve",), ("serve", "--workers", 2), ("mcp", "--http")])
def test_a_port_in_use_is_a_failure_and_no_wrong_usage(kb: Kb, command: tuple[str, ...]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        code, out, err = kb(*command, "--port", port)
    assert (code, out) == (1, "")
    told = [line for line in err.splitlines() if line.startswith("kb: ")]
    assert len(told) == 1
    assert f"127.0.0.1 port {port}" in told[0]
    assert "--port" in told[0]


def test_a_backup_that_has_no_folder_to_go_to_names_the_folder(kb: Kb, tmp_path: Path) -> None:
    target = tmp_path / "none" / "backup.tar"
    code, _, err = kb("backup", target)
    assert (code, err) == (
        1,
        f"kb: {target}: there is no folder {target.parent}: make it, or name another place for the backup.\n",
    )


@pytest.mark.parametrize(
    "content",
    [b"", b"no archive", b"\0" * 700, gzip.compress(b"no archive", mtime=0), b"\x1f\x8b\x08junk"],
    ids=["empty", "text", "zeros", "gzip of text", "junk after the head of a gzip"],
)
def test_what_is_no_backup_is_told_so_in_one_line(kb: Kb, tmp_path: Path, content: bytes) -> None:
    source = tmp_path / "backup.tar"
    source.write_bytes(content)
    code, _, err = kb("restore", source)
    assert code == 1
    assert err.startswith(f"kb: {source}: is not a ")
    assert "name a file that `kb backup` wrote" in err
    assert err.count("\n") == 1


@pytest.mark.parametrize("command", ["backup", "add"])
def test_a_full_disk_is_named_with_the_file_and_the_way_out(
    kb: Kb, library: Library, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    incoming = tmp_path / "news.md"
    incoming.write_text(markdown("news", "tea"))
    path = tmp_path / "backup.tar" if command == "backup" else library.corpus / "news.md"
    arguments = (path,) if command == "backup" else (incoming, "--corpus", library.corpus)
    with monkeypatch.context() as patched:
        patched.setattr(os, "fsync", full)
        code, _, err = kb(command, *arguments)
    needed = r"about [\d.]+ MB are needed and " if command == "backup" else ""
    said = (
        rf"kb: {path}: No space left on device: {needed}[\d,.]+ [MG]B are free\. "
        r"Free some space there, then run this again\.\n"
    )
    assert (code, re.fullmatch(said, err) is not None) == (1, True), err
    assert leftovers(library.index) == []
    assert not path.exists()
