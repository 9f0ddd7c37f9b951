"""The state of a search page: the search that its address asks for, and the addresses that lead on.

All state is in the address, so that a page can be shared, printed, reloaded and gone back to.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlencode

from starlette.datastructures import QueryParams

from kb.schema.paging import MAX_DEPTH, MAX_LIMIT
from kb.schema.search_request import SearchRequest

RESULTS_PER_STEP = 10
"""Number of results that are added at a time."""

MAX_SHOWN_RESULTS = MAX_LIMIT
"""Maximum number of results on one page."""


@dataclass(frozen=True, slots=True)
class SearchState:
    """The page shows results `offset` to `offset + shown`. `question` is None on the home page.

    The other fields are options of SearchRequest.
    """

    question: str | None = None
    shown: int = RESULTS_PER_STEP
    offset: int = 0
    tag: tuple[str, ...] = ()
    source: tuple[str, ...] = ()
    exact: bool = False

    @classmethod
    def read(cls, parameters: QueryParams) -> SearchState:
        """The state in the parameters of an address. Invalid values count as not given."""
        shown = whole_number(parameter(parameters, "shown")) or RESULTS_PER_STEP
        offset = whole_number(parameter(parameters, "offset")) or 0
        return cls(
            question=_first(parameters, "q", "question"),
            shown=min(max(shown, RESULTS_PER_STEP), MAX_SHOWN_RESULTS),
            offset=min(offset, MAX_DEPTH - RESULTS_PER_STEP),
            tag=_values(parameters, "tag"),
            source=_values(parameters, "source"),
            exact=parameter(parameters, "exact") == "1",
        )

    def request(self) -> SearchRequest:
        """The search for the engine, with facets to narrow it by."""
        return SearchRequest(
            self.question or "",
            min(self.shown, MAX_DEPTH - self.offset),
            self.offset,
            tag=self.tag,
            source=self.source,
            exact=self.exact,
            facets=True,
        )

    @property
    def is_narrowed(self) -> bool:
        """Whether a topic or a source is chosen."""
        return bool(self.tag or self.source)

    def path(self, **changes: Any) -> str:
        """The address of this page with some fields changed. It begins at the first result unless `offset` is given."""
        state = replace(self, **{"shown": RESULTS_PER_STEP, "offset": 0, **changes})
        values = {
            "q": state.question,
            "tag": state.tag or None,
            "source": state.source or None,
            "exact": 1 if state.exact else None,
            "offset": state.offset or None,
            "shown": state.shown if state.shown != RESULTS_PER_STEP else None,
        }
        given = {name: value for name, value in values.items() if value is not None}
        return f"/?{urlencode(given, doseq=True)}" if given else "/"

    def more(self, has_more: bool) -> str | None:
        """The address that shows more results, or None if there are none."""
        if not has_more:
            return None
        first_new = self.offset + self.shown + 1
        if (
            self.shown + RESULTS_PER_STEP <= MAX_SHOWN_RESULTS
            and self.offset + self.shown + RESULTS_PER_STEP <= MAX_DEPTH
        ):
            further = self.path(offset=self.offset, shown=self.shown + RESULTS_PER_STEP)
        elif self.offset + self.shown < MAX_DEPTH:
            further = self.path(offset=self.offset + self.shown)
        else:
            return None
        return f"{further}#page.result-{first_new}"


def parameter(parameters: QueryParams, name: str) -> str | None:
    """The first value of a parameter in an address, or None."""
    return next(iter(parameters.getlist(name)), None)


def _first(parameters: QueryParams, *names: str) -> str | None:
    """The first value of the first of these names in an address, or None."""
    return next(iter(each for name in names for each in parameters.getlist(name)), None)


def _values(parameters: QueryParams, name: str) -> tuple[str, ...]:
    """All values of a parameter in an address, each once, without empty ones."""
    return tuple(dict.fromkeys(value for value in parameters.getlist(name) if value))


def whole_number(text: str | None) -> int | None:
    """`text` as a number, if it is at most nine ASCII digits, else None."""
    return int(text) if text and re.fullmatch(r"[0-9]{1,9}", text) else None
