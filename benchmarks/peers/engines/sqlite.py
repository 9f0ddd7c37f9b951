"""SQLite's FTS5 and sqlite-vec in one file, fused by their ranks in SQL's host language."""

from __future__ import annotations

import re
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.peers.engines.base import Engine, Vector, reciprocal_ranks
from benchmarks.peers.material import Material

CANDIDATES = 100


class SQLite(Engine):
    """Four columns, any word; exact distances."""

    title = "SQLite FTS5 + sqlite-vec, RRF"
    packages = ("pysqlite3-binary", "sqlite-vec")
    kind = "hybrid"
    settings = (
        "FTS5 with porter and bm25 (columns title, aliases, heading, text: 4, 2, 2, 1), any word; vec0 exact;"
        " the first 100 of each by reciprocal rank fusion (k 60); texts stored and fetched; a connection for "
        "each thread, all mapped"
    )

    def build(self, folder: Path, material: Material) -> None:
        """One transaction."""
        connection = _connect(folder)
        dimensions = material.vectors.shape[1]
        connection.executescript(
            "CREATE VIRTUAL TABLE words USING fts5(title, aliases, heading, text, tokenize='porter unicode61');"
            f"CREATE VIRTUAL TABLE vectors USING vec0(vector float[{dimensions}] distance_metric=cosine);"
        )
        with connection:
            connection.executemany(
                "INSERT INTO words(rowid, title, aliases, heading, text) VALUES (?, ?, ?, ?, ?)",
                (
                    (row, passage.title, " ; ".join(passage.aliases), passage.heading, passage.text)
                    for row, passage in enumerate(material.passages)
                ),
            )
            connection.executemany(
                "INSERT INTO vectors(rowid, vector) VALUES (?, ?)",
                ((row, vector.tobytes()) for row, vector in enumerate(material.vectors)),
            )
            connection.execute("INSERT INTO words(words) VALUES ('optimize')")
        connection.close()

    def open(self, folder: Path) -> None:
        """Each thread gets a connection when it first asks."""
        self._folder = folder
        self._local = threading.local()

    def ask(self, question: str, vector: Vector | None, count: int) -> Sequence[int]:
        """Fused by rank."""
        assert vector is not None
        connection = self._connection()
        terms = " OR ".join(f'"{word}"' for word in dict.fromkeys(re.findall(r"\w+", question)))
        words = connection.execute(
            "SELECT rowid FROM words WHERE words MATCH ? AND rank MATCH 'bm25(4, 2, 2, 1)' ORDER BY rank LIMIT ?",
            (terms, CANDIDATES),
        ).fetchall()
        near = connection.execute(
            "SELECT rowid FROM vectors WHERE vector MATCH ? AND k = ? ORDER BY distance",
            (np.asarray(vector, dtype=np.float32).tobytes(), CANDIDATES),
        ).fetchall()
        rows = reciprocal_ranks([[row for (row,) in found] for found in (words, near)], count)
        marks = ",".join("?" * len(rows))
        connection.execute(
            f"SELECT rowid, text FROM words WHERE rowid IN ({marks})", rows
        ).fetchall()
        return rows

    def _connection(self) -> Any:
        if not hasattr(self._local, "connection"):
            self._local.connection = _connect(self._folder)
        return self._local.connection


def _connect(folder: Path) -> Any:
    import pysqlite3  # noqa: PLC0415  (Python's own is often built without extensions)
    import sqlite_vec  # noqa: PLC0415

    connection = pysqlite3.connect(str(folder / "passages.sqlite"))
    connection.enable_load_extension(True)
    sqlite_vec.load(connection)
    connection.enable_load_extension(False)
    connection.execute("PRAGMA mmap_size = 1000000000")
    return connection
