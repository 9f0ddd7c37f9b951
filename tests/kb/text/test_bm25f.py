"""kb.text.bm25f, as it is compiled and as `kb.retrieval.postings` reads it, against the formula and another package"""

from __future__ import annotations

import math
import random
from collections import Counter
from collections.abc import Callable, Sequence

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from rank_bm25 import BM25L, BM25Okapi

from indexer.passages.texts import Fields
from kb.retrieval.postings import Postings
from kb.text.analysis import terms
from kb.text.bm25f import BM25FParameters, impacts, inverse_document_frequency
from support.examples import at_most

MakePostings = Callable[..., Postings]

WORDS = [
    "leg",
    "legs",
    "Twitching",
    "twitch",
    "the",
    "at",
    "night",
    "naïve",
    "don't",
    "2.5",
    "x" * 70,
]
texts = st.lists(st.sampled_from(WORDS), max_size=8).map(" ".join)
passages = st.tuples(texts, texts, texts, texts)
collections = st.lists(passages, min_size=1, max_size=7)


def oracle(collection: Sequence[Fields], question: str, parameters: BM25FParameters) -> list[float]:
    """Robertson's BM25F from the texts, one line of the paper a line, nothing of numpy's or Whoosh's."""
    counted = [[Counter(terms(text)) for text in fields] for fields in collection]
    n = len(collection)
    scores = []
    for fields in counted:
        score = 0.0
        for term in set(terms(question)):
            holders = sum(any(term in field for field in passage) for passage in counted)
            if not holders:
                continue
            idf = math.log(1 + (n - holders + 0.5) / (holders + 0.5))
            tf = 0.0
            for number, field in enumerate(fields):
                average = sum(passage[number].total() for passage in counted) / n
                if not field[term]:
                    continue
                b = parameters.b[number]
                norm = 1 - b + b * field.total() / average
                tf += parameters.weights[number] * field[term] / norm
            score += idf * tf / (parameters.k1 + tf)
        scores.append(score)
    return scores


@settings(max_examples=at_most(60), suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    collection=collections,
    question=texts,
    parameters=st.sampled_from(
        [
            BM25FParameters(),
            BM25FParameters(2.0, (1.0, 2.0, 3.0, 4.0), (0.0, 0.5, 0.9, 1.0)),
            BM25FParameters(0.5, (5.0, 1.0, 1.0, 1.0), (1.0, 1.0, 1.0, 1.0)),
        ]
    ),
)
def test_compiled_scores_are_those_of_the_papers_formula(
    make_postings: MakePostings,
    collection: list[Fields],
    question: str,
    parameters: BM25FParameters,
) -> None:
    scored = make_postings(collection, parameters).score(terms(question))
    expected = oracle(collection, question, parameters)
    assert scored.scores * scored.bound == pytest.approx(expected, rel=1e-5, abs=1e-6)


def one_field(count: int) -> tuple[list[Fields], list[list[str]]]:
    """Random passages of text alone, no stop words, and their terms."""
    chosen = random.Random(7)
    vocabulary = [f"word{number}" for number in range(40)]
    weights = [1 / (1 + number) for number in range(40)]
    collection: list[Fields] = []
    analysed = []
    for _ in range(count):
        text = " ".join(chosen.choices(vocabulary, weights, k=chosen.randint(1, 30)))
        collection.append(("", "", "", text))
        analysed.append(terms(text))
    return collection, analysed


def test_one_field_is_the_bm25_of_an_independent_package(make_postings: MakePostings) -> None:
    """rank_bm25's BM25Okapi scores  idf' * tf * (k1 + 1) / (tf + k1 * (1 - b + b * len / avglen)).

    Ours, for one field of weight 1, is  idf * tf' / (k1 + tf')  with  tf' = tf / (1 - b + b * len / avglen);
    multiplied above and below by the norm that is  idf * tf / (tf + k1 * norm),  so that

        ours = theirs / (k1 + 1) * idf / idf'

    term by term. Their idf' is ln((N - n + 1/2) / (n + 1/2)), which they raise for terms in more than half of the
    passages; BM25L's is ln((N + 1) / (n + 1/2)), and that is ours: 1 + (N - n + 1/2) / (n + 1/2) = (N + 1) / (n + 1/2).
    So with BM25L's idf put into BM25Okapi, scores are ours times k1 + 1, and the rankings the same.
    """
    collection, analysed = one_field(80)
    k1, b = 1.4, 0.6
    okapi = BM25Okapi(analysed, k1=k1, b=b)
    okapi.idf = BM25L(analysed).idf
    postings = make_postings(collection, BM25FParameters(k1, (1.0, 1.0, 1.0, 1.0), (b, b, b, b)))
    for question in ("word0", "word3 word9 word30", "word1 word2 word5 word39", "word17 unknown"):
        asked = terms(question)
        scored = postings.score(asked)
        theirs = okapi.get_scores(asked) / (k1 + 1)
        assert scored.scores * scored.bound == pytest.approx(theirs, rel=1e-5, abs=1e-6)
        decided = theirs.round(5)
        assert list(np.lexsort((-scored.scores.round(5), -decided))) == list(
            np.argsort(-decided, kind="stable")
        )


def test_a_word_in_title_and_text_is_saturated_once_and_not_added_up() -> None:
    parameters = BM25FParameters(1.2, (8.0, 4.0, 3.0, 1.0), (0.0, 0.0, 0.0, 0.0))
    frequencies = np.array([[1, 0, 0, 2]], dtype=np.uint16)
    lengths = np.array([[1, 0, 0, 2]], dtype=np.uint32)
    found = impacts(frequencies, lengths, np.array([0], dtype=np.int32), parameters)
    assert found.tolist() == [pytest.approx((8 * 1 + 1 * 2) / (1.2 + 8 * 1 + 1 * 2))]


def test_an_empty_field_counts_nothing_even_where_length_counts_in_full() -> None:
    parameters = BM25FParameters(1.2, (8.0, 4.0, 3.0, 1.0), (1.0, 1.0, 1.0, 1.0))
    frequencies = np.array([[0, 0, 0, 1], [1, 0, 0, 1]], dtype=np.uint16)
    lengths = np.array([[0, 0, 0, 1], [1, 0, 0, 1]], dtype=np.uint32)
    found = impacts(frequencies, lengths, np.array([0, 1], dtype=np.int32), parameters)
    assert found.tolist() == [
        pytest.approx(1 / (1.2 + 1)),
        pytest.approx((8 / 2 + 1) / (1.2 + 8 / 2 + 1)),
    ]


def test_a_heading_match_outranks_a_body_match(make_postings: MakePostings) -> None:
    postings = make_postings([("", "", "", "leg and arm"), ("", "", "leg", "an arm and a hand")])
    first, second = postings.score(["leg"]).scores
    assert second > first


def test_rarer_terms_have_the_higher_idf() -> None:
    idf = inverse_document_frequency(10, np.arange(1, 11))
    assert idf[0] == pytest.approx(math.log(1 + 9.5 / 1.5))
    assert (np.diff(idf) < 0).all()
    assert (idf > 0).all()
