"""deploy/Containerfile, in short: `make image-steps` runs its steps."""

from __future__ import annotations

import importlib.util
import json
import re
import subprocess
import sys
import tomllib
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from servers import DEPLOY

from kb_cli.main import kb as command_line
from search_api.state.settings import VARIABLE_PREFIX, Settings, load_settings
from support.places import ROOT
from support.ports import free_port
from support.waiting import until

TEXT = (DEPLOY / "Containerfile").read_text()
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())


@pytest.fixture(scope="module")
def steps() -> ModuleType:
    """scripts/image_steps.py"""
    spec = importlib.util.spec_from_file_location("image_steps", ROOT / "scripts/image_steps.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["image_steps"] = module
    spec.loader.exec_module(module)
    return module


def test_what_is_copied_is_there_and_is_all_that_an_installation_takes(steps: ModuleType) -> None:
    build, final = steps.stages(TEXT)
    copied = {
        source for name, rest in build.steps if name == "COPY" for source in rest.split()[:-1]
    }
    tracked = subprocess.run(
        ["git", "ls-files", *copied], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.split()
    assert {file.split("/")[0] for file in tracked} == copied
    packages = PROJECT["tool"]["setuptools"]["packages"]["find"]["include"]
    project = PROJECT["project"]
    wanted = {name.rstrip("*.") for name in packages} | set(project["license-files"])
    assert copied == wanted | {project["readme"], "pyproject.toml"}
    assert [rest for name, rest in final.steps if name == "COPY"] == [
        f"--from={build.name} /opt/kb /opt/kb"
    ]


def test_it_runs_a_command_that_there_is_as_a_user_that_it_makes(steps: ModuleType) -> None:
    _, final = steps.stages(TEXT)
    program, command = json.loads(final.last("ENTRYPOINT"))
    assert Path(program).name in PROJECT["project"]["scripts"]
    assert command in command_line.commands
    user = final.last("USER")
    (made,) = [rest for name, rest in final.steps if name == "RUN" and "useradd" in rest]
    assert made.split()[-1] == user
    assert "--uid 10001" in made
    after = [name for name, _ in final.steps][[name for name, _ in final.steps].index("USER") :]
    assert "RUN" not in after


def test_its_settings_are_settings_and_its_port_is_the_default(
    steps: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, final = steps.stages(TEXT)
    variables = {
        name: value
        for step, rest in final.steps
        if step == "ENV"
        for name, value in steps.assignments(rest).items()
    }
    for name, value in variables.items():
        if name.startswith(VARIABLE_PREFIX):
            assert name.removeprefix(VARIABLE_PREFIX).lower() in Settings.model_fields
            monkeypatch.setenv(name, value)
    assert load_settings().port == int(final.last("EXPOSE"))
    assert load_settings().host == "0.0.0.0"


def healthy(steps: ModuleType, port: int) -> int:
    """The exit code of the image's own health check, asked of another port."""
    command = steps.health_check(steps.stages(TEXT)[-1])
    assert command[0] == "/opt/kb/bin/python"
    script, count = re.subn(r"127\.0\.0\.1:8000", f"127.0.0.1:{port}", command[2])
    assert count == 1
    return subprocess.run(
        [sys.executable, command[1], script], stderr=subprocess.DEVNULL, check=False
    ).returncode


def test_the_health_check_tells_a_service_that_answers_from_one_that_does_not(
    steps: ModuleType,
    index_path: Path,
    tmp_path: Path,
    listening: Callable[..., AbstractContextManager[str]],
) -> None:
    def port(url: str) -> int:
        return int(url.rpartition(":")[2])

    with listening(index_path, poll_interval_s=3600) as url:
        until(lambda: healthy(steps, port(url)) == 0)  # it is asked from the start, as engines do
    with listening(tmp_path / "none") as url:
        assert healthy(steps, port(url)) != 0
    assert healthy(steps, free_port()) != 0


def test_an_instruction_that_is_not_known_is_named(steps: ModuleType) -> None:
    with pytest.raises(steps.StepFailed, match="ADD"):
        steps.stages("FROM x AS y\nADD a b\n")


def test_a_stage_is_read_as_it_is_written(steps: ModuleType) -> None:
    first, second = steps.stages(
        'FROM one AS a\n# a comment\nENV A=1 \\\n    B="2 3"\nRUN x && \\\n    y\nFROM two\nCOPY --from=a /x /x\n'
    )
    assert (first.base, first.name, second.base, second.name) == ("one", "a", "two", "")
    assert steps.assignments(first.last("ENV")) == {"A": "1", "B": "2 3"}
    assert first.last("RUN").split() == ["x", "&&", "y"]


def test_python_is_one_that_the_project_and_a_debian_have(steps: ModuleType) -> None:
    for stage in steps.stages(TEXT):
        version: Any = re.fullmatch(r"docker\.io/library/python:(3\.\d+)-slim", stage.base)
        assert version[1] in steps.SUITES
        least = tuple(map(int, PROJECT["project"]["requires-python"].removeprefix(">=").split(".")))
        assert tuple(map(int, version[1].split("."))) >= least
