"""indexer.writers.keywords: its arrays are tested with kb.retrieval.postings, which reads them"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from indexer.passages.texts import Fields
from indexer.writers.keywords import compile_postings, write_whoosh
from kb.text.bm25f import BM25FParameters

PASSAGES: list[Fields] = [
    ("Leg cramps", "charley horse", "Causes", "Cramps at night."),
    ("Twitching", "", "", "…"),
]


def test_the_folder_holds_one_segment_and_no_lock(tmp_path: Path) -> None:
    write_whoosh(tmp_path / "keyword", PASSAGES)
    assert sorted(path.suffix for path in (tmp_path / "keyword").iterdir()) == [
        ".npy",
        ".seg",
        ".toc",
    ]


def test_many_passages_are_one_segment_in_their_order(tmp_path: Path) -> None:
    passages: list[Fields] = [("", "", "", f"word{number} leg") for number in range(3000)]
    write_whoosh(tmp_path / "keyword", iter(passages))
    assert len(list((tmp_path / "keyword").glob("*.seg"))) == 1
    terms = compile_postings(tmp_path / "keyword", tmp_path / "postings", 3000, BM25FParameters())
    assert terms == 3001
    arrays = {path.stem: np.load(path) for path in (tmp_path / "postings").iterdir()}
    rows = {
        term.decode(): arrays["passages"][start:end].tolist()
        for term, start, end in zip(
            arrays["terms"], arrays["starts"], arrays["starts"][1:], strict=False
        )
    }
    assert rows["leg"] == [*range(3000)]
    assert all(rows[f"word{number}"] == [number] for number in range(3000))


def test_the_arrays_have_the_types_that_their_reader_documents(tmp_path: Path) -> None:
    write_whoosh(tmp_path / "keyword", PASSAGES)
    compile_postings(tmp_path / "keyword", tmp_path / "postings", 2, BM25FParameters())
    found = {}
    for path in (tmp_path / "postings").iterdir():
        array = np.load(path, allow_pickle=False)
        found[path.stem] = (str(array.dtype), array.shape[1:])
    assert found.pop("terms")[0].startswith("|S")
    assert found == {
        "starts": ("int64", ()),
        "passages": ("int32", ()),
        "frequencies": ("uint16", (4,)),
        "lengths": ("uint32", (4,)),
        "idf": ("float32", ()),
        "impacts": ("float32", ()),
    }


def test_what_goes_wrong_while_writing_is_what_is_raised(tmp_path: Path) -> None:
    def broken() -> Iterator[Fields]:
        yield PASSAGES[0]
        raise KeyError("a passage that cannot be read")

    with pytest.raises(KeyError, match="a passage that cannot be read"):
        write_whoosh(tmp_path / "keyword", broken())
