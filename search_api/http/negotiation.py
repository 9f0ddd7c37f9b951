"""Content negotiation (RFC 9110, 12.5.1): the offered media type that an `Accept` header prefers.

Of an entry's parameters only the weight counts: `application/json; charset=utf-8` accepts JSON. An entry that is not a
media range is skipped. A header without any media range accepts everything, as a missing header does.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

_RANGE = re.compile(r"[!#$%&'*+.^_`|~0-9a-z-]+/[!#$%&'*+.^_`|~0-9a-z-]+")
_WEIGHT = re.compile(r"[01](?:\.[0-9]*)?|\.[0-9]+")
_EVERYTHING = "*/*"


def preferred(accept: str, offered: Sequence[str]) -> str | None:
    """The media type in `offered` that an Accept header prefers, the first of equals. None if it accepts none.

    `accept` holds the values of all Accept headers, joined by commas. `offered` is not empty and has no parameters.
    """
    ranges = list(_ranges(accept)) or [(_EVERYTHING, 1.0)]
    liked = [_quality(ranges, media_type) for media_type in offered]
    best = max(liked)
    return offered[liked.index(best)] if best > 0 else None


def _quality(ranges: Sequence[tuple[str, float]], media_type: str) -> float:
    """The weight of a media type, 0 to 1. The most specific matching range counts; of several such, the highest
    weight."""
    family = media_type.partition("/")[0]
    for exact in (media_type, f"{family}/*", _EVERYTHING):
        if weights := [weight for name, weight in ranges if name == exact]:
            return max(weights)
    return 0.0


def _ranges(accept: str) -> Iterator[tuple[str, float]]:
    for entry in accept.lower().split(","):
        name, *parameters = (part.strip() for part in entry.split(";"))
        if name == "*":  # what some old clients send
            name = _EVERYTHING
        if _RANGE.fullmatch(name):
            yield name, _weight(parameters)


def _weight(parameters: list[str]) -> float:
    for parameter in parameters:
        name, _, value = (part.strip() for part in parameter.partition("="))
        if name == "q":
            return min(float(value), 1.0) if _WEIGHT.fullmatch(value) else 0.0
    return 1.0
