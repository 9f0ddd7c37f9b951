"""The programs that some tests need beside Python's packages."""

from __future__ import annotations

import os
import subprocess
from typing import NoReturn

import pytest

from support.places import ROOT

SCRIPTS = ROOT / "scripts"


def path_by(script: str, *arguments: str) -> str:
    """The path of a program as one of `scripts/` finds it; empty where there is none."""
    command = ["sh", str(SCRIPTS / script), *arguments]
    return subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False).stdout.strip()


def missing(reason: str, variable: str) -> NoReturn:
    """Skip the test for want of a program; or fail it, where `variable` is 1 and so asks for these tests."""
    if os.environ.get(variable) == "1":
        pytest.fail(f"{reason}, and {variable}=1 asks for these tests")
    pytest.skip(reason)
