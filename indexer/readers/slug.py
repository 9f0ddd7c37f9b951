"""Ids for headings that can stand in a URL and do not change when other headings do."""

from __future__ import annotations

import unicodedata
from collections.abc import Collection, Sequence

SLUG_MAX_CHARS = 180
"""Room for a counter below the 200 characters that an id may have."""

_APOSTROPHES = str.maketrans("", "", "'’")


def slug(heading: str) -> str:
    """Lower-case letters and digits of any script, every run of others one "-", none at the ends.

    Apostrophes vanish ("Crohn's" gives "crohns"). A combining mark stays with its letter, as in
    GitHub's anchors: without it, words of many scripts would fall apart. NFC, idempotent, cut at
    `SLUG_MAX_CHARS`, and "section" where nothing is left.
    """
    text = unicodedata.normalize("NFC", heading).lower().translate(_APOSTROPHES)
    kept: list[str] = []
    for char in unicodedata.normalize("NFC", text):
        if char.isalnum() or (kept and kept[-1] != "-" and _is_mark(char)):
            kept.append(char)
        elif kept and kept[-1] != "-":
            kept.append("-")
    return "".join(kept)[:SLUG_MAX_CHARS].strip("-") or "section"


def unique_slugs(headings: Sequence[str], reserved: Collection[str] = ()) -> list[str]:
    """One id for each heading, in order, all different and none of them in `reserved`.

    The first heading of a name has the plain slug and the next ones -2, -3 and so on, skipping
    what is another heading's own slug: "Foo", "Foo", "Foo 2" give foo, foo-3, foo-2, so that the
    last keeps the anchor that its text promises.
    """
    slugs = [slug(heading) for heading in headings]
    claimed = {*slugs, *reserved}
    used = set(reserved)
    counters: dict[str, int] = {}
    ids: list[str] = []
    for base in slugs:
        unique = base
        while unique in used or (unique != base and unique in claimed):
            counters[base] = counters.get(base, 1) + 1
            unique = f"{base}-{counters[base]}"
        used.add(unique)
        ids.append(unique)
    return ids


def _is_mark(char: str) -> bool:
    return unicodedata.category(char) in ("Mn", "Mc")
