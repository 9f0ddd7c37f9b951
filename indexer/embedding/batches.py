"""The vectors of texts: each text is embedded once, and its vector kept in a cache.

The cache, `index/cache/embeddings.sqlite`, is keyed by the model's hash, precision, runtime and the whole text embedded
(it may be deleted at any time). It is written batch by batch, so that an interrupted build goes on where it was.
"""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Callable, Iterable, Sequence
from contextlib import closing
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from indexer.embedding.vector_rows import Rows
from indexer.passages.executor import Executor, LocalExecutor

BATCH_TOKENS = 512
"""Number of tokens in the batch of one core: enough to keep it busy, with its layers' outputs in its cache."""

Missing = tuple[bytes, list[int]]
"""A text to embed: its digest, and the rows that its vector fills."""


class Embed(Protocol):
    """What embeds: unit vectors, float32 (len(texts), dimensions), of one batch of texts."""

    lanes: int
    """Number of batches that it embeds at the same time, each called from a thread of its own."""

    batch_tokens: int
    """Number of tokens in a batch, with padding."""

    def __call__(self, texts: list[str], /) -> NDArray[np.float32]: ...


Choose = Callable[[int], Embed]
"""What embeds a given number of tokens."""


class EmbeddingCache:
    """Vectors by the hash of their text, for one model.

    `key` names the model, its precision and the runtime that makes vectors now; `others` are keys under which vectors
    as good as these may have been kept.
    """

    def __init__(self, path: Path, key: str, dimensions: int, others: Sequence[str] = ()) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._path = path
        self.key = key
        self._keys = (key, *(other for other in others if other != key))
        self.dimensions = dimensions
        try:
            self._connection = self._open()
        except sqlite3.OperationalError:
            raise
        except sqlite3.DatabaseError:
            self._connection = self._anew()

    def _anew(self) -> sqlite3.Connection:
        """An empty cache in place of a damaged one: what it held can be made again."""
        for suffix in ("", "-wal", "-shm"):
            self._path.with_name(self._path.name + suffix).unlink(missing_ok=True)
        return self._open()

    def _open(self) -> sqlite3.Connection:
        connection = sqlite3.connect(self._path)
        try:
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("PRAGMA synchronous = NORMAL")
            connection.execute("PRAGMA secure_delete = ON")
            connection.execute(
                "CREATE TABLE IF NOT EXISTS vectors (digest BLOB PRIMARY KEY, vector BLOB NOT NULL) WITHOUT ROWID"
            )
            connection.execute("SELECT digest, vector FROM vectors LIMIT 1")
        except sqlite3.DatabaseError:
            connection.close()
            raise
        return connection

    def __enter__(self) -> EmbeddingCache:
        return self

    def __exit__(self, *_: object) -> None:
        self._connection.close()

    def digest(self, text: str) -> bytes:
        """The key under which the vector of a text is put."""
        return _digest(self.key, text)

    def find(self, text: str) -> NDArray[np.float32] | None:
        """The vector of a text under any of the keys, or None."""
        for key in self._keys:
            vector = self.get(_digest(key, text))
            if vector is not None:
                return vector
        return None

    def forget(self, texts: Iterable[str]) -> None:
        """Delete the vectors of these texts, leaving nothing of them in the file."""
        rows = [(_digest(key, text),) for text in texts for key in self._keys]
        with self._connection:
            self._connection.executemany("DELETE FROM vectors WHERE digest = ?", rows)

    def keep_only(self, texts: Iterable[str]) -> int:
        """Delete all vectors but those of these texts and give the room back; how many were deleted."""
        self._connection.execute("CREATE TEMP TABLE wanted (digest BLOB PRIMARY KEY) WITHOUT ROWID")
        with self._connection:
            self._connection.executemany(
                "INSERT OR IGNORE INTO wanted VALUES (?)",
                ((_digest(key, text),) for text in texts for key in self._keys),
            )
            deleted = self._connection.execute(
                "DELETE FROM vectors WHERE digest NOT IN (SELECT digest FROM wanted)"
            ).rowcount
        self._connection.execute("DROP TABLE wanted")
        if deleted:
            self._connection.execute("VACUUM")
        return deleted

    def get(self, digest: bytes) -> NDArray[np.float32] | None:
        """The vector kept under that key, or None."""
        try:
            with closing(
                self._connection.execute("SELECT vector FROM vectors WHERE digest = ?", (digest,))
            ) as rows:
                row = rows.fetchone()
        except sqlite3.OperationalError:
            raise
        except sqlite3.DatabaseError:  # a damaged page, met only now
            self._connection.close()
            self._connection = self._anew()
            return None
        size = 4 * self.dimensions
        if row is None or row[0][size:] != _checksum(digest, row[0][:size]):
            return None
        return np.frombuffer(row[0], dtype="<f4", count=self.dimensions)

    def put(self, entries: Iterable[tuple[bytes, NDArray[np.float32]]]) -> None:
        """Keep vectors; once this returns they outlive the process, though not a power cut."""
        rows = []
        for digest, vector in entries:
            content = vector.astype("<f4").tobytes()
            rows.append((digest, content + _checksum(digest, content)))
        try:
            self._insert(rows)
        except sqlite3.OperationalError:
            raise
        except sqlite3.DatabaseError:
            self._connection.close()
            self._connection = self._anew()
            self._insert(rows)

    def _insert(self, rows: list[tuple[bytes, bytes]]) -> None:
        with self._connection:
            self._connection.executemany("INSERT OR REPLACE INTO vectors VALUES (?, ?)", rows)


