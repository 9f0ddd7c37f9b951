"""Suggestions for unknown names: the known name that was probably meant.

A client may send words of a question in place of a name, and questions are never repeated. So `slip_of` accepts only
harmless names: a known name in another style (`groupBy`), a known name with one letter missing, doubled, added or
swapped (`limt`), and a fixed list of names that other services use (`query`, `page_size`). One wrong letter does not
count, because "tonic" is not a slip of `topic`. `near_to` accepts more, so its argument is never repeated, only the
known name.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from difflib import get_close_matches

_NAME = re.compile(r"[A-Za-z_-]{1,40}")
_MIN_LENGTH = 4
"""Minimum length of a known name. Any word may be a slip of a shorter one."""
_MIN_SIMILARITY = 0.7
"""Minimum ratio of difflib at which a value is similar to a known name."""

_QUESTION = ("keywords", "query", "query_text", "search", "search_query", "term", "text")
_OTHER_SERVICES = {
    "question": _QUESTION,
    "q": _QUESTION,
    "text": _QUESTION,
    "limit": ("count", "k", "max_results", "n", "page_size", "per_page", "rows", "size", "top_k"),
    "offset": ("from", "page", "skip"),
    "article": ("article_id", "document_id", "doc_id", "id"),
    "section": ("section_id",),
    "topic": ("category", "categories", "tags", "topics"),
    "source": ("domain", "host", "publisher", "site"),
    "language": ("lang", "locale"),
    "updated_since": ("modified_since", "since", "updated_after"),
    "reviewed_since": ("reviewed_after",),
    "format": ("output",),
}
"""Names that other services use, for each known name."""


def slip_of(name: str, known: Sequence[str]) -> str | None:
    """The known name that `name` is a slip of, or another service's word for, or None. Such a name may be repeated."""
    if not _NAME.fullmatch(name):
        return None
    bare = _bare(name)
    for each in known:
        if bare == _bare(each) or bare in map(_bare, _OTHER_SERVICES.get(each, ())):
            return each
    return next((each for each in known if _is_one_slip(bare, _bare(each))), None)


def near_to(value: str, known: Sequence[str]) -> str | None:
    """The known name that is most similar to a value, or None. The value itself must not be repeated."""
    by_bare = {_bare(each): each for each in reversed(known)}
    found = get_close_matches(_bare(value[:40]), by_bare, n=1, cutoff=_MIN_SIMILARITY)
    return by_bare[found[0]] if found else None


def _bare(name: str) -> str:
    return name.casefold().replace("_", "").replace("-", "")


def _is_one_slip(one: str, other: str) -> bool:
    """Whether one string becomes the other by a letter left out, added or swapped with its neighbour."""
    short, long = sorted((one, other), key=len)
    if len(other) < _MIN_LENGTH or len(long) - len(short) > 1:
        return False
    if len(short) < len(long):
        return any(long[:place] + long[place + 1 :] == short for place in range(len(long)))
    swapped = (
        one[:place] + one[place + 1] + one[place] + one[place + 2 :]
        for place in range(len(one) - 1)
    )
    return other in swapped
