"""kb.retrieval.conditions and .phrases: which passages meet the conditions, against a search through the texts."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from indexer.passages.texts import Fields
from indexer.writers.keywords import compile_postings, write_whoosh
from kb.question.operators import Condition, parse_question
from kb.retrieval.conditions import Conditions
from kb.retrieval.phrases import DOCUMENTS, KeywordIndex
from kb.retrieval.postings import MAX_EXPANSIONS, Postings
from kb.text.analysis import terms
from kb.text.bm25f import FIELDS, BM25FParameters
from support.examples import at_most

WORDS = ["restless", "legs", "leg", "jerking", "jerk", "at", "night", "Causes", "café"]


def holds(condition: Condition, fields: Fields) -> bool:
    """Whether a passage meets a condition, by looking at its words."""
    chosen = [
        text for name, text in zip(FIELDS, fields, strict=True) if condition.field in (None, name)
    ]
    wanted = terms(condition.text)
    if condition.kind == "phrase":
        if not wanted:
            return True
        found = any(
            wanted == words[place : place + len(wanted)]
            for words in map(terms, chosen)
            for place in range(len(words))
        )
    else:
        beginning = condition.text.lower()
        found = any(word.startswith(beginning) for words in map(terms, chosen) for word in words)
    return found != condition.negated


def brute_force(conditions: Sequence[Condition], collection: Sequence[Fields]) -> list[bool]:
    return [all(holds(condition, fields) for condition in conditions) for fields in collection]


def indexed_in(folder: Path, *segments: Sequence[Fields], **limits: int) -> Conditions:
    """An index of the segments, one Whoosh index each, their passages numbered through."""
    every = [fields for segment in segments for fields in segment]
    write_whoosh(folder / "all", every)
    compile_postings(folder / "all", folder / "postings", len(every), BM25FParameters())
    before = 0
    for number, segment in enumerate(segments):
        place = folder / "keyword" / str(number)
        write_whoosh(place, segment)
        documents = np.arange(before, before + len(segment), dtype=np.int32)
        np.save(place / DOCUMENTS, documents)
        before += len(segment)
    keyword = KeywordIndex(folder / "keyword", **limits)
    return Conditions(Postings(folder / "postings"), lambda: keyword)


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> tuple[Conditions, list[Fields]]:
    """Every order of some words in some field, and one passage without any word; in two segments."""
    collection: list[Fields] = [("", "", "", "…")]
    for place in range(len(FIELDS)):
        for first in WORDS:
            for second in WORDS:
                fields = ["", "", "", ""]
                fields[place] = f"{first} {second}"
                fields[(place + 1) % 4] = "other matters"
                collection.append((fields[0], fields[1], fields[2], fields[3]))
    folder = tmp_path_factory.mktemp("keyword")
    return indexed_in(folder, collection[:100], collection[100:]), collection


words = st.lists(st.sampled_from(WORDS), min_size=1, max_size=3).map(" ".join)
conditions = st.lists(
    st.builds(
        Condition,
        st.just("phrase"),
        words,
        st.sampled_from([None, "title", "heading"]),
        st.booleans(),
    )
    | st.builds(
        Condition,
        st.just("prefix"),
        st.sampled_from(["jer", "res", "leg", "Caus", "zzz"]),
        st.sampled_from([None, "title", "heading"]),
        st.booleans(),
    ),
    min_size=1,
    max_size=3,
)


@settings(max_examples=at_most(150), suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(conditions)
def test_conditions_match_as_a_search_through_the_texts_does(
    small: tuple[Conditions, list[Fields]], asked: list[Condition]
) -> None:
    index, collection = small
    assert index.matching(asked).tolist() == brute_force(asked, collection)


@pytest.mark.parametrize(
    "typed",
    [
        '"restless legs"',
        '"restless legs" -magnesium',
        "title:dentures",
        'heading:"see a doctor"',
        "fascic*",
        "-sleep",
        "title:pulse -heading:causes",
        '"no such phrase anywhere"',
        "heading:the",
    ],
)
def test_operators_over_the_corpus_match_as_a_search_through_the_texts_does(
    typed: str, index_path: Path, indexed: list[object]
) -> None:
    generation = index_path / "generations" / (index_path / "CURRENT").read_text().strip()
    keyword = KeywordIndex(generation / "keyword")
    index = Conditions(Postings(generation / "postings"), lambda: keyword)
    asked = parse_question(typed).conditions
    assert index.matching(asked).tolist() == brute_force(
        asked,
        [passage.fields for passage in indexed],  # type: ignore[attr-defined]
    )


def test_a_beginning_stands_for_at_most_so_many_terms_in_alphabetical_order(tmp_path: Path) -> None:
    names = [f"drug{number:03}" for number in range(2 * MAX_EXPANSIONS)]
    index = indexed_in(tmp_path, [("", "", "", name) for name in reversed(names)])
    condition = Condition("prefix", "drug", None, False)
    matched = [
        name for name, hit in zip(reversed(names), index.matching([condition]), strict=True) if hit
    ]
    assert index.expansions(condition) == sorted(matched) == names[:MAX_EXPANSIONS]


def test_a_beginning_in_a_field_stands_for_the_terms_of_that_field(tmp_path: Path) -> None:
    texts = [f"aab{number:03}" for number in range(2 * MAX_EXPANSIONS)]
    index = indexed_in(tmp_path, [("aabz", "", "", text) for text in texts])
    assert index.expansions(Condition("prefix", "aab", "title", False)) == ["aabz"]


@pytest.mark.parametrize("beginning", ["", "z" * 100, "é" * 40, "jerk"])
def test_any_beginning_is_found_or_not_and_never_an_error(
    small: tuple[Conditions, list[Fields]], beginning: str
) -> None:
    index, _ = small
    expected = ["jerk"] if beginning == "jerk" else []
    assert index.expansions(Condition("prefix", beginning, None, False)) == expected


def test_a_beginning_longer_than_the_stem_finds_the_words_of_that_stem(
    small: tuple[Conditions, list[Fields]],
) -> None:
    index, collection = small
    found = index.matching([Condition("prefix", "jerking", None, False)])
    assert found.tolist() == [any("jerk" in text for text in fields) for fields in collection]


def test_threads_share_it(small: tuple[Conditions, list[Fields]]) -> None:
    index, _ = small
    asked = [
        parse_question(f'"{first} {second}"').conditions for first in WORDS for second in WORDS
    ]
    expected = [index.matching(each).tolist() for each in asked]
    with ThreadPoolExecutor(8) as pool:
        assert [found.tolist() for found in pool.map(index.matching, asked)] == expected


def test_positions_that_are_kept_give_the_same_answers_as_positions_that_are_read(
    small: tuple[Conditions, list[Fields]], tmp_path: Path
) -> None:
    index, collection = small
    forgetful = indexed_in(tmp_path, collection, max_kept_positions=30)
    for typed in ['"restless legs"', '"legs jerk"', '-"jerk legs" "legs legs"', '"restless legs"']:
        asked = parse_question(typed).conditions
        assert forgetful.matching(asked).tolist() == index.matching(asked).tolist()
