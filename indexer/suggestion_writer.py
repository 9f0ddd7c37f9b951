"""Given articles, the arrays that `kb.suggest` reads: their titles, aliases and headings by the words in them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from kb.analysis import terms
from kb.article import Article, article_path, is_question
from kb.deletes import MAX_LETTERS, deletion_table
from kb.suggest import (
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

_MAX_LETTERS_OF_ENTRY = np.iinfo(np.uint16).max


class _Entry(NamedTuple):
    """`key` is what it is sorted and found by: the words of `names`."""

    key: str
    shown: str
    path: str
    kind: int
    names: tuple[str, ...]


def write_suggestions(folder: Path, articles: Iterable[Article]) -> None:
    """Write the arrays of kb.suggest. The folder is made."""
    folder.mkdir(parents=True)
    entries = sorted({entry for article in articles for entry in _entries(article) if entry.key})
    words: dict[str, list[int]] = {}
    stems: dict[bytes, list[int]] = {}
    for place, entry in enumerate(entries):
        for word in dict.fromkeys(entry.key.split()):
            words.setdefault(word, []).append(place)
        for stem in dict.fromkeys(stem for name in entry.names for stem in _stems(name)):
            stems.setdefault(stem, []).append(place)

    blobs = [text.encode() for entry in entries for text in (entry.shown, entry.key, entry.path)]
    table = np.zeros(len(entries), dtype=ENTRY)
    table["kind"] = [entry.kind for entry in entries]
    table["letters"] = [
        min(len(entry.key.replace(" ", "")), _MAX_LETTERS_OF_ENTRY) for entry in entries
    ]
    names = sorted(words, key=str.encode)
    arrays: dict[str, NDArray[Any]] = {
        "entries": table,
        "texts": np.frombuffer(b"".join(blobs), dtype=np.uint8),
        "text_ends": np.cumsum([len(blob) for blob in blobs], dtype=np.int64).reshape(-1, 3),
        "word_letters": np.array([len(name) for name in names], dtype=np.uint8),
        **_postings("word", {word.encode(): words[word] for word in names}),
        **_postings("stem", stems),
        **_slips(names),
    }
    for name, values in arrays.items():
        np.save(folder / f"{name}.npy", values, allow_pickle=False)


def _entries(article: Article) -> Iterator[_Entry]:
    title, path = article.display_title, article_path(article.id)
    if is_question(title):
        yield _entry(title, question_path(title), QUESTION, title)
    else:
        yield _entry(title, path, TITLE, title)
    for alias in article.aliases:
        if is_question(alias):
            yield _entry(alias, question_path(alias), QUESTION, alias)
        else:
            yield _entry(f"{alias}: {title}", path, ALIAS, alias)
    for section in article.sections:
        if section.heading:
            shown = f"{title} › {section.heading}"
            yield _entry(
                shown, article_path(article.id, section.id), SECTION, title, section.heading
            )


def _entry(shown: str, path: str, kind: int, *names: str) -> _Entry:
    key = " ".join(filter(None, map(_words, names)))
    return _Entry(key, " ".join(shown.split()), path, kind, names)


# A title stands in the entry of every section, and most headings in many articles.
@lru_cache(maxsize=1 << 16)
def _words(name: str) -> str:
    return " ".join(split_words(name))


@lru_cache(maxsize=1 << 16)
def _stems(name: str) -> tuple[bytes, ...]:
    return tuple(map(cut, terms(name)))


def _postings(name: str, entries: Mapping[bytes, list[int]]) -> dict[str, NDArray[Any]]:
    """The sorted table of words, and the entries of each, ascending."""
    table = sorted(entries)
    owners = [entries[word] for word in table]
    return {
        f"{name}s": np.array(table, dtype=f"S{MAX_WORD_BYTES + 1}"),
        f"{name}_starts": np.cumsum([0, *map(len, owners)], dtype=np.int64),
        f"{name}_entries": np.array([place for owner in owners for place in owner], np.uint32),
    }


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
