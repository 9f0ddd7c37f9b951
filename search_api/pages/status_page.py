"""The status page: what is indexed, by which model, when, how large, and what failed."""

from __future__ import annotations

from datetime import datetime
from pathlib import PurePath
from typing import Any

from kb.knowledge_base import KnowledgeBase
from kb.schema.errors import IndexUnusable
from search_api.http.problem_kinds import index_remedy

_UNITS = ("bytes", "kB", "MB", "GB", "TB")


def status_page(knowledge_base: KnowledgeBase, failure: IndexUnusable | None) -> dict[str, Any]:
    """The template's values. Paths are shown by their last parts: where the machine keeps them is its own matter."""
    manifest = knowledge_base.manifest
    corpora = [corpus.path for corpus in manifest.corpora]
    return {
        "generation": knowledge_base.generation,
        "created": moment(manifest.created),
        "created_iso": manifest.created,
        "model": manifest.model,
        "counts": manifest.counts,
        "corpora": [PurePath(path).name for path in corpora],
        "size": size_in_words(sum(file.bytes for file in manifest.files.values())),
        "failures": [_relative(message, corpora) for message in manifest.failures],
        "not_taken_over": index_remedy(failure) if failure else None,
    }


def size_in_words(count: int) -> str:
    """A number of bytes to three figures, in decimal units."""
    value, unit = float(count), 0
    while value >= 999.5 and unit < len(_UNITS) - 1:
        value, unit = value / 1000, unit + 1
    figures = f"{value:.0f}" if unit == 0 or value >= 99.95 else f"{value:.1f}"
    return f"{figures} {_UNITS[unit]}"


def moment(created: str) -> str:
    """An ISO 8601 time in UTC as people write it; anything else as it is."""
    try:
        found = datetime.fromisoformat(created)
    except ValueError:
        return created
    return f"{found.day} {found:%B} {found.year}, {found:%H:%M} UTC"


def _relative(message: str, corpora: list[str]) -> str:
    """A build's message with its corpus called by its last name alone."""
    for path in corpora:
        message = message.replace(path, PurePath(path).name)
    return message
