"""Damaged copies of a collection, as other people's libraries are: with poor titles, without headings, and so on.

Each change takes and gives articles in the interchange form. Chance is seeded by an article's id, so that a copy is the
same every time.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable, Iterator
from random import Random
from typing import Any

Articles = Iterable[dict[str, Any]]

PART, TENTH = 0.25, 0.1
"""Shares of the articles: of the part of the collection that all copies are made of, and of those left or doubled."""


def part(articles: Articles) -> Iterator[dict[str, Any]]:
    """The part of a collection that the copies are made of: a copy of all of a large one takes an hour to index."""
    return (article for article in articles if _chance("part", article) < PART)


def poor_titles(articles: Articles) -> Iterator[dict[str, Any]]:
    """A third of the titles are "index", a number or nothing."""
    for article in part(articles):
        chance = _chance("title", article)
        if chance < 1 / 3:
            article |= {
                "title": ["index", str(int(chance * 3000)), "untitled"][int(chance * 9) % 3]
            }
        yield article


def no_headings(articles: Articles) -> Iterator[dict[str, Any]]:
    """No section has a heading."""
    for article in part(articles):
        yield article | {"sections": [each | {"heading": ""} for each in article["sections"]]}


def lower_case(articles: Articles) -> Iterator[dict[str, Any]]:
    """Titles, aliases, headings and texts are in lower case."""
    for article in part(articles):
        sections = [
            each | {"heading": each["heading"].lower(), "text": each["text"].lower()}
            for each in article["sections"]
        ]
        aliases = [alias.lower() for alias in article.get("aliases", [])]
        yield article | {
            "title": article["title"].lower(),
            "aliases": aliases,
            "sections": sections,
        }


def few_articles(articles: Articles) -> Iterator[dict[str, Any]]:
    """A tenth of the articles of the part are left."""
    return (article for article in part(articles) if _chance("few", article) < TENTH)


def doubled(articles: Articles) -> Iterator[dict[str, Any]]:
    """A tenth of the articles stand there twice; the second has a sentence more in each section, and ids of its own."""
    for article in part(articles):
        yield article
        if _chance("double", article) < TENTH:
            second = copy.deepcopy(article)
            second["id"] += "-copy"
            for section in second["sections"]:
                section["id"] += "-copy"
                section["text"] += "\n\nThis page was last looked at in spring."
            yield second


CHANGES: dict[str, Callable[[Articles], Articles]] = {
    "intact": part,
    "a third of the titles poor": poor_titles,
    "no headings": no_headings,
    "lower case": lower_case,
    "a tenth of the articles": few_articles,
    "a tenth of the articles twice": doubled,
}


def _chance(purpose: str, article: dict[str, Any]) -> float:
    return Random(f"{purpose} {article['id']}").random()
