"""The arrays that `kb.question.suggestions` reads: titles, aliases and headings by their words.

Given those of an older generation too, only what has changed is read, and the result is the same.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from indexer.writers.term_rows import TermRows, join
from kb.question.suggestions import (
    ALIAS,
    ENTRY,
    MAX_WORD_BYTES,
    QUESTION,
    SECTION,
    SLIP_LETTERS,
    TITLE,
    cut,
    question_path,
    split_words,
)
from kb.schema.article import Article, article_path, is_question
from kb.text.analysis import terms
from kb.text.symmetric_delete import MAX_LETTERS, deletion_table

_MAX_LETTERS_OF_ENTRY = np.iinfo(np.uint16).max


class _Entry(NamedTuple):
    """`key` is what it is sorted and found by: the words of `names`, which all the others tell."""

    key: str
    shown: str
    path: str
    kind: int
    names: tuple[str, ...]


def write_suggestions(folder: Path, articles: Iterable[Article]) -> None:
    """Write the arrays of kb.question.suggestions. The folder is made."""
    entries = {entry for article in articles for entry in _entries(article)}
    _Compiled.of(sorted(entries)).save(folder)


def patch_suggestions(
    folder: Path,
    earlier: Path,
    removed_articles: Iterable[Article],
    come: Iterable[Article],
    articles: Callable[[], Iterable[Article]],
) -> None:
    """Write the arrays of those of `earlier` without `removed_articles` and with the articles `come`.

    `articles` gives all that there are then, and is asked where a question may have stood in several.
    """
    before = _Compiled.load(earlier)
    left = {entry for article in removed_articles for entry in _entries(article)}
    if any(entry.kind == QUESTION for entry in left):
        left -= {
            entry for article in articles() for entry in _names(article) if entry.kind == QUESTION
        }
    removed = {before.place(entry) for entry in left}
    added = []
    for entry in sorted({entry for article in come for entry in _entries(article)}):
        place = before.place(entry)
        if place in removed or not before.holds(entry, place):
            added.append((entry, place))
    stays = np.ones(len(before.table), dtype=np.bool_)
    stays[list(removed)] = False
    after = _Compiled.of([entry for entry, _ in added])
    before.joined(stays, after, np.array([place for _, place in added], dtype=np.int64)).save(
        folder
    )


@dataclass(frozen=True, slots=True)
class _Compiled:
    """Entries in their order: the arrays of kb.question.suggestions but for those that the words alone make."""

    table: NDArray[Any]
    texts: NDArray[np.uint8]
    ends: NDArray[np.int64]
    """(E, 3): where in `texts` what is shown, the key and the path of each entry end."""
    words: TermRows
    stems: TermRows

    @classmethod
    def of(cls, entries: Sequence[_Entry]) -> _Compiled:
        words: dict[bytes, list[int]] = {}
        stems: dict[bytes, list[int]] = {}
        for place, entry in enumerate(entries):
            for word in dict.fromkeys(entry.key.split()):
                words.setdefault(word.encode(), []).append(place)
            for stem in dict.fromkeys(stem for name in entry.names for stem in _stems(name)):
                stems.setdefault(stem, []).append(place)
        blobs = [
            text.encode() for entry in entries for text in (entry.shown, entry.key, entry.path)
        ]
        table = np.zeros(len(entries), dtype=ENTRY)
        table["kind"] = [entry.kind for entry in entries]
        table["letters"] = [
            min(len(entry.key.replace(" ", "")), _MAX_LETTERS_OF_ENTRY) for entry in entries
        ]
        return cls(
            table,
            np.frombuffer(b"".join(blobs), dtype=np.uint8),
            np.cumsum([len(blob) for blob in blobs], dtype=np.int64).reshape(-1, 3),
            TermRows.of(words),
            TermRows.of(stems),
        )

    @classmethod
    def load(cls, folder: Path) -> _Compiled:
        """Read what `save` wrote."""

        def array(name: str) -> NDArray[Any]:
            loaded: NDArray[Any] = np.load(folder / f"{name}.npy", allow_pickle=False)
            return loaded

        words, stems = (
            TermRows(
                array(f"{name}s"),
                array(f"{name}_starts"),
                array(f"{name}_entries").astype(np.int64),
            )
            for name in ("word", "stem")
        )
        return cls(array("entries"), array("texts"), array("text_ends"), words, stems)

    def joined(
        self, stays: NDArray[np.bool_], other: _Compiled, places: NDArray[np.int64]
    ) -> _Compiled:
        """Those of its own that stay, and each of the other's before its own at one of the `places`, which ascend."""
        staying = np.concatenate(([0], np.cumsum(stays)))
        before = staying[places]  # as many of those that stay come first
        new = before + np.arange(len(before))
        kept = staying[:-1] + np.searchsorted(places, np.arange(len(stays)), side="right")
        kept[~stays] = -1
        lengths, other_lengths = (
            np.diff(each.ends.ravel(), prepend=0).reshape(-1, 3) for each in (self, other)
        )
        sizes, other_sizes = lengths.sum(axis=1), other_lengths.sum(axis=1)
        starts = np.concatenate(([0], np.cumsum(sizes[stays])))
        return _Compiled(
            np.insert(self.table[stays], before, other.table),
            np.insert(
                self.texts[np.repeat(stays, sizes)],
                np.repeat(starts[before], other_sizes),
                other.texts,
            ),
            np.cumsum(np.insert(lengths[stays], before, other_lengths, axis=0)).reshape(-1, 3),
            join(self.words, other.words, kept, new).both,
            join(self.stems, other.stems, kept, new).both,
        )

    def place(self, entry: _Entry) -> int:
        """Before which entry it stands, or where it does. Binary search."""
        return bisect_left(range(len(self.table)), _sorted_by(entry), key=self._sorted_by)

    def holds(self, entry: _Entry, place: int) -> bool:
        """Whether the entry stands at that place."""
        return place < len(self.table) and self._sorted_by(place) == _sorted_by(entry)

    def _sorted_by(self, place: int) -> tuple[bytes, bytes, bytes, int]:
        start = int(self.ends[place - 1, 2]) if place else 0
        shown, key, path = (
            self.texts[first:last].tobytes()
            for first, last in pairwise((start, *self.ends[place].tolist()))
        )
        return key, shown, path, int(self.table["kind"][place])

    def save(self, folder: Path) -> None:
        """Write the arrays: the same bytes for the same entries. The folder is made."""
        folder.mkdir(parents=True)
        names = [word.decode() for word in self.words.terms.tolist()]
        arrays: dict[str, NDArray[Any]] = {
            "entries": self.table,
            "texts": self.texts,
            "text_ends": self.ends,
            "word_letters": np.array([len(name) for name in names], dtype=np.uint8),
            **_slips(names),
        }
        for name, found in (("word", self.words), ("stem", self.stems)):
            arrays[f"{name}s"] = found.terms.astype(f"S{MAX_WORD_BYTES + 1}")
            arrays[f"{name}_starts"] = found.starts
            arrays[f"{name}_entries"] = found.rows.astype(np.uint32)
        for name, values in arrays.items():
            np.save(folder / f"{name}.npy", values, allow_pickle=False)


