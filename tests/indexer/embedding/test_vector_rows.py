"""indexer.embedding.vector_rows"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from indexer.embedding.vector_rows import PassageRows, RoundedRows, VectorRows
from support.vectors import unit_rows


def test_rows_set_in_any_order_are_read_back_bit_by_bit(tmp_path: Path) -> None:
    vectors = unit_rows(20, 384)
    rows = VectorRows(tmp_path / "names", 20, 384)
    for place in reversed(range(20)):
        rows[place] = vectors[place]
    rows.save()
    assert np.array_equal(np.load(tmp_path / "names.npy", allow_pickle=False), vectors)
    assert [path.name for path in tmp_path.iterdir()] == ["names.npy"]


def test_rounded_rows_are_off_by_half_a_scale_and_their_cosines_by_less_than_promised(
    tmp_path: Path,
) -> None:
    vectors = unit_rows(400, 384)
    rows = RoundedRows(tmp_path / "sentences", 400, 384)
    for place, vector in enumerate(vectors):
        rows[place] = vector
    rows.save()
    rounded = np.load(tmp_path / "sentences.npy", allow_pickle=False)
    scales = np.load(tmp_path / "sentence_scales.npy", allow_pickle=False)
    assert (rounded.dtype, scales.dtype, scales.shape) == (np.int8, np.float32, (400,))
    assert np.abs(rounded.astype(np.int64)).max(axis=1).tolist() == [127] * 400
    again = rounded * scales[:, None]
    assert (np.abs(again - vectors) <= scales[:, None] / 2 + 1e-7).all()
    questions = unit_rows(400, 384)[::-1]
    assert np.abs(again @ questions.T - vectors @ questions.T).max() < 0.002


def test_passages_are_kept_whole_and_rounded(tmp_path: Path) -> None:
    vectors = unit_rows(20, 384)
    rows = PassageRows(tmp_path, 20, 384)
    for place, vector in enumerate(vectors):
        rows[place] = vector
    rows.save()
    assert np.array_equal(np.load(tmp_path / "passages.npy", allow_pickle=False), vectors)
    codes, scales = (np.load(tmp_path / f"{name}.npy") for name in ("codes", "code_scales"))
    assert codes.dtype == np.int8
    assert np.abs(codes * scales[:, None] - vectors).max() <= scales.max() / 2 + 1e-7


def test_a_vector_of_zeros_stays_one(tmp_path: Path) -> None:
    rows = RoundedRows(tmp_path / "sentences", 1, 4)
    rows[0] = np.zeros(4, dtype=np.float32)
    rows.save()
    scales = np.load(tmp_path / "sentence_scales.npy")
    assert scales.tolist() == [pytest.approx(1)]
    assert np.load(tmp_path / "sentences.npy").tolist() == [[0, 0, 0, 0]]
