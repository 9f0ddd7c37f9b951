"""Undocumented is unfinished: every command, option, setting and route stands in the README."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import click
import pytest

from kb_cli.main import kb as command_line
from kb_cli.main import run
from search_api.service.app import create_app
from search_api.state.settings import load_settings

README = (Path(__file__).parent.parent / "README.md").read_text(encoding="utf-8")
COMMANDS = {
    **command_line.commands,
    **{
        f"{name} {part}": command
        for name, group in command_line.commands.items()
        if isinstance(group, click.Group)
        for part, command in group.commands.items()
    },
}
OPTIONS = [
    (name, option)
    for name, command in COMMANDS.items()
    for parameter in command.params
    if isinstance(parameter, click.Option)
    for option in parameter.opts
]


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_is_in_the_readme_and_has_help(name: str) -> None:
    assert f"`kb {name}" in README
    assert COMMANDS[name].help


@pytest.mark.parametrize(("command", "option"), OPTIONS)
def test_every_option_is_in_the_readmes_row_of_its_command(command: str, option: str) -> None:
    rows = [line for line in README.splitlines() if f"| `kb {command}" in line]
    assert rows, command
    assert any(re.search(rf"{re.escape(option)}\b", row) for row in rows) or (
        option in ("--index", "--json") and f"`{option}" in README
    )


def test_the_readmes_example_is_what_the_command_prints(
    index_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    score = re.compile(r"(?<=\()\d\.\d\d(?=\))")
    example = README[README.index("$ .venv/bin/kb search") :]
    command, shown = re.split(r"\n(?=\S)", example)[0].split("\n", 1)  # as far as it is indented
    arguments = shlex.split(command)[2:]
    assert run([*arguments, "--index", str(index_path)]) == 0
    printed = capsys.readouterr().out
    assert score.sub("", printed).split() == score.sub("", shown).split()
    # Questions are encoded in 8 bits, which processors round in their own ways.
    assert [float(value) for value in score.findall(printed)] == pytest.approx(
        [float(value) for value in score.findall(shown)], abs=0.011
    )


def test_every_route_of_the_api_is_in_the_readme(tmp_path: Path) -> None:
    document = create_app(load_settings(index=tmp_path)).openapi()
    for path, operations in document["paths"].items():
        for method in operations:
            assert f"`{method.upper()} {path}" in README, (method, path)


def test_the_bounds_and_the_default_of_every_number_are_in_the_readme(tmp_path: Path) -> None:
    """In the row of the route, or among the options of a search."""
    document = create_app(load_settings(index=tmp_path)).openapi()
    told = []
    for path, operations in document["paths"].items():
        (row,) = [line for line in README.splitlines() if line.startswith(f"| `GET {path}`")] or [
            ""
        ]
        (options,) = [
            line for line in README.splitlines() if line.startswith("| `limit`, `offset`")
        ]
        for parameter in operations.get("get", {}).get("parameters", []):
            schema, name = parameter["schema"], parameter["name"]
            if schema["type"] == "integer" and "default" in schema:
                bounds = (
                    f"`{name}` {schema['minimum']} to {schema['maximum']:,} ({schema['default']})"
                )
                assert bounds in (options if path == "/api/v1/search" else row), (path, bounds)
                told.append(bounds)
    assert len(told) > 6


def test_the_page_on_what_may_change_is_linked_and_its_contents_lead_somewhere() -> None:
    page = (Path(__file__).parent.parent / "docs/api-stability.md").read_text(encoding="utf-8")
    assert "(docs/api-stability.md)" in README
    anchors = {
        line.lstrip("# ").lower().replace(" ", "-")
        for line in page.splitlines()
        if line.startswith("#")
    }
    links = re.findall(r"\]\(#([^)]+)\)", page)
    assert len(links) > 4
    assert set(links) <= anchors
