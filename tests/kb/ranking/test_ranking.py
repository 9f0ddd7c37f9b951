"""kb.ranking.ranking and .ranker, over kb.retrieval.embedded"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from indexer.passages.texts import Fields
from indexer.writers.names import write_names
from indexer.writers.wording import write_wording
from kb.compute.spare_core import SpareCore
from kb.question.operators import Condition
from kb.question.query import Query
from kb.question.tokenised import TokenisedText
from kb.ranking.boosts import Booster, Boosts
from kb.ranking.fusion import DEFAULT_WEIGHTS, EXPLAINED_AS, depths
from kb.ranking.ranker import Ranker
from kb.ranking.ranking import Ranking
from kb.retrieval.candidates import Candidates, LibraryTraits
from kb.retrieval.conditions import Conditions
from kb.retrieval.embedded import EmbeddedIndex
from kb.retrieval.names import NameIndex
from kb.retrieval.passage_filter import PassageFilter
from kb.retrieval.postings import Postings
from kb.retrieval.signals import SIGNALS, SignalSource
from kb.retrieval.wording import WordingIndex
from kb.schema.filters import Filters
from kb.schema.search_request import Mode, Unit
from kb.storage.passage_table import PassageTable

MakePostings = Callable[..., Postings]


def candidates(sections: list[int], articles: list[int]) -> Candidates:
    count = len(sections)
    return Candidates(
        rows=np.arange(count),
        sections=np.array(sections, dtype=np.int64),
        articles=np.array(articles, dtype=np.int64),
        opens=np.zeros(count, dtype=np.bool_),
        likeness=np.zeros(count, dtype=np.uint64),
        signals=np.zeros((len(SIGNALS), count), dtype=np.float32),
        nearest_name=np.zeros(count, dtype=np.int64),
        nearest_sentence=np.zeros(count, dtype=np.int64),
        subjects=np.zeros((0, count), dtype=np.bool_),
        named=np.zeros(count, dtype=np.bool_),
    )


def ranking(scores: list[float], sections: list[int], articles: list[int]) -> Ranking:
    found = candidates(sections, articles)
    nothing = np.zeros(len(scores))
    booster = Booster(found.articles, found.sections, found.subjects, nothing)
    return Ranking(
        candidates=found,
        values=found.signals.astype(np.float64),
        scores=np.array(scores),
        booster=booster,
        boosts=Boosts(nothing, nothing),
        weights=DEFAULT_WEIGHTS,
        traits=LibraryTraits(0.0, 0.0),
        question_terms=0,
    )


rows = st.lists(
    st.tuples(st.sampled_from([0.0, 0.5, 1.0]), st.integers(0, 4), st.integers(0, 2)), max_size=25
)


@pytest.mark.parametrize("unit", ["passage", "section", "article"])
@given(rows=rows)
def test_each_unit_stands_once_by_its_best_passage_and_of_equals_the_first(
    unit: Unit, rows: list[tuple[float, int, int]]
) -> None:
    found = ranking(*([row[column] for row in rows] for column in range(3)))  # type: ignore[arg-type]
    expected: dict[int, int] = {}
    for place in sorted(range(len(rows)), key=lambda place: (-rows[place][0], place)):
        owner = {"passage": place, "section": rows[place][1], "article": rows[place][2]}[unit]
        expected.setdefault(owner, place)
    assert found.grouped(unit).tolist() == list(expected.values())


def test_what_is_shown_leaves_each_subject_its_place() -> None:
    found = ranking([0.8, 0.7, 0.3, 0.6], [0, 1, 2, 3], [0, 0, 1, 2])
    assert found.grouped("section").tolist() == [0, 1, 3, 2]
    boosted = replace(
        found, boosts=found.boosts._replace(by_subject=np.array([0.0, 0.0, 0.35, 0.0]))
    )
    assert boosted.grouped("section").tolist() == [0, 1, 2, 3]
    assert boosted.grouped("article").tolist() == [0, 2, 3]
    begun = replace(found, boosts=found.boosts._replace(by_kind=np.array([0.0, 0.2, 0.0, 0.0])))
    assert begun.grouped("section").tolist() == [1, 0, 3, 2]


def test_the_lead_is_over_the_best_of_another_section() -> None:
    assert ranking([0.5, 0.8, 0.7, 0.3], [0, 1, 1, 2], [0, 0, 0, 1]).lead() == pytest.approx(0.3)
    assert ranking([0.5, 0.4], [0, 0], [0, 0]).lead() == 0
    assert ranking([], [], []).lead() == 0


COLLECTION: list[Fields] = [
    ("Leg cramps", "charley horse", "Causes", "Cramps strike the leg."),
    ("Leg cramps", "charley horse", "Treatment", "Stretch the calf."),
    ("Twitching", "", "Causes", "A twitch is not a cramp."),
    ("Twitching", "", "Treatment", "Rest."),
]


@pytest.fixture
def index(make_postings: MakePostings, save_vectors: Any, tmp_path: Path) -> EmbeddedIndex:
    random = np.random.default_rng(3)

    def unit(count: int) -> NDArray[np.float32]:
        values = random.normal(size=(count, 8))
        return (values / np.linalg.norm(values, axis=1, keepdims=True)).astype(np.float32)

    sentences = np.eye(8, dtype=np.float32)[[0, 1, 2, 0, 3]]
    vectors = save_vectors(tmp_path, unit(4), unit(3), [0, 2, 3], sentences, [0, 1, 2, 4, 5])
    columns = np.array(
        [(0, 0, 6, 5, 7), (0, 1, 6, 5, 8), (1, 2, 6, 5, 9), (1, 3, 6, 5, 7)],
        dtype=[
            ("article", "<u4"),
            ("section", "<u4"),
            ("tokens", "<u2"),
            ("words", "<u2"),
            ("likeness", "<u8"),
        ],
    )
    passages = PassageTable(columns)
    postings = make_postings(COLLECTION)
    write_names(
        tmp_path / "names",
        ["Leg cramps", "charley horse", "Twitching"],
        np.array([0, 2, 3]),
        postings,
    )
    names = NameIndex(tmp_path / "names", postings.idf_of_rarest)
    write_wording(tmp_path / "wording", [[text] for *_, text in COLLECTION])
    wording = WordingIndex(tmp_path / "wording")
    conditions = Conditions(postings, pytest.fail)
    narrowed = PassageFilter(passages, conditions, None, pytest.fail, None)  # type: ignore[arg-type]  # no id is asked for
    return EmbeddedIndex(
        postings, SignalSource(vectors, names, wording, SpareCore()), passages, conditions, narrowed
    )


QUESTION = np.eye(8, dtype=np.float32)[0]


def asked(*terms: str) -> Query:
    """A question of these terms, its meaning left aside."""
    text = " ".join(terms)
    return Query(TokenisedText.of(text), text, terms, terms, (), (), (), None, None)


def ranked(
    index: EmbeddedIndex,
    terms: list[str],
    vector: NDArray[np.float32],
    mask: NDArray[np.bool_] | None = None,
    mode: Mode = "hybrid",
) -> Ranking:
    search = index.search(asked(*terms), mask, depths(mode)[0])
    return Ranker(index.traits).rank(search, vector, mode)


def test_a_mask_leaves_the_scores_of_what_it_allows_as_they_were(index: EmbeddedIndex) -> None:
    whole = ranked(index, ["leg", "cramp"], QUESTION)
    for allowed in ([0, 2], [3], [0, 1, 2, 3]):
        mask = np.zeros(4, dtype=np.bool_)
        mask[allowed] = True
        part = ranked(index, ["leg", "cramp"], QUESTION, mask)
        assert part.rows.tolist() == allowed
        assert part.scores.tolist() == pytest.approx(whole.scores[allowed].tolist(), abs=1e-6)


def test_a_mask_that_allows_nothing_ranks_nothing(index: EmbeddedIndex) -> None:
    found = ranked(index, ["leg"], QUESTION, np.zeros(4, dtype=np.bool_))
    assert found.grouped("section").tolist() == []


def test_every_result_is_explained_by_contributions_that_add_up(index: EmbeddedIndex) -> None:
    check_explanation(index, ["leg", "cramp", "zebra"])
    check_explanation(index, ["leg", "cramp", "twitch"])
    assert ranked(index, ["leg", "cramp", "twitch"], QUESTION).boosts.by_subject.any()
    by_meaning = ranked(index, ["leg", "cramp", "twitch"], QUESTION, mode="dense")
    assert not by_meaning.boosts.by_subject.any()


def check_explanation(index: EmbeddedIndex, terms: list[str]) -> None:
    names = [("Leg cramps", "charley horse"), ("Twitching",)]
    search = index.search(asked(*terms), None, 500)
    found = Ranker(index.traits).rank(search, QUESTION)
    contributions = search.contributions(found.rows)
    for candidate, row in enumerate(found.rows):
        own_names = names[found.articles[candidate]]
        why = found.explain(candidate, own_names, contributions[candidate])
        total = sum(getattr(why, signal) for signal in SIGNALS)
        total += why.subject + why.kind
        assert total == pytest.approx(found.boosted_scores[candidate], abs=1e-12)
        assert sum(why.terms.values()) == pytest.approx(why.keyword, abs=1e-6)
        assert why.name_matched in own_names
        for signal in SIGNALS:
            raw = getattr(why, EXPLAINED_AS[signal])
            assert getattr(why, signal) == getattr(DEFAULT_WEIGHTS, signal) * raw
        assert set(why.terms) == {
            term for term in terms if term in " ".join(COLLECTION[row]).lower()
        }


def test_given_passages_are_ranked_as_among_all_others(index: EmbeddedIndex) -> None:
    search = index.search(asked("leg", "cramp"), np.array([True, False, False, False]), 500)
    ranker = Ranker(index.traits)
    whole = ranked(index, ["leg", "cramp"], QUESTION)
    some = ranker.rank_rows(search, QUESTION, np.array([1, 3]))  # allowed or not
    assert some.rows.tolist() == [1, 3]
    assert some.scores.tolist() == whole.scores[[1, 3]].tolist()


def test_a_subset_of_candidates_keeps_what_is_known_of_each(index: EmbeddedIndex) -> None:
    whole = ranked(index, ["leg", "cramp", "twitch"], QUESTION).candidates
    some = whole.subset([2, 0])
    assert len(some) == 2
    assert some.rows.tolist() == [2, 0]
    assert some.likeness.tolist() == [9, 7]
    assert some.signal("dense").tolist() == whole.signal("dense")[[2, 0]].tolist()
    assert some.subjects.tolist() == [[False, True], [True, False]]


def test_the_index_says_how_common_a_term_is_and_what_is_allowed(index: EmbeddedIndex) -> None:
    assert index.term("leg").passages == 2
    assert index.term("zebra") == (0, index.postings.idf_of_rarest)
    allowed = index.allow([], Filters())
    assert index.allowed_count(allowed) == index.passage_count == 4
    with_leg = index.allow([Condition("phrase", "leg", None, negated=False)], Filters())
    assert index.allowed_count(with_leg) == 2


def test_the_nearest_sentence_of_a_candidate_is_known_by_its_place_in_the_passage(
    index: EmbeddedIndex,
) -> None:
    found = ranked(index, ["leg"], QUESTION)
    assert found.candidates.nearest_sentence.tolist() == [0, 0, 1, 0]
    assert found.candidates.signal("sentence").tolist() == pytest.approx([1, 0, 1, 0])
    masked = ranked(index, ["leg"], QUESTION, np.array([False, False, True, True]))
    assert masked.candidates.nearest_sentence.tolist() == [1, 0]


def test_an_article_is_the_subject_where_its_name_is_near_or_the_same_words(
    index: EmbeddedIndex,
) -> None:
    assert ranked(index, ["charley", "hors"], -QUESTION).is_subject().tolist()[:2] == [True, True]


def test_the_evidence_is_of_the_nearest_passages_wherever_they_rank(index: EmbeddedIndex) -> None:
    found = ranked(index, ["leg", "cramp"], QUESTION)
    dense = found.candidates.signal("dense")
    assert found.evidence() == pytest.approx(
        0.6 * float(dense.mean())
        + 0.2 * float(found.candidates.signal("sentence").max())
        + 0.2 * float(found.candidates.signal("keyword").max())
    )
    nothing = ranked(index, ["leg"], QUESTION, np.zeros(4, dtype=np.bool_))
    assert nothing.evidence() == 0
