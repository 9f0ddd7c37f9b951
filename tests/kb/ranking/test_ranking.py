"""kb.ranking.ranking"""

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
from kb.ranking.fusion import DEFAULT_WEIGHTS, Signals
from kb.ranking.lifts import Lifts
from kb.ranking.ranking import Ranker, Ranking
from kb.retrieval.keyword_scores import KeywordScores
from kb.retrieval.names import NameIndex
from kb.retrieval.postings import Postings
from kb.schema.search_request import Mode, Unit
from kb.storage.passage_table import PassageTable

MakePostings = Callable[..., Postings]


def ranking(scores: list[float], sections: list[int], articles: list[int]) -> Ranking:
    empty = np.zeros(len(scores), dtype=np.float32)
    return Ranking(
        rows=np.arange(len(scores)),
        sections=np.array(sections, dtype=np.int64),
        articles=np.array(articles, dtype=np.int64),
        signals=Signals(empty, empty, empty, empty, empty),
        nearest_name=np.zeros(len(scores), dtype=np.int64),
        nearest_sentence=np.zeros(len(scores), dtype=np.int64),
        scores=np.array(scores),
        lifting=None,  # type: ignore[arg-type]  # nor lifts anything anew
        lifts=Lifts(*np.zeros((3, len(scores)))),
        weights=DEFAULT_WEIGHTS,
        keyword=KeywordScores(empty, 0.0, ()),
        postings=None,  # type: ignore[arg-type]  # the order of units looks nothing up
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
    assert found.shown(unit).tolist() == list(expected.values())


def test_what_is_shown_leaves_each_subject_its_place() -> None:
    found = ranking([0.8, 0.7, 0.3, 0.6], [0, 1, 2, 3], [0, 0, 1, 2])
    assert found.shown("section").tolist() == [0, 1, 3, 2]
    lifted = replace(found, lifts=found.lifts._replace(by_subject=np.array([0.0, 0.0, 0.35, 0.0])))
    assert lifted.shown("section").tolist() == [0, 1, 2, 3]
    assert lifted.shown("article").tolist() == [0, 2, 3]
    begun = replace(found, lifts=found.lifts._replace(by_kind=np.array([0.0, 0.2, 0.0, 0.0])))
    assert begun.shown("section").tolist() == [1, 0, 3, 2]
    pooled = replace(found, lifts=found.lifts._replace(by_article=np.array([0.0, 0.0, 0.0, 0.15])))
    assert pooled.shown("section").tolist() == [0, 3, 1, 2]


COLLECTION: list[Fields] = [
    ("Leg cramps", "charley horse", "Causes", "Cramps strike the leg."),
    ("Leg cramps", "charley horse", "Treatment", "Stretch the calf."),
    ("Twitching", "", "Causes", "A twitch is not a cramp."),
    ("Twitching", "", "Treatment", "Rest."),
]


@pytest.fixture
def ranker(make_postings: MakePostings, save_vectors: Any, tmp_path: Path) -> Ranker:
    random = np.random.default_rng(3)

    def unit(count: int) -> NDArray[np.float32]:
        values = random.normal(size=(count, 8))
        return (values / np.linalg.norm(values, axis=1, keepdims=True)).astype(np.float32)

    sentences = np.eye(8, dtype=np.float32)[[0, 1, 2, 0, 3]]
    vectors = save_vectors(tmp_path, unit(4), unit(3), [0, 2, 3], sentences, [0, 1, 2, 4, 5])
    table = np.array(
        [(0, 0), (0, 1), (1, 2), (1, 3)], dtype=[("article", "<u4"), ("section", "<u4")]
    )
    postings = make_postings(COLLECTION)
    names = ["Leg cramps", "charley horse", "Twitching"]
    write_names(tmp_path / "names", names, np.array([0, 2, 3]), postings)
    index = NameIndex(tmp_path / "names", postings.idf_of_rarest)
    return Ranker(postings, vectors, index, PassageTable(table))


QUESTION = np.eye(8, dtype=np.float32)[0]


def ranked(
    ranker: Ranker,
    terms: list[str],
    vector: NDArray[np.float32],
    mask: NDArray[np.bool_] | None = None,
    mode: Mode = "hybrid",
) -> Ranking:
    return ranker.rank(ranker.words(terms, mask=mask, mode=mode), vector, mask, mode)


def test_a_mask_leaves_the_scores_of_what_it_allows_as_they_were(ranker: Ranker) -> None:
    whole = ranked(ranker, ["leg", "cramp"], QUESTION)
    for allowed in ([0, 2], [3], [0, 1, 2, 3]):
        mask = np.zeros(4, dtype=np.bool_)
        mask[allowed] = True
        part = ranked(ranker, ["leg", "cramp"], QUESTION, mask)
        assert part.rows.tolist() == allowed
        assert part.scores.tolist() == pytest.approx(whole.scores[allowed].tolist(), abs=1e-6)


def test_a_mask_that_allows_nothing_ranks_nothing(ranker: Ranker) -> None:
    found = ranked(ranker, ["leg"], QUESTION, np.zeros(4, dtype=np.bool_))
    assert found.shown("section").tolist() == []


def test_every_result_is_explained_by_contributions_that_add_up(ranker: Ranker) -> None:
    check_explanation(ranked(ranker, ["leg", "cramp", "zebra"], QUESTION))
    both = ranked(ranker, ["leg", "cramp", "twitch"], QUESTION)
    assert both.lifts.by_subject.any()
    by_meaning = ranked(ranker, ["leg", "cramp", "twitch"], QUESTION, mode="dense")
    assert not by_meaning.lifts.by_subject.any()
    check_explanation(both)


def check_explanation(found: Ranking) -> None:
    names = [("Leg cramps", "charley horse"), ("Twitching",)]
    shares = found.term_shares(np.arange(len(found.rows)))
    for place, row in enumerate(found.rows):
        why = found.explain(place, names[found.articles[place]], shares[place])
        signals = (why.keyword, why.dense, why.sentence, why.name, why.focus)
        total = sum((*signals, why.subject, why.kind, why.article))
        assert total == pytest.approx(found.shown_scores[place], abs=1e-12)
        assert sum(why.terms.values()) == pytest.approx(why.keyword, abs=1e-6)
        assert why.name_matched in names[found.articles[place]]
        assert why.keyword == DEFAULT_WEIGHTS.keyword * why.keyword_score
        assert set(why.terms) == {
            each.term
            for each in found.keyword.matched
            if each.term in " ".join(COLLECTION[row]).lower()
        }


def test_the_nearest_sentence_of_a_candidate_is_known_by_its_place_in_the_passage(
    ranker: Ranker,
) -> None:
    found = ranked(ranker, ["leg"], QUESTION)
    assert found.nearest_sentence.tolist() == [0, 0, 1, 0]
    assert found.signals.sentence.tolist() == pytest.approx([1, 0, 1, 0])
    masked = ranked(ranker, ["leg"], QUESTION, np.array([False, False, True, True]))
    assert masked.nearest_sentence.tolist() == [1, 0]


def test_an_article_is_the_subject_where_its_name_is_near_or_the_same_words(
    ranker: Ranker,
) -> None:
    assert ranked(ranker, ["charley", "hors"], -QUESTION).is_subject().tolist()[:2] == [True, True]


def test_the_evidence_is_of_the_nearest_passages_wherever_they_rank(ranker: Ranker) -> None:
    found = ranked(ranker, ["leg", "cramp"], QUESTION)
    dense = found.signals.dense
    assert found.evidence() == pytest.approx(
        0.6 * float(dense.mean())
        + 0.2 * float(found.signals.sentence.max())
        + 0.2 * float(found.signals.keyword.max())
    )
    nothing = ranked(ranker, ["leg"], QUESTION, np.zeros(4, dtype=np.bool_))
    assert nothing.evidence() == 0
