"""kb.reporting.logs: every line on stderr is the log's, and in JSON every line is an object"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

CANARY = "quetzalcoatlus"
CONFIGURE = "from kb.reporting.logs import announce, configure_logging; configure_logging('warning', {!r})\n"
FAULTS = {
    "a warning": (f"import warnings; warnings.warn('{CANARY}')", "Python warned: UserWarning at"),
    "a thread": (
        f"import threading; threading.Thread(target=lambda: [][0], name='{CANARY}').start()",
        "a thread ended by an uncaught exception: IndexError at ",
    ),
    "a finalizer": (
        f"class Fails:\n def __del__(self): raise ValueError('{CANARY}')\nFails()",
        "an exception could not be raised: ValueError at ",
    ),
    "an uncaught exception": (f"raise ValueError('{CANARY}')", "ended by an uncaught exception"),
    "an announcement": ("announce('Serving 3 articles')", "Serving 3 articles"),
}


def stderr_of(script: str) -> str:
    done = subprocess.run(
        [sys.executable, "-W", "always", "-c", script], capture_output=True, text=True, check=False
    )
    assert done.stdout == ""
    return done.stderr


@pytest.mark.parametrize("name", FAULTS)
def test_what_python_would_write_is_a_line_without_its_message(name: str) -> None:
    script, told = FAULTS[name]
    (line,) = stderr_of(CONFIGURE.format("json") + script).splitlines()
    entry = json.loads(line)
    assert told in entry["message"]
    assert {"time", "level", "logger"} <= entry.keys()
    if name == "an uncaught exception":
        assert entry["error"].startswith("ValueError at ")
    assert CANARY not in line
    as_text = stderr_of(CONFIGURE.format("text") + script)
    assert told in as_text
    assert CANARY not in as_text
    assert "Traceback" not in as_text


def test_an_announcement_is_text_by_itself_where_the_log_is_text() -> None:
    assert (
        stderr_of(CONFIGURE.format("text") + "announce('Serving 3 articles')")
        == "Serving 3 articles\n"
    )


def ended(index: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "kb_cli", *arguments, "--index", str(index)],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.slow
@pytest.mark.parametrize(
    ("arguments", "environment", "code", "told"),
    [
        (("serve", "--log-format", "json"), {}, 3, "no index here"),
        (("serve",), {"KB_LOG_FORMAT": "JSON"}, 3, "no index here"),
        (("serve", "--port", "no"), {"KB_LOG_FORMAT": "json"}, 2, "--port is 'no'"),
        (("work", "--idle", "0"), {"KB_LOG_FORMAT": "json"}, 1, "/file: "),
    ],
)
def test_what_ends_a_command_is_an_object_too(
    arguments: tuple[str, ...], environment: dict[str, str], code: int, told: str, tmp_path: Path
) -> None:
    (tmp_path / "file").touch()
    index = tmp_path / ("file/none" if arguments[0] == "work" else "none")
    done = ended(index, *arguments, **environment)
    (line,) = done.stderr.splitlines()
    assert told in json.loads(line)["message"]
    assert done.returncode == code


@pytest.mark.slow
def test_what_ends_a_command_stands_by_itself_where_the_log_is_text(tmp_path: Path) -> None:
    done = ended(tmp_path / "none", "serve")
    assert done.stderr.startswith("kb: ")
    assert done.returncode == 3
