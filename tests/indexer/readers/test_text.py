"""indexer.readers.text"""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from indexer.readers.text import decode, normalise
from kb.schema.errors import ArticleError

ANY_TEXT = st.text(alphabet=st.characters(exclude_categories=()))


def test_line_ends_become_lf_and_letters_nfc() -> None:
    assert decode("a.md", "e\u0301\r\nb\rc\td\n".encode()) == "é\nb\nc\td\n"


def test_a_byte_order_mark_is_dropped() -> None:
    assert decode("a.md", b"\xef\xbb\xbftext") == "text"


def test_white_space_is_kept() -> None:
    assert normalise("  a \u00a0 b\t\n\n\n c ") == "  a \u00a0 b\t\n\n\n c "


def test_control_characters_and_lone_surrogates_are_replaced_one_for_one() -> None:
    assert normalise("a\x0cb\x00c\x85d\x7fe\ud83df") == "a b c d e\ufffdf"


@pytest.mark.parametrize(
    ("data", "parts"),
    [
        (b"a\nb\xe9", ["a.md:2:", "byte 0xE9 at offset 3", "save the file as UTF-8"]),
        (b"\xef\xbb\xbfa\xff", ["a.md:1:", "offset 4"]),
        ("text".encode("utf-16"), ["byte 0xFF at offset 0", "UTF-8"]),
        (b"\xed\xa0\x80", ["offset 0"]),
        (b"a\n\nb\x00", ["a.md:3:", "NUL", "not a text file"]),
    ],
)
def test_what_is_not_text_is_refused_with_its_place(data: bytes, parts: list[str]) -> None:
    with pytest.raises(ArticleError) as caught:
        decode("a.md", data)
    for part in parts:
        assert part in str(caught.value)


@given(ANY_TEXT)
def test_normalised_text_can_be_written_and_stays_as_it_is(text: str) -> None:
    made = normalise(text)
    assert normalise(made) == made
    assert unicodedata.is_normalized("NFC", made)
    assert made.encode().decode() == made
    assert not any(c not in "\n\t" and unicodedata.category(c) == "Cc" for c in made)


@given(st.binary())
def test_decoding_raises_nothing_but_article_errors(data: bytes) -> None:
    try:
        text = decode("a.md", data)
    except ArticleError:
        return
    assert unicodedata.is_normalized("NFC", text)
