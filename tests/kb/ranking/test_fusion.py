"""kb.ranking.fusion"""

from __future__ import annotations

from dataclasses import astuple, fields

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kb.ranking.fusion import (
    CANDIDATE_DEPTH,
    DEFAULT_WEIGHTS,
    KNOWN_TOKENS,
    LONG_QUESTION,
    MESSAGE_FACTORS,
    NAME_TERMS,
    SENTENCE_TERMS,
    SHORT_QUESTION,
    UNKNOWN_TOKENS,
    FusionWeights,
    adapted,
    combine,
    depths,
    normalised,
    restrict_to_mode,
    signal_values,
)
from kb.retrieval.candidates import LibraryTraits
from kb.retrieval.signals import SIGNALS
from kb.schema.search_request import MODES


def scores(*rows: tuple[float, ...], weights: FusionWeights) -> list[float]:
    """The scores of candidates whose signals are given in the order of SIGNALS."""
    found: list[float] = combine(
        signal_values(np.array(rows, dtype=np.float32).T), weights
    ).tolist()
    return found


def test_each_signal_has_a_weight() -> None:
    assert tuple(field.name for field in fields(FusionWeights)) == SIGNALS
    assert DEFAULT_WEIGHTS.column()[:, 0].tolist() == list(astuple(DEFAULT_WEIGHTS))


@given(st.lists(st.tuples(*[st.floats(-1, 1, width=32)] * len(SIGNALS)), min_size=1, max_size=40))
def test_candidates_with_equal_signals_have_the_very_same_score(
    rows: list[tuple[float, ...]],
) -> None:
    found = scores(*rows, *rows, weights=DEFAULT_WEIGHTS)
    assert found[: len(rows)] == found[len(rows) :]


def test_each_mode_has_as_many_candidates() -> None:
    assert [sum(depths(mode)) for mode in MODES] == [2 * CANDIDATE_DEPTH] * 3
    assert depths("keyword")[1] == depths("dense")[0] == 0


@pytest.mark.parametrize("weights", [DEFAULT_WEIGHTS, FusionWeights(0, 0.25, 0.5, 0.25, 0, 0)])
def test_a_mode_gives_the_other_side_no_weight_and_its_own_what_that_had(
    weights: FusionWeights,
) -> None:
    words, meaning = restrict_to_mode(weights, "keyword"), restrict_to_mode(weights, "dense")
    assert restrict_to_mode(weights, "hybrid") == weights
    assert (words.dense, words.sentence, words.name) == (0, 0, 0)
    assert (meaning.keyword, meaning.focus, meaning.wording) == (0, 0, 0)
    for each in (words, meaning):
        assert sum(astuple(each)) == pytest.approx(sum(astuple(weights)))
    if weights.keyword:
        assert words.focus / words.keyword == pytest.approx(weights.focus / weights.keyword)
    else:
        assert words.keyword == 1.0
    assert meaning.name / meaning.dense == pytest.approx(weights.name / weights.dense)


def test_the_score_is_the_weighted_sum() -> None:
    weights = FusionWeights(
        keyword=0.1, dense=0.2, sentence=0.25, name=0.2, focus=0.15, wording=0.1
    )
    combined = scores(
        (0.5, 0.25, 0.375, 0.75, 1.0, 0.5), (0.0, -0.5, 1.0, -0.5, 0.5, 0.0), weights=weights
    )
    assert combined == pytest.approx(
        [
            0.1 * 0.5 + 0.2 * 0.25 + 0.25 * 0.375 + 0.2 * 0.75 + 0.15 * 1.0 + 0.1 * 0.5,
            0.1 * 0.0 + 0.2 * -0.5 + 0.25 * 1.0 + 0.2 * 0.0 + 0.15 * 0.5,
        ],
        abs=1e-15,
    )


NAMES = LibraryTraits(NAME_TERMS, 1.2)


def for_library(title_terms: float, terms: int = SHORT_QUESTION) -> FusionWeights:
    return normalised(adapted(DEFAULT_WEIGHTS, LibraryTraits(title_terms, 1.2), terms), 1.0)


