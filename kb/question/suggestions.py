"""Completions of a text being typed: articles, sections and questions.

Every word typed must begin, or share its stem with, a word of what is suggested; one that begins none is taken as
a slip and may be a letter off. Question words and the like need not match. No article's text is read: a library's
titles, aliases and headings are compiled at build time into memory-mapped arrays in the folder `suggestions/`, E
entries in alphabetical order, W words, S stems, H hashes:

    entries.npy                   ENTRY (E,)
    texts.npy                     uint8: UTF-8 of each entry: what is shown, what is sorted by, and the address
    text_ends.npy                 int64 (E, 3)      where each of these three ends
    words.npy                     bytes (W,)        UTF-8, folded, sorted; `stems.npy` likewise
    word_letters.npy              uint8 (W,)
    word_starts.npy               int64 (W + 1,)    word w stands in the entries word_starts[w] to word_starts[w + 1] of
    word_entries.npy              uint32            `stem_starts` and `stem_entries` likewise
    slip_hashes.npy               uint32 (H,)       kb.text.symmetric_delete over the beginnings of the words, sorted
    slip_words.npy                uint32 (H,)       the first word that begins so, and
    slip_letters.npy              uint8 (H,)        how long that beginning is
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import pairwise
from pathlib import Path
from typing import Any
from urllib.parse import quote

import numpy as np
from numpy.typing import NDArray

from kb.compute.arrays import mapped
from kb.question.operators import MAX_QUESTION_CHARS
from kb.schema.arguments import check_text, check_whole
from kb.schema.article import article_path
from kb.schema.errors import InvalidRequest
from kb.schema.results import Suggestion, SuggestionKind
from kb.text import analysis
from kb.text.symmetric_delete import deletion_hashes, look_up
from kb.text.words import TYPED_WORD, without_accents

MAX_SUGGESTIONS = 50
"""Maximum number of suggestions in one answer."""

MAX_WORDS = 16
"""Maximum number of words of a text that is completed; a longer one is a message."""

MAX_WORD_BYTES = 31
"""Maximum size of a word in bytes; longer ones are cut, so that the sorted table has a small width."""

SLIP_LETTERS = range(3, 10)
"""Lengths of the beginnings that slips are looked for in: those compared, and one letter more or less."""

_COMPARED = SLIP_LETTERS[-2]
"""Number of letters, from the first on, in which one slip is forgiven."""

MAX_SLIPS = 2
"""Maximum number of slips in a longer word."""

ENTRY = np.dtype([("kind", "u1"), ("letters", "<u2")])
"""The kind of an entry, as an index into KINDS, and the number of letters in its words."""

KINDS: tuple[tuple[SuggestionKind, float], ...] = (
    ("article", 0.5),
    ("question", 0.5),
    ("article", 0.3),
    ("section", 0.0),
)
"""By `ENTRY.kind`: a title, a question, an alias, a section; each with what it counts in the order."""

TITLE, QUESTION, ALIAS, SECTION = range(len(KINDS))

_BEGINS, _STEM, _SLIP = 2.0, 0.7, 0.4
_LITTLE = frozenset(
    """a an and are as at be by can could do does for from has have how i if in is it me my of on or our
    should that the this to was we what when where which who why will with you your""".split()  # noqa: SIM905
)


def question_path(question: str) -> str:
    """The page that answers a question, `/?q={question}`, percent-encoded."""
    return f"/?q={quote(question, safe='')}"


def hidden_paths(ids: Iterable[str], names: Iterable[str]) -> frozenset[str]:
    """Where no suggestion may lead: to the articles of these ids, and to questions in these names."""
    return frozenset((*map(article_path, ids), *map(question_path, names)))


def split_words(text: str) -> list[str]:
    """The words of `text` in lower case, without accents or apostrophes."""
    return [_comparable(word) for word in TYPED_WORD.findall(text)]


def _comparable(word: str) -> str:
    """The word in lower case, without accents and apostrophes, cut to MAX_WORD_BYTES; a possessive s stays."""
    plain = word.lower().replace("'", "").replace("’", "")
    return cut(without_accents(plain)).decode()


def cut(word: str) -> bytes:
    """The word as it stands in a table: whole letters of UTF-8, at most MAX_WORD_BYTES."""
    encoded = word.encode(errors="ignore")[:MAX_WORD_BYTES]
    return encoded.decode(errors="ignore").encode()


class Suggestions:
    """The names of one generation. Read-only and safe to share between threads.

    Nothing is suggested that leads to one of the paths `hidden`, or to a section below one.
    """

    def __init__(
        self, folder: Path, base_url: str = "", hidden: frozenset[str] = frozenset()
    ) -> None:
        self._base_url = base_url
        self._hidden = hidden
        self._kinds = mapped(folder, "entries")["kind"]
        self._letters = mapped(folder, "entries")["letters"]
        self._texts = mapped(folder, "texts")
        self._text_ends = mapped(folder, "text_ends")
        self._words = mapped(folder, "words")
        self._word_letters = mapped(folder, "word_letters")
        self._word_starts = mapped(folder, "word_starts")
        self._word_entries = mapped(folder, "word_entries")
        self._stems = mapped(folder, "stems")
        self._stem_starts = mapped(folder, "stem_starts")
        self._stem_entries = mapped(folder, "stem_entries")
        self._slip_hashes = mapped(folder, "slip_hashes")
        self._slip_words = mapped(folder, "slip_words")
        self._slip_letters = mapped(folder, "slip_letters")
        self._bonus = np.array([bonus for _, bonus in KINDS], dtype=np.float32)

    def suggest(self, text: str, limit: int = 8) -> tuple[Suggestion, ...]:
        """At most `limit` suggestions (1 to MAX_SUGGESTIONS), best first, each address once; none for a blank text.

        Before others come those that begin as the text does, then those that hold its words whole and little else,
        names before sections. Raises InvalidRequest, which names the parameter and never repeats the text.
        """
        check_text("text", text)
        check_whole("limit", limit, 1, MAX_SUGGESTIONS)
        if len(text) > MAX_QUESTION_CHARS:
            raise InvalidRequest(
                "text",
                f"The text is {len(text):,} characters long; it must be at most {MAX_QUESTION_CHARS:,}. Shorten it.",
            )
        words = split_words(text)
        if not words or len(words) > MAX_WORDS:
            return ()
        ranked = self._rank(words, 4 * limit + 16)
        if not len(ranked):
            ranked = self._rank(words, 4 * limit + 16, forgiving=True)
        return tuple(self._distinct(ranked))[:limit]

    def _rank(self, words: list[str], most: int, *, forgiving: bool = False) -> NDArray[np.int64]:
        """The entries that match, best first, at most `most`; ties in alphabetical order.

        `forgiving` takes every word for a slip as well as for what it is.
        """
        total = np.zeros(len(self._kinds), dtype=np.float32)
        covered = np.zeros_like(total)
        matched = np.ones(len(total), dtype=np.bool_)
        distinct = dict.fromkeys(words)
        for word in distinct:
            quality = self._quality(word, forgiving)
            # The last word may be the beginning of any other: "the" of "therapy".
            if word not in _LITTLE or word == words[-1]:
                matched &= quality > 0
            total += quality
            covered += np.float32(len(word)) * (quality > 0)
        found = np.flatnonzero(matched & (total > 0))
        share = np.minimum(covered[found] / np.maximum(self._letters[found], 1), 1.0)
        score = total[found] / len(distinct) + share + self._bonus[self._kinds[found]]
        first, last = self._beginning_with(" ".join(words))
        score[(found >= first) & (found < last)] += _BEGINS
        if len(found) > most:
            # All that are as good as the last one taken stay in, so that the alphabet decides and not the partition.
            least = np.partition(score, len(score) - most)[len(score) - most]
            found, score = found[score >= least], score[score >= least]
        return found[np.argsort(-score, kind="stable")][:most]

    def _quality(self, word: str, forgiving: bool) -> NDArray[np.float32]:
        """How well each entry matches the word, (E,): 1 for the whole word, less for a beginning, 0 for no match."""
        quality = np.zeros(len(self._kinds), dtype=np.float32)
        for stem in analysis.terms(word):
            row = _find(self._stems, stem)
            if row < len(self._stems) and self._stems[row] == cut(stem):
                start, end = self._stem_starts[row : row + 2]
                quality[self._stem_entries[start:end]] = _STEM
        known = self._mark(quality, word, 1.0)
        if forgiving or not (known or quality.any()):
            for beginning in self._respelled(word):
                self._mark(quality, beginning, _SLIP)
        return quality

    def _mark(self, quality: NDArray[np.float32], beginning: str, most: float) -> bool:
        """Raise the quality of the entries with words that begin so; whether there are any."""
        first = _find(self._words, beginning)
        last = _find(self._words, beginning.encode() + b"\xff")
        if first == last:
            return False
        start, end = int(self._word_starts[first]), int(self._word_starts[last])
        sizes = np.diff(self._word_starts[first : last + 1])
        share = np.float32(len(beginning)) / self._word_letters[first:last]
        values = np.repeat((most * (0.6 + 0.4 * share)).astype(np.float32), sizes)
        np.maximum.at(quality, self._word_entries[start:end], values)
        return True

    def _respelled(self, word: str) -> set[str]:
        """Beginnings of words that are one slip away from `word`, or two where it is long; the nearest alone.

        Its own are none of them.
        """
        typed = word[:_COMPARED]
        if len(typed) <= SLIP_LETTERS[0]:
            return set()
        near: dict[str, int] = {}
        longer: set[int] = set()
        for row in look_up(self._slip_hashes, deletion_hashes(typed, 1)).tolist():
            first = int(self._slip_words[row])
            beginning = self._words[first].decode()[: int(self._slip_letters[row])]
            if not one_slip_at_most(typed, beginning):
                continue
            if len(word) > len(typed):
                longer.update(range(first, _find(self._words, beginning.encode() + b"\xff")))
            elif beginning != typed:
                near[beginning] = 1
        for place in longer:
            distance, beginning = nearest_beginning(word, self._words[place].decode(), MAX_SLIPS)
            if 1 <= distance <= MAX_SLIPS:
                near[beginning] = distance
        least = min(near.values(), default=0)
        return {beginning for beginning, distance in near.items() if distance == least}

    def _beginning_with(self, text: str) -> tuple[int, int]:
        """The range of entries whose words begin so."""
        return self._first_from(text), self._first_from(text + "\U0010ffff")

    def _first_from(self, text: str) -> int:
        low, high = 0, len(self._kinds)
        while low < high:
            middle = (low + high) // 2
            if self._key(middle) < text:
                low = middle + 1
            else:
                high = middle
        return low

    def _key(self, entry: int) -> str:
        """The sort key of an entry."""
        start, end, _ = self._text_ends[entry].tolist()
        return self._texts[start:end].tobytes().decode()

    def _strings(self, entry: int) -> tuple[str, str, str]:
        """The text shown, the sort key, and the path."""
        begin = int(self._text_ends[entry - 1, 2]) if entry else 0
        ends = self._text_ends[entry].tolist()
        shown, key, path = (
            self._texts[start:end].tobytes().decode() for start, end in pairwise((begin, *ends))
        )
        return shown, key, path

    def _distinct(self, ranked: NDArray[np.int64]) -> Iterable[Suggestion]:
        """Each address once, at its best place, and so each line of an article's; a title stands for its aliases."""
        shown: dict[str, Suggestion] = {}
        lines: set[tuple[str, str]] = set()
        for entry in ranked.tolist():
            text, _, path = self._strings(entry)
            kind = int(self._kinds[entry])
            page = path.partition("#")[0]
            if page in self._hidden:
                continue
            line = (page, text)
            if kind == TITLE or (path not in shown and line not in lines):
                shown[path] = Suggestion(text, KINDS[kind][0], self._base_url + path)
                lines.add(line)
        return shown.values()


