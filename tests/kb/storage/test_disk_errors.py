"""kb.storage.disk_errors: what is said of a disk that refuses"""

from __future__ import annotations

import errno
import os
import shutil
import sqlite3
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from kb.schema.errors import KbError, NoRoom, StorageError
from kb.storage import disk_errors
from kb.storage.disk_errors import check_room, check_writable, size_in_words, storage_error, telling


def refused(code: int, path: Path | None = None) -> OSError:
    return OSError(code, os.strerror(code), *([str(path)] if path else []))


@pytest.fixture
def free(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every disk has 40 MB free."""
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=40_000_000))


@pytest.mark.usefixtures("free")
@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EDQUOT])
def test_a_full_disk_is_told_with_what_is_needed_and_what_is_there(
    tmp_path: Path, code: int
) -> None:
    error = refused(code, tmp_path / "index" / "part" / "x.npy")
    said = os.strerror(code)
    assert str(storage_error(error, tmp_path / "index", 165_000_000)) == (
        f"{tmp_path / 'index'}: {said}: about 165 MB are needed and 40 MB are free. "
        "Free some space there, then run this again."
    )
    assert str(storage_error(error)) == (
        f"{tmp_path / 'index' / 'part' / 'x.npy'}: {said}: 40 MB are free. Free some space there, then run this again."
    )


@pytest.mark.usefixtures("free")
def test_a_file_elsewhere_is_named_as_it_is(tmp_path: Path) -> None:
    told = storage_error(refused(errno.ENOSPC, Path("/other/file")), tmp_path, 5)
    assert str(told).startswith("/other/file: ")
    assert str(storage_error(refused(errno.ENOSPC), tmp_path)).startswith(f"{tmp_path}: ")
    assert storage_error(refused(errno.ENOSPC)) is None, "nobody knows where"


@pytest.mark.usefixtures("free")
def test_an_error_is_found_beneath_what_libraries_make_of_it(tmp_path: Path) -> None:
    full = refused(errno.ENOSPC)
    wrapped = RuntimeError("export failed")
    wrapped.__cause__ = ValueError("serialisation failed")
    wrapped.__cause__.__context__ = full
    assert isinstance(storage_error(wrapped, tmp_path), NoRoom)
    listed = shutil.Error([("a", "b", str(full)), ("c", "d", str(full))])
    assert isinstance(storage_error(listed, tmp_path), NoRoom)
    assert isinstance(storage_error(ExceptionGroup("", [ValueError(), full]), tmp_path), NoRoom)
    hidden = ValueError("of its own")
    hidden.__context__, hidden.__suppress_context__ = full, True
    assert storage_error(hidden, tmp_path) is None
    assert storage_error(refused(errno.EIO), tmp_path) is None
    assert storage_error(FileNotFoundError(errno.ENOENT, "", "x"), tmp_path) is None
    circle = ValueError()
    circle.__cause__ = RuntimeError()
    circle.__cause__.__cause__ = circle
    assert storage_error(circle, tmp_path) is None


def test_a_database_that_is_full_or_may_not_be_written_is_told_so(tmp_path: Path) -> None:
    database = sqlite3.connect(tmp_path / "x.sqlite")
    database.execute("PRAGMA max_page_count = 3")
    database.execute("CREATE TABLE x (y)")
    with pytest.raises(sqlite3.OperationalError) as full:
        database.execute("INSERT INTO x VALUES (zeroblob(100000))")
    database.close()
    assert isinstance(storage_error(full.value, tmp_path), NoRoom)
    database = sqlite3.connect(f"file:{tmp_path}/x.sqlite?mode=ro", uri=True)
    with pytest.raises(sqlite3.OperationalError) as read_only:
        database.execute("CREATE TABLE z (y)")
    database.close()
    told = storage_error(read_only.value, tmp_path)
    assert isinstance(told, StorageError)
    assert os.strerror(errno.EACCES) in str(told)
    wrong = sqlite3.OperationalError("no such table: x")
    assert storage_error(wrong, tmp_path) is None


def test_an_array_cut_short_is_a_full_disk_where_nothing_is_free(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Path("/dev/full").open("wb") as file, pytest.raises(OSError) as cut:
        np.zeros(10_000).tofile(file)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=100))
    assert isinstance(storage_error(cut.value, tmp_path), NoRoom)
    short = OSError("10000 requested and 512 written")
    assert isinstance(storage_error(short, tmp_path), NoRoom)
    monkeypatch.undo()
    assert storage_error(short, tmp_path) is None, "a limit to files, say"


def test_rights_that_are_missing_name_who_has_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = storage_error(refused(errno.EACCES, tmp_path / "x"))
    assert f"Give {disk_errors.user_name(os.geteuid())} access to {tmp_path}" in str(own)
    monkeypatch.setattr(os, "geteuid", lambda: 4_000_000)
    other = storage_error(refused(errno.EACCES, tmp_path / "deep" / "x"))
    owner = disk_errors.user_name(tmp_path.stat().st_uid)
    assert str(other) == (
        f"{tmp_path / 'deep' / 'x'}: Permission denied. {tmp_path} belongs to {owner}, but user 4000000 runs this: "
        f"run it as {owner}, or give user 4000000 access to it."
    )


@pytest.mark.usefixtures("free")
def test_room_is_asked_for_where_the_folder_is_to_be_made(tmp_path: Path) -> None:
    place = tmp_path / "not" / "there"
    check_room(place, 40_000_000)
    with pytest.raises(NoRoom) as refusal:
        check_room(place, 1_650_000_000)
    assert str(refusal.value) == (
        f"{place}: no room: about 1.6 GB are needed and 40 MB are free. Free some space there, then run this again."
    )
    check_writable(place)


@pytest.mark.usefixtures("free")
def test_what_is_told_once_is_told_again_with_the_place_of_the_whole_work(tmp_path: Path) -> None:
    inner, outer = tmp_path / "index" / "part", tmp_path / "index"
    with pytest.raises(NoRoom) as told, telling(outer, 12_000_000), telling(inner):
        raise refused(errno.ENOSPC, inner / "x")
    assert str(told.value).startswith(f"{outer}: No space left on device: about 12 MB are needed")
    with pytest.raises(KbError, match="as it is"), telling(outer):
        raise KbError("as it is")
    with pytest.raises(NoRoom, match="one's own"), telling(outer):
        raise NoRoom("one's own")


@pytest.mark.parametrize(
    ("count", "said"),
    [
        (0, "0.0 MB"),
        (40_000, "0.0 MB"),
        (1_540_000, "1.5 MB"),
        (157_732_991, "158 MB"),
        (1_230_000_000, "1.2 GB"),
        (12_300_000_000, "12 GB"),
    ],
)
def test_sizes_are_rounded(count: int, said: str) -> None:
    assert size_in_words(count) == said
