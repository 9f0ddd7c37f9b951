"""`kb mcp`: what it refuses, and how"""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from kb_cli.main import run


@pytest.mark.parametrize(
    ("arguments", "code", "told"),
    [
        (["--index", "none"], 3, "no index here"),
        (["--url", "kb.example.org"], 2, "must begin with http:// or https://"),
        (["--url", "http://127.0.0.1", "--index", "none"], 2, "either --index or --url"),
        (["--url", "http://127.0.0.1", "--http", "--host", "0.0.0.0"], 2, "--allow-host"),
        (["--port", "0"], 2, "--port"),
    ],
)
def test_what_cannot_be_served_is_refused_with_the_remedy(
    arguments: list[str],
    code: int,
    told: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    assert run(["mcp", *arguments]) == code
    out, err = capsys.readouterr()
    assert out == "", "stdout belongs to the protocol"
    assert told in err


def test_without_the_sdk_the_extra_is_named(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "mcp.server.mcpserver", None)
    monkeypatch.delitem(sys.modules, "kb.mcp.server", raising=False)
    assert run(["mcp", "--url", "http://127.0.0.1"]) == 1
    assert "kb mcp needs mcp. Install the extra `mcp`: " in capsys.readouterr().err
