"""kb.text.analysis"""

from __future__ import annotations

import sys
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kb.text.analysis import MAX_RUN_LETTERS, MAX_TERM_BYTES, make_analyzer, term_of, terms, tokens


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Twitching legs", ["twitch", "leg"]),
        ("the and of it", []),
        ("Sjögren's café", ["sjogren", "cafe"]),
        ("Parkinson’s disease", ["parkinson", "diseas"]),
        ("don't", ["dont"]),
        ("2.5 mg", ["2.5", "mg"]),
        ("B12, B6.", ["b12", "b6"]),
        ("well-known", ["well", "known"]),
        ("snake_case", ["snake", "case"]),
        ("… — !?", []),
        ("", []),
        ("leg leg", ["leg", "leg"]),
    ],
)
def test_a_text_becomes_folded_stems_without_stop_words(text: str, expected: list[str]) -> None:
    assert terms(text) == expected


@given(st.text())
def test_tokens_are_the_terms_with_the_places_they_came_from(text: str) -> None:
    found = tokens(text)
    assert [token.term for token in found] == terms(text)
    end = 0
    for token in found:
        assert end <= token.start < token.end <= len(text)
        assert not any(letter.isspace() for letter in text[token.start : token.end])
        assert terms(text[token.start : token.end]) == [token.term]
        end = token.end


@given(st.text())
def test_a_question_is_analysed_as_the_index_is(text: str) -> None:
    found = make_analyzer()(text, chars=True)
    assert [(token.text, token.startchar, token.endchar) for token in found] == [
        (token.term, token.start, token.end) for token in tokens(text)
    ]


@given(st.from_regex(r"[^\W\d_]+", fullmatch=True))
def test_the_term_of_a_word_is_the_first_of_its_terms(word: str) -> None:
    for form in (word, word.lower()):
        assert term_of(form) == next(iter(terms(form)), "")


@given(st.text())
def test_no_term_is_empty_or_longer_than_the_table_is_wide(text: str) -> None:
    assert all(0 < len(term.encode()) <= MAX_TERM_BYTES for term in terms(text))


@given(
    st.lists(st.sampled_from(["Twitching", "LEGS", "naïve", "naive", "running", "B12", "don't"]))
)
def test_case_and_accents_make_no_difference(words: list[str]) -> None:
    text = " ".join(words)
    assert terms(text.upper()) == terms(text.lower())
    assert terms(text.replace("ï", "i")) == terms(text)


def test_a_term_is_cut_between_letters_and_not_between_their_bytes() -> None:
    assert terms("ж" * 100) == ["ж" * (MAX_TERM_BYTES // 2)]
    assert terms("a" + "ж" * 100) == ["a" + "ж" * ((MAX_TERM_BYTES - 1) // 2)]


def test_articles_and_questions_are_analysed_alike() -> None:
    text = "Restless legs syndrome: an urge to move, worse at night (80 % of people)."
    assert [token.text for token in make_analyzer()(text, mode="index")] == terms(text)


def test_threads_that_analyse_at_once_get_what_one_gets() -> None:
    texts = [f"jerking muscle{number} twitches running naïvely {number}.5" for number in range(400)]
    expected = [terms(text) for text in texts]
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        with ThreadPoolExecutor(16) as pool:
            assert list(pool.map(terms, texts)) == expected
    finally:
        sys.setswitchinterval(interval)


def test_long_words_are_analysed_alike() -> None:
    for start in "abc":
        word = start + "\U00020000" * (MAX_RUN_LETTERS + 1)
        assert (
            terms(word)
            == [token.term for token in tokens(word)]
            == [token.text for token in make_analyzer()(word)]
        )
