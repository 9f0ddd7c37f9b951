"""The list of all articles: A to Z, by topic or by source."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from starlette.datastructures import QueryParams

from kb.knowledge_base import KnowledgeBase
from kb.schema.article import ArticleSummary
from kb.storage.catalogue import OTHER_LETTER, Catalogue, Group
from search_api.pages.search_state import parameter, whole_number

MAX_LINES_PER_PAGE = 250
"""Maximum number of lines of all groups on one page. A larger library shows one group at a time."""

ARTICLES_PER_PAGE = 100
"""Number of articles of one group on a page."""

LIBRARY_ORDERS: dict[str, tuple[str, Callable[[Catalogue], tuple[Group, ...]]]] = {
    "letter": ("A to Z", lambda catalogue: catalogue.letters),
    "topic": ("By topic", lambda catalogue: catalogue.topics),
    "source": ("By source", lambda catalogue: catalogue.sources),
}


@dataclass(frozen=True, slots=True)
class Shelf:
    """One group of articles, or a part of it: those on the page, of how many."""

    name: str
    articles: list[ArticleSummary]
    total: int


@dataclass(frozen=True, slots=True)
class Door:
    """A link to a group: on this page where all groups are on it, else a page of its own."""

    name: str
    path: str
    count: int
    chosen: bool


def library_page(knowledge_base: KnowledgeBase, parameters: QueryParams) -> dict[str, Any]:
    """The template's values. What the address says and nobody understands is left aside."""
    catalogue = knowledge_base.catalogue
    orders = {name: groups(catalogue) for name, (_, groups) in LIBRARY_ORDERS.items()}
    order = parameter(parameters, "by") or "letter"
    if not orders.get(order):
        order = "letter"
    groups = orders[order]
    wanted = parameter(parameters, "group")
    offset = min(whole_number(parameter(parameters, "offset")) or 0, 10**9)
    whole = sum(len(group.articles) for group in groups) <= MAX_LINES_PER_PAGE
    chosen = next((group for group in groups if group.name == wanted), None)
    if not whole and chosen is None:
        chosen = groups[0]
    on_page = groups if chosen is None else (chosen,)
    shelves = [_shelf(knowledge_base, group, offset if chosen else 0, whole) for group in on_page]
    further = offset + ARTICLES_PER_PAGE
    return {
        "total": knowledge_base.article_count,
        "orders": [
            (title, library_path(name), name == order)
            for name, (title, _) in LIBRARY_ORDERS.items()
            if name == "letter" or len(orders[name]) > 1
        ],
        "doors": [
            Door(
                label(group.name),
                f"#{anchor(group.name)}" if chosen is None else library_path(order, group.name),
                len(group.articles),
                group is chosen,
            )
            for group in groups
        ],
        "order": order,
        "shelves": shelves,
        "previous": library_path(order, chosen.name, max(offset - ARTICLES_PER_PAGE, 0))
        if chosen and offset
        else None,
        "next": library_path(order, chosen.name, further)
        if chosen and not whole and further < len(chosen.articles)
        else None,
    }


def library_path(order: str = "letter", group: str = "", offset: int = 0) -> str:
    """The address of the library in an order, of one of its groups, from a place on."""
    values = {
        "by": order if order != "letter" else "",
        "group": group,
        "offset": str(offset) if offset else "",
    }
    given = {name: value for name, value in values.items() if value}
    return f"/articles?{urlencode(given)}" if given else "/articles"


def anchor(name: str) -> str:
    """The id of a group's heading. Sections' slugs hold no dot."""
    return f"page.group-{'-'.join(name.split())}"


def label(name: str) -> str:
    """A group's name as a reader sees it."""
    return "0–9" if name == OTHER_LETTER else name


def _shelf(knowledge_base: KnowledgeBase, group: Group, offset: int, whole: bool) -> Shelf:
    part = group.articles if whole else group.articles[offset : offset + ARTICLES_PER_PAGE]
    return Shelf(group.name, knowledge_base.summaries(part), len(group.articles))
