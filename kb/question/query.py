"""A question as it is ranked: its repaired text, terms, names and conditions."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass

from kb.question.name_alone import name_alone
from kb.question.operators import Condition, parse_question
from kb.question.small_names import small_names
from kb.question.spelling import Spelling
from kb.question.tokenised import TokenisedText
from kb.question.vocabulary import Concept, Vocabulary, acronyms
from kb.schema.results import Correction, Exclusion
from kb.text.language import foreign_language

MAX_TERMS = 512
"""Maximum number of terms that count: twice the number of tokens that the encoder sees."""


@dataclass(frozen=True, slots=True)
class Query:
    """A question as rankers see it.

    `typed` is the question as it was typed. `text` is what is encoded: without the signs of operators, repaired.
    `terms` are the terms of `text`, repeats included; `stems` are those of all its words, stop words included. `name`
    are those of a question that may be a name and no more, else empty; `small_names` the keys of one of small words
    alone (kb.question.small_names). `concepts` are the names in it that the library has other names for. `correction`
    says what was repaired. `foreign` is the code of a language that the library does not have. `excluded` says what it
    leaves out.
    """

    typed: TokenisedText
    text: str
    terms: tuple[str, ...]
    stems: tuple[str, ...]
    name: tuple[str, ...]
    concepts: tuple[Concept, ...]
    conditions: tuple[Condition, ...]
    correction: Correction | None
    foreign: str | None
    excluded: Exclusion | None = None
    small_names: tuple[str, ...] = ()

    @property
    def is_begun(self) -> bool:
        """Whether it is nothing but beginnings of words, such as `magn*`, that a passage must hold."""
        begun = [each for each in self.conditions if each.kind == "prefix" and not each.negated]
        return bool(begun) and len(begun) == len(self.text.split())


class QuestionReader:
    """Reads questions for one generation. Safe to share between threads."""

    def __init__(
        self, spelling: Spelling, vocabulary: Vocabulary, languages: Callable[[], Collection[str]]
    ) -> None:
        """`languages` gives the BCP 47 tags of the library's articles; it is called for strange questions only."""
        self._spelling = spelling
        self._vocabulary = vocabulary
        self.languages = languages

    def read(self, typed: str, *, exact: bool = False) -> Query:
        """Read a question; `exact` leaves its spelling as it is. Raises InvalidRequest, as parse_question does.

        Words between quotation marks or behind an operator are meant as they stand, so a question with any is not
        repaired.
        """
        parsed = parse_question(typed, self._spelling.knows)
        text, correction = parsed.text, None
        reading = self._spelling.read(text)
        foreign = foreign_language(text, reading.strangeness, self.languages)
        if not (exact or parsed.conditions or foreign):
            repair = self._spelling.repaired(reading)
            if repair.changes:
                text, correction = repair.text, Correction(repair.text, repair.changes)
        as_typed = TokenisedText.of(typed)
        ranked = as_typed if text == as_typed.text else TokenisedText.of(text)
        terms = ranked.terms[:MAX_TERMS]
        concepts = self._vocabulary.concepts(ranked)
        return Query(
            typed=as_typed,
            text=text,
            terms=terms + acronyms(concepts),
            stems=ranked.indexed_stems,
            name=name_alone(ranked.stems, terms),
            concepts=concepts,
            conditions=parsed.conditions,
            correction=correction,
            foreign=foreign,
            excluded=parsed.excluded,
            small_names=small_names(ranked),
        )
