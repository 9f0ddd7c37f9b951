"""kb.answering.snippet"""

from __future__ import annotations

import math
import random

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from indexer.passages.sentences import sentence_spans
from kb.answering.snippet import SNIPPET_MAX_CHARS, best_window, excerpt, matches
from kb.knowledge_base import KnowledgeBase
from kb.text.analysis import terms, tokens
from support.examples import at_most

WORDS = [
    "legs",
    "jerk",
    "sleep",
    "the",
    "twitching",
    "e.g.",
    "Dr.",
    "3.5",
    "不安腿",
    "🦵🏽",
    "x" * 90,
]
SPACES = [" ", " ", " ", "  ", "\t", "\n", "\n\n", "\u00a0", ". ", "? ", "; ", ", "]
written = st.lists(st.tuples(st.sampled_from(WORDS), st.sampled_from(SPACES)), max_size=120).map(
    lambda parts: "".join(word + space for word, space in parts)
)
wanted = st.dictionaries(st.sampled_from(["leg", "jerk", "sleep", "twitch"]), st.floats(0.1, 9))


def sentences_of(text: str, start: int, end: int) -> list[tuple[int, int]]:
    """As an index keeps them: ranges of the whole text."""
    return [(start + left, start + right) for left, right in sentence_spans(text[start:end])]


def window(passage: str, wanted: dict[str, float]) -> tuple[int, int]:
    spans = sentences_of(passage, 0, len(passage))
    return best_window(passage, spans, matches(passage, wanted), wanted)


@settings(max_examples=at_most(300))
@given(before=written, passage=written.filter(str.strip), after=written, wanted=wanted)
@example(before="", passage="a\t" * 400, after="", wanted={})
@example(before="", passage="word  " * 200 + "legs", after="", wanted={"leg": 1.0})
@example(before="", passage="x" * 1000, after="", wanted={})
@example(before="", passage="x" * 1000 + " legs " + "y" * 1000, after="", wanted={"leg": 1.0})
def test_a_snippet_stands_at_its_offsets_and_ends_between_words(
    before: str, passage: str, after: str, wanted: dict[str, float]
) -> None:
    text = before + passage + after
    start, end = len(before), len(before) + len(passage)
    snippet, found = excerpt(text, start, end, sentences_of(text, start, end), wanted)
    assert start <= snippet.start < snippet.end <= end
    assert snippet.text == text[snippet.start : snippet.end]
    assert snippet.text == snippet.text.strip()
    assert len(snippet.text) <= SNIPPET_MAX_CHARS
    if max(map(len, passage.split())) < SNIPPET_MAX_CHARS // 3:
        words = text[start:end].split()
        assert snippet.text.split()[0] in words
        assert snippet.text.split()[-1] in words
        assert snippet.start == start or text[snippet.start - 1].isspace()
        assert snippet.end == end or text[snippet.end].isspace()
    assert found == sorted(set(found))
    for left, right, term in found:
        assert start <= left < right <= end
        assert terms(text[left:right])[0] == term
        assert term in wanted
    assert len(found) == sum(term in wanted for term in terms(passage))


@given(passage=written.filter(str.strip), wanted=wanted.filter(bool))
def test_where_a_word_matches_the_snippet_holds_one(passage: str, wanted: dict[str, float]) -> None:
    spans = sentences_of(passage, 0, len(passage))
    snippet, found = excerpt(passage, 0, len(passage), spans, wanted)
    if found:
        assert any(snippet.start <= left and right <= snippet.end for left, right, _ in found)


@given(passage=written.filter(str.strip), wanted=wanted, data=st.data())
def test_a_snippet_without_the_sentence_that_answers_shows_as_many_words_more(
    passage: str, wanted: dict[str, float], data: st.DataObject
) -> None:
    start, end = data.draw(st.sampled_from(list(sentence_spans(passage))))
    text = "before " + passage
    spans = sentences_of(text, 7, len(text))
    snippet, _ = excerpt(text, 7, len(text), spans, wanted, (7 + start, 7 + end))
    assert len(snippet.text) <= SNIPPET_MAX_CHARS

    def worth(written: str) -> float:
        return math.fsum(
            wanted[term] for term in {found for _, _, found in matches(written, wanted)}
        )

    if end - start > SNIPPET_MAX_CHARS:
        assert worth(snippet.text) or 7 + start <= snippet.start < snippet.end <= 7 + end
    elif not (snippet.start <= 7 + start and 7 + end <= snippet.end):
        one_word = math.fsum(wanted.values()) / len(
            wanted
        )  # where none is wanted the sentence is always shown
        assert worth(snippet.text) >= worth(passage[start:end]) + one_word


def test_the_sentences_that_hold_most_of_the_question_are_shown() -> None:
    filler = "Nothing of note happens here, and nothing more is said about it at all. " * 6
    passage = f"{filler}Legs may jerk. They jerk in sleep. {filler}"
    start, stop = window(passage, {"leg": 2.0, "jerk": 1.0, "sleep": 1.0})
    assert "Legs may jerk. They jerk in sleep." in passage[start:stop]


def test_a_passage_that_fits_is_shown_whole() -> None:
    passage = "Legs may jerk. They rest.\n\n- warm bath\n- stretch"
    assert window(passage, {"leg": 1.0}) == (0, len(passage))


def test_of_equal_windows_the_earliest_is_shown_in_whatever_order_their_words_stand() -> None:
    """A plain sum over a set would differ in its last bit with the order of insertion, and with the hash seed."""
    chosen = random.Random(1)
    filler = "Nothing of note happens here at all. " * 9
    for _ in range(300):
        words = [f"w{chosen.randrange(10**6)}" for _ in range(15)]
        weights = {word: 1 / place for place, word in enumerate(words, start=3)}
        first, second = words.copy(), words.copy()
        chosen.shuffle(first)
        chosen.shuffle(second)
        text = f"Now {' '.join(first)} end. {filler}Now {' '.join(second)} end. {filler}"
        assert window(text, weights)[0] == 0


@given(text=st.one_of(written, st.text(max_size=300)), wanted=wanted)
def test_matches_are_the_tokens_that_are_wanted(text: str, wanted: dict[str, float]) -> None:
    expected = [token for token in tokens(text) if token.term in wanted]
    assert matches(text, wanted) == [(found.start, found.end, found.term) for found in expected]


@pytest.mark.parametrize("asked", ["why do my legs jerk when I fall asleep", "sore gums", "B12"])
def test_highlights_of_results_are_the_questions_words(
    knowledge_base: KnowledgeBase, asked: str
) -> None:
    for result in knowledge_base.search(asked).results:
        citation = result.citation
        section = knowledge_base.article(citation.article_id).section(citation.section_id)
        assert section is not None
        for start, end in result.highlights:
            assert set(terms(section.text[start:end])) <= set(terms(asked))


@pytest.mark.parametrize(
    ("text", "marked"),
    [
        ("Keep steady hours.", []),
        ("Legs jerk.", ["Legs", "jerk"]),
        ("They will not keep still.", ["keep", "still"]),
        ("Keep the legs warm.", ["legs"]),
    ],
)
def test_a_part_of_another_name_alone_is_no_match(text: str, marked: list[str]) -> None:
    wanted = {"leg": 2.0, "jerk": 2.0, "keep": 1.0, "still": 1.0}
    names = [frozenset({"keep", "still"})]
    spans = sentences_of(text, 0, len(text))
    _, found = excerpt(text, 0, len(text), spans, wanted, None, names)
    assert [text[start:end] for start, end, _ in found] == marked
