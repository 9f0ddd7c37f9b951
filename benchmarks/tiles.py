"""Given an index, one of several times its size: what a question would meet in it, without building it.

Texts, names and postings stand in it once for each tile; the vectors of all tiles but the first are mixtures, 0.7 of
their own and 0.3 of another row's, drawn by chance, so that no two are the same. It answers questions like any other
index; what no question reads, it has once: words for repairs, suggestions, Whoosh's positions.
"""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from indexer.coarse_writer import write_coarse
from indexer.finishing import Finishing
from indexer.publish import building_folder, creation_time, publish
from kb.bm25f import inverse_document_frequency
from kb.generation import open_generation
from kb.manifest import Counts
from kb.store import FILE as STORE
from kb.store import SCHEMA

ONCE = ("encoder", "spelling", "suggestions", "counts", "vocabulary", "keyword")
ONCE_FILES = ("notices.json", "groups.json", "sources.json", "vectors/symptom.npy")
BLOCK = 50_000


def tile(source: Path, index: Path, tiles: int, seed: int = 7) -> None:
    """Publish in the folder `index` so many times what the live generation of `source` is."""
    old, manifest, lease = open_generation(source)
    counts = manifest.counts
    random = np.random.default_rng(seed)
    with building_folder(index) as new:
        for name in ("postings", "names", "vectors"):
            (new / name).mkdir()
        for name in ONCE:
            shutil.copytree(old / name, new / name)
        for name in ONCE_FILES:
            shutil.copy(old / name, new / name)
        _tile_store(old, new, tiles, counts.articles, counts.sections)
        sizes = {"article": counts.articles, "section": counts.sections}
        _tile_rows(old, new, "passages", tiles, sizes)
        _tile_rows(old, new, "sentences", tiles, {"passage": counts.passages})
        for folder, rows, columns, size in (
            ("postings", "passages", ("impacts", "frequencies"), counts.passages),
            ("names", "rows", (), len(np.load(old / "names" / "masses.npy"))),
        ):
            _tile_terms(old / folder, new / folder, rows, columns, tiles, size)
        document_counts = np.diff(np.load(new / "postings" / "starts.npy"))
        idf = inverse_document_frequency(tiles * counts.passages, document_counts)
        np.save(new / "postings" / "idf.npy", idf)
        for name in ("postings/lengths", "names/masses", "vectors/care"):
            _repeat(old, new, name, tiles)
        for name in ("names/articles", "vectors/name_starts", "vectors/sentence_starts"):
            _tile_bounds(old, new, name, tiles)
        _tile_floats(old, new, tiles, random)
        for name in ("sentences", "names"):
            _tile_codes(old, new, name, tiles, random)
        write_coarse(new / "vectors")
        grown = Counts(
            tiles * counts.articles, tiles * counts.sections, tiles * counts.passages, counts.terms
        )
        with Finishing(new) as finishing:
            files = finishing.file_infos()
        publish(
            index,
            new,
            replace(manifest, created=creation_time(index), counts=grown, files=files),
        )
    lease.release()


def _tile_store(old: Path, new: Path, tiles: int, articles: int, sections: int) -> None:
    with closing(sqlite3.connect(new / STORE)) as store:
        store.executescript("PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF;")
        store.executescript(SCHEMA)
        store.execute("ATTACH ? AS old", (str(old / STORE),))
        for number in range(tiles):
            store.execute(
                "INSERT INTO articles SELECT ordinal + ?, id || ?, title, url, updated, reviewed, language, aliases,"
                " sources, tags, related, section_ids_given, section_count FROM old.articles",
                (number * articles, f"-{number}" if number else ""),
            )
            store.execute(
                "INSERT INTO sections SELECT ordinal + ?, article + ?, id, heading, level, text FROM old.sections",
                (number * sections, number * articles),
            )
        store.commit()


def _tile_rows(old: Path, new: Path, name: str, tiles: int, columns: dict[str, int]) -> None:
    rows = np.load(old / f"{name}.npy")
    tiled = np.tile(rows, tiles)
    for column, size in columns.items():
        tiled[column] += np.repeat(np.arange(tiles) * size, len(rows)).astype(np.uint32)
    np.save(new / f"{name}.npy", tiled)