@given(st.floats(0.1, 30), st.floats(0.1, 30))
def test_the_longer_the_titles_the_less_a_name_counts_and_the_sum_stays(
    shorter: float, longer: float
) -> None:
    shorter, longer = min(shorter, longer), max(shorter, longer)
    more, less = for_library(shorter), for_library(longer)
    assert DEFAULT_WEIGHTS.name >= more.name >= less.name >= 0
    assert DEFAULT_WEIGHTS.focus >= more.focus >= less.focus >= 0
    assert sum(astuple(more)) == pytest.approx(sum(astuple(less))) == pytest.approx(1)
    assert (less.keyword, less.dense, less.sentence) >= (more.keyword, more.dense, more.sentence)


def test_names_count_in_full_in_a_library_of_names_and_nothing_among_sentences() -> None:
    assert astuple(for_library(NAME_TERMS)) == pytest.approx(astuple(DEFAULT_WEIGHTS))
    assert (for_library(SENTENCE_TERMS).name, for_library(SENTENCE_TERMS).focus) == (0, 0)
    assert for_library(0) == for_library(SENTENCE_TERMS)


@given(st.integers(0, 60), st.integers(0, 60))
def test_the_longer_the_question_the_more_its_focus_counts_the_less_a_sentence_and_the_sum_stays(
    one: int, other: int
) -> None:
    short, long = (for_library(NAME_TERMS, terms) for terms in sorted((one, other)))
    assert sum(astuple(short)) == pytest.approx(sum(astuple(long))) == pytest.approx(1)
    assert short.focus <= long.focus + 1e-12
    assert short.sentence / short.dense >= long.sentence / long.dense - 1e-12
    assert long.dense > 0


def test_a_question_is_to_the_point_up_to_a_length_and_a_message_from_another_on() -> None:
    assert adapted(DEFAULT_WEIGHTS, NAMES, SHORT_QUESTION) == DEFAULT_WEIGHTS
    message = adapted(DEFAULT_WEIGHTS, NAMES, LONG_QUESTION)
    factors = np.array(astuple(message)) / np.array(astuple(DEFAULT_WEIGHTS))
    assert factors == pytest.approx(np.array(astuple(MESSAGE_FACTORS)))
    assert adapted(DEFAULT_WEIGHTS, NAMES, 100) == message


@given(st.floats(0, 6), st.floats(0, 6))
def test_the_less_the_model_knows_the_language_the_more_words_decide(
    one: float, other: float
) -> None:
    more, less = (
        normalised(adapted(DEFAULT_WEIGHTS, LibraryTraits(NAME_TERMS, tokens), 3), 1.0)
        for tokens in sorted((one, other))
    )
    assert less.keyword >= more.keyword - 1e-12
    assert less.wording >= more.wording - 1e-12
    assert less.dense <= more.dense + 1e-12
    assert less.sentence <= more.sentence + 1e-12


def test_of_a_language_that_the_model_does_not_know_words_alone_count() -> None:
    arabic = adapted(DEFAULT_WEIGHTS, LibraryTraits(NAME_TERMS, UNKNOWN_TOKENS), 3)
    assert (arabic.dense, arabic.sentence, arabic.name) == (0, 0, 0)
    assert arabic.keyword == DEFAULT_WEIGHTS.keyword
    english = adapted(DEFAULT_WEIGHTS, LibraryTraits(NAME_TERMS, KNOWN_TOKENS), 3)
    assert english == DEFAULT_WEIGHTS


def test_weights_of_nothing_stay_nothing() -> None:
    nothing = FusionWeights(0, 0, 0, 0, 0, 0)
    assert normalised(nothing, 1.0) == nothing


def test_the_default_weights_add_up_to_one_so_that_no_score_is_above_it() -> None:
    weights = DEFAULT_WEIGHTS
    assert sum(astuple(weights)) == pytest.approx(1)
    assert min(astuple(weights)) >= 0
    assert scores((1, 1, 1, 1, 1, 1), weights=weights) == [pytest.approx(1)]
