"""Given an index folder, what is wrong with each of its generations: every file hashed, every passage looked up."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from kb.errors import IndexUnusable
from kb.generation import current_generation, generations, open_by_id, pinned_generation
from kb.store import FILE as STORE
from kb.store import ArticleStore


@dataclass(frozen=True, slots=True)
class Inspected:
    """One generation. `damage` says what is wrong with it, None where it is whole."""

    generation: str
    live: bool
    pinned: bool
    damage: str | None


def inspect(index: Path) -> list[Inspected]:
    """All generations, newest first. Raises IndexMissing or IndexDamaged where nobody can say which is live."""
    live = current_generation(index)
    pinned = pinned_generation(index)
    there = generations(index)
    if live not in there:
        there = [live, *there]
    return [Inspected(name, name == live, name == pinned, _damage(index, name)) for name in there]


def _damage(index: Path, generation_id: str) -> str | None:
    try:
        folder, _, lease = open_by_id(index, generation_id, "full")
    except IndexUnusable as error:
        return str(error)
    try:
        return _misplaced(folder)
    finally:
        lease.release()


def _misplaced(folder: Path) -> str | None:
    """The first passage that is not in its section, or text of a section that is in no passage."""
    passages = np.load(folder / "passages.npy", mmap_mode="r", allow_pickle=False)
    order = np.lexsort((passages["start"], passages["section"]))
    store = ArticleStore(folder / STORE)
    try:
        _, sections = store.counts()
        starts = np.searchsorted(passages["section"][order], np.arange(sections + 1))
        for ordinal in range(sections):
            section = store.section(ordinal)
            reached = 0
            for row in order[starts[ordinal] : starts[ordinal + 1]]:
                start, end = int(passages["start"][row]), int(passages["end"][row])
                if end > len(section.text) or not section.text[start:end].strip():
                    return f"{folder}: a passage of section {section.id!r} is not in it. Run `kb build`."
                if section.text[reached:start].strip():
                    break
                reached = max(reached, end)
            if section.text[reached:].strip():
                return f"{folder}: text of section {section.id!r} is in no passage. Run `kb build`."
    finally:
        store.close()
    return None
