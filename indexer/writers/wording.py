"""Writes the words of every passage in order: the arrays that `kb.retrieval.wording` maps."""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

from kb.compute.arrays import int64s, mapped
from kb.compute.kernels import SENTENCE_END
from kb.retrieval.wording import stem_hash
from kb.text import analysis

_WORDS_IN_BLOCK = 1 << 20
"""Number of words that are gathered before they are written."""


def write_wording(folder: Path, passages: Iterable[Sequence[str]]) -> None:
    """Write the words of these passages, each given as its sentences and names, into `folder` (made here)."""
    folder.mkdir()
    starts, block, written = array("q", [0]), array("I"), 0
    with (folder / "words.npy").open("wb") as file:
        _write_header(file, 0)
        for sentences in passages:
            for number, sentence in enumerate(sentences):
                if number:
                    block.append(SENTENCE_END)
                block.extend(map(stem_hash, analysis.indexed_words(sentence)))
            starts.append(written + len(block))
            if len(block) >= _WORDS_IN_BLOCK:
                file.write(block)
                written += len(block)
                del block[:]
        file.write(block)
        _write_header(file, written + len(block))
    np.save(folder / "starts.npy", int64s(starts), allow_pickle=False)


def merge_wording(folder: Path, first: Path, second: Path, order: NDArray[np.int64]) -> None:
    """Write the passages `order` of two folders into `folder`, those of the second counted on after the first's.

    Runs of neighbouring passages are written as one block.
    """
    folder.mkdir()
    words = [mapped(source, "words") for source in (first, second)]
    starts = [mapped(source, "starts") for source in (first, second)]
    count = len(starts[0]) - 1
    lengths = np.concatenate([np.diff(each) for each in starts])[order]
    ends = np.concatenate(([0], np.cumsum(lengths))).astype(np.int64)
    np.save(folder / "starts.npy", ends, allow_pickle=False)
    breaks = np.flatnonzero((np.diff(order) != 1) | (order[1:] == count)) + 1
    with (folder / "words.npy").open("wb") as file:
        _write_header(file, int(ends[-1]))
        for run in np.split(order, breaks):
            if len(run):
                source = int(run[0] >= count)
                begin, end = starts[source][[run[0] - source * count, run[-1] + 1 - source * count]]
                file.write(np.ascontiguousarray(words[source][begin:end]).data)


def _write_header(file: BinaryIO, count: int) -> None:
    """Write the head of an array of `count` words. numpy leaves room for a larger number."""
    file.seek(0)
    header = {"descr": "<u4", "fortran_order": False, "shape": (count,)}
    np.lib.format.write_array_header_1_0(file, header)
