"""Given arguments, what `kb` does with them, in this process."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from kb_cli.main import run

Outcome = tuple[int, str, str]
"""Exit code, stdout and stderr."""
Kb = Callable[..., Outcome]


def commands(capsys: pytest.CaptureFixture[str], index: Path | None = None) -> Kb:
    """Runs a command, on that index if one is given. What was printed before it is not of its outcome."""

    def call(*arguments: object) -> Outcome:
        capsys.readouterr()
        on_index = [] if index is None else ["--index", str(index)]
        code = run([*map(str, arguments), *on_index])
        return (code, *capsys.readouterr())

    return call
