"""kb.retrieval.wording: one sentence with the question's words side by side is worth most"""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from indexer.writers.wording import write_wording
from kb.compute import kernels
from kb.retrieval.keyword_scores import KeywordScores, MatchedTerm
from kb.retrieval.wording import WordingIndex, asked_words

WORDS = st.lists(st.sampled_from(["a", "b", "c", "the", "x"]), max_size=7)
IDF = {"a": 3.0, "b": 1.0, "c": 2.0}


@pytest.fixture(params=["compiled", "numpy"], autouse=True)
def either(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    if request.param == "numpy":
        monkeypatch.setattr(kernels, "native", None)


def found(unknown: float = 0.0) -> KeywordScores:
    """What the keyword index has of a question with the terms of IDF, and others that nothing holds."""
    matched = tuple(MatchedTerm(term, idf, 0, 1) for term, idf in IDF.items())
    return KeywordScores(np.zeros(1, dtype=np.float32), sum(IDF.values()) + unknown, matched)


def by_hand(question: list[str], sentences: list[list[str]]) -> float:
    """The definition, in sets."""
    asked = {pair: sum(IDF.get(word, 0.0) for word in pair) for pair in pairwise(question)}
    best = 0.0
    for sentence in sentences:
        cover = sum(IDF.get(word, 0.0) for word in {*question} & {*sentence}) / sum(IDF.values())
        held = sum(worth for pair, worth in asked.items() if pair in {*pairwise(sentence)})
        best = max(best, held / (sum(asked.values()) or 1.0) * cover**2)
    return best


def hashed(words: list[str]) -> list[int]:
    return [ord(word[0]) for word in words]


@given(WORDS, st.lists(st.lists(WORDS, min_size=1, max_size=3), min_size=1, max_size=4))
def test_a_passage_has_the_best_of_its_sentences(
    question: list[str], passages: list[list[list[str]]]
) -> None:
    words: list[int] = []
    starts = [0]
    for sentences in passages:
        for number, sentence in enumerate(sentences):
            words += [kernels.SENTENCE_END] * (number > 0) + hashed(sentence)
        starts.append(len(words))
    asked = asked_words(question, found())
    rows = np.arange(len(passages))[::-1].copy()
    expected = [by_hand(question, sentences) for sentences in passages[::-1]]
    if asked is None:
        assert max(expected) == 0
        return
    asked = asked._replace(words=np.array(hashed(list(dict.fromkeys(question))), dtype=np.uint32))
    best = kernels.best_wordings(asked, np.array(words, dtype=np.uint32), np.array(starts), rows)
    assert best.tolist() == pytest.approx(expected, abs=1e-6)


def scores(folder: Path, question: list[str], *passages: list[str]) -> NDArray[np.float32]:
    write_wording(folder, passages)
    asked = asked_words(question, found())
    return WordingIndex(folder).scores(asked, np.arange(len(passages)))


def test_order_neighbourhood_and_the_same_sentence_count(tmp_path: Path) -> None:
    whole, parted, reversed_, apart, other = scores(
        tmp_path / "words",
        ["a", "b", "c"],
        ["x a b c x."],
        ["a b x c."],
        ["c b a."],
        ["a b.", "c."],
        ["x."],
    ).tolist()
    assert whole == pytest.approx(1.0)
    assert 1 > parted > apart > reversed_ == other == 0


def test_words_that_nothing_holds_keep_a_question_from_being_whole() -> None:
    known, half_known = (asked_words(["a", "b", "c"], found(unknown)) for unknown in (0.0, 6.0))
    assert known is not None
    assert half_known is not None
    assert half_known.covers.sum() == pytest.approx(known.covers.sum() / 2)


@pytest.mark.parametrize("question", [[], ["a"], ["x", "y"], ["the", "x"]])
def test_a_question_without_two_words_in_a_row_has_no_wording(question: list[str]) -> None:
    assert asked_words(question, found()) is None


def test_a_long_question_counts_as_far_as_its_first_words() -> None:
    asked = asked_words([f"w{n}" for n in range(3000)] + ["a"], found())
    assert asked is None
    asked = asked_words(["a", *(f"w{n}" for n in range(3000))], found())
    assert asked is not None
    assert len(asked.words) == kernels.MAX_WORDS


def test_arrays_that_do_not_fit_together_are_refused() -> None:
    asked = asked_words(["a", "b"], found())
    assert asked is not None
    words, starts = np.ones(4, dtype=np.uint32), np.array([0, 4])
    with pytest.raises((IndexError, ValueError)):
        kernels.best_wordings(asked, words, np.array([0, 5]), np.array([0]))
    with pytest.raises(IndexError):
        kernels.best_wordings(asked, words, starts, np.array([1]))
