"""indexer.passages.splitter, with the default model's own tokenizer"""

from __future__ import annotations

import time
from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from tokenizers import Tokenizer

from indexer.passages.splitter import MAX_PREFIX_TOKENS, Splitter
from indexer.passages.tokens import TokenCounter
from kb.schema.article import Article, Section
from kb.schema.passage import Passage
from support.examples import at_most

SENTENCES = [
    "Legs may jerk in sleep.",
    "Dr. Smith saw 3.5 mg of it, e.g. at night!",
    "Restless legs syndrome is an urge to move the legs that comes at rest and eases with movement.",
    "no full stop here and nothing that would end it",
    "fasciculations " * 40,
    "pneumonoultramicroscopicsilicovolcanoconiosis" * 12,
    "x" * 3000,
    "不安腿综合征是一种神经系统疾病。" * 10,
    "🦵🏽💤" * 30,
    "- warm bath\n- stretch\n- magnesium",
    "Drug | Dose | When\nIron | 65 mg | morning\n" * 12,
    "\u200b\ufffd",
    "…",
]
GAPS = [" ", "\n", "\n\n", "\n \t\n", "  ", "\u00a0", ""]
texts = st.lists(st.tuples(st.sampled_from(SENTENCES), st.sampled_from(GAPS)), max_size=25).map(
    lambda parts: "".join(sentence + gap for sentence, gap in parts)
)


def article(*sections: str, heading: str = "Heading", title: str = "Title") -> Article:
    return Article(
        "article",
        title,
        tuple(Section(f"s{place}", heading, 2, text) for place, text in enumerate(sections)),
    )


@pytest.fixture(scope="module")
def splitter(counter: TokenCounter) -> Splitter:
    return Splitter(counter)


def check(splitter: Splitter, counter: TokenCounter, split: Article) -> list[Passage]:
    """Everything that is promised of the passages of an article."""
    passages = list(splitter.split(split))
    order = {section.id: place for place, section in enumerate(split.sections)}
    assert [order[passage.section_id] for passage in passages] == sorted(
        order[passage.section_id] for passage in passages
    )
    for section in split.sections:
        own = [passage for passage in passages if passage.section_id == section.id]
        end = 0
        for passage in own:
            text = section.text[passage.start : passage.end]
            assert end <= passage.start < passage.end <= len(section.text)
            assert not section.text[end : passage.start].strip()
            assert text == text.strip()
            assert passage.article_id == split.id
            assert passage.token_count == counter.count(text) <= splitter.max_tokens
            prefix = counter.shorten(f"{split.title}\n{section.heading}".strip(), MAX_PREFIX_TOKENS)
            embedded = counter.count(f"{prefix}\n{text}") + counter.special_tokens
            assert embedded <= counter.max_tokens
            end = passage.end
        assert not section.text[end:].strip()
        # No more passages than twice what the tokens need.
        total = counter.count(section.text)
        assert len(own) <= max(1, 2 * total // splitter.max_tokens + 1)
        if total <= splitter.max_tokens:
            assert len(own) == bool(section.text.strip())
    assert passages == list(splitter.split(split))
    return passages


@settings(max_examples=at_most(60), suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    sections=st.lists(texts, min_size=1, max_size=3),
    heading=st.sampled_from(["", "Causes", "Long heading " * 90]),
)
@example(sections=["x" * 3000], heading="")
@example(sections=["\u200b"], heading="")
@example(sections=["", "  \n\n ", "a"], heading="")
def test_passages_cover_each_section_in_order_and_fit_the_window(
    splitter: Splitter, counter: TokenCounter, sections: list[str], heading: str
) -> None:
    check(splitter, counter, article(*sections, heading=heading))


@settings(max_examples=at_most(60), suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.text(max_size=2000))
def test_any_text_at_all_is_covered(splitter: Splitter, counter: TokenCounter, text: str) -> None:
    check(splitter, counter, article(text))


def test_a_section_that_fits_is_one_passage_and_gaps_are_not_part_of_it(splitter: Splitter) -> None:
    (passage,) = splitter.split(article("  \nLegs may jerk.\n\nThey rest.\n\n"))
    assert (passage.start, passage.end) == (3, 29)
    assert passage.id == "article#s0@3"


def test_cuts_fall_between_paragraphs_where_that_can_be(splitter: Splitter) -> None:
    paragraph = "Legs may jerk in sleep and wake the sleeper. " * 4
    text = "\n\n".join([paragraph.strip()] * 7)
    passages = list(splitter.split(article(text)))
    assert len(passages) > 1
    for passage in passages:
        assert passage.start == 0 or text[passage.start - 2 : passage.start] == "\n\n"
        assert passage.end == len(text) or text[passage.end : passage.end + 2] == "\n\n"


def test_cuts_fall_between_sentences_where_a_paragraph_is_too_long(splitter: Splitter) -> None:
    text = "Legs may jerk in sleep and wake the sleeper. " * 60
    for passage in splitter.split(article(text)):
        assert text[passage.start :].startswith("Legs")
        assert text[passage.end - 1] == "."


def test_a_sentence_that_does_not_fit_is_cut_between_words(splitter: Splitter) -> None:
    text = " ".join(f"word{number}" for number in range(800))
    passages = list(splitter.split(article(text)))
    assert len(passages) > 2
    assert [
        word for passage in passages for word in text[passage.start : passage.end].split()
    ] == text.split()


def test_passages_of_a_long_section_are_evenly_filled(splitter: Splitter) -> None:
    text = "Legs may jerk in sleep and wake the sleeper. " * 45
    counts = [passage.token_count for passage in splitter.split(article(text))]
    assert len(counts) > 2
    assert max(counts) - min(counts) <= 0.25 * splitter.max_tokens


def test_passages_of_the_corpus_hold_to_it_too(
    splitter: Splitter, counter: TokenCounter, knowledge_base: object
) -> None:
    for summary in knowledge_base.articles(limit=1000):  # type: ignore[attr-defined]
        whole = knowledge_base.article(summary.id)  # type: ignore[attr-defined]
        check(splitter, counter, whole)
        check(splitter, counter, replace(whole, language="xx"))


@pytest.mark.slow
@pytest.mark.parametrize(
    "text",
    [
        "a" + " " * 60_000 + "b",
        "a" + "\n " * 30_000 + "b",
        "leg " * 60_000,
        "leg," * 60_000,
        "x" * 200_000,
        "I am. " * 20_000,
        "\n\n".join(["- item"] * 20_000),
    ],
    ids=["spaces", "lines", "no full stop", "no space", "one word", "sentences", "list"],
)
def test_time_grows_with_the_length_of_a_text_and_not_with_its_square(
    splitter: Splitter, counter: TokenCounter, text: str
) -> None:
    begun = time.perf_counter()
    passages = list(splitter.split(article(text)))
    assert time.perf_counter() - begun < 30
    assert all(before.end <= after.start for before, after in pairwise(passages))


def test_a_window_without_room_for_a_passage_is_refused(tokenizer: Tokenizer) -> None:
    small = TokenCounter(tokenizer, MAX_PREFIX_TOKENS + 10)
    with pytest.raises(ValueError, match=f"window of {MAX_PREFIX_TOKENS + 10} tokens"):
        Splitter(small)
