"""Vectors of a chosen number and dimension, always the same."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def unit_rows(count: int, dimensions: int, seed: int = 1) -> NDArray[np.float32]:
    """Random directions: rows of length 1."""
    rows = np.random.default_rng(seed).normal(size=(count, dimensions))
    return np.asarray(rows / np.linalg.norm(rows, axis=1, keepdims=True), dtype=np.float32)
