"""Passages, the units that are retrieved."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Passage:
    """A stretch of one section: `section.text[start:end]`, code points, never empty.

    `token_count` counts the model's tokens of that text, without the title and heading embedded before it.
    """

    article_id: str
    section_id: str
    start: int
    end: int
    token_count: int

    @property
    def id(self) -> str:
        """`article#section@start`: unique in an index, and the last tie-breaker."""
        return f"{self.article_id}#{self.section_id}@{self.start}"
