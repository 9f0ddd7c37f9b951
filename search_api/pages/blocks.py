"""A section's text as blocks of a page: paragraphs, lists and tables.

Every stretch of text keeps its offset in the section. The pieces of a stretch put together are that stretch word for
word. So templates and programs can find a citation's range on the page.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from operator import itemgetter
from typing import Literal

_BLANK_LINES = re.compile(r"\n(?:[ \t]*\n)+")
# ASCII digits alone: a list would number itself in no others.
_ITEM = re.compile(r"(?:[-*•]|([0-9]{1,6})[.)]) +(?=\S)")
_FIRST_ITEM = re.compile(r"(?:[-*•]|1[.)]) +(?=\S)")
_CELL_BORDER = " | "

Range = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch of text that is marked as a whole or not at all."""

    text: str
    marked: bool


@dataclass(frozen=True, slots=True)
class Stretch:
    """A paragraph, an item or a cell: its pieces joined are `section.text[start:end]`."""

    start: int
    end: int
    pieces: tuple[Piece, ...]


@dataclass(frozen=True, slots=True)
class Block:
    """A paragraph, a list or a table, as rows of stretches.

    A paragraph is one stretch with its line breaks kept, a list one row with a stretch for each
    item, a table one row for each of its lines. `first` is the number an ordered list begins with.
    """

    kind: Literal["paragraph", "bullets", "numbers", "table"]
    rows: tuple[tuple[Stretch, ...], ...]
    first: int = 1


def apart(marks: Iterable[Range]) -> list[Range]:
    """Ranges in any order as ascending ones that do not overlap, none empty: of two, the later one loses its start."""
    found: list[Range] = []
    position = 0
    for start, end in sorted(marks):
        begin = max(start, position)
        if begin < end:
            found.append((begin, end))
            position = end
    return found


def pieces(text: str, start: int, end: int, marks: Sequence[Range]) -> tuple[Piece, ...]:
    """`text[start:end]` cut at the borders of `marks`, which are ranges of `text`, as `apart` gives them.

    Costs what stands in the range, however many marks there are elsewhere.
    """
    found: list[Piece] = []
    position = start
    first = bisect_right(marks, start, key=itemgetter(1))
    for place in range(first, len(marks)):
        begin, stop = max(marks[place][0], position), min(marks[place][1], end)
        if begin >= stop:
            break
        if begin > position:
            found.append(Piece(text[position:begin], False))
        found.append(Piece(text[begin:stop], True))
        position = stop
    if position < end:
        found.append(Piece(text[position:end], False))
    return tuple(found)


def blocks(text: str, marks: Iterable[Range] = ()) -> tuple[Block, ...]:
    """The blocks of a section's text, in order; `marks` are ranges of it, in any order."""
    marks = apart(marks)
    gaps = [match.span() for match in _BLANK_LINES.finditer(text)]
    starts = [0, *(end for _, end in gaps)]
    ends = [*(start for start, _ in gaps), len(text)]
    return tuple(
        block
        for start, end in zip(starts, ends, strict=True)
        for block in _blocks(text, start, end, marks)
    )


def _blocks(text: str, start: int, end: int, marks: Sequence[Range]) -> tuple[Block, ...]:
    """What stands between two blank lines: a list or a table, or a paragraph, which a list may follow."""
    whole = _list(text, start, end, marks) or _table(text, start, end, marks)
    if whole is not None:
        return (whole,)
    place = _list_in(text, start, end)
    below = None if place is None else _list(text, place, end, marks)
    if place is not None and below is not None:
        return (*_blocks(text, start, place - 1, marks), below)
    if not text[start:end].strip():
        return ()
    return (Block("paragraph", ((_stretch(text, (start, end), marks),),)),)


def _list_in(text: str, start: int, end: int) -> int | None:
    """Where a list may begin below a paragraph's first line; None if none may.

    As in Markdown, bullets may follow so, and numbers from 1 on: others, as "2019.", may just be where a line broke.
    """
    (_, first_end), *lines = _lines(text, start, end)
    if _ITEM.match(text, start, first_end):
        return None
    return next((begin for begin, stop in lines if _FIRST_ITEM.match(text, begin, stop)), None)


def _list(text: str, start: int, end: int, marks: Sequence[Range]) -> Block | None:
    """A list, where it is nothing else: lines that are set in belong to the item above them."""
    numbers: list[str | None] = []
    spans: list[Range] = []
    for begin, stop in _lines(text, start, end):
        found = _ITEM.match(text, begin, stop)
        if found:
            numbers.append(found[1])
            spans.append((found.end(), stop))
        elif spans and text[begin:stop].startswith((" ", "\t")):
            spans[-1] = (spans[-1][0], stop)
        else:
            return None
    items = (tuple(_stretch(text, span, marks) for span in spans),)
    written = [int(number) for number in numbers if number]
    if not written:
        return Block("bullets", items)
    # A list numbers itself: only if that gives the numbers that were written.
    if written == list(range(written[0], written[0] + len(spans))):
        return Block("numbers", items, written[0])
    return None


def _table(text: str, start: int, end: int, marks: Sequence[Range]) -> Block | None:
    rows = [_cells(text, *line) for line in _lines(text, start, end)]
    if len(rows) < 2 or len(rows[0]) < 2 or len({len(cells) for cells in rows}) > 1:
        return None
    return Block(
        "table", tuple(tuple(_stretch(text, cell, marks) for cell in cells) for cells in rows)
    )


def _stretch(text: str, span: Range, marks: Sequence[Range]) -> Stretch:
    return Stretch(*span, pieces(text, *span, marks))


def _lines(text: str, start: int, end: int) -> list[Range]:
    spans = []
    for line in text[start:end].split("\n"):
        spans.append((start, start + len(line)))
        start += len(line) + 1
    return spans


def _cells(text: str, start: int, end: int) -> list[Range]:
    spans = []
    for cell in text[start:end].split(_CELL_BORDER):
        spans.append((start, start + len(cell)))
        start += len(cell) + len(_CELL_BORDER)
    return spans
