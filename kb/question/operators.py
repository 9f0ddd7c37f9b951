"""Operators in a question: the text to rank by, and the conditions that a passage must meet.

Operators, all of them filters: `"a phrase"`, `-word`, `title:word`, `heading:word` (each also with a phrase), and
`begin*` with 3 letters or more; in questions of at most MAX_OPERATOR_WORDS words. Everything else is plain text and
never an error.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from typing import Literal

from kb.schema.errors import InvalidRequest

MAX_QUESTION_CHARS = 4000
"""Maximum length of a question in characters."""

MAX_OPERATOR_WORDS = 16
"""Maximum number of words of a question with operators. In a longer one quotation marks and dashes are only that."""

Kind = Literal["phrase", "prefix"]

_OPERATOR = re.compile(
    r"""(?<![^\s(])                      # at the start of a word
    (?P<minus>-)?
    (?:(?P<field>title|heading):)?
    (?:["“](?P<phrase>[^"“”]+)["”] | (?P<word>[^\W_][\w'’]*)(?P<star>\*)?)
    (?![^\s).,;:!?])                     # and nothing but punctuation behind it""",
    re.VERBOSE | re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Condition:
    """A phrase of one or more words, or a word's beginning, that a passage must hold; `negated`, must not hold.

    `field` limits it to "title" or "heading"; None is any field.
    """

    kind: Kind
    text: str
    field: str | None
    negated: bool


@dataclass(frozen=True, slots=True)
class Question:
    """`text` is what rankers see: the question less its operators' signs and its excluded words."""

    text: str
    conditions: tuple[Condition, ...]


def parse_question(typed: str) -> Question:
    """Read a question. Raises InvalidRequest, which never repeats the text, for a blank or overlong one."""
    if len(typed) > MAX_QUESTION_CHARS:
        raise InvalidRequest(
            "question",
            f"The question is {len(typed):,} characters long; it must be at most {MAX_QUESTION_CHARS:,}. Shorten it.",
        )
    cleaned = unicodedata.normalize(
        "NFC", typed if typed.isprintable() else "".join(map(_printable, typed))
    )
    cleaned = " ".join(cleaned.split())
    if not cleaned:
        raise InvalidRequest("question", "The question is empty. Type a few words.")
    if len(cleaned.split()) > MAX_OPERATOR_WORDS:
        return Question(cleaned, ())
    conditions: list[Condition] = []

    def take(match: re.Match[str]) -> str:
        phrase, word, star = match["phrase"], match["word"], match["star"]
        if star and len(word) < 3:  # too many words begin so
            star = None
        if not (match["minus"] or match["field"] or phrase or star):
            return match[0]
        kind: Kind = "prefix" if star else "phrase"
        field = match["field"].lower() if match["field"] else None
        conditions.append(Condition(kind, phrase or word, field, bool(match["minus"])))
        return " " if match["minus"] else phrase or word

    text = " ".join(_OPERATOR.sub(take, cleaned).split())
    return Question(text, tuple(conditions))


def _printable(letter: str) -> str:
    """Control characters and lone surrogates stand for nothing that an article could hold."""
    return " " if unicodedata.category(letter) in ("Cc", "Cs") else letter
