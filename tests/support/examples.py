"""How many examples a property gets."""

from __future__ import annotations

from hypothesis import settings


def at_most(count: int) -> int:
    """As many, or fewer where the profile of the run has fewer for every property."""
    return min(count, settings.default.max_examples) if settings.default else count