def _digest(key: str, text: str) -> bytes:
    return hashlib.sha256(f"{key}\0{text}".encode()).digest()


def _checksum(digest: bytes, vector: bytes) -> bytes:
    """What a row ends in: a flipped bit must not become an answer."""
    return hashlib.sha256(digest + vector).digest()[:8]


def embed_into(
    out: Rows,
    texts: Sequence[str] | Callable[[int], str],
    lengths: Sequence[int],
    choose: Choose,
    cache: EmbeddingCache,
    advance: Callable[[int], None],
    executor: Executor | None = None,
) -> int:
    """Fill the n rows of `out` with the vectors of n texts; how many had to be embedded.

    `texts` is a sequence, or a function from place to text where they do not fit into memory. `lengths` are their
    tokens, by which they are sorted, so that a batch is padded little. `choose` gives what embeds once the number of
    tokens is known, and `executor`, by default this process, runs it. `advance` is told the number of tokens done. A
    blank text gets the zero vector, whose cosine with anything is 0.
    """
    text_at = texts if callable(texts) else texts.__getitem__
    missing: dict[bytes, list[int]] = {}
    for place in range(len(lengths)):
        text = text_at(place)
        if not text.strip():
            out[place] = np.zeros(cache.dimensions, dtype=np.float32)
            advance(int(lengths[place]))
            continue
        digest = cache.digest(text)
        vector = None if digest in missing else cache.find(text)
        if vector is None:
            missing.setdefault(digest, []).append(place)
        else:
            out[place] = vector
            advance(int(lengths[place]))
    queue = sorted(missing.items(), key=lambda item: -lengths[item[1][0]])
    if not queue:
        return 0
    tokens = sum(int(lengths[places[0]]) for _, places in queue)
    embed = choose(tokens)
    batches = _batches(queue, lengths, min(embed.batch_tokens, -(-tokens // embed.lanes)))
    texts_of = ([text_at(places[0]) for _, places in batch] for batch in batches)
    vectors_of = (executor or LocalExecutor()).map(embed, texts_of, embed.lanes)
    for batch, vectors in zip(batches, vectors_of, strict=True):
        for (_, places), vector in zip(batch, vectors, strict=True):
            for place in places:
                out[place] = vector
        cache.put((digest, vector) for (digest, _), vector in zip(batch, vectors, strict=True))
        advance(sum(int(lengths[place]) for _, places in batch for place in places))
    return len(queue)


def _batches(queue: list[Missing], lengths: Sequence[int], max_tokens: int) -> list[list[Missing]]:
    """The queue, longest first, in batches of at most `max_tokens` tokens, or of one text."""
    batches = []
    start = 0
    while start < len(queue):
        longest = max(1, lengths[queue[start][1][0]])
        batches.append(queue[start : start + max(1, max_tokens // longest)])
        start += len(batches[-1])
    return batches