def _sorted_by(entry: _Entry) -> tuple[bytes, bytes, bytes, int]:
    return entry.key.encode(), entry.shown.encode(), entry.path.encode(), entry.kind


def _entries(article: Article) -> Iterator[_Entry]:
    """What an article can be suggested by; a name without a word is none."""
    return (entry for entry in (*_names(article), *_sections(article)) if entry.key)


def _names(article: Article) -> Iterator[_Entry]:
    title, path = _spaced(article.display_title), article_path(article.id)
    if is_question(title):
        yield _entry(title, question_path(article.display_title), QUESTION, title)
    else:
        yield _entry(title, path, TITLE, title)
    for alias in article.aliases:
        name = _spaced(alias)
        if is_question(alias):
            yield _entry(name, question_path(alias), QUESTION, name)
        else:
            yield _entry(f"{name}: {title}", path, ALIAS, name)


def _sections(article: Article) -> Iterator[_Entry]:
    title = _spaced(article.display_title)
    for section in article.sections:
        if section.heading:
            heading = _spaced(section.heading)
            path = article_path(article.id, section.id)
            yield _entry(_spaced(f"{title} › {heading}"), path, SECTION, title, heading)


def _spaced(text: str) -> str:
    """The text with single spaces."""
    return " ".join(text.split())


def _entry(shown: str, path: str, kind: int, *names: str) -> _Entry:
    key = " ".join(filter(None, map(_words, names)))
    return _Entry(key, shown, path, kind, names)


# A title stands in the entry of every section, and most headings in many articles.
@lru_cache(maxsize=1 << 16)
def _words(name: str) -> str:
    return " ".join(split_words(name))


@lru_cache(maxsize=1 << 16)
def _stems(name: str) -> tuple[bytes, ...]:
    return tuple(map(cut, terms(name)))


def _slips(words: list[str]) -> dict[str, NDArray[Any]]:
    """The beginnings of all words with up to one letter left out."""
    first: dict[str, int] = {}
    for place, word in enumerate(words):
        for letters in SLIP_LETTERS:
            if letters <= min(len(word), MAX_LETTERS):
                first.setdefault(word[:letters], place)
    beginnings = list(first)
    hashes, rows = deletion_table(beginnings, np.ones(len(beginnings), dtype=np.int64))
    places = np.array(list(first.values()), dtype=np.uint32)
    letters_of = np.array([len(beginning) for beginning in beginnings], dtype=np.uint8)
    return {
        "slip_hashes": hashes,
        "slip_words": places[rows],
        "slip_letters": letters_of[rows],
    }
