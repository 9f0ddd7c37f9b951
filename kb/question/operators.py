"""Operators in a question: the text to rank by, and the conditions that a passage must meet.

Operators, all of them filters: `"a phrase"`, `-word`, `title:word`, `heading:word` (each also with a phrase), and
`begin*` with 3 letters or more; in questions of at most MAX_OPERATOR_WORDS words. Everything else is plain text and
never an error. A minus leaves out only beside a word that is looked for, and where it can be nothing else
(`kb.question.minus`).
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

from kb.question.minus import Meaning, read_minus
from kb.schema.errors import InvalidRequest
from kb.schema.results import Exclusion

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

_LAST_WORD = re.compile(r"[^\W_]+(?=[^\w\s]*\s*$)")


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
    """`text` is what rankers see: the question less its operators' signs and its excluded words.

    `excluded` says which words those are; None where there are none.
    """

    text: str
    conditions: tuple[Condition, ...]
    excluded: Exclusion | None = None


def parse_question(typed: str, is_word: Callable[[str], bool] = lambda _: False) -> Question:
    """Read a question. Raises InvalidRequest, which never repeats the text, for a blank or overlong one.

    `is_word` says whether the library or its language has a word; it is asked only beside a minus.
    """
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
    found = [_Operator(match, _meaning(cleaned, match, is_word)) for match in _matches(cleaned)]
    if not _leaves_something(cleaned, found):
        found = [each for each in found if each.minus != "exclusion"]
    conditions = tuple(
        _condition(each.match) for each in found if each.minus in ("exclusion", None)
    )
    text = _rewritten(cleaned, found, _ranked_by)
    words = tuple(each.match[0].lstrip("-") for each in found if each.minus == "exclusion")
    if not words:
        return Question(text, conditions)
    return Question(text, conditions, Exclusion(words, _rewritten(cleaned, found, _included)))


class _Operator(NamedTuple):
    """What looks like an operator, and what its minus means, if it has one."""

    match: re.Match[str]
    minus: Meaning | None


def _matches(question: str) -> Iterator[re.Match[str]]:
    """The words of a question with a sign of an operator."""
    for match in _OPERATOR.finditer(question):
        if match["minus"] or match["field"] or match["phrase"] or _is_beginning(match):
            yield match


def _is_beginning(match: re.Match[str]) -> bool:
    """Whether it is the beginning of a word; too many words begin with one letter or two."""
    return bool(match["star"]) and len(match["word"]) >= 3


def _meaning(question: str, match: re.Match[str], is_word: Callable[[str], bool]) -> Meaning | None:
    if not match["minus"]:
        return None
    if match["field"] or match["phrase"]:
        return "exclusion"
    before = _LAST_WORD.search(question[: match.start()])
    return read_minus(before[0] if before else "", match["word"], is_word)


def _leaves_something(question: str, found: Sequence[_Operator]) -> bool:
    """Whether there is a word that is not left out."""
    return any(
        map(
            str.isalnum,
            _rewritten(question, [e for e in found if e.minus == "exclusion"], _ranked_by),
        )
    )


def _rewritten(question: str, found: Sequence[_Operator], put: Callable[[_Operator], str]) -> str:
    """The question with something put for each operator."""
    pieces, position = [], 0
    for each in found:
        before = question[position : each.match.start()]
        pieces += [before.rstrip() if each.minus == "hyphen" else before, put(each)]
        position = each.match.end()
    return " ".join("".join((*pieces, question[position:])).split())


def _ranked_by(operator: _Operator) -> str:
    match operator.minus:
        case None:
            return operator.match["phrase"] or operator.match["word"]
        case "exclusion":
            return " "
        case _:
            return operator.match[0]


def _included(operator: _Operator) -> str:
    """What asks for an excluded word rather than leaving it out."""
    if operator.minus == "exclusion":
        return operator.match["phrase"] or operator.match["word"]
    return operator.match[0]


def _condition(match: re.Match[str]) -> Condition:
    kind: Kind = "prefix" if _is_beginning(match) else "phrase"
    field = match["field"].lower() if match["field"] else None
    return Condition(kind, match["phrase"] or match["word"], field, bool(match["minus"]))


def _printable(letter: str) -> str:
    """Control characters and lone surrogates stand for nothing that an article could hold."""
    return " " if unicodedata.category(letter) in ("Cc", "Cs") else letter
