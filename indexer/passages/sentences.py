"""Sentence boundaries of a text."""

from __future__ import annotations

import re
from collections.abc import Iterator


def sentence_spans(text: str, language: str = "en") -> Iterator[tuple[int, int]]:
    """The sentences and lines of `text` as code-point ranges, white space at their ends left out."""
    import sentencex  # noqa: PLC0415  (removing articles cuts nothing, and does without)

    position = 0
    for piece in sentencex.segment(language, text):
        start = text.index(piece, position)
        position = start + len(piece)
        for line in re.finditer(r"[^\n]+", piece):
            stripped = line[0].strip()
            if stripped:
                begin = start + line.start() + line[0].index(stripped)
                yield begin, begin + len(stripped)
