"""kb.storage.generation: an index is trusted only where it is what was written"""

from __future__ import annotations

import json
import os
import pickle
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from kb.knowledge_base import KnowledgeBase
from kb.schema.errors import IndexDamaged, IndexFormatMismatch, IndexMissing
from kb.storage.generation import (
    Lease,
    check_files,
    current_generation,
    file_sha256,
    open_generation,
    save_stamps,
    stamp,
)
from kb.storage.manifest import Manifest

Replace = Callable[[Path, bytes], None]


def live(index: Path) -> Path:
    return index / "generations" / (index / "CURRENT").read_text().strip()


def kinds(folder: Path) -> dict[str, Path]:
    """A file of every kind that a generation holds."""
    return {
        "store": folder / "articles.sqlite",
        "passages": folder / "passages.npy",
        "postings": folder / "postings" / "impacts.npy",
        "vectors": folder / "vectors" / "names.npy",
        "model": folder / "encoder" / "model.onnx",
        "tokenizer": folder / "encoder" / "tokenizer.json",
        "settings": folder / "encoder" / "encoder.json",
        "segment": next((folder / "keyword").rglob("*.seg")),
        "contents": next((folder / "keyword").rglob("*.toc")),
    }


KINDS = (
    *("store", "passages", "postings", "vectors", "model", "tokenizer", "settings", "segment"),
    "contents",
)


def flipped(content: bytes) -> bytes:
    middle = len(content) // 2
    return content[:middle] + bytes([content[middle] ^ 1]) + content[middle + 1 :]


def refused(index: Path, verify: str = "quick") -> str:
    with pytest.raises(IndexDamaged) as caught:
        open_generation(index, verify)  # type: ignore[arg-type]
    assert "kb build" in str(caught.value)
    return str(caught.value)


def test_a_whole_index_opens(index_copy: Path) -> None:
    for verify in ("quick", "full", "quick"):
        folder, manifest, lease = open_generation(index_copy, verify)  # type: ignore[arg-type]
        assert folder == live(index_copy)
        assert manifest.generation_id == folder.name
        lease.release()


def test_no_index_is_missing_and_not_damaged(tmp_path: Path) -> None:
    with pytest.raises(IndexMissing) as caught:
        open_generation(tmp_path / "nowhere")
    assert str(tmp_path / "nowhere") in str(caught.value)
    assert "kb build --index" in str(caught.value)


@pytest.mark.parametrize("kind", KINDS)
def test_one_flipped_bit_in_any_file_is_found_and_the_file_named(
    kind: str, index_copy: Path, replace_content: Replace
) -> None:
    open_generation(index_copy)[2].release()  # stamps are made
    path = kinds(live(index_copy))[kind]
    replace_content(path, flipped(path.read_bytes()))
    assert str(path) in refused(index_copy)
    assert str(path) in refused(index_copy, "full")


@pytest.mark.parametrize("kind", ["store", "model", "contents", "postings"])
def test_a_short_file_is_found_without_reading_it(
    kind: str, index_copy: Path, replace_content: Replace
) -> None:
    path = kinds(live(index_copy))[kind]
    content = path.read_bytes()
    replace_content(path, content[:-1])
    message = refused(index_copy)
    assert str(path) in message
    assert f"{len(content) - 1} bytes long, but the manifest says {len(content)}" in message


@pytest.mark.parametrize("kind", ["store", "segment", "vectors"])
def test_a_deleted_file_is_found(kind: str, index_copy: Path) -> None:
    path = kinds(live(index_copy))[kind]
    path.unlink()
    assert str(path) in refused(index_copy)


def test_a_deleted_manifest_lease_or_folder_is_found(index_copy: Path) -> None:
    folder = live(index_copy)
    (folder / "manifest.json").unlink()
    assert "manifest.json" in refused(index_copy)
    (folder / "lease").unlink()
    assert folder.name in refused(index_copy)
    folder.rename(index_copy / "away")
    assert folder.name in refused(index_copy)
    folder.write_text("a file where the folder was")
    assert folder.name in refused(index_copy)


def test_another_format_version_says_so(index_copy: Path, replace_content: Replace) -> None:
    path = live(index_copy) / "manifest.json"
    content = json.loads(path.read_bytes()) | {"format_version": 0}
    replace_content(path, json.dumps(content).encode())
    with pytest.raises(IndexFormatMismatch, match=r"version 0.*kb build"):
        open_generation(index_copy)


@pytest.mark.parametrize(
    "content",
    [b"", b"\n", b"..", b"../../etc", b".hidden", b"a b", b"a\0b", b"\xff", b"x" * 5000, b"/etc"],
)
def test_nonsense_in_current_is_damage_and_leads_nowhere(index_copy: Path, content: bytes) -> None:
    (index_copy / "CURRENT").write_bytes(content)
    with pytest.raises(IndexDamaged, match=r"CURRENT.*kb build"):
        current_generation(index_copy)


def test_current_may_not_be_a_folder_nor_name_a_generation_that_is_not_there(
    tmp_path: Path,
) -> None:
    (tmp_path / "CURRENT").mkdir()
    assert "CURRENT" in refused(tmp_path)
    (tmp_path / "CURRENT").rmdir()
    (tmp_path / "CURRENT").write_text("20260131T120000Z-0123456789abcdef\n")
    assert "20260131T120000Z-0123456789abcdef" in refused(tmp_path)


