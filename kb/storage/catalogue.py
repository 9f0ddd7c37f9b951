"""The catalogue of all articles: A to Z, by topic and by source.

A topic is one of an article's `tags`. A source is the host of its `url`, the publisher's page, without `www.`
(`nhs.uk`). The catalogue is built by one scan on first use. It takes about a hundred bytes per article.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import reduce
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from kb.schema.filters import Choice, Filters, speaks
from kb.schema.web_address import host_name
from kb.text.words import without_accents

OTHER_LETTER = "#"
"""The letter of titles that begin with a digit or have no letter."""

_NEVER = "0000-00-00"
"""A date before all others."""


class Row(NamedTuple):
    """An article in the catalogue. `title` is its id if it has no title."""

    ordinal: int
    title: str
    tags: tuple[str, ...] = ()
    url: str = ""
    language: str = "en"
    updated: str | None = None
    reviewed: str | None = None


@dataclass(frozen=True, slots=True)
class Group:
    """The articles of one letter, topic or source, as ordinals, A to Z."""

    name: str
    articles: NDArray[np.int32]


Bearing = Callable[[str], Iterable[Group]]
"""Finds the groups for a value of a filter."""


class Catalogue:
    """The catalogue of one generation. Immutable, so safe to share between threads.

    `letters`, `topics` and `sources` are groups sorted by name. An article has one letter, any number of topics and at
    most one source. `by_title` has all articles, A to Z.
    """

    def __init__(self, rows: Iterable[Row], count: int | None = None) -> None:
        """`count` is the number A of ordinals. It is needed if some articles have no row because they are not shown."""
        # Equal titles are sorted by ordinal, that is, by id.
        entries = sorted((title_key(row.title), row) for row in rows)
        self.by_title = _ordinals(row.ordinal for _, row in entries)
        letters: dict[str, list[int]] = defaultdict(list)
        topics: dict[str, list[int]] = defaultdict(list)
        sources: dict[str, list[int]] = defaultdict(list)
        languages: dict[str, list[int]] = defaultdict(list)
        for key, row in entries:
            letters[_letter(key)].append(row.ordinal)
            languages[row.language].append(row.ordinal)
            for tag in dict.fromkeys(row.tags):
                topics[tag].append(row.ordinal)
            if host := host_name(row.url):
                sources[host].append(row.ordinal)
        self._count = len(entries) if count is None else count
        self.letters = _groups(letters)
        self.topics = _groups(topics)
        self.sources = _groups(sources)
        self._languages = _groups(languages)
        self._bearing: dict[str, Bearing] = {
            "topic": _in_any_case(self.topics),
            "source": _in_any_case(self.sources),
            "language": self._in_language,
        }
        self._updated = np.full(self._count, _NEVER)
        self._reviewed = np.full(self._count, _NEVER)
        for _, row in entries:
            self._updated[row.ordinal] = row.updated or _NEVER
            self._reviewed[row.ordinal] = row.reviewed or _NEVER

    def allowed(self, filters: Filters) -> NDArray[np.bool_]:
        """Mask of the articles that meet the filters, bool (A,). The filter `article` is ignored."""
        masks = [
            self._meeting(choice, bearing)
            for name, bearing in self._bearing.items()
            if (choice := filters.choice(name)) is not None
        ]
        # ISO dates sort as text.
        if filters.updated_since is not None:
            masks.append(self._updated >= filters.updated_since)
        if filters.reviewed_since is not None:
            masks.append(self._reviewed >= filters.reviewed_since)
        if not masks:
            return np.ones(self._count, dtype=np.bool_)
        return reduce(np.logical_and, masks)

    def _meeting(self, choice: Choice, bearing: Bearing) -> NDArray[np.bool_]:
        start = np.zeros if choice.included else np.ones
        mask = start(self._count, dtype=np.bool_)
        # What is both included and excluded is excluded.
        for names, is_allowed in ((choice.included, True), (choice.excluded, False)):
            for name in names:
                for group in bearing(name):
                    mask[group.articles] = is_allowed
        return mask

    def _in_language(self, wanted: str) -> Iterable[Group]:
        return (group for group in self._languages if speaks(group.name, wanted))


def title_key(title: str) -> str:
    """The sort key of a title: without case, accents, and characters before the first letter or digit."""
    plain = without_accents(title.casefold())
    first = next((place for place, letter in enumerate(plain) if letter.isalnum()), len(plain))
    return plain[first:] or plain


def _letter(key: str) -> str:
    first = key[:1].upper()
    return first if first.isalpha() else OTHER_LETTER


def _ordinals(values: Iterable[int]) -> NDArray[np.int32]:
    return np.fromiter(values, dtype=np.int32)


def _groups(members: dict[str, list[int]]) -> tuple[Group, ...]:
    names = sorted(members, key=lambda name: (title_key(name), name))
    return tuple(Group(name, _ordinals(members[name])) for name in names)


def _in_any_case(groups: Iterable[Group]) -> Bearing:
    """A look-up of groups by name that ignores case."""
    named: dict[str, list[Group]] = defaultdict(list)
    for group in groups:
        named[group.name.casefold()].append(group)
    return lambda name: named.get(name.casefold(), ())
