"""The options of `kb search` are the fields of SearchRequest."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

import click
import pytest
from click.testing import CliRunner

from kb.schema.attribute_docs import attribute_docs
from kb.schema.search_request import SearchRequest
from kb_cli.commands.search_options import search_options


@click.command()
@search_options
def asked(**options: Any) -> None:
    click.echo(sorted(SearchRequest("legs", **options).given().items()))


def run(*arguments: str) -> str:
    result = CliRunner().invoke(asked, arguments)
    assert result.exit_code == 0, result.output
    return result.output.strip()


def test_without_options_every_default_is_the_request_s() -> None:
    assert (
        run()
        == "[('article', ()), ('language', ()), ('question', 'legs'), ('source', ()), ('topic', ())]"
    )


@pytest.mark.parametrize(
    ("arguments", "given"),
    [
        (["--limit", "3"], "('limit', 3)"),
        (["--group-by", "article"], "('group_by', 'article')"),
        (["--topic", "sleep", "--topic", "-brain"], "('topic', ('sleep', '-brain'))"),
        (["--updated-since", "2026-01-31"], "('updated_since', '2026-01-31')"),
        (["--exact"], "('exact', True)"),
    ],
)
def test_an_option_reaches_the_field_of_its_name(arguments: list[str], given: str) -> None:
    assert given in run(*arguments)


def test_help_is_the_field_s_docstring_with_its_limits() -> None:
    told = " ".join(run("--help").split())
    docs = attribute_docs(SearchRequest)
    shown = {field.name for field in fields(SearchRequest) if field.name in told.replace("-", "_")}
    assert {"limit", "offset", "mode", "reviewed_since"} <= shown
    assert f"{docs['limit']} From 1 to 100." in told
    for hidden in ("--tag", "--facets", "--generation", "--question"):
        assert hidden not in told
