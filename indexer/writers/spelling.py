"""The arrays that `kb.question.spelling` reads, from the word counts of a library.

Given an older generation too, what is known of its words is taken from there, and the result is the same.
"""

from __future__ import annotations

import math
from collections.abc import Set
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from indexer.writers.english_words import english_words
from indexer.writers.word_counts import WordCounts
from kb.compute.arrays import distinct, union
from kb.question.spelling import MIN_LETTERS, hashes_of, slips_allowed, sound_slips_allowed
from kb.text.edit_distance import sound
from kb.text.symmetric_delete import MAX_LETTERS, deletion_table, patched_table
from kb.text.words import fold

NAME_WEIGHT = 10
"""Weight of one occurrence in a title, alias or heading, in occurrences in a text."""

MIN_OCCURRENCES = 3
"""A word that stands less often, in no name and no dictionary may be misspelt itself, and corrects no other; nor do two
words in a row that stand less often in texts part what was written as one."""

COMMON_WORDS = 20_000
"""Number of common English words that are candidates beside those of the library."""

RIVAL_WEIGHT = -1.0
"""The weight of those."""


class Earlier(NamedTuple):
    """The arrays of an older generation, by their folder, and the words that its library had."""

    folder: Path
    words: Set[str]


def write_spelling(folder: Path, counts: WordCounts, earlier: Earlier | None = None) -> None:
    """Write the arrays of kb.question.spelling. The folder is made.

    With what is `earlier` the bytes are the same as without.
    """
    folder.mkdir(parents=True)
    common = [fold(word) for word in english_words()]
    english = set(common)
    weights = _weights(counts, common[:COMMON_WORDS], english)
    words = sorted(weights)  # in the order of their UTF-8 too
    arrays = {
        "known": _known(counts, english, earlier),
        "stems": _distinct([word.stem for word in counts.words.values() if word.stem]),
        "words": np.array([word.encode() for word in words], dtype=np.bytes_),
        "weights": np.array([weights[word] for word in words], dtype=np.float32),
        "names": _distinct([word.hash for word in counts.words.values() if word.names]),
        "pairs": union(
            counts.text_pairs.keys[counts.text_pairs.counts >= MIN_OCCURRENCES],
            counts.name_pairs.keys,
        ),
        **_tables(words, weights, earlier.folder if earlier else None),
    }
    for name, values in arrays.items():
        np.save(folder / f"{name}.npy", values, allow_pickle=False)


def _known(counts: WordCounts, english: Set[str], earlier: Earlier | None) -> NDArray[np.uint64]:
    """The hashes of all words of the library and of English, sorted."""
    words = counts.words
    if earlier is None:
        return union(
            _distinct([word.hash for word in words.values()]), hashes_of(english - words.keys())
        )
    before = np.load(earlier.folder / "known.npy", allow_pickle=False)
    left = hashes_of(earlier.words - words.keys() - english)
    come = [words[name].hash for name in words.keys() - earlier.words]
    return union(before[~np.isin(before, left)], np.array(come, dtype=np.uint64))


def _weights(counts: WordCounts, common: list[str], english: set[str]) -> dict[str, float]:
    """The words that may be meant, each with its weight: the logarithm of its frequency, or RIVAL_WEIGHT."""
    weights = {
        name: math.log(word.texts + NAME_WEIGHT * word.names)
        for name, word in counts.words.items()
        if MIN_LETTERS <= len(name) <= MAX_LETTERS
        and (word.names or word.texts >= MIN_OCCURRENCES or name in english)
    }
    for name in common:
        if name not in counts.words and MIN_LETTERS <= len(name) <= MAX_LETTERS:
            weights[name] = RIVAL_WEIGHT
    return weights


def _tables(
    words: list[str], weights: dict[str, float], earlier: Path | None
) -> dict[str, NDArray[Any]]:
    """What the words sound like, and the hashes of both with letters left out."""
    slips = np.array(
        [1 if weights[word] == RIVAL_WEIGHT else slips_allowed(word) for word in words],
        dtype=np.int64,
    )
    if earlier is None:
        sounds = [sound(word)[:MAX_LETTERS] for word in words]
        ear_slips = np.array([sound_slips_allowed(heard) for heard in sounds], dtype=np.int64)
        hashes, places = deletion_table(words, slips)
        sound_hashes, sound_places = deletion_table(sounds, ear_slips)
    else:
        before = _load(earlier)
        old = [word.decode() for word in before["words"].tolist()]
        heard_before = dict(zip(old, before["sounds"].tolist(), strict=True))
        sounds = [
            heard_before[word].decode() if word in heard_before else sound(word)[:MAX_LETTERS]
            for word in words
        ]
        ear_slips = np.array([sound_slips_allowed(heard) for heard in sounds], dtype=np.int64)
        # A word that English alone had and the library has now, or the other way round, may have other slips.
        rivals = (before["weights"] == RIVAL_WEIGHT).tolist()
        place_of = {word: place for place, word in enumerate(words)}
        moved = np.array(
            [
                place_of[word]
                if word in weights and (weights[word] == RIVAL_WEIGHT) == rival
                else -1
                for word, rival in zip(old, rivals, strict=True)
            ],
            dtype=np.int64,
        )
        hashes, places = patched_table(before["hashes"], before["places"], moved, words, slips)
        sound_hashes, sound_places = patched_table(
            before["sound_hashes"], before["sound_places"], moved, sounds, ear_slips
        )
    return {
        "hashes": hashes,
        "places": places,
        "sounds": np.array([heard.encode() for heard in sounds], dtype=np.bytes_),
        "sound_hashes": sound_hashes,
        "sound_places": sound_places,
    }


def _load(folder: Path) -> dict[str, NDArray[Any]]:
    return {
        name: np.load(folder / f"{name}.npy", allow_pickle=False)
        for name in (
            "words",
            "weights",
            "hashes",
            "places",
            "sounds",
            "sound_hashes",
            "sound_places",
        )
    }


def _distinct(hashes: list[int]) -> NDArray[np.uint64]:
    return distinct(np.array(hashes, dtype=np.uint64))