def _tile_terms(
    old: Path, new: Path, rows: str, columns: tuple[str, ...], tiles: int, size: int
) -> None:
    shutil.copy(old / "terms.npy", new)
    starts = np.load(old / "starts.npy")
    np.save(new / "starts.npy", starts * tiles)
    counts = np.diff(starts)
    for name in (rows, *columns):
        values = np.load(old / f"{name}.npy")
        out = np.empty((len(values) * tiles, *values.shape[1:]), dtype=values.dtype)
        for number in range(tiles):
            moved = np.repeat(starts[:-1] * (tiles - 1) + number * counts, counts)
            step = values.dtype.type(number * size if name == rows else 0)
            out[np.arange(len(values)) + moved] = values + step
        np.save(new / f"{name}.npy", out)


def _repeat(old: Path, new: Path, name: str, tiles: int) -> None:
    values = np.load(old / f"{name}.npy")
    np.save(new / f"{name}.npy", np.concatenate([values] * tiles))


def _tile_bounds(old: Path, new: Path, name: str, tiles: int) -> None:
    bounds = np.load(old / f"{name}.npy")
    steps = [bounds[:1], *(bounds[1:] + number * bounds[-1] for number in range(tiles))]
    np.save(new / f"{name}.npy", np.concatenate(steps))


def _mixed(
    rows: NDArray[Any], scales: NDArray[np.float32] | None, tiles: int, random: np.random.Generator
) -> Iterator[NDArray[np.float32]]:
    """All tiles in blocks of rows: the first as it is, the others mixed."""
    for number in range(tiles):
        others = random.permutation(len(rows))
        for start in range(0, len(rows), BLOCK):
            own = np.arange(start, min(start + BLOCK, len(rows)))
            block, other = (
                rows[chosen] * (1 if scales is None else scales[chosen, np.newaxis])
                for chosen in (own, others[own])
            )
            if number:
                block = np.float32(0.7) * block + np.float32(0.3) * other
            lengths = np.linalg.norm(block, axis=1, keepdims=True)
            yield np.asarray(block / np.maximum(lengths, 1e-9), dtype=np.float32)


def _rounded(block: NDArray[np.float32]) -> tuple[NDArray[np.int8], NDArray[np.float32]]:
    scales = np.maximum(np.abs(block).max(axis=1), 1e-9) / 127
    return np.rint(block / scales[:, np.newaxis]).astype(np.int8), scales.astype(np.float32)


def _tile_floats(old: Path, new: Path, tiles: int, random: np.random.Generator) -> None:
    rows = np.load(old / "vectors" / "passages.npy")
    shape = (tiles * len(rows), rows.shape[1])
    out, codes = (
        np.lib.format.open_memmap(new / "vectors" / f"{name}.npy", "w+", dtype, shape)
        for name, dtype in (("passages", np.float32), ("codes", np.int8))
    )
    scales, at = [], 0
    for block in _mixed(rows, None, tiles, random):
        out[at : at + len(block)] = block
        codes[at : at + len(block)], scale = _rounded(block)
        scales.append(scale)
        at += len(block)
    out.flush()
    codes.flush()
    np.save(new / "vectors" / "code_scales.npy", np.concatenate(scales))


def _tile_codes(old: Path, new: Path, name: str, tiles: int, random: np.random.Generator) -> None:
    path = f"vectors/{name}.npy", f"vectors/{name[:-1]}_scales.npy"
    rows, scales = (np.load(old / file) for file in path)
    shape = (tiles * len(rows), rows.shape[1])
    out = np.lib.format.open_memmap(new / path[0], "w+", np.int8, shape)
    kept, at = [], 0
    for block in _mixed(rows, scales, tiles, random):
        out[at : at + len(block)], scale = _rounded(block)
        kept.append(scale)
        at += len(block)
    out.flush()
    np.save(new / path[1], np.concatenate(kept))
