"""What tests of changes share: commands on the index of a library that knows its own corpus."""

from __future__ import annotations

import pytest

from support.commands import Kb, commands
from support.library import Library


@pytest.fixture
def kb(shelf: Library, capsys: pytest.CaptureFixture[str]) -> Kb:
    """Runs a command on the library's index in this process: exit code, stdout and stderr."""
    return commands(capsys, shelf.index)