def _find(table: NDArray[Any], key: str | bytes) -> int:
    """The first place in a sorted table of bytes that is not before `key`."""
    value = cut(key) if isinstance(key, str) else key
    return int(np.searchsorted(table, np.array(value, dtype=table.dtype)))


def one_slip_at_most(one: str, other: str) -> bool:
    """Whether an insertion, a deletion, a replacement or a swap of neighbours, or nothing, makes one of the other."""
    place = 0
    shorter = min(len(one), len(other))
    while place < shorter and one[place] == other[place]:
        place += 1
    rest, others = one[place:], other[place:]
    return (
        rest[1:] == others[1:]
        or rest == others[1:]
        or rest[1:] == others
        or (rest[2:] == others[2:] and rest[:2] == others[1::-1])
    )


def nearest_beginning(typed: str, word: str, most: int) -> tuple[int, str]:
    """The distance in slips from `typed` to the nearest beginning of `word`, and that beginning, the longest.

    Optimal string alignment: insertions, deletions, replacements, and swaps of neighbours. Where it takes more than
    `most` slips, `most` + 1 and "".
    """
    word = word[: len(typed) + most]
    same = 0
    while same < min(len(typed), len(word)) and typed[same] == word[same]:
        same += 1
    ahead = word[same:]
    before: list[int] = []
    row = list(range(len(ahead) + 1))
    for i, letter in enumerate(typed[same:], start=1):
        earlier, before = before, row
        row = [i]
        for j, other in enumerate(ahead, start=1):
            cost = min(before[j] + 1, row[j - 1] + 1, before[j - 1] + (letter != other))
            if i > 1 and j > 1 and letter == ahead[j - 2] and typed[same + i - 2] == other:
                cost = min(cost, earlier[j - 2] + 1)
            row.append(cost)
        if min(row) > most and min(before) > most:
            break
    least = min(row)
    if least > most:
        return most + 1, ""
    end = max(place for place, cost in enumerate(row) if cost == least)
    return least, word[: same + end]
