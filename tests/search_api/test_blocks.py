from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from search_api.blocks import blocks, pieces

TEXT = "One.\nTwo.\n\n- first\n- second\n  and more\n\n3. three\n4. four\n\nA | B\nc | d"


def test_paragraphs_lists_and_tables_are_told_apart() -> None:
    found = blocks(TEXT)
    assert [block.kind for block in found] == ["paragraph", "bullets", "numbers", "table"]
    assert [stretch.pieces[0].text for stretch in found[1].rows[0]] == [
        "first",
        "second\n  and more",
    ]
    assert found[2].first == 3
    assert [[cell.pieces[0].text for cell in row] for row in found[3].rows] == [
        ["A", "B"],
        ["c", "d"],
    ]


def test_a_list_that_does_not_count_up_stays_as_it_was_written() -> None:
    assert blocks("2. two\n4. four")[0].kind == "paragraph"


def test_lines_of_unlike_length_are_no_table() -> None:
    assert blocks("a | b\nc")[0].kind == "paragraph"
    assert blocks("one | line")[0].kind == "paragraph"


def test_a_mark_across_blocks_is_cut_at_their_borders() -> None:
    start, end = TEXT.index("Two"), TEXT.index("cond")
    marked = [
        piece.text
        for block in blocks(TEXT, [(start, end)])
        for row in block.rows
        for stretch in row
        for piece in stretch.pieces
        if piece.marked
    ]
    assert marked == ["Two.", "first", "se"]


def test_overlapping_marks_and_marks_outside_lose_no_text() -> None:
    found = pieces("abcdef", 1, 5, [(3, 99), (0, 2), (1, 4)])
    assert [(piece.text, piece.marked) for piece in found] == [
        ("b", True),
        ("cd", True),
        ("e", True),
    ]


@given(
    st.text(alphabet="ab-1. |\n\t•é\U0001f642", max_size=80),
    st.lists(st.tuples(st.integers(-3, 90), st.integers(-3, 90)), max_size=4),
)
def test_every_stretch_is_word_for_word_and_all_words_are_shown(
    text: str, marks: list[tuple[int, int]]
) -> None:
    shown: set[int] = set()
    for block in blocks(text, marks):
        for row in block.rows:
            for stretch in row:
                joined = "".join(piece.text for piece in stretch.pieces)
                assert joined == text[stretch.start : stretch.end]
                shown.update(range(stretch.start, stretch.end))
    lost = [letter for place, letter in enumerate(text) if place not in shown]
    assert not set(lost) & set("abé\U0001f642")
