"""kb.compute.top_k"""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from kb.compute.top_k import SCORES_PER_SAMPLE, top_k

scores = st.lists(st.sampled_from([0.0, 0.25, 0.5, 0.75, 1.0]), min_size=1, max_size=30).map(
    lambda values: np.array(values, dtype=np.float32)
)


@given(scores, st.integers(1, 40))
def test_top_is_the_best_scores_and_of_equal_ones_the_lower_ordinals(
    values: np.ndarray[tuple[int], np.dtype[np.float32]], depth: int
) -> None:
    best = sorted(range(len(values)), key=lambda row: (-values[row], row))[:depth]
    assert top_k(values, depth).tolist() == sorted(best)


@given(
    st.integers(0, 2**32 - 1), st.integers(1, 3000), st.integers(1, 600), st.sampled_from([0, 1, 3])
)
def test_top_of_many_is_the_same_whatever_the_sample_said(
    seed: int, count: int, depth: int, decimals: int
) -> None:
    """Scores with ties, and with a wave in them that goes with the sample or against it."""
    random = np.random.default_rng(seed)
    wave = np.tile(random.random(SCORES_PER_SAMPLE), count // SCORES_PER_SAMPLE + 1)[:count]
    values = np.round(random.random(count) + 4 * wave, decimals).astype(np.float32)
    best = np.lexsort((np.arange(count), -values))[:depth]
    assert top_k(values, depth).tolist() == sorted(best.tolist())


def test_a_depth_beyond_all_passages_takes_all() -> None:
    assert top_k(np.array([0.1, 0.9], dtype=np.float32), 500).tolist() == [0, 1]
    assert top_k(np.array([], dtype=np.float32), 500).tolist() == []
    assert top_k(np.array([0.1, 0.9], dtype=np.float32), 0).tolist() == []
