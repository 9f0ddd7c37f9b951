"""kb.ranking.confidence"""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kb.ranking.confidence import (
    COVERED_TERMS,
    LEAD_WEIGHT,
    MAX_LEAD,
    answered,
    confident_from,
    covered,
    evidence,
    unrelated,
)

cosines = st.floats(-1, 1)
shares = st.floats(0, 1)
sizes = st.integers(0, 10_000_000)


@given(sizes)
def test_the_words_begin_at_their_thresholds(passages: int) -> None:
    line, sure = unrelated(passages), confident_from(passages)
    assert line < sure < 1
    assert answered(sure, 0, passages) == "confident"
    assert answered(sure - 1e-9, 0, passages) == "likely"
    assert answered(line, 0, passages) == "likely"
    assert answered(line - 1e-9, MAX_LEAD, passages) == "none"
    assert answered(0, 1, passages) == "none"


@given(sizes, shares)
def test_what_stands_out_needs_less_evidence(passages: int, lead: float) -> None:
    needed = confident_from(passages) - LEAD_WEIGHT * min(lead, MAX_LEAD)
    assert answered(max(needed, unrelated(passages)) + 1e-9, lead, passages) == "confident"


@given(st.tuples(cosines, cosines, shares), st.tuples(cosines, cosines, shares))
def test_more_of_anything_is_never_less_evidence(
    one: tuple[float, float, float], other: tuple[float, float, float]
) -> None:
    low, high = evidence(*map(min, one, other)), evidence(*map(max, one, other))
    assert low <= high <= 1


@given(shares, st.integers(0, 512))
def test_of_a_message_as_many_words_are_enough_as_are_in_a_short_question(
    share: float, terms: int
) -> None:
    worth = covered(share, terms)
    if terms <= COVERED_TERMS:
        assert worth == share
    else:
        assert worth == pytest.approx(min(1.0, share * terms / COVERED_TERMS))


@given(sizes, sizes)
def test_in_a_larger_library_something_nearer_must_be_found(one: int, other: int) -> None:
    assert unrelated(min(one, other)) <= unrelated(max(one, other))


def test_words_alone_are_no_answer_and_a_near_meaning_needs_no_words() -> None:
    for passages in (10, 1_000, 100_000):
        assert answered(evidence(0.1, 0.1, 1.0), 0, passages) != "confident"
        assert answered(evidence(0.75, 0.8, 0.0), MAX_LEAD, passages) == "confident"


def test_the_line_is_where_it_was_laid() -> None:
    assert unrelated(237) == pytest.approx(0.263, abs=0.005)
    assert unrelated(36_437) == pytest.approx(0.425, abs=0.005)
