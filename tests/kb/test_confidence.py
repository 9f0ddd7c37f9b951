"""kb.confidence"""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kb.confidence import CONFIDENT, LIKELY, answered, evidence

cosines = st.floats(-1, 1)
shares = st.floats(0, 1)


def test_the_words_begin_at_their_thresholds() -> None:
    assert answered(CONFIDENT) == "confident"
    assert answered(CONFIDENT - 1e-9) == "likely"
    assert answered(LIKELY) == "likely"
    assert answered(LIKELY - 1e-9) == "none"
    assert answered(0) == "none"


def test_evidence_is_the_cosine_and_the_words_that_are_held() -> None:
    assert evidence(0.5, 0.5) == pytest.approx(0.9 * 0.5 + 0.1 * 0.5)
    assert evidence(-0.5, 1.0) == pytest.approx(0.1)


@given(cosines, shares, cosines, shares)
def test_more_of_anything_is_never_less_evidence(
    cosine: float, share: float, more: float, most: float
) -> None:
    low = evidence(min(cosine, more), min(share, most))
    high = evidence(max(cosine, more), max(share, most))
    assert 0 <= low <= high <= 1


def test_words_alone_are_no_answer_and_a_near_meaning_needs_no_words() -> None:
    assert answered(evidence(0.1, 1.0)) == "none"
    assert answered(evidence(0.75, 0.0)) == "confident"
