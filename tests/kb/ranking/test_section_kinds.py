"""kb.ranking.section_kinds"""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kb.knowledge_base import KnowledgeBase
from kb.question.name_alone import name_alone
from kb.ranking.section_kinds import OPENING_BONUS, boosts
from kb.retrieval.vectors import without_direction
from kb.text.analysis import stems, terms

candidates = st.lists(
    st.tuples(
        st.integers(0, 100), st.integers(0, 20), st.sampled_from([0.0, 0.0, -0.05, 0.1, 0.2])
    ),
    min_size=1,
    max_size=30,
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
    assert name_alone(stems(text), terms(text)) == name


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
    assert name_alone(stems(text), terms(text)) == ()


def sections_of(rows: list[tuple[int, int, float]]) -> tuple[np.ndarray, ...]:
    """Scores, sections, their articles (five sections each) and what each is wanted."""
    hundredths, sections, wanted = (np.array(column) for column in zip(*rows, strict=True))
    return hundredths / 100, sections // 5, sections, wanted


@given(candidates)
def test_the_best_section_of_the_kind_comes_to_lead_its_article_and_nothing_else_moves(
    rows: list[tuple[int, int, float]],
) -> None:
    scores, articles, sections, wanted = sections_of(rows)
    added = boosts(scores, articles, sections, wanted)
    lifted = scores + added
    assert (added >= 0).all()
    for article in set(articles.tolist()):
        own = articles == article
        moved = set(sections[own & (added > 0)].tolist())
        assert len(moved) <= 1
        assert lifted[own].max() == pytest.approx(scores[own].max(), abs=1e-5)
        together = (scores + wanted)[own]
        chosen = sections[own][together.argmax()]
        assert moved <= {chosen}
        if wanted[own].any():
            assert lifted[own & (sections == chosen)].max() == lifted[own].max()
        else:
            assert not moved
        # Among themselves the passages of a section stay as they were.
        assert len({round(float(shift), 9) for shift in added[own & (added > 0)]}) <= 1


@given(candidates, st.integers(0, 2**32 - 1))
def test_many_ways_to_score_are_lifted_as_each_alone(
    rows: list[tuple[int, int, float]], seed: int
) -> None:
    _, articles, sections, wanted = sections_of(rows)
    scores = np.random.default_rng(seed).random((len(rows), 3))
    alone = [boosts(column, articles, sections, wanted) for column in scores.T]
    assert (boosts(scores, articles, sections, wanted) == np.stack(alone, axis=1)).all()


def test_what_is_asked_for_has_nothing_of_the_name() -> None:
    name = np.array([0.0, 2.0, 0.0], dtype=np.float32)
    asked = without_direction(np.array([0.6, 0.8, 0.0], dtype=np.float32), name)
    assert asked.tolist() == pytest.approx([1, 0, 0])
    assert without_direction(name / 2, name).tolist() == [0, 0, 0]
    assert without_direction(asked, 0 * name).tolist() == pytest.approx([1, 0, 0])


@pytest.mark.parametrize(
    ("question", "heading"),
    [
        ("restless legs syndrome treatment", "Medical Treatment"),
        ("what causes restless legs syndrome", "What Lies Behind It"),
    ],
)
def test_the_section_of_the_kind_that_is_asked_for_leads_its_article(
    knowledge_base: KnowledgeBase, question: str, heading: str
) -> None:
    first = knowledge_base.search(question, limit=1).results[0]
    assert first.citation.section_heading == heading


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
    assert 0 < first.explanation.kind <= OPENING_BONUS + 1e-5
    assert "it is the kind of section you ask for" in first.why
    assert not any(result.explanation.kind for result in found[1:])
