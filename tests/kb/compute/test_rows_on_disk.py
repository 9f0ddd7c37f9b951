"""kb.compute.rows_on_disk, against numpy"""

from __future__ import annotations

import gc
import os
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kb.compute import rows_on_disk
from kb.compute.rows_on_disk import RowsOnDisk, rows_of, take


@given(st.lists(st.integers(0, 39), max_size=60))
def test_rows_are_those_of_the_table_in_any_order_and_repeated(
    tmp_path_factory: pytest.TempPathFactory, rows: list[int]
) -> None:
    for dtype in (np.float32, np.int8):
        table = np.arange(40 * 3).reshape(40, 3).astype(dtype)
        path = tmp_path_factory.mktemp("rows") / "table.npy"
        np.save(path, table)
        wanted = np.array(rows, dtype=np.int64)
        found = RowsOnDisk(path).take(wanted)
        assert found.dtype == dtype
        assert np.array_equal(found, table[wanted])


def test_only_large_tables_are_read_and_small_ones_mapped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    table = np.eye(8, dtype=np.float32)
    np.save(tmp_path / "table.npy", table)
    for limit, kind in ((table.nbytes, np.ndarray), (table.nbytes - 1, RowsOnDisk)):
        monkeypatch.setattr(rows_on_disk, "MAX_MAPPED_BYTES", limit)
        found = rows_of(tmp_path, "table")
        assert isinstance(found, kind)
        assert len(found) == 8
        assert np.array_equal(take(found, np.array([7, 2, 3])), table[[7, 2, 3]])


def test_rows_that_are_not_there_and_a_file_that_was_cut_are_errors(tmp_path: Path) -> None:
    path = tmp_path / "table.npy"
    np.save(path, np.eye(8))
    rows = RowsOnDisk(path)
    for wrong in (-1, 8):
        with pytest.raises(IndexError, match="there are 8 rows"):
            rows.take(np.array([0, wrong]))
    os.truncate(path, path.stat().st_size - 1)
    with pytest.raises(OSError, match="ends early"):
        rows.take(np.array([6, 7]))


def test_the_file_is_closed_with_the_table(tmp_path: Path) -> None:
    np.save(tmp_path / "table.npy", np.eye(8))
    rows = RowsOnDisk(tmp_path / "table.npy")
    file = rows._file
    table = os.fstat(file)
    assert table.st_size > 0
    del rows
    gc.collect()
    with suppress(OSError):  # its number may be another file's by now: other threads open some
        assert not os.path.samestat(os.fstat(file), table)
