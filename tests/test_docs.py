"""The documentation: a reference that is up to date, links that lead somewhere, short sentences, examples that run."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from functools import cache
from itertools import pairwise
from pathlib import Path

import click
import pytest
from markdown_it import MarkdownIt
from markdown_it.token import Token

from kb_cli.main import run
from scripts import reference
from support.places import ROOT
from tests.test_architecture import ROOMS

REFERENCE = ROOT / "docs" / "reference"
README = (ROOT / "README.md").read_text(encoding="utf-8")
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
WRITTEN = [page for page in PAGES if page.parent != REFERENCE]
"""The pages that people write. The sentences of the reference are the code's own."""
MAX_WORDS = 30
"""Maximum number of words in a sentence."""

MARKDOWN = MarkdownIt("commonmark").enable("table")


def _named(page: Path) -> str:
    return str(page.relative_to(ROOT))


@pytest.mark.parametrize(("name", "command"), [each[:2] for each in reference.commands()])
def test_every_command_has_help(name: str, command: click.Command) -> None:
    assert command.help


def test_the_reference_is_up_to_date() -> None:
    pages = reference.pages()
    assert {page.name for page in REFERENCE.iterdir()} == set(pages)
    for name, text in pages.items():
        assert (REFERENCE / name).read_text(encoding="utf-8") == text, "run `make reference`"


def test_the_reference_has_bounds_defaults_and_environment_variables() -> None:
    pages = reference.pages()
    assert "| `limit` | query | integer, 1 to 100 (default `10`) |" in pages["http.md"]
    assert "| `--model TEXT` |" in pages["cli.md"]
    assert "env var: KB_MODEL" in pages["cli.md"]
    assert "| `KB_PORT` | `8000` |" in pages["settings.md"]


def test_the_readme_is_short() -> None:
    assert len(README.splitlines()) <= 150


def test_the_readmes_example_is_what_the_command_prints(
    index_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    score = re.compile(r"(?<=\()\d\.\d\d(?=\))")
    example = README[README.index("$ .venv/bin/kb search") :]
    command, shown = re.split(r"\n\n\s*\$ ", example)[0].split("\n", 1)
    arguments = shlex.split(command)[2:]
    assert run([*arguments, "--index", str(index_path)]) == 0
    printed = capsys.readouterr().out
    assert score.sub("", printed).split() == score.sub("", shown).split()
    # Questions are encoded in 8 bits, which processors round in their own ways.
    assert [float(value) for value in score.findall(printed)] == pytest.approx(
        [float(value) for value in score.findall(shown)], abs=0.011
    )


def test_the_architecture_has_a_heading_for_every_room() -> None:
    text = (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8")
    headings = re.findall(r"^### `([^`]+)`$", text, re.MULTILINE)
    assert sorted(headings) == sorted(ROOMS)


@cache
def _parsed(page: Path) -> list[Token]:
    return MARKDOWN.parse(page.read_text(encoding="utf-8"))


@cache
def _anchors(page: Path) -> set[str]:
    """The anchors of a page's headings, the second of one name with -1, as GitHub has them."""
    tokens = _parsed(page)
    slugs: list[str] = []
    for opening, content in pairwise(tokens):
        if opening.type == "heading_open":
            text = re.sub(r"[^\w\- ]", "", _text(content).lower().strip()).replace(" ", "-")
            repeats = sum(re.sub(r"-\d+$", "", slug) == text for slug in slugs)
            slugs.append(f"{text}-{repeats}" if repeats else text)
    return set(slugs)


def _text(token: Token) -> str:
    """The words of an inline token; what is code counts as one word."""
    return "".join(
        {"code_inline": re.sub(r"\s", "", child.content), "softbreak": " "}.get(
            child.type, child.content if child.type == "text" else ""
        )
        for child in token.children or ()
    )


@pytest.mark.parametrize("page", PAGES, ids=_named)
def test_links_lead_somewhere(page: Path) -> None:
    for token in _parsed(page):
        for child in token.children or ():
            target = str(child.attrs.get("href") or child.attrs.get("src") or "")
            if not target or re.match(r"\w+:", target):
                continue
            path, _, anchor = target.partition("#")
            file = (page.parent / path).resolve() if path else page
            assert file.exists(), target
            assert not anchor or anchor in _anchors(file), target


def _sentences(page: Path) -> Iterator[str]:
    """The sentences of paragraphs and list items; tables, code and headings aside."""
    before = ""
    for token in _parsed(page):
        if token.type == "inline" and before == "paragraph_open":
            yield from re.split(r"(?<=[.!?])[)\"”]*\s+", _text(token))
        before = token.type


@pytest.mark.parametrize("page", WRITTEN, ids=_named)
def test_no_sentence_is_long(page: Path) -> None:
    long = [each for each in _sentences(page) if len(each.split()) > MAX_WORDS]
    assert long == []
