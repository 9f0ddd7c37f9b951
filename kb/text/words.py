"""What a word is, for each purpose, and how words are folded.

The patterns differ on purpose. Only the keyword index keeps "2.5" together, and only spelling leaves digits out.
"""

from __future__ import annotations

import re
import unicodedata

INDEXED_WORD = re.compile(r"[^\W_]+(?:['’][^\W_]+|\.(?=\d)[^\W_]+)*")
"""A word of the keyword index: letters and digits, joined by an apostrophe or a decimal point ("don't", "2.5")."""

PHRASE_WORD = re.compile(r"[^\W_]+(?:'[^\W_]+)*")
"""A word of names and notices, in a text with straight apostrophes."""

TYPED_WORD = re.compile(r"[^\W_]+(?:['’][^\W_]+)*")
"""A word of a text that is being typed, or of a completion."""

SPELT_WORD = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)*")
"""A word that spelling knows: letters alone, joined by an apostrophe."""

# As they are typed; one for one, so that offsets stay.
_APOSTROPHES = str.maketrans(dict.fromkeys("’‘ʼ`´＇", "'"))


def straight_apostrophes(text: str) -> str:
    """The text with every sign that is typed for an apostrophe made one; offsets stay."""
    return text.translate(_APOSTROPHES)


def without_accents(text: str) -> str:
    """The text decomposed (NFKD), without its combining characters."""
    if text.isascii():
        return text
    decomposed = unicodedata.normalize("NFKD", text)
    return "".join(letter for letter in decomposed if not unicodedata.combining(letter))


def fold(word: str) -> str:
    """The word in lower case, without accents, apostrophes and a possessive s."""
    plain = without_accents(word.lower())
    return plain.replace("’", "'").removesuffix("'s").replace("'", "")
