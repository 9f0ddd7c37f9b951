"""indexer.passages.sentences"""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from indexer.passages.sentences import sentence_spans

WORDS = ["legs", "jerk", "e.g.", "Dr.", "3.5", "不安腿", "🦵🏽", "x" * 90]
SPACES = [" ", " ", "  ", "\t", "\n", "\n\n", "\u00a0", ". ", "? ", "; ", ", "]
written = st.lists(st.tuples(st.sampled_from(WORDS), st.sampled_from(SPACES)), max_size=120).map(
    lambda parts: "".join(word + space for word, space in parts)
)


@given(st.one_of(written, st.text(max_size=300)), st.sampled_from(["en", "de", "zh", "zz", ""]))
def test_sentences_are_in_order_and_leave_out_white_space_alone(text: str, language: str) -> None:
    end = 0
    for start, stop in sentence_spans(text, language):
        assert not text[end:start].strip()
        assert start < stop
        assert text[start:stop] == text[start:stop].strip()
        assert "\n" not in text[start:stop]
        end = stop
    assert not text[end:].strip()
