"""What a service answers, in a form that tests can compare or look through."""

from __future__ import annotations

from typing import Any

from bs4 import BeautifulSoup


def without_timings(answer: dict[str, Any]) -> dict[str, Any]:
    """An answer as it is each time."""
    return {name: value for name, value in answer.items() if name != "timings"}


def soup(html: str) -> BeautifulSoup:
    return BeautifulSoup(html, "html.parser")
