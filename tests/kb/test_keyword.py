"""kb.keyword: which passages meet the conditions, against a search through the texts themselves"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from indexer.keyword_writer import Fields, write_whoosh
from kb.analysis import terms
from kb.bm25f import FIELDS
from kb.keyword import MAX_PREFIX_EXPANSIONS, KeywordIndex
from kb.question import Condition, parse_question

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


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> tuple[KeywordIndex, list[Fields]]:
    """Every order of some words in some field, and one passage without any word."""
    collection: list[Fields] = [("", "", "", "…")]
    for place in range(len(FIELDS)):
        for first in WORDS:
            for second in WORDS:
                fields = ["", "", "", ""]
                fields[place] = f"{first} {second}"
                fields[(place + 1) % 4] = "other matters"
                collection.append((fields[0], fields[1], fields[2], fields[3]))
    folder = tmp_path_factory.mktemp("keyword") / "whoosh"
    write_whoosh(folder / "0", collection)
    return KeywordIndex(folder, len(collection)), collection


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


@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(conditions)
def test_conditions_match_as_a_search_through_the_texts_does(
    small: tuple[KeywordIndex, list[Fields]], asked: list[Condition]
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
    generation = (index_path / "CURRENT").read_text().strip()
    index = KeywordIndex(index_path / "generations" / generation / "keyword", len(indexed))
    asked = parse_question(typed).conditions
    assert index.matching(asked).tolist() == brute_force(
        asked,
        [passage.fields for passage in indexed],  # type: ignore[attr-defined]
    )


def test_a_beginning_stands_for_at_most_so_many_terms_in_alphabetical_order(tmp_path: Path) -> None:
    names = [f"drug{number:03}" for number in range(2 * MAX_PREFIX_EXPANSIONS)]
    write_whoosh(tmp_path / "whoosh" / "0", [("", "", "", name) for name in reversed(names)])
    index = KeywordIndex(tmp_path / "whoosh", len(names))
    found = index.matching([Condition("prefix", "drug", None, False)])
    matched = sorted(name for name, hit in zip(reversed(names), found, strict=True) if hit)
    assert matched == names[:MAX_PREFIX_EXPANSIONS]


def test_a_beginning_longer_than_the_stem_finds_the_words_of_that_stem(
    small: tuple[KeywordIndex, list[Fields]],
) -> None:
    index, collection = small
    found = index.matching([Condition("prefix", "jerking", None, False)])
    assert found.tolist() == [any("jerk" in text for text in fields) for fields in collection]


def test_threads_share_it(small: tuple[KeywordIndex, list[Fields]]) -> None:
    index, _ = small
    asked = [
        parse_question(f'"{first} {second}"').conditions for first in WORDS for second in WORDS
    ]
    expected = [index.matching(each).tolist() for each in asked]
    with ThreadPoolExecutor(8) as pool:
        assert [found.tolist() for found in pool.map(index.matching, asked)] == expected
