"""kb.retrieval.coarse and indexer.writers.coarse: against a code read bit by bit, and against brute force"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from indexer.writers.coarse import write_coarse
from kb.retrieval import vectors
from kb.retrieval.coarse import LEVELS, CoarseIndex

NOTHING = np.zeros((0, 384), dtype=np.float32)

FEW = 300
"""So many passages are compared by their codes of eight bits."""


def crowded(count: int, dimensions: int, seed: int) -> NDArray[np.float32]:
    """Unit vectors in crowds, and all of them more on one side of some dimensions than on the other."""
    random = np.random.default_rng(seed)
    centres = random.normal(size=(60, dimensions))
    rows = centres[random.integers(60, size=count)] + random.normal(size=(count, dimensions))
    rows += 2 * (np.arange(dimensions) % 7 == 0)
    return np.asarray(rows / np.linalg.norm(rows, axis=1, keepdims=True), dtype=np.float32)


@pytest.mark.parametrize("dimensions", [5, 8, 384])
def test_a_code_is_the_level_that_each_dimension_is_nearest_to(
    tmp_path: Path, dimensions: int
) -> None:
    rows = crowded(400, dimensions, 1)
    rows[:, 3] = 0.25  # has no deviation
    np.save(tmp_path / "passages.npy", rows)
    write_coarse(tmp_path, FEW)
    codes = np.load(tmp_path / "coarse.npy")
    mean, deviation = np.load(tmp_path / "coarse_columns.npy")[:, :dimensions]
    assert codes.shape == (400, -(-dimensions // 4))
    assert mean == pytest.approx(rows.mean(axis=0), abs=1e-6)
    assert deviation == pytest.approx(rows.std(axis=0), abs=1e-6)
    for row in range(0, 400, 57):
        for column in range(dimensions):
            level = codes[row, column // 4] >> (2, 0, 6, 4)[column % 4] & 3
            wanted = mean[column] + deviation[column] * np.array(LEVELS)
            if deviation[column] > 1e-6:
                off = np.abs(rows[row, column] - wanted)
                assert off[level] <= off.min() + 1e-3 * deviation[column]


@pytest.mark.parametrize("dimensions", [5, 384])
def test_the_nearest_are_nearly_those_of_brute_force_whoever_is_allowed(
    tmp_path: Path, save_vectors: Any, dimensions: int
) -> None:
    rows = crowded(6000, dimensions, 2)
    np.save(tmp_path / "passages.npy", rows)
    write_coarse(tmp_path, FEW)
    nothing = np.zeros((0, dimensions), dtype=np.float32)
    index = save_vectors(tmp_path, rows, nothing, [0], nothing, [0], exact_up_to=FEW)
    random = np.random.default_rng(3)
    everybody = np.ones(6000, dtype=bool)
    half = random.random(6000) < 0.5
    few = np.arange(6000) % 40 == 0
    assert few.sum() < FEW < half.sum()
    hits = total = 0
    for question in crowded(40, dimensions, 3):
        cosines = rows @ question
        far = cosines < np.sort(cosines)[-1000]  # none of what seems nearest is allowed
        for allowed in (None, everybody, half, few, far):
            mask = everybody if allowed is None else allowed
            found = index.nearest(question, 50, allowed)
            assert len(found) == 50
            assert (np.diff(found) > 0).all()
            assert mask[found].all()
            least = np.sort(cosines[mask])[-50]
            hits += int((cosines[found] >= least - vectors.COSINE_ROUNDING).sum())
            total += 50
    assert hits >= (0.99 if dimensions > 100 else 0.95) * total


def test_many_threads_get_what_one_gets(tmp_path: Path) -> None:
    rows = crowded(4000, 384, 6)
    np.save(tmp_path / "passages.npy", rows)
    write_coarse(tmp_path, FEW)
    index = CoarseIndex.open(tmp_path)
    assert index is not None
    wanted = [index.likely(row, 100).tolist() for row in rows[:200]]
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda row: index.likely(row, 100).tolist(), rows[:200]))
    assert found == wanted


def test_a_small_library_has_no_such_codes_and_is_gone_over_in_full(
    tmp_path: Path, save_vectors: Any
) -> None:
    rows = crowded(FEW, 384, 4)
    index = save_vectors(tmp_path, rows, NOTHING, [0], NOTHING, [0], exact_up_to=FEW)
    write_coarse(tmp_path, FEW)
    assert not list(tmp_path.glob("coarse*"))
    assert CoarseIndex.open(tmp_path) is None
    cosines = index.all_cosines(rows[0])
    assert index.nearest(rows[0], 7).tolist() == sorted(np.argsort(-cosines)[:7].tolist())


def test_without_faiss_all_codes_are_gone_over(
    tmp_path: Path, save_vectors: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = crowded(400, 384, 5)
    np.save(tmp_path / "passages.npy", rows)
    write_coarse(tmp_path, FEW)
    monkeypatch.setitem(__import__("sys").modules, "faiss", None)
    index = save_vectors(tmp_path, rows, NOTHING, [0], NOTHING, [0], exact_up_to=FEW)
    assert 9 in index.nearest(rows[9], 3).tolist()
    assert CoarseIndex.open(tmp_path) is None


def test_codes_of_another_shape_are_refused(tmp_path: Path) -> None:
    np.save(tmp_path / "coarse.npy", np.zeros((10, 3), dtype=np.uint8))
    np.save(tmp_path / "coarse_columns.npy", np.zeros((2, 8), dtype=np.float32))
    with pytest.raises(ValueError, match=r"shape \(10, 3\) for 8 dimensions"):
        CoarseIndex.open(tmp_path)
