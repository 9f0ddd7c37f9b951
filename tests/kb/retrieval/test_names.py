"""kb.retrieval.names, against what it says of itself"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from indexer.writers.names import write_names
from kb.retrieval.keyword_scores import KeywordScores
from kb.retrieval.names import QUESTION_SHARE, SUBJECT_WORTH, NameIndex
from kb.retrieval.postings import Postings
from kb.text.analysis import terms

ARTICLES = [
    ["Trisomy 13", "Patau syndrome"],
    ["Down syndrome", "trisomy 21"],
    ["Restless legs syndrome"],
    ["Pain"],
    [""],
]
NAMES = [name for names in ARTICLES for name in names]
STARTS = np.concatenate(([0], np.cumsum([len(names) for names in ARTICLES]))).astype(np.int64)
ALL = np.arange(len(ARTICLES))


@pytest.fixture(scope="module")
def postings(make_postings: Callable[..., Postings]) -> Postings:
    return make_postings(
        [(names[0], "\n".join(names[1:]), "Causes", "of pain") for names in ARTICLES]
    )


@pytest.fixture(scope="module")
def index(postings: Postings, tmp_path_factory: pytest.TempPathFactory) -> NameIndex:
    folder = tmp_path_factory.mktemp("names") / "names"
    write_names(folder, NAMES, STARTS, postings)
    return NameIndex(folder, postings.idf_of_rarest)


def expected(postings: Postings, question: list[str], name: str) -> float:
    def idf(words: set[str]) -> float:
        found = [postings.find(word) for word in words]
        return sum(each.idf if each else postings.idf_of_rarest for each in found)

    own, asked = set(terms(name)), set(question)
    common = idf(own & asked)
    if not common:
        return 0.0
    of_name = common / idf(own) * min(1.0, common / postings.idf_of_rarest)
    return QUESTION_SHARE * common / idf(asked) + (1 - QUESTION_SHARE) * of_name


def test_what_a_question_is_the_name_of_has_all_of_its_terms(index: NameIndex) -> None:
    def about(text: str) -> list[int]:
        return index.about(terms(text)).tolist()

    assert about("syndrome") == [0, 1, 2]
    assert about("legs syndrome") == [2]
    assert about("trisomy") == [0, 1]
    for elsewhere in ("trisomy syndrome", "restless zebra", ""):  # of two names, unknown, nothing
        assert about(elsewhere) == []


vocabulary = sorted({term for name in NAMES for term in terms(name)} | {"zebra", "7", "caus"})


def shares_of(
    index: NameIndex, question: KeywordScores, articles: NDArray[np.int64]
) -> NDArray[np.float32]:
    return index.shares(question, index.held(question), articles)


def subjects_of(index: NameIndex, question: KeywordScores) -> list[NDArray[np.int64]]:
    return index.subjects(question, index.held(question))


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.sampled_from(vocabulary), max_size=6))
def test_each_article_counts_by_its_best_name(
    postings: Postings, index: NameIndex, question: list[str]
) -> None:
    shares = shares_of(index, postings.score(question), ALL)
    best = [max(expected(postings, question, name) for name in names) for names in ARTICLES]
    assert shares.tolist() == pytest.approx(best, abs=1e-5)
    assert all(0 <= share <= 1.00001 for share in shares)


def test_the_name_that_is_meant_scores_above_its_kind(postings: Postings, index: NameIndex) -> None:
    shares = shares_of(index, postings.score(terms("what is trisomy 13")), ALL)
    assert shares[0] == pytest.approx(1, abs=0.1)
    assert shares[0] > 2 * shares[1] > 0
    assert shares[2:].tolist() == [0, 0, 0]


def test_articles_are_looked_up_by_number(postings: Postings, index: NameIndex) -> None:
    question = postings.score(terms("restless legs and pain"))
    whole = shares_of(index, question, ALL)
    assert shares_of(index, question, np.array([2, 3])).tolist() == whole[[2, 3]].tolist()


def test_a_library_without_names_has_no_focus(
    make_postings: Callable[..., Postings], tmp_path: Path
) -> None:
    postings = make_postings([("", "", "", "plain text"), ("", "", "", "more text")])
    write_names(tmp_path / "names", ["", ""], np.array([0, 1, 2]), postings)
    index = NameIndex(tmp_path / "names", postings.idf_of_rarest)
    assert shares_of(index, postings.score(["text"]), np.array([0, 1])).tolist() == [0, 0]


def named(postings: Postings, index: NameIndex, question: str) -> list[list[int]]:
    return sorted(each.tolist() for each in subjects_of(index, postings.score(terms(question))))


def test_each_subject_is_known_by_all_articles_with_its_name(
    postings: Postings, index: NameIndex
) -> None:
    assert named(postings, index, "can trisomy 13 cause restless legs syndrome?") == [[0], [2]]
    assert named(postings, index, "restless legs") == []


def test_names_of_one_article_are_one_subject(postings: Postings, index: NameIndex) -> None:
    assert named(postings, index, "is trisomy 13 the Patau syndrome") == [[0]]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.sampled_from(vocabulary), max_size=8))
def test_subjects_are_the_longest_names_that_stand_whole_in_the_question_joined_by_their_articles(
    postings: Postings, index: NameIndex, question: list[str]
) -> None:
    def worth(words: frozenset[str]) -> float:
        found = [postings.find(word) for word in words]
        return sum(each.idf if each else postings.idf_of_rarest for each in found)

    own = {name: frozenset(terms(name)) for name in NAMES}
    known = {word for word in question if postings.find(word)}
    whole = {
        words
        for words in own.values()
        if words and words <= known and worth(words) >= SUBJECT_WORTH * postings.idf_of_rarest
    }
    longest = [words for words in whole if not any(words < other for other in whole)]
    joined: list[set[int]] = []
    for words in longest:
        about = {n for n, names in enumerate(ARTICLES) if any(words <= own[name] for name in names)}
        touching = [subject for subject in joined if subject & about]
        joined = [subject for subject in joined if not subject & about]
        joined.append(about.union(*touching))
    found = subjects_of(index, postings.score(question))
    assert sorted(each.tolist() for each in found) == sorted(sorted(subject) for subject in joined)
