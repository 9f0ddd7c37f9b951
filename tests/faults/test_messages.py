"""What commands say where they cannot do what they were told: a sentence with the way out, and the right exit code"""

from __future__ import annotations

import socket
from collections.abc import Callable

import pytest
from harness.library import Library

from kb.cli.main import run

Kb = Callable[..., tuple[int, str, str]]


@pytest.fixture
def kb(library: Library, capsys: pytest.CaptureFixture[str]) -> Kb:
    """Runs a command on the library's index in this process: exit code, stdout and stderr."""

    def call(*arguments: object) -> tuple[int, str, str]:
        code = run([*map(str, arguments), "--index", str(library.index)])
        return (code, *capsys.readouterr())

    return call


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
