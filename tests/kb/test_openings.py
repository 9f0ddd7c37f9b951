"""kb.openings"""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kb.knowledge_base import KnowledgeBase
from kb.openings import REACH, lifts, name_alone

candidates = st.lists(
    st.tuples(st.integers(0, 100), st.integers(0, 4), st.booleans()), min_size=1, max_size=30
)


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("Restless legs", ("restless", "leg")),
        ("What are restless legs?", ("restless", "leg")),
        ("what’s glaucoma", ("glaucoma",)),
        ("tell me about cancer of the colon", ("cancer", "colon")),
        ("cramp cramps", ("cramp",)),
        ("my leg cramps at night", ("leg", "cramp", "night")),
        ("x-linked hypophosphatemia", ("x", "link", "hypophosphatemia")),
    ],
)
def test_what_asks_what_something_is_may_be_a_name(text: str, name: tuple[str, ...]) -> None:
    assert name_alone(text) == name


@pytest.mark.parametrize(
    "text",
    [
        "why restless legs",
        "how are cramps treated",
        "when cramps",
        "what to do about cramps",
        "can I have cramps",
        "what is it",
        "what",
        "?",
        "",
    ],
)
def test_what_asks_for_more_is_none(text: str) -> None:
    assert name_alone(text) == ()


@given(candidates)
def test_an_opening_comes_to_stand_above_its_article_and_nothing_else_moves(
    rows: list[tuple[int, int, bool]],
) -> None:
    hundredths, owners, begins = (np.array(column) for column in zip(*rows, strict=True))
    scores = hundredths / 100
    lifted = scores + lifts(scores, owners, begins)
    assert (lifted[~begins] == scores[~begins]).all()
    for article in set(owners.tolist()):
        own = owners == article
        first = own & begins
        if not first.any() or not (own & ~begins).any():
            assert (lifted[own] == scores[own]).all()
            continue
        behind = scores[own].max() - scores[first].max()
        if behind < REACH - 1e-9:
            assert lifted[first].max() >= lifted[own].max()
            assert lifted[first].max() > lifted[own & ~begins].max() or behind == 0
            assert lifted[first].max() == pytest.approx(scores[own].max(), abs=1e-5)
        elif behind > REACH + 1e-9:
            assert (lifted[own] == scores[own]).all()
        # Among themselves the passages of an opening stay as they were.
        assert len({round(float(shift), 9) for shift in (lifted - scores)[first]}) == 1


@given(candidates, st.integers(0, 2**32 - 1))
def test_many_ways_to_score_are_lifted_as_each_alone(
    rows: list[tuple[int, int, bool]], seed: int
) -> None:
    _, owners, begins = (np.array(column) for column in zip(*rows, strict=True))
    scores = np.random.default_rng(seed).random((len(rows), 3)) / 10
    alone = [lifts(column, owners, begins) for column in scores.T]
    assert (lifts(scores, owners, begins) == np.stack(alone, axis=1)).all()


def test_who_types_a_name_alone_is_shown_how_its_article_begins(
    knowledge_base: KnowledgeBase,
) -> None:
    for summary in knowledge_base.articles(limit=1000):
        article = knowledge_base.article(summary.id)
        for name in article.aliases[:1]:
            for question in (name, f"what is {name}?", f"tell me about {name}"):
                first = knowledge_base.search(question, limit=1).results[0].citation
                shown = knowledge_base.article(first.article_id)
                assert first.section_id == shown.sections[0].id, question


def test_what_it_was_lifted_by_is_told(knowledge_base: KnowledgeBase) -> None:
    found = knowledge_base.search("magnesium and your muscles").results
    first = found[0]
    assert first.citation.section_heading == ""
    assert 0 < first.explanation.opening <= REACH + 1e-5
    assert "your question is its name, and it begins so" in first.why
    assert not any(result.explanation.opening for result in found[1:])
    for wanted in ("why magnesium and your muscles", "magnesium and your muscles dose"):
        assert not knowledge_base.search(wanted).results[0].explanation.opening
