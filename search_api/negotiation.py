"""Given what a client accepts and what there is, what it gets."""

from __future__ import annotations

from collections.abc import Sequence


def preferred(accept: str, offered: Sequence[str]) -> str:
    """The media type of `offered` that an Accept header likes best; the first where it likes several alike, or none."""
    liked = [_quality(accept, media_type) for media_type in offered]
    return offered[liked.index(max(liked))]


def _quality(accept: str, media_type: str) -> float:
    """0 to 1. The most exact range that fits counts, as RFC 9110 has it."""
    family = media_type.partition("/")[0]
    ranks = {"*/*": 1, f"{family}/*": 2, media_type: 3}
    best, found = 0, 0.0
    for entry in accept.split(","):
        name, *parameters = (part.strip().lower() for part in entry.split(";"))
        rank = ranks.get(name, 0)
        if rank > best:
            best, found = rank, _weight(parameters)
    return found


def _weight(parameters: list[str]) -> float:
    for parameter in parameters:
        name, _, value = parameter.partition("=")
        if name.strip() == "q":
            try:
                return min(max(float(value), 0.0), 1.0)
            except ValueError:
                return 0.0
    return 1.0
