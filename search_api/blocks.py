"""Given a section and a cited range, what the page shows of it: paragraphs, lists and tables.

Every stretch that is shown keeps the offset at which it begins in the section's text, and its
pieces put together are that stretch word for word. A citation's range can therefore be found on the
page, by the template and by a program alike.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

_BLANK_LINES = re.compile(r"\n(?:[ \t]*\n)+")
_BULLET = re.compile(r"[-*•] +(?=\S)")
_NUMBER = re.compile(r"([0-9]{1,6})[.)] +(?=\S)")  # a list would number itself in no other digits
_ANY_ITEM = re.compile(f"{_BULLET.pattern}|{_NUMBER.pattern}")
_FIRST_ITEM = re.compile(rf"{_BULLET.pattern}|1[.)] +(?=\S)")
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
    """What stands between two blank lines, or one of the two where that is a paragraph and a list; rows of stretches.

    A paragraph is one stretch with its line breaks kept, a list one row with a stretch for each
    item, a table one row for each of its lines. `first` is the number an ordered list begins with.
    """

    kind: Literal["paragraph", "bullets", "numbers", "table"]
    rows: tuple[tuple[Stretch, ...], ...]
    first: int = 1


def pieces(text: str, start: int, end: int, marks: Sequence[Range] = ()) -> tuple[Piece, ...]:
    """`text[start:end]` cut at the borders of `marks`, which are ranges of `text` in any order."""
    found: list[Piece] = []
    position = start
    for mark_start, mark_end in sorted(marks):
        begin, stop = max(mark_start, position), min(mark_end, end)
        if begin >= stop:
            continue
        if begin > position:
            found.append(Piece(text[position:begin], False))
        found.append(Piece(text[begin:stop], True))
        position = stop
    if position < end:
        found.append(Piece(text[position:end], False))
    return tuple(found)


def blocks(text: str, marks: Sequence[Range] = ()) -> tuple[Block, ...]:
    """The blocks of a section's text, in order."""
    gaps = [match.span() for match in _BLANK_LINES.finditer(text)]
    starts = [0, *(end for _, end in gaps)]
    ends = [*(start for start, _ in gaps), len(text)]
    return tuple(
        _block(text, *part, marks)
        for start, end in zip(starts, ends, strict=True)
        for part in _parts(text, start, end)
        if text[slice(*part)].strip()
    )


def _parts(text: str, start: int, end: int) -> tuple[Range, ...]:
    """The range as it is, or those of a paragraph and of the list that follows without a blank line.

    As in Markdown, bullets may follow so, and numbers from 1 on: others, as "2019.", may just be where a line broke.
    """
    (_, first_end), *lines = _lines(text, start, end)
    if not _ANY_ITEM.match(text, start, first_end):
        for begin, stop in lines:
            if _FIRST_ITEM.match(text, begin, stop):
                is_list = _items(text, begin, end, _BULLET) or _numbered(text, begin, end)
                return ((start, begin - 1), (begin, end)) if is_list else ((start, end),)
    return ((start, end),)


def _block(text: str, start: int, end: int, marks: Sequence[Range]) -> Block:
    def stretch(span: Range) -> Stretch:
        return Stretch(*span, pieces(text, *span, marks))

    bullets = _items(text, start, end, _BULLET)
    if bullets:
        return Block("bullets", (tuple(stretch(span) for _, span in bullets),))
    numbers = _numbered(text, start, end)
    if numbers:
        first = int(numbers[0][0][1])
        return Block("numbers", (tuple(stretch(span) for _, span in numbers),), first)
    table = [_cells(text, *line) for line in _lines(text, start, end)]
    if len(table) > 1 and len(table[0]) > 1 and len({len(cells) for cells in table}) == 1:
        return Block("table", tuple(tuple(stretch(cell) for cell in cells) for cells in table))
    return Block("paragraph", ((stretch((start, end)),),))


def _lines(text: str, start: int, end: int) -> list[Range]:
    spans = []
    for line in text[start:end].split("\n"):
        spans.append((start, start + len(line)))
        start += len(line) + 1
    return spans


def _items(
    text: str, start: int, end: int, marker: re.Pattern[str]
) -> list[tuple[re.Match[str], Range]]:
    """The items of a list, each without its marker; none where the block is no such list.

    Lines that are set in belong to the item above them.
    """
    items: list[tuple[re.Match[str], Range]] = []
    for begin, stop in _lines(text, start, end):
        found = marker.match(text, begin, stop)
        if found:
            items.append((found, (found.end(), stop)))
        elif items and text[begin:stop].startswith((" ", "\t")):
            last, span = items[-1]
            items[-1] = (last, (span[0], stop))
        else:
            return []
    return items


def _numbered(text: str, start: int, end: int) -> list[tuple[re.Match[str], Range]]:
    """The items of a list that counts up. It numbers itself: none where that gives other numbers than were written."""
    items = _items(text, start, end, _NUMBER)
    written = [int(marker[1]) for marker, _ in items]
    counts_up = all(after == before + 1 for before, after in pairwise(written))
    return items if counts_up else []


def _cells(text: str, start: int, end: int) -> list[Range]:
    spans = []
    for cell in text[start:end].split(_CELL_BORDER):
        spans.append((start, start + len(cell)))
        start += len(cell) + len(_CELL_BORDER)
    return spans
