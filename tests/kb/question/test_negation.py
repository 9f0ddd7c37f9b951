"""kb.question.negation"""

from __future__ import annotations

import pytest

from kb.question.negation import agreement, negated


@pytest.mark.parametrize(
    ("question", "same", "opposite"),
    [
        ("gluten free bread", "Bread without gluten", "Bread with gluten"),
        ("when may I not drive", "You may not drive then", "You may drive then"),
        ("which creams are not safe", "Unsafe creams", "Safe creams"),
        ("a lump that doesn't hurt", "It does not hurt", "It hurts"),
        ("painless sores", "Sores with no pain", "Sores with pain"),
        ("causes other than noise", "Other causes than noise", "Noise is a cause"),
        ("pills besides aspirin", "Apart from aspirin there are some", "Aspirin is a pill"),
    ],
)
def test_a_text_that_says_the_same_is_told_from_the_opposite(
    question: str, same: str, opposite: str
) -> None:
    asked = negated(question)
    assert asked is not None
    assert agreement(asked, same) > 0.4
    assert agreement(asked, opposite) < 0
    assert agreement(asked, "Nothing of that kind") == 0


@pytest.mark.parametrize(
    "question", ["restless legs", "free dental care", "not only children", "what is it", "unless"]
)
def test_other_questions_negate_nothing(question: str) -> None:
    assert negated(question) is None


def test_a_negation_ends_with_its_clause() -> None:
    asked = negated("not contagious, but itchy")
    assert asked is not None
    assert set(asked.terms) == {"contagi"}
    assert asked.excludes is False
