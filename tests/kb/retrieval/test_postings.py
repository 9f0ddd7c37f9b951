"""kb.retrieval.postings and indexer.writers.keywords, which lays out what it reads"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from indexer.passages.texts import Fields
from kb.retrieval.keyword_scores import KeywordScores
from kb.retrieval.postings import Postings, TopK
from kb.text.analysis import MAX_TERM_BYTES, terms
from support.examples import at_most

MakePostings = Callable[..., Postings]

COLLECTION: list[Fields] = [
    (
        "Leg cramps",
        "charley horse\nnight cramps",
        "Causes",
        "Cramps strike the leg at night. A leg hurts.",
    ),
    ("Twitching", "", "", "A twitch is not a cramp."),
    ("Nothing", "", "", "…"),
]


@pytest.fixture
def postings(make_postings: MakePostings) -> Postings:
    return make_postings(COLLECTION)


def test_frequencies_are_a_recount_of_the_corpus(
    knowledge_base: object, index_path: Path, indexed: list[object]
) -> None:
    folder = index_path / "generations" / (index_path / "CURRENT").read_text().strip() / "postings"
    arrays = {path.stem: np.load(path, allow_pickle=False) for path in folder.glob("*.npy")}
    names = [term.decode() for term in arrays["terms"]]
    assert names == sorted(set(names), key=str.encode)
    counted = [[Counter(terms(text)) for text in passage.fields] for passage in indexed]  # type: ignore[attr-defined]
    expected = {
        (term, row): [field[term] for field in fields]
        for row, fields in enumerate(counted)
        for term in set().union(*fields)
    }
    found = {}
    for (start, end), term in zip(pairwise(arrays["starts"]), names, strict=True):
        rows = arrays["passages"][start:end]
        assert (np.diff(rows) > 0).all()
        for row, frequencies in zip(rows, arrays["frequencies"][start:end], strict=True):
            found[term, int(row)] = frequencies.tolist()
    assert found == expected
    assert arrays["lengths"].tolist() == [[field.total() for field in fields] for fields in counted]


def test_a_known_term_is_found_and_an_unknown_one_is_not(postings: Postings) -> None:
    assert postings.find("leg") is not None
    for unknown in ("", "a", "legs", "le", "zzz", "leg\0", "é"):
        assert postings.find(unknown) is None


def test_a_term_longer_than_the_tables_width_is_unknown(postings: Postings) -> None:
    assert postings.find("leg" * 100) is None
    assert postings.find("x" * (MAX_TERM_BYTES + 1)) is None


def test_an_unknown_term_lowers_the_score_as_one_of_a_single_passage_would(
    make_postings: MakePostings,
) -> None:
    known = make_postings([*COLLECTION, ("", "", "", "zebra")])
    unknown = make_postings([*COLLECTION, ("", "", "", "quagga")])
    assert unknown.score(["leg", "zebra"]).bound == pytest.approx(
        known.score(["leg", "zebra"]).bound
    )
    assert unknown.score(["leg", "zebra"]).scores[0] < unknown.score(["leg"]).scores[0]


def test_a_question_of_no_known_term_scores_nothing(postings: Postings) -> None:
    for asked in ([], ["zebra"]):
        scored = postings.score(asked)
        assert scored.scores.tolist() == [0.0, 0.0, 0.0]
        assert scored.matched == ()


def test_repeating_a_word_of_the_question_changes_nothing(postings: Postings) -> None:
    once, twice = postings.score(["leg", "cramp"]), postings.score(["leg", "cramp", "leg"])
    assert once.scores.tolist() == twice.scores.tolist()
    assert once.bound == twice.bound


@settings(max_examples=at_most(60), suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.sampled_from(["leg", "cramp", "night", "twitch", "caus", "zebra"])))
def test_contributions_add_up_to_the_score(postings: Postings, asked: list[str]) -> None:
    scored = postings.score(asked)
    for passage in range(len(COLLECTION)):
        (shares,) = postings.contributions(scored, np.array([passage]))
        assert sum(shares.values()) == pytest.approx(float(scored.scores[passage]), abs=1e-6)
        held = {term for text in COLLECTION[passage] for term in terms(text)}
        assert set(shares) == held & set(asked)
    assert ((scored.scores >= 0) & (scored.scores <= 1)).all()


@dataclass(frozen=True)
class Named:
    """A name in the question and its other names, as terms."""

    terms: tuple[str, ...]
    variants: tuple[tuple[str, ...], ...]


SOME_WORDS = [f"word{letter}" for letter in "abcdefghij"]
some_terms = st.lists(st.sampled_from(SOME_WORDS), min_size=1, max_size=3, unique=True).map(tuple)
some_names = st.builds(Named, some_terms, st.lists(some_terms, min_size=1, max_size=3).map(tuple))


@pytest.fixture(scope="module")
def crowded(make_postings: MakePostings) -> Postings:
    """Sixty passages of few words, the first of which are in most."""
    random = np.random.default_rng(4)
    weights = 1 / np.arange(1, len(SOME_WORDS) + 1)
    return make_postings(
        [
            ("", "", "", " ".join(random.choice(SOME_WORDS, 5, p=weights / weights.sum())))
            for _ in range(60)
        ]
    )


@given(
    asked=some_terms,
    names=st.lists(some_names, max_size=3),
    depth=st.integers(0, 61),
    allowed=st.none() | st.sets(st.integers(0, 59)),
    rows=st.sets(st.integers(0, 59)),
)
def test_what_is_out_of_reach_of_the_best_is_left_out_and_found_when_it_is_asked_for(
    crowded: Postings,
    asked: tuple[str, ...],
    names: list[Named],
    depth: int,
    allowed: set[int] | None,
    rows: set[int],
) -> None:
    asked = (*asked, *(term for name in names for term in name.terms))
    mask = None if allowed is None else np.isin(np.arange(60), list(allowed))
    every = crowded.score(asked, names)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("kb.retrieval.postings.PRUNED_FROM", 0)
        some = crowded.score(asked, names, TopK(depth, mask))
    crowded.score_variants_for(some, np.array(sorted(rows), dtype=np.int64))
    expected, found = (scored.top_k(depth, mask) for scored in (every, some))
    assert found.tolist() == expected.tolist()
    for known in (*found.tolist(), *rows):
        assert some.scores[known] == every.scores[known]
    both = np.array([*found.tolist(), *rows], dtype=np.int64)
    assert crowded.contributions(some, both) == crowded.contributions(every, both)
    assert (some.scores <= every.scores).all()
    everywhere = np.arange(60)
    for wanted in (everywhere if mask is None else np.flatnonzero(mask), everywhere):
        crowded.score_variants_for(some, wanted)
        assert some.scores[wanted] == pytest.approx(every.scores[wanted], abs=1e-6)


@given(
    st.lists(st.sampled_from([0.0, 0.25, 0.5, 0.75, 1.0]), min_size=1, max_size=30),
    st.lists(st.booleans(), min_size=30, max_size=30),
    st.integers(0, 10),
)
def test_the_top_k_match_and_are_allowed(values: list[float], allowed: list[bool], k: int) -> None:
    scores = np.array(values, dtype=np.float32)
    mask = np.array(allowed)[: len(scores)]
    for only, ones in ((None, np.ones_like(mask)), (mask, mask)):
        best = sorted(np.flatnonzero(ones & (scores > 0)), key=lambda row: (-scores[row], row))
        assert KeywordScores(scores, 1.0, ()).top_k(k, only).tolist() == sorted(best[:k])


def test_a_collection_without_one_term_can_be_asked(make_postings: MakePostings) -> None:
    empty = make_postings([("", "", "", "…"), ("the", "", "", "of it")])
    assert empty.score(["leg"]).scores.tolist() == [0.0, 0.0]


def test_a_term_more_frequent_than_the_table_counts_is_counted_as_its_most(
    make_postings: MakePostings,
) -> None:
    many = make_postings([("", "", "", "leg " * 70_000), ("", "", "", "arm")])
    assert 0.9 < many.score(["leg"]).scores[0] <= 1
