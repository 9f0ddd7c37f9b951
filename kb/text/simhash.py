"""SimHash: 64 bits of a text. Texts that share most of their runs of words differ in few bits.

Charikar, STOC 2002; Manku, Jain and Das Sarma, WWW 2007.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

RUN_WORDS = 4
"""Number of words in a run."""


def simhash(words: list[int]) -> int:
    """The 64 bits of a text, from 64-bit hashes of its words in order. Fewer than RUN_WORDS words are one run."""
    hashes = np.array(words or [0], dtype=np.uint64)
    runs = max(len(hashes) - RUN_WORDS + 1, 1)
    mixed = np.zeros(runs, dtype=np.uint64)
    for offset in range(min(RUN_WORDS, len(hashes))):
        mixed = _mix(mixed ^ hashes[offset : offset + runs])
    bits = np.unpackbits(mixed.view(np.uint8).reshape(runs, 8), axis=1).sum(axis=0, dtype=np.int64)
    return int.from_bytes(np.packbits(2 * bits > runs).tobytes(), "little")


def _mix(values: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Every bit of the result hangs on every bit of the value (the finaliser of SplitMix64, Steele and others 2014)."""
    values = (values ^ (values >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    values = (values ^ (values >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return values ^ (values >> np.uint64(31))
