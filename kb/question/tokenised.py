"""A text of a question with its words, found once."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from kb.text import analysis
from kb.text.analysis import Token


@dataclass(frozen=True)
class TokenisedText:
    """A text in NFC, with the stem and the offsets of every word, small words included."""

    text: str
    words: Sequence[Token]

    @classmethod
    def of(cls, text: str) -> TokenisedText:
        """Find the words of a text."""
        composed = unicodedata.normalize("NFC", text)
        return cls(composed, tuple(analysis.words(composed)))

    @cached_property
    def stems(self) -> tuple[str, ...]:
        """The stems of the words, in order."""
        return tuple(word.term for word in self.words)

    @cached_property
    def indexed_stems(self) -> tuple[str, ...]:
        """The stems of the words as the keyword index parts them, in order, stop words included."""
        return tuple(analysis.indexed_words(self.text))

    @cached_property
    def terms(self) -> tuple[str, ...]:
        """The terms that the keyword index is asked for, in order: no small words, repeats included."""
        return tuple(analysis.terms(self.text))
