"""The arrays of synonym groups that `kb.question.vocabulary` maps."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from kb.question.vocabulary import MAX_WORDS, as_written, is_acronym, key
from kb.text.analysis import stems, terms

ARTICLE_NAME_MAX_WORDS = 6
"""A longer title is a sentence, which no question holds as a name."""

ARTICLE_MAX_NAMES = 12
"""An article with more names lists kinds and neighbours of its subject, which are not the same thing."""

MAX_GROUPS = 8
"""A name in more groups is ambiguous."""

_ARTICLES = ("a", "an", "the")

Stems = tuple[str, ...]
Terms = tuple[str, ...]


def article_group(title: str, aliases: Iterable[str]) -> tuple[str, ...]:
    """An article's names as a group: those that are short enough; none where that leaves too many, or one alone."""
    names = [name for name in (title, *aliases) if len(name.split()) <= ARTICLE_NAME_MAX_WORDS]
    return tuple(names) if 1 < len(names) <= ARTICLE_MAX_NAMES else ()


def write_vocabulary(
    folder: Path, groups: Iterable[Sequence[str]], article_groups: Iterable[Sequence[str]] = ()
) -> int:
    """Make `folder` with the arrays; how many names can be found.

    Names of `groups` are compared by their stems; so are those of `article_groups` but for names of one word, which
    are compared as written unless they stand in `groups` too. Acronyms among them are found and never put for another
    name: in small letters, as the keyword index has its terms, they are ordinary words.

    A name without a term ("all", of small words alone) is no name, but for an article's acronym ("ALL"). One that
    cannot stand for another still finds its variants; one without variants is left out.
    """
    members: defaultdict[Stems, list[int]] = defaultdict(list)  # the numbers of a name's groups
    names: list[dict[Stems, Terms | None]] = []
    curated: set[Stems] = set()

    def add(group: Sequence[str], *, from_article: bool) -> None:
        compiled: dict[Stems, Terms | None] = {}
        for name in group:
            stemmed, analysed = tuple(stems(name)), tuple(terms(name))
            # "WHO" has no term, since it is a small word in small letters; its capitals are enough to find it.
            found_alone = from_article and len(stemmed) == 1 and is_acronym(name.strip())
            if not (analysed or found_alone) or not 0 < len(stemmed) <= MAX_WORDS:
                continue
            put = analysed if analysed and _stands_for_itself(stemmed, analysed) else None
            if from_article and len(stemmed) == 1 and stemmed not in curated:
                forms = as_written(name.strip())
                stemmed = forms[:1]
                put = put if len(forms) == 1 else None
            if stemmed not in compiled:
                compiled[stemmed] = put
                members[stemmed].append(len(names))
        names.append(compiled)

    for group in groups:
        add(group, from_article=False)
    curated.update(members)
    for group in article_groups:
        add(group, from_article=True)
    ambiguous = {stemmed for stemmed, numbers in members.items() if len(numbers) > MAX_GROUPS}

    rows: dict[Terms, int] = {}
    found: dict[int, list[int]] = {}
    for stemmed, numbers in members.items():
        if stemmed in ambiguous:
            continue
        others = (
            analysed
            for number in numbers
            for other, analysed in names[number].items()
            if other != stemmed and other not in ambiguous and analysed is not None
        )
        variants = dict.fromkeys(others)
        if variants:
            found[key(stemmed)] = [rows.setdefault(variant, len(rows)) for variant in variants]
    _save(folder, found, rows)
    return len(found)


def _stands_for_itself(stemmed: Stems, analysed: Terms) -> bool:
    """Whether a passage that holds its terms may be taken to hold the name.

    Not where nothing but small words tell it from its only term: "passing out", "Down syndrome", "vitamin A"; nor
    where that term is a single letter.
    """
    kept = stemmed[1:] if stemmed[0] in _ARTICLES else stemmed
    return len(analysed) > 1 or (len(kept) == 1 and len(analysed[0]) > 1)


def _save(folder: Path, found: dict[int, list[int]], rows: dict[Terms, int]) -> None:
    folder.mkdir(parents=True)
    keys = sorted(found)
    texts = [" ".join(variant).encode() for variant in rows]
    arrays: dict[str, NDArray[np.generic]] = {
        "keys": np.array(keys, dtype=np.uint64),
        "starts": _bounds([len(found[name]) for name in keys]),
        "variants": np.array([row for name in keys for row in found[name]], dtype=np.uint32),
        "ends": _bounds([len(text) for text in texts]),
        "terms": np.frombuffer(b"".join(texts), dtype=np.uint8),
    }
    for name, values in arrays.items():
        np.save(folder / f"{name}.npy", values, allow_pickle=False)


def _bounds(lengths: list[int]) -> NDArray[np.uint32]:
    return np.concatenate(([0], np.cumsum(lengths))).astype(np.uint32)
