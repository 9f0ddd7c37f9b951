"""`kb show`: an article or one of its sections, as the index holds it."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from kb.schema.errors import ArticleMoved, ArticleWithdrawn, NotFound
from kb_cli.terminal.options import index_option, json_option, say, warn_of_damage

if TYPE_CHECKING:
    from kb.knowledge_base import KnowledgeBase
    from kb.schema.article import Article, Section


@click.command()
@click.argument("name", metavar="ARTICLE_ID[#SECTION]")
@index_option
@json_option
def show(name: str, index: Path, as_json: bool) -> None:
    """Print an article, or one section of it, word for word.

    A former address leads to the article. A withdrawn one prints that, and ends with exit code 1.
    """
    from kb.knowledge_base import KnowledgeBase

    with KnowledgeBase.open(index) as knowledge_base:
        warn_of_damage(knowledge_base)
        article, section = find(knowledge_base, name)
    if as_json:
        click.echo(json.dumps(asdict(section or article), ensure_ascii=False, indent=2))
    elif section is not None:
        click.echo(f"{article.display_title}{f' › {section.heading}' if section.heading else ''}\n")
        click.echo(section.text)
    else:
        _print(article)


def find(knowledge_base: KnowledgeBase, name: str) -> tuple[Article, Section | None]:
    """The article or section with that name, split at the first "#" whose left side is a known article.

    Raises NotFound.
    """
    parts = name.split("#")
    for count in range(1, len(parts) + 1):
        try:
            article = knowledge_base.article("#".join(parts[:count]))
        except ArticleMoved as moved:
            say(str(moved))
            article = knowledge_base.article(moved.to)
        except ArticleWithdrawn:
            raise
        except NotFound:
            continue
        if count == len(parts):
            return article, None
        section_id = "#".join(parts[count:])
        section = article.section(section_id)
        if section is None:
            known = ", ".join(section.id for section in article.sections)
            raise NotFound(
                f"The article {article.id!r} has no section {section_id!r}; it has: {known}."
            )
        return article, section
    raise NotFound(f"There is no article {name!r}. `kb search` finds one by its subject.")


def _print(article: Article) -> None:
    click.echo(click.style(article.display_title, bold=True))
    if article.aliases:
        click.echo(f"Also called: {', '.join(article.aliases)}")
    dates = [f"updated {article.updated}"] if article.updated else []
    dates.append(
        f"clinically reviewed {article.reviewed}" if article.reviewed else "not clinically reviewed"
    )
    click.echo("; ".join(dates).capitalize())
    for section in article.sections:
        if section.heading:
            click.echo(f"\n{'#' * section.level} {section.heading}  [#{section.id}]")
        click.echo(f"\n{section.text}" if section.text else "")
    for source in article.sources:
        click.echo(f"Source: {source.title} {source.url}".rstrip())
