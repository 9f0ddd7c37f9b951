"""Given all articles, the library's order: A to Z, by topic and by source, as ordinals alone.

A topic is one of an article's `tags`; a source is the host of its `url`, the publisher's page, as a reader knows it
(`nhs.uk`, no `www.`). Built by one scan when it is first asked for; some twenty bytes an article are kept.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from kb.analysis import without_accents
from kb.web_address import host_name

OTHER_LETTER = "#"
"""The place of titles that begin with a digit or hold no letter at all."""

Row = tuple[int, str, tuple[str, ...], str]
"""An article's ordinal, its title (or id, where it has none), its tags and its `url`."""


@dataclass(frozen=True, slots=True)
class Group:
    """Articles that stand together under a letter, a topic or a source: their ordinals, A to Z."""

    name: str
    articles: NDArray[np.int32]


class Catalogue:
    """The order of one generation's articles. Immutable, so safe to share between threads.

    `letters`, `topics` and `sources` are groups in the order of their names; an article stands under one letter, any
    number of topics and at most one source. `by_title` is all of them, A to Z.
    """

    def __init__(self, rows: Iterable[Row], count: int | None = None) -> None:
        """`count` is the number A of ordinals, where some articles are not to be shown and have no row."""
        # Of equal titles the lower ordinal, that is, the lower id, comes first.
        entries = sorted(
            (title_key(title), ordinal, tags, url) for ordinal, title, tags, url in rows
        )
        self.by_title = _ordinals(ordinal for _, ordinal, _, _ in entries)
        letters: dict[str, list[int]] = defaultdict(list)
        topics: dict[str, list[int]] = defaultdict(list)
        sources: dict[str, list[int]] = defaultdict(list)
        for key, ordinal, tags, url in entries:
            letters[_letter(key)].append(ordinal)
            for tag in dict.fromkeys(tags):
                topics[tag].append(ordinal)
            if host := host_name(url):
                sources[host].append(ordinal)
        self._count = len(entries) if count is None else count
        self.letters = _groups(letters)
        self.topics = _groups(topics)
        self.sources = _groups(sources)

    def allowed(self, tag: str | None, source: str | None) -> NDArray[np.bool_]:
        """Which articles bear the tag and come from the source, bool (A,). None asks for nothing.

        Names are compared without regard to case; one that nothing bears allows nothing.
        """
        mask = np.ones(self._count, dtype=np.bool_)
        for name, groups in ((tag, self.topics), (source, self.sources)):
            if name is not None:
                bearing = np.zeros(self._count, dtype=np.bool_)
                for group in _named(name, groups):
                    bearing[group.articles] = True
                mask &= bearing
        return mask


def title_key(title: str) -> str:
    """What titles are sorted by: no case, no accents, nothing in front of the first letter or digit."""
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


def _named(name: str, groups: tuple[Group, ...]) -> list[Group]:
    wanted = name.casefold()
    return [group for group in groups if group.name.casefold() == wanted]
