"""Whether a minus before a word was meant to leave the word out.

`sleep -children` leaves children out. But people also type a minus for a hyphen with a space by mistake ("x -ray",
"post -natal"), for a range ("60 -100") and for a number below zero ("below -20 degrees"). To take one of these for an
operator hides what was asked for, while a word too many hides nothing. So where a minus may be something else, it is.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

from kb.text.analysis import terms

Meaning = Literal["exclusion", "hyphen", "sign"]
"""What a minus is: an operator, a hyphen with a space before it by mistake, or a dash or sign like any other."""

_FORMS_BEFORE = frozenset(
    str.split(
        "ante anti auto bi bio broncho cardio cerebro co contra counter cross de di dis electro endo ex extra gastro "
        "geo haemo half hemo hetero high homo hydro hyper hypo immuno infra inter intra intro iso knock low macro mal "
        "mega meta micro mid mini mis mono multi musculo naso neo neuro non oro osteo over para peri photo physio "
        "poly post pre pro proto pseudo psycho quasi radio re retro self semi socio sub super supra thermo trans tri "
        "ultra un under uni vaso vice well year years month months week weeks day days hour hours minute minutes"
    )
)
"""What stands before a hyphen rather than alone, and units of time ("two year -old")."""

_FORMS_BEHIND = frozenset(
    str.split(
        "aged assisted based bound coloured containing dependent ended fed free friendly haired headed hearted "
        "induced infected lasting like looking made minded neg negative old oriented pos positive prone related "
        "resistant shaped sided sized specific term threatening ve wide wise"
    )
)
"""What stands behind a hyphen in a compound ("long -term", "HIV -positive")."""


def read_minus(before: str, word: str, is_word: Callable[[str], bool]) -> Meaning:
    """What a minus directly before `word` means, where `before` is the word in front of the minus, if any.

    It leaves out no number, single letter or small word, and nothing behind a number. It is a hyphen behind a single
    letter, between words that `is_word` knows as one, and beside what stands in compounds.
    """
    before, word = before.lower(), word.lower()
    if not word[0].isalpha():
        return "sign"
    if before:
        if any(map(str.isdigit, before)):
            return "sign"
        if len(before) == 1 or len(word) == 1 or before in _FORMS_BEFORE or word in _FORMS_BEHIND:
            return "hyphen"
        if is_word(before + word):
            return "hyphen"
    return "exclusion" if len(word) > 1 and terms(word) else "sign"