@contextmanager
def overwritten(path: Path) -> Iterator[None]:
    """Another content for a while; length, inode and time of modification as they were."""
    content, status = path.read_bytes(), path.stat()
    for written in (flipped(content), content):
        with path.open("r+b") as file:  # a hard link to the shared index
            file.write(written)
        os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
        if written != content:
            yield


def look_unchanged(index: Path) -> None:
    """Make the stamps those of the files as they are: what damage below the file system leaves."""
    folder = live(index)
    save_stamps(
        index, folder.name, {name: stamp(folder / name) for name in Manifest.load(folder).files}
    )


def test_a_quick_check_finds_what_was_written_with_the_time_put_back(index_copy: Path) -> None:
    for path in kinds(live(index_copy)).values():
        open_generation(index_copy)[2].release()
        with overwritten(path):
            assert str(path) in refused(index_copy)


def test_a_quick_check_trusts_a_stamp_for_big_files_alone(index_copy: Path) -> None:
    for kind, path in kinds(live(index_copy)).items():
        with overwritten(path):
            look_unchanged(index_copy)
            if kind in ("store", "passages", "postings", "vectors", "model"):
                open_generation(index_copy)[2].release()
            else:
                assert str(path) in refused(index_copy)


def test_damage_that_was_found_once_is_found_at_each_look(index_copy: Path) -> None:
    with overwritten(path := kinds(live(index_copy))["vectors"]):
        look_unchanged(index_copy)
        open_generation(index_copy)[2].release()
        assert str(path) in refused(index_copy, "full")
        assert str(path) in refused(index_copy)


@pytest.mark.parametrize("stamps", [b"", b"[]", b"{", b'{"articles.sqlite": 5}', b"\xff"])
def test_damaged_stamps_only_cost_time(index_copy: Path, stamps: bytes) -> None:
    folder = live(index_copy)
    path = index_copy / "cache" / "verified" / f"{folder.name}.json"
    path.parent.mkdir(parents=True)
    path.write_bytes(stamps)
    open_generation(index_copy)[2].release()
    assert set(json.loads(path.read_bytes())) == set(Manifest.load(folder).files)


def test_an_index_whose_stamps_cannot_be_kept_still_opens(index_copy: Path) -> None:
    (index_copy / "cache").write_text("a file where the folder would be")
    open_generation(index_copy)[2].release()


class Forged:
    """Unpickling it makes a file."""

    def __init__(self, marker: Path) -> None:
        self.marker = marker

    def __reduce__(self) -> tuple[object, tuple[str, str]]:
        return open, (str(self.marker), "w")


@pytest.mark.parametrize("padded", [True, False])
def test_a_forged_table_of_contents_never_runs(
    index_copy: Path, tmp_path: Path, replace_content: Replace, padded: bool
) -> None:
    marker = tmp_path / "marker"
    path = kinds(live(index_copy))["contents"]
    forged = pickle.dumps(Forged(marker), protocol=2)
    length = len(path.read_bytes())
    replace_content(path, forged.ljust(length, b".") if padded else forged)
    with pytest.raises(IndexDamaged, match=path.name):
        KnowledgeBase.open(index_copy).search('"restless legs"')
    assert not marker.exists()
    pickle.loads(path.read_bytes()).close()  # it would have run
    assert marker.exists()


def test_a_newer_table_of_contents_put_beside_the_true_one_never_runs(
    index_copy: Path, tmp_path: Path
) -> None:
    contents = kinds(live(index_copy))["contents"]
    forged = contents.with_name(contents.name.replace("_1.toc", "_2.toc"))
    assert forged != contents
    forged.write_bytes(pickle.dumps(Forged(tmp_path / "marker")))
    with pytest.raises(IndexDamaged, match=forged.name):
        KnowledgeBase.open(index_copy).search('"restless legs"')
    assert not (tmp_path / "marker").exists()


def test_a_lease_is_shared_and_letting_go_twice_does_no_harm(tmp_path: Path) -> None:
    (tmp_path / "lease").touch()
    first, second = Lease(tmp_path), Lease(tmp_path)
    first.release()
    other = os.open(tmp_path / "lease", os.O_RDONLY)  # takes the number that was freed
    first.release()
    os.fstat(other)
    os.close(other)
    second.release()


def test_a_generation_published_and_collected_between_two_looks_is_found_anew(
    index_copy: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    true = (index_copy / "CURRENT").read_text()
    (index_copy / "CURRENT").write_text("20200101T000000Z-0000000000000000")
    looks = []

    def look(index: Path) -> str:
        looks.append(current_generation(index))
        (index / "CURRENT").write_text(true)
        return looks[-1]

    monkeypatch.setattr("kb.storage.generation.current_generation", look)
    folder, _, lease = open_generation(index_copy)
    lease.release()
    assert folder.name == true.strip()
    assert looks[0] != looks[-1]


def test_checking_names_the_first_file_that_is_wrong_and_keeps_no_stamp(
    index_copy: Path, replace_content: Replace
) -> None:
    folder = live(index_copy)
    path = kinds(folder)["passages"]
    replace_content(path, flipped(path.read_bytes()))
    with pytest.raises(IndexDamaged, match=path.name):
        check_files(index_copy, folder, Manifest.load(folder), "full")
    assert not (index_copy / "cache").exists()


def test_the_hash_is_the_files_sha256(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"abc")
    assert file_sha256(tmp_path / "file") == (
        "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    )
