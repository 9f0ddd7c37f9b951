"""Misspelt words of a question, repaired as the library spells them.

Only a word that neither the library nor English knows is looked at, and it is replaced only by a word of the library
that is near enough for its length, clearly nearer than any other, and well attested. Compiled at build time into
memory-mapped arrays in the folder `spelling/`, K known words, W words that may be meant, H and S hashes, P pairs:

    known.npy          uint64 (K,)     hashes of all words of the library and of English, sorted
    stems.npy          uint64          hashes of the terms of the library's words, sorted
    words.npy          bytes (W,)      UTF-8 in lower case, accents folded, sorted: words of the library, and common
                                       ones of English that only say that something else was meant
    weights.npy        float32 (W,)    the logarithm of how often the library has it, names counting more; -1: English
    hashes.npy         uint32 (H,)     kb.text.symmetric_delete over the words, sorted; with `places.npy`, the word of
    each sounds.npy         bytes (W,)      kb.text.edit_distance.sound of the words sound_hashes.npy   uint32 (S,)
    kb.text.symmetric_delete over the sounds; with `sound_places.npy` names.npy          uint64          hashes of the
    words of titles, aliases and headings, sorted pairs.npy          uint64 (P,)     hashes of two words that follow
    each other in the library, "back pain", sorted
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from kb.compute.arrays import mapped
from kb.text import analysis
from kb.text.edit_distance import sound, unlikeness, weighted_distance
from kb.text.hashing import word_hash
from kb.text.symmetric_delete import MAX_LETTERS, deletion_hashes, look_up
from kb.text.words import SPELT_WORD, fold

MIN_LETTERS = 4
"""Minimum length of a word that is repaired."""
MAX_REPAIRS = 8
"""Maximum number of words looked up for one question. More mistakes are no mistakes, and time is bounded."""

MAX_DELETIONS = 2
"""Maximum number of letters left out of a word by its hashes."""

TWO_SLIPS = 7
"""Minimum length of a word that may have two slips."""

_PER_LETTER = 0.145
_MARGIN = 0.15
"""Minimum lead of a word over any other."""
_OBVIOUS = 0.4
"""A word nearer than this was meant, even where two of the library's in a row read so."""
_PLAINLY = 1.0
"""Of words as near as that by sound, how much nearer one must be as written."""
_FREQUENT = 0.07
"""Bonus of a word that is e times as frequent as another."""

_PREFIXES = (
    "anti", "dis", "endo", "exo", "extra", "hyper", "hypo", "infra", "inter", "intra", "macro", "micro", "mono", "non",
    "over", "poly", "post", "pre", "sub", "supra", "super", "trans", "ultra", "under", "a", "an", "de", "im", "in",
    "ir", "mis", "re", "un", "",
)  # fmt: skip
"""Prefixes that turn a word into its opposite or another word: never added, left out or changed."""

_LEFT = np.uint64(0x9E3779B97F4A7C15)
_CHUNK = re.compile(r"\S+")
_CODE = re.compile(r"[\d_@/\\:*#&=+<>|~^%$€£]|\.\w")


@dataclass(frozen=True, slots=True)
class Repair:
    """`text` is the question with its repairs; `changes` are they, each as (typed, repaired), in order."""

    text: str
    changes: tuple[tuple[str, str], ...] = ()


class Word(NamedTuple):
    """A word of a text: `text[start:end]`, and how it is looked up."""

    start: int
    end: int
    folded: str


class Reading(NamedTuple):
    """The words of a text, in its order, and which of them the library or English knows, (words,)."""

    text: str
    words: list[Word]
    known: NDArray[np.bool_]

    @property
    def strangeness(self) -> float:
        """The share of the words that are not known, 0 to 1; 0 without words."""
        return 1.0 - float(self.known.mean()) if self.words else 0.0


def hashes_of(words: Iterable[str]) -> NDArray[np.uint64]:
    """The hashes of words in their order."""
    return np.array([word_hash(word) for word in words], dtype=np.uint64)


