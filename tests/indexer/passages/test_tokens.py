"""indexer.passages.tokens"""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from indexer.passages.tokens import TokenCounter

fast = settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
texts = st.text(max_size=60) | st.lists(
    st.sampled_from(["leg", "fasciculations", "é", "🦵🏽", "不安", "\n", "B12"])
).map(" ".join)


def test_words_are_counted_as_the_model_counts_them_without_special_tokens(
    counter: TokenCounter,
) -> None:
    assert counter.count("") == 0
    assert counter.count("why do my legs jerk") == 5
    assert counter.count("fasciculations") > 1
    assert counter.special_tokens == 2
    assert counter.max_tokens == 256


@fast
@given(texts, st.integers(1, 12))
def test_what_fits_is_a_beginning_of_at_most_so_many_tokens(
    counter: TokenCounter, text: str, tokens: int
) -> None:
    end = counter.fitting(text, tokens)
    assert 0 <= end <= len(text)
    assert end >= min(1, len(text))
    assert counter.count(text[:end]) <= tokens or end == 1
    if counter.count(text) <= tokens:
        assert end == len(text)


@fast
@given(texts, st.integers(1, 12))
def test_a_shortened_text_is_the_beginning_of_the_text(
    counter: TokenCounter, text: str, tokens: int
) -> None:
    short = counter.shorten(text, tokens)
    assert text.startswith(short)
    assert short == short.rstrip() or short == text


@pytest.mark.parametrize("text", ["", "leg", "why do my legs jerk"])
def test_a_text_that_fits_is_not_shortened(counter: TokenCounter, text: str) -> None:
    assert counter.shorten(text, 64) == text
