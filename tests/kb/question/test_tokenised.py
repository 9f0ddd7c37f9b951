"""kb.question.tokenised, and what a question's value takes from it"""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kb.question.query import QuestionReader
from kb.question.spelling import Spelling
from kb.question.tokenised import TokenisedText
from kb.question.vocabulary import FOLDER, Vocabulary
from kb.text import analysis


@given(st.text())
def test_stems_and_terms_are_those_of_the_analysis(text: str) -> None:
    found = TokenisedText.of(text)
    assert list(found.stems) == analysis.stems(text)
    assert list(found.terms) == analysis.terms(found.text)


def test_words_stand_in_the_composed_text() -> None:
    found = TokenisedText.of("two cafe\u0301s’ menus")
    assert [found.text[word.start : word.end] for word in found.words] == ["two", "cafés", "menus"]


@pytest.fixture(scope="module")
def reader(index_path: Path) -> QuestionReader:
    folder = index_path / "generations" / (index_path / "CURRENT").read_text().strip()
    return QuestionReader(
        Spelling(folder / "spelling"), Vocabulary(folder / FOLDER), lambda: ["en"]
    )


def test_what_is_ranked_leaves_out_what_was_typed_to_be_excluded(reader: QuestionReader) -> None:
    found = reader.read("leg cramps -night")
    assert found.typed.stems == ("leg", "cramp", "night")
    assert found.terms == ("leg", "cramp")


def test_a_plain_question_is_tokenised_once(
    reader: QuestionReader, monkeypatch: pytest.MonkeyPatch
) -> None:
    texts: list[str] = []
    words = analysis.words
    monkeypatch.setattr(analysis, "words", lambda text: [texts.append(text), *words(text)][1:])
    reader.read("why do my legs jerk")
    assert texts == ["why do my legs jerk"]