def pair_hashes(left: NDArray[np.uint64], right: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """The hashes of words that follow each other, from the hashes of the words."""
    return left * _LEFT + right


def slips_allowed(word: str) -> int:
    """Number of letters that the hashes of a word may leave out."""
    return MAX_DELETIONS if len(word) >= TWO_SLIPS else 1


def sound_slips_allowed(heard: str) -> int:
    """Number of letters that the hashes of a sound may leave out; all short words sound alike."""
    return 1 if len(heard) > MIN_LETTERS else 0


def nearness_needed(typed: str, meant: str) -> float:
    """The most that a word may be unlike what was meant."""
    return _PER_LETTER * min(len(typed), len(meant))


def differ_in_prefix(typed: str, meant: str) -> bool:
    """Whether the two are one word but for what stands before it: "hyper" and "hypo", "un" and nothing."""
    return any(
        typed.removeprefix(one) == meant.removeprefix(other)
        for one in _PREFIXES
        if typed.startswith(one)
        for other in _PREFIXES
        if one != other and meant.startswith(other)
    )


class Spelling:
    """The words of one generation. Read-only and safe to share between threads."""

    def __init__(self, folder: Path) -> None:
        self._known = mapped(folder, "known")
        self._stems = mapped(folder, "stems")
        self._names = mapped(folder, "names")
        self._pairs = mapped(folder, "pairs")
        self._words = mapped(folder, "words")
        self._weights = mapped(folder, "weights")
        self._hashes = mapped(folder, "hashes")
        self._places = mapped(folder, "places")
        self._sounds = mapped(folder, "sounds")
        self._sound_hashes = mapped(folder, "sound_hashes")
        self._sound_places = mapped(folder, "sound_places")

    def knows(self, word: str) -> bool:
        """Whether the library or English has this word, of letters alone."""
        return bool(_among(self._known, hashes_of([fold(word)]))[0])

    def read(self, text: str) -> Reading:
        """Find the words of a text and look them up."""
        words = list(_words_of(text))
        return Reading(text, words, _among(self._known, hashes_of(word.folded for word in words)))

    def repair(self, text: str) -> Repair:
        """The text with its misspelt words replaced, as `repaired` says."""
        return self.repaired(self.read(text))

    def repaired(self, reading: Reading) -> Repair:
        """The text that was read with its misspelt words replaced, everything else as it was.

        Never touched: a word that the library or English knows, or whose stem the library does; numbers, codes and
        abbreviations, and what is joined to them; words of less than MIN_LETTERS or more than MAX_LETTERS letters;
        texts that seem to be in another language.
        """
        text, words, known = reading
        unknown = self._unknown([words[place] for place in np.flatnonzero(~known).tolist()])
        if _is_foreign(words, unknown):
            return Repair(text)
        found: dict[Word, str] = {}
        shouted = text.isupper()
        for word in unknown[:MAX_REPAIRS]:
            typed = text[word.start : word.end]
            if typed.isupper() and not shouted and len(typed) <= 6:
                continue  # an abbreviation
            meant = self._meant(word.folded)
            if meant is not None:
                found[word] = _like(typed, meant)
        joined = self._joined(text, words, found)
        return _replaced(text, found, joined)

    def _unknown(self, strange: Sequence[Word]) -> list[Word]:
        """The words, of those unknown as they stand, that may be misspelt: their stems are unknown as well."""
        if not strange:
            return []
        stems = [analysis.terms(word.folded) for word in strange]
        known = _among(self._stems, hashes_of(stem[0] if stem else "" for stem in stems))
        return [
            word
            for word, stem, is_known in zip(strange, stems, known, strict=True)
            if stem and not is_known and MIN_LETTERS <= len(word.folded) <= MAX_LETTERS
        ]

    def _meant(self, typed: str) -> str | None:
        """The word of the library that was meant, or two where a space was left out, or None."""
        near = sorted(self._near(typed))
        if not near or near[0][1] > _OBVIOUS:
            parts = self._split(typed)
            if parts is not None:
                return parts
        if not near:
            return None
        best, _, word, weight = near[0]
        rivals = [rival for score, _, rival, _ in near[1:] if score - best < _MARGIN]
        if rivals:  # "atack" sounds like "attack" and like "attach"
            slips = {one: weighted_distance(typed, one) for one in (word, *rivals)}
            rivals = [one for one in rivals if slips[one] - slips[word] < _PLAINLY]
        if weight < 0 or (rivals and set(map(_stem, rivals)) != {_stem(word)}):
            return None
        return word

    def _near(self, typed: str) -> Iterable[tuple[float, float, str, float]]:
        """Words that may be meant: how unlike, less what they are preferred by; how unlike; the word; its weight."""
        by_eye = look_up(self._hashes, deletion_hashes(typed, slips_allowed(typed)))
        heard = sound(typed)[:MAX_LETTERS]
        by_ear = look_up(self._sound_hashes, deletion_hashes(heard, sound_slips_allowed(heard)))
        found = {*self._places[by_eye].tolist(), *self._sound_places[by_ear].tolist()}
        places = list(found)
        for word, sounds, weight in zip(
            self._words[places].tolist(),
            self._sounds[places].tolist(),
            self._weights[places].tolist(),
            strict=True,
        ):
            meant = word.decode()
            most = nearness_needed(typed, meant)
            unlike = unlikeness(typed, meant, heard, sounds.decode(), most)
            if unlike <= most and not differ_in_prefix(typed, meant):
                yield unlike - _FREQUENT * max(weight, 0.0), unlike, meant, weight

    def _split(self, typed: str) -> str | None:
        """The word as the two that it joins, if just one pair of the library's neighbours reads so."""
        parts = [(typed[:cut], typed[cut:]) for cut in range(3, len(typed))]
        left, right = (hashes_of(side) for side in zip(*parts, strict=True))
        found = np.flatnonzero(_among(self._pairs, pair_hashes(left, right)))
        return " ".join(parts[found[0]]) if len(found) == 1 else None

    def _joined(
        self, text: str, words: Sequence[Word], found: dict[Word, str]
    ) -> dict[tuple[Word, Word], str]:
        """Two words that the library has as one, in a name, one of which it does not have alone."""
        near = [
            (left, right)
            for left, right in pairwise(words)
            if text[left.end : right.start] == " "
            and min(len(left.folded), len(right.folded)) >= 3
            and left not in found
            and right not in found
        ]
        is_name = _among(self._names, hashes_of(left.folded + right.folded for left, right in near))
        joined = {}
        for left, right in (near[place] for place in np.flatnonzero(is_name).tolist()):
            stems = [*analysis.terms(left.folded), *analysis.terms(right.folded)]
            # "for" and "ever" are no "forever", and "heart beats" may be a sentence.
            if len(stems) == 2 and not _among(self._stems, hashes_of(stems)).all():
                joined[left, right] = text[left.start : left.end] + right.folded
        return joined


def _words_of(text: str) -> Iterable[Word]:
    for chunk in _CHUNK.finditer(text):
        start, written = chunk.start(), chunk[0]
        if written.isalpha():
            yield Word(start, start + len(written), fold(written))
        elif not _CODE.search(written.rstrip(".,;:!?)\"'”’")):
            for part in SPELT_WORD.finditer(written):
                yield Word(start + part.start(), start + part.end(), fold(part[0]))


def _stem(word: str) -> str:
    """The stem of a word, or itself where it is a stop word."""
    return next(iter(analysis.terms(word)), word)


def _is_foreign(words: Sequence[Word], unknown: Sequence[Word]) -> bool:
    """Whether most longer words are unknown, and hardly one is a stop word of English."""
    longer = sum(len(word.folded) >= MIN_LETTERS for word in words)
    if len(words) < 4 or 2 * len(unknown) <= longer:
        return False
    return 6 * sum(not analysis.terms(word.folded) for word in words) <= len(words)


def _among(table: NDArray[np.uint64], wanted: NDArray[np.uint64]) -> NDArray[np.bool_]:
    """Which of `wanted` are in the sorted table."""
    if not len(table):
        return np.zeros(len(wanted), dtype=np.bool_)
    places = np.minimum(np.searchsorted(table, wanted), len(table) - 1)
    return np.asarray(table[places] == wanted)


def _like(typed: str, meant: str) -> str:
    """The word in the capitals of what was typed, with its possessive s."""
    ending = typed[-2:] if typed[-2:].lower() in ("'s", "’s") else ""
    if typed.isupper():
        return meant.upper() + ending
    return (meant.capitalize() if typed[0].isupper() else meant) + ending


def _replaced(text: str, found: dict[Word, str], joined: dict[tuple[Word, Word], str]) -> Repair:
    spans = [(word.start, word.end, meant) for word, meant in found.items()]
    last = 0
    for (left, right), meant in joined.items():
        if left.start >= last:  # of three words in a row the first two
            spans.append((left.start, right.end, meant))
            last = right.end
    pieces, changes, position = [], [], 0
    for start, end, meant in sorted(spans):
        pieces += [text[position:start], meant]
        changes.append((text[start:end], meant))
        position = end
    return Repair("".join([*pieces, text[position:]]), tuple(changes))
