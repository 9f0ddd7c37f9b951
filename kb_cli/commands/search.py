"""`kb search`: a question in, cited passages out."""

from __future__ import annotations

import json
import re
import textwrap
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from kb.schema.search_request import SearchRequest
from kb_cli.commands.search_options import search_options
from kb_cli.terminal.options import (
    as_typed,
    base_url_option,
    index_option,
    json_option,
    load_reranker,
    reranker_option,
    warn_of_damage,
)

if TYPE_CHECKING:
    from kb.schema.results import SearchResponse, SearchResult

_WIDTH = 96
_MARK = re.compile("\ue000(.*?)\ue001", re.DOTALL)


# A question may begin with a dash or hold one, and no word of it may come back as an "unknown option".
@click.command(context_settings={"ignore_unknown_options": True})
@click.argument("question", nargs=-1, required=True)
@index_option
@search_options
@base_url_option
@reranker_option
@json_option
def search(
    question: tuple[str, ...],
    index: Path,
    base_url: str,
    reranker: str | None,
    as_json: bool,
    **options: Any,
) -> None:
    """Answer QUESTION with the passages that fit it best, each with its article and section.

    A question may hold "a phrase", -word, title:word, heading:word and begin*.
    """
    from kb.knowledge_base import KnowledgeBase

    loaded = load_reranker(reranker)
    with KnowledgeBase.open(index, base_url=base_url, reranker=loaded) as knowledge_base:
        warn_of_damage(knowledge_base)
        with as_typed():
            response = knowledge_base.answer(SearchRequest(" ".join(question), **options))
    if as_json:
        click.echo(json.dumps(response.to_dict(), ensure_ascii=False, indent=2))
    else:
        _print(response)


def _print(response: SearchResponse) -> None:
    for notice in response.notices:
        click.echo(click.style(notice.title, bold=True))
        click.echo(textwrap.fill(notice.text, _WIDTH))
        for link in notice.links:
            click.echo(f"   {link.title}: {link.url}")
        click.echo()
    if response.correction is not None:
        click.echo(f"Searched for: {response.correction.text}  (--exact: as typed)\n", err=True)
    if response.excluded is not None:
        words, whole = ", ".join(response.excluded.words), response.excluded.question
        click.echo(f"Left out: {words}  (with it: {whole})\n", err=True)
    if response.answered == "none":
        nearest = " The nearest passages:\n" if response.results else ""
        click.echo(f"{response.reason}{nearest}", err=True)
    for result in response.results:
        citation = result.citation
        heading = f" › {citation.section_heading}" if citation.section_heading else ""
        title = click.style(f"{citation.article_title}{heading}", bold=True)
        click.echo(f"{result.rank}. {title}  ({result.score:.2f})")
        indent = "   "
        for line in _marked(result).split("\n"):
            filled = textwrap.fill(line, _WIDTH, initial_indent=indent, subsequent_indent=indent)
            click.echo(_MARK.sub(lambda mark: click.style(mark[1], underline=True), filled))
        click.echo(f"{indent}{citation.url}\n")
    if response.companion is not None:
        care = response.companion.citation
        click.echo(f"When to seek care: {care.article_title} › {care.section_heading}  {care.url}")


def _marked(result: SearchResult) -> str:
    """The snippet with marks around its matched words. They are underlined after the lines are wrapped."""
    text, position = "", result.snippet.start
    for start, end in result.highlights:
        if result.snippet.start <= start and end <= result.snippet.end:
            origin = result.snippet.start
            text += result.snippet.text[position - origin : start - origin]
            text += f"\ue000{result.snippet.text[start - origin : end - origin]}\ue001"
            position = end
    return text + result.snippet.text[position - result.snippet.start :]
