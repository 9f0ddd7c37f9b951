"""kb.storage.manifest"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from kb.schema.errors import IndexDamaged, IndexFormatMismatch
from kb.storage.manifest import FORMAT_VERSION, CorpusInfo, Counts, FileInfo, Manifest, ModelInfo
from kb.text.bm25f import BM25FParameters

MANIFEST = Manifest(
    created="2026-01-31T12:00:00+00:00",
    model=ModelInfo("all-MiniLM-L6-v2", "ab" * 32, 384, 256, "fp32"),
    bm25f=BM25FParameters(),
    corpora=(CorpusInfo("/srv/é/\udcff", "cd" * 32),),
    counts=Counts(1, 2, 3, 4),
    failures=("corpus/ü.md:3: no title",),
    files={"articles.sqlite": FileInfo(10, "ef" * 32)},
)


def put(root: Path, content: bytes, name: str = MANIFEST.generation_id) -> Path:
    folder = root / name
    folder.mkdir()
    (folder / "manifest.json").write_bytes(content)
    return folder


def changed(change: Callable[[Any], None]) -> bytes:
    content = json.loads(MANIFEST.to_bytes())
    change(content)
    return json.dumps(content).encode()


def test_what_is_written_is_read_even_where_a_path_is_not_utf8(tmp_path: Path) -> None:
    assert Manifest.load(put(tmp_path, MANIFEST.to_bytes())) == MANIFEST


def test_the_generations_name_is_its_time_and_vouches_for_the_manifest() -> None:
    assert MANIFEST.generation_id.startswith("20260131T120000Z-")
    other = replace(MANIFEST, counts=Counts(1, 2, 3, 5))
    assert other.generation_id != MANIFEST.generation_id
    assert replace(MANIFEST).generation_id == MANIFEST.generation_id


def test_another_format_version_is_said_with_both_versions_and_the_remedy(tmp_path: Path) -> None:
    folder = put(tmp_path, changed(lambda content: content.update(format_version=99)))
    with pytest.raises(IndexFormatMismatch) as caught:
        Manifest.load(folder)
    for part in ("99", str(FORMAT_VERSION), str(folder), "newer program", "kb build"):
        assert part in str(caught.value)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"[]",
        b"{}",
        b"null",
        b"\xff\xfe",
        MANIFEST.to_bytes()[:-20],
        changed(lambda content: content.pop("files")),
        changed(lambda content: content.update(files=[])),
        changed(lambda content: content.update(counts={})),
        changed(lambda content: content.update(created=5)),
        changed(lambda content: content.update(failures=None)),
        changed(lambda content: content.update(created="\ud800")),
        changed(lambda content: content["model"].update(extra=1)),
        changed(lambda content: content["bm25f"].update(k1=2)),
        changed(lambda content: content["counts"].update(articles=2)),
    ],
)
def test_a_manifest_that_is_not_the_one_written_is_damage(tmp_path: Path, content: bytes) -> None:
    with pytest.raises(IndexDamaged, match=r"manifest\.json: .*Run `kb build`"):
        Manifest.load(put(tmp_path, content))


def test_the_manifest_of_another_generation_is_damage(tmp_path: Path) -> None:
    with pytest.raises(IndexDamaged, match="has changed since it was written"):
        Manifest.load(put(tmp_path, MANIFEST.to_bytes(), "20260131T120000Z-0000000000000000"))


def test_a_missing_manifest_is_damage(tmp_path: Path) -> None:
    with pytest.raises(IndexDamaged, match=r"manifest\.json"):
        Manifest.load(tmp_path)
