"""A weighted edit distance: how unlikely a typed word was meant as a known one.

Wagner and Fischer (1974), with swaps of neighbours. Frequent mistakes cost little. The distance is taken twice, between
the words as written and between their sounds, and the smaller counts.
"""

from __future__ import annotations

import math
import re
from itertools import accumulate

DOUBLED_COST = 0.4
SWAPPED_COST = 0.5
VOWEL_COST = 0.5
"""A vowel, or an h, too many or too few, or one vowel for another."""
LIKE_SOUND_COST = 0.5
NEIGHBOUR_KEY_COST = 0.8
LETTER_COST = 0.8
"""Any other letter too many or too few."""
REPLACED_COST = 1.2
FIRST_LETTER_COST = 0.4
"""Additional cost of a slip in the first letter, which people seldom get wrong."""

SAME_SOUND_COST = 0.3
"""Cost of words that are the same by sound alone."""
FIRST_SOUND_COST = 0.2
"""Additional cost where the first letters of such words differ."""

_SOFT = frozenset("aeiouyh")
_KEYS = ("qwertyuiop", "asdfghjkl", "zxcvbnm")
_SAID_ALIKE = ("ck", "cs", "sz", "kq", "gj", "fv", "uw", "mn", "td", "bp", "xs", "xz")


def _replacements() -> dict[tuple[str, str], float]:
    """The costs of writing one letter for another that are below REPLACED_COST."""
    costs = {
        (_KEYS[row][place], _KEYS[other][near]): NEIGHBOUR_KEY_COST
        for row in range(len(_KEYS))
        for place in range(len(_KEYS[row]))
        for other in (row - 1, row, row + 1)
        for near in (place - 1, place, place + 1)
        if 0 <= other < len(_KEYS) and 0 <= near < len(_KEYS[other])
    }
    for pair in _SAID_ALIKE:
        costs[pair[0], pair[1]] = costs[pair[1], pair[0]] = LIKE_SOUND_COST
    vowels = "aeiouy"
    costs |= {(one, other): VOWEL_COST for one in vowels for other in vowels}
    return costs


_REPLACEMENTS = _replacements()

# In this order. Medical English is half Greek: what is written in many ways is made one.
_SOUNDS = tuple(
    (re.compile(written), sound)
    for written, sound in (
        (r"^(?:pn|kn|gn|mn)", "n"),
        (r"^ps", "s"),
        (r"^pt", "t"),
        (r"^wr", "r"),
        (r"^x", "s"),
        (r"sth(?=m)", "s"),
        (r"th", "0"),
        (r"ph|gh$", "f"),
        (r"[tscx]ion", "shun"),
        (r"sch|ch|ck", "k"),
        (r"sc(?=[eiy])", "s"),
        (r"c(?=[eiy])", "s"),
        (r"qu|q", "k"),
        (r"c", "k"),
        (r"x", "ks"),
        (r"dge|g(?=[eiy])", "j"),
        (r"z", "s"),
        (r"y", "i"),
        (r"[ao]e", "e"),
        (r"(?<!^)h", ""),
        (r"(.)\1+", r"\1"),
        (r"(?<=..)e$", ""),
    )
)


def sound(word: str) -> str:
    """A rough spelling of a lower-case word by its sound; words that sound alike often get the same."""
    for written, heard in _SOUNDS:
        word = written.sub(heard, word)
    return word


def unlikeness(
    typed: str, meant: str, heard: str, meant_sound: str, most: float = math.inf
) -> float:
    """0 for the same word; about 0.5 for one common slip, 0.8 for any other, more for several.

    All in lower case; `heard` and `meant_sound` are what `sound` gives for the words. What is above `most` may be given
    as infinity, which is quicker.
    """
    if typed == meant:
        return 0.0
    ear = SAME_SOUND_COST if typed[0] == meant[0] else SAME_SOUND_COST + FIRST_SOUND_COST
    if heard == meant_sound and ear < DOUBLED_COST:
        return ear  # no slip by eye costs less
    by_eye = weighted_distance(typed, meant, most)
    return min(by_eye, ear + weighted_distance(heard, meant_sound, min(most, by_eye) - ear))


def weighted_distance(typed: str, meant: str, most: float = math.inf) -> float:
    """The least cost of the slips that make `typed` of `meant`, or infinity where it is above `most`."""
    if typed == meant:
        return 0.0
    if max(abs(len(typed) - len(meant)), 1) * DOUBLED_COST > most:  # no slip costs less
        return math.inf
    shorter = min(len(typed), len(meant))
    start = 0
    while start < shorter and typed[start] == meant[start]:
        start += 1
    shared = 0
    while shared < shorter - start and typed[-1 - shared] == meant[-1 - shared]:
        shared += 1
    # What is common at both ends costs nothing. One letter of it stays: the next may double it, or be swapped with it.
    start, shared = max(start - 1, 0), max(shared - 1, 0)
    first = FIRST_LETTER_COST if start == 0 and typed[0] != meant[0] else 0.0
    cost = first + _distance(
        typed[start : len(typed) - shared], meant[start : len(meant) - shared], most - first
    )
    return cost if cost <= most else math.inf


def _distance(typed: str, meant: str, most: float) -> float:
    typed_gaps, meant_gaps = _gaps(typed), _gaps(meant)
    before: list[float] = []
    row = [0.0, *accumulate(meant_gaps)]
    for i, letter in enumerate(typed):
        earlier, before = before, row
        gap = typed_gaps[i]
        last = before[0] + gap
        row = [last]
        for j, other in enumerate(meant):
            cost = before[j]
            if letter != other:
                cost += _REPLACEMENTS.get((letter, other), REPLACED_COST)
            cost = min(cost, before[j + 1] + gap, last + meant_gaps[j])
            if (
                i
                and j
                and letter == meant[j - 1]
                and typed[i - 1] == other
                and earlier[j - 1] + SWAPPED_COST < cost
            ):
                cost = earlier[j - 1] + SWAPPED_COST
            row.append(cost)
            last = cost
        if min(row) > most and min(before) > most:
            return math.inf
    return row[-1]


def _gaps(word: str) -> list[float]:
    """The cost of adding or leaving out each letter."""
    return [
        DOUBLED_COST
        if letter in (before, after)
        else VOWEL_COST
        if letter in _SOFT
        else LETTER_COST
        for before, letter, after in zip(" " + word, word, word[1:] + " ", strict=False)
    ]
