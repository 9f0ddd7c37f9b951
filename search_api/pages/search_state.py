"""Given the address of a search page, what it asks for; and the addresses that lead on from there.

Everything stands in the address, so that a page can be shared, printed, reloaded and gone back to.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlencode

from starlette.datastructures import QueryParams

from kb.knowledge_base import MAX_DEPTH, MAX_LIMIT

STEP = 10
"""How many results are added at a time."""

MAX_SHOWN = MAX_LIMIT
"""The most results of one page."""


@dataclass(frozen=True, slots=True)
class SearchState:
    """`question` is None where nothing was asked. Results `offset` to `offset + shown` are on the page.

    `tag` and `source` narrow the answer, each with values as kb.schema.filters has them. `exact` leaves the spelling as
    it is.
    """

    question: str | None = None
    shown: int = STEP
    offset: int = 0
    tag: tuple[str, ...] = ()
    source: tuple[str, ...] = ()
    exact: bool = False

    @classmethod
    def read(cls, parameters: QueryParams) -> SearchState:
        """From the parameters of an address. What is not understood is left aside."""
        shown = whole_number(parameter(parameters, "shown")) or STEP
        offset = whole_number(parameter(parameters, "offset")) or 0
        return cls(
            question=_first(parameters, "q", "question"),
            shown=min(max(shown, STEP), MAX_SHOWN),
            offset=min(offset, MAX_DEPTH - STEP),
            tag=_values(parameters, "tag"),
            source=_values(parameters, "source"),
            exact=parameter(parameters, "exact") == "1",
        )

    @property
    def wanted(self) -> int:
        """How many results to ask for: as many as are shown, where so many may be had."""
        return min(self.shown, MAX_DEPTH - self.offset)

    @property
    def narrowed(self) -> bool:
        """Whether a topic or a source was chosen."""
        return bool(self.tag or self.source)

    def path(self, **changes: Any) -> str:
        """The address of this page with some things changed; another filter or question begins at the top."""
        state = replace(self, **{"shown": STEP, "offset": 0, **changes})
        values = {
            "q": state.question,
            "tag": state.tag or None,
            "source": state.source or None,
            "exact": 1 if state.exact else None,
            "offset": state.offset or None,
            "shown": state.shown if state.shown != STEP else None,
        }
        given = {name: value for name, value in values.items() if value is not None}
        return f"/?{urlencode(given, doseq=True)}" if given else "/"

    def more(self, has_more: bool) -> str | None:
        """The address that shows more results below these, or None where there are none."""
        if not has_more:
            return None
        first_new = self.offset + self.shown + 1
        if self.shown + STEP <= MAX_SHOWN and self.offset + self.shown + STEP <= MAX_DEPTH:
            further = self.path(offset=self.offset, shown=self.shown + STEP)
        elif self.offset + self.shown < MAX_DEPTH:
            further = self.path(offset=self.offset + self.shown)
        else:
            return None
        return f"{further}#page.result-{first_new}"


def parameter(parameters: QueryParams, name: str) -> str | None:
    """The first value that an address gives a parameter, or None.

    What stands in the address of a page may be anything; what is not understood is left aside.
    """
    return next(iter(parameters.getlist(name)), None)


def _first(parameters: QueryParams, *names: str) -> str | None:
    """The first value of the first of these names that an address has."""
    return next(iter(each for name in names for each in parameters.getlist(name)), None)


def _values(parameters: QueryParams, name: str) -> tuple[str, ...]:
    """All values that an address gives a parameter, each once; empty ones are left aside."""
    return tuple(dict.fromkeys(value for value in parameters.getlist(name) if value))


def whole_number(text: str | None) -> int | None:
    """The number of at most nine ASCII digits that `text` is, or None."""
    return int(text) if text and re.fullmatch(r"[0-9]{1,9}", text) else None
