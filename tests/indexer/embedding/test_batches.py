"""indexer.embedding.batches, with a tiny embedder whose vectors can be worked out"""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from indexer.embedding.batches import BATCH_TOKENS, EmbeddingCache, embed_into
from support.examples import at_most

DIMENSIONS = 4


def vector_of(text: str) -> NDArray[np.float32]:
    if not text.strip():  # what is not there is near to nothing
        return np.zeros(DIMENSIONS, dtype=np.float32)
    raw = np.frombuffer(hashlib.sha256(text.encode()).digest()[:DIMENSIONS], dtype=np.uint8)
    return raw.astype(np.float32) / 255


class Embedder:
    """Embeds, and remembers each batch. May be told to fail at a batch."""

    def __init__(self, fails_at: int | None = None, lanes: int = 1) -> None:
        self.lanes = lanes
        self.batch_tokens = BATCH_TOKENS
        self.batches: list[list[str]] = []
        self._fails_at = fails_at

    def __call__(self, texts: list[str], /) -> NDArray[np.float32]:
        if len(self.batches) == self._fails_at:
            raise KeyboardInterrupt
        self.batches.append(texts)
        return np.array([vector_of(text) for text in texts])

    @property
    def seen(self) -> list[str]:
        return [text for batch in self.batches for text in batch]


def fill(
    path: Path, texts: Sequence[str], embedder: Embedder, key: str = "model", length: int = 10
) -> tuple[NDArray[np.float32], int, int]:
    out = np.full((len(texts), DIMENSIONS), np.nan, dtype=np.float32)
    done: list[int] = []
    with EmbeddingCache(path, key, DIMENSIONS) as cache:
        count = embed_into(
            out, texts, [length + len(t) for t in texts], lambda _: embedder, cache, done.append
        )
    return out, count, sum(done)


def right(out: NDArray[np.float32], texts: Sequence[str]) -> bool:
    return np.array_equal(out, np.array([vector_of(text) for text in texts]).reshape(out.shape))


@settings(max_examples=at_most(40), suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    texts=st.lists(st.text(st.characters(exclude_categories=("Cs",)), max_size=6), max_size=30),
    lanes=st.integers(1, 3),
    length=st.sampled_from([10, BATCH_TOKENS // 4]),
)
def test_every_row_gets_the_vector_of_its_text_and_each_text_is_embedded_once(
    tmp_path_factory: pytest.TempPathFactory, texts: list[str], lanes: int, length: int
) -> None:
    path = tmp_path_factory.mktemp("cache") / "embeddings.sqlite"
    embedder = Embedder(lanes=lanes)
    out, count, advanced = fill(path, texts, embedder, length=length)
    assert right(out, texts)
    wanted = {text for text in texts if text.strip()}
    assert sorted(embedder.seen) == sorted(wanted)
    assert count == len(wanted)
    tokens = sum(length + len(text) for text in texts)
    assert advanced == tokens
    again, count, advanced = fill(path, texts, Embedder(fails_at=0), length=length)
    assert right(again, texts)
    assert (count, advanced) == (0, tokens)


def test_texts_may_be_looked_up_by_place(tmp_path: Path) -> None:
    out = np.zeros((3, DIMENSIONS), dtype=np.float32)
    with EmbeddingCache(tmp_path / "cache", "model", DIMENSIONS) as cache:
        embed_into(out, "abc".__getitem__, [1, 1, 1], lambda _: Embedder(), cache, lambda _: None)
    assert right(out, "abc")


def test_batches_are_bounded_by_tokens_longest_first(tmp_path: Path) -> None:
    texts = [f"{number:0{1 + number % 7}}" for number in range(100)]
    embedder = Embedder()
    fill(tmp_path / "cache", texts, embedder, length=BATCH_TOKENS // 10)
    lengths = [[len(text) for text in batch] for batch in embedder.batches]
    each = [length for batch in lengths for length in batch]
    assert each == sorted(each, reverse=True)
    assert all((BATCH_TOKENS // 10 + max(batch)) * len(batch) <= BATCH_TOKENS for batch in lengths)
    assert len(embedder.batches) >= 10


def test_a_text_beyond_the_bound_is_a_batch_of_its_own(tmp_path: Path) -> None:
    embedder = Embedder()
    fill(tmp_path / "cache", ["a", "b"], embedder, length=3 * BATCH_TOKENS)
    assert embedder.batches == [["a"], ["b"]]


def test_an_interrupted_embedding_goes_on_where_it_was(tmp_path: Path) -> None:
    texts = [str(number) for number in range(50)]
    first = Embedder(fails_at=3)
    with pytest.raises(KeyboardInterrupt):
        fill(tmp_path / "cache", texts, first, length=BATCH_TOKENS // 8)
    second = Embedder()
    out, count, _ = fill(tmp_path / "cache", texts, second, length=BATCH_TOKENS // 8)
    assert right(out, texts)
    assert len(first.seen) + count == len(texts)
    assert not set(first.seen) & set(second.seen)


def test_another_model_or_number_of_dimensions_takes_nothing_from_the_cache(tmp_path: Path) -> None:
    fill(tmp_path / "cache", ["a"], Embedder())
    assert fill(tmp_path / "cache", ["a"], Embedder(), key="other")[1] == 1
    with EmbeddingCache(tmp_path / "cache", "model", 2 * DIMENSIONS) as cache:
        assert cache.get(cache.digest("a")) is None


def test_a_file_that_is_no_database_is_replaced(tmp_path: Path) -> None:
    path = tmp_path / "cache"
    for content in (b"nonsense " * 1000, b"SQLite format 3\0" + b"\xff" * 5000):
        path.write_bytes(content)
        out, count, _ = fill(path, ["a", "b"], Embedder())
        assert right(out, ["a", "b"])
        assert count == 2
        assert fill(path, ["a", "b"], Embedder())[1] == 0


@pytest.mark.slow
def test_a_damaged_page_is_met_by_embedding_anew_and_never_by_failing(tmp_path: Path) -> None:
    path = tmp_path / "cache"
    texts = [str(number) for number in range(2000)]
    fill(path, texts, Embedder())
    whole = path.read_bytes()
    # Every page but the first in turn would take long: the tree's root and every fifth leaf.
    for page in [1, *range(2, len(whole) // 4096, 5)]:
        broken = bytearray(whole)
        broken[page * 4096 : page * 4096 + 64] = b"\xff" * 64
        path.write_bytes(broken)
        out, _, _ = fill(path, texts, Embedder())
        assert right(out, texts)
        fill(path, texts, Embedder())  # what was read before the damaged page was met
        assert fill(path, texts, Embedder(fails_at=0))[1] == 0


def test_a_cache_that_cannot_be_opened_is_an_error_and_is_not_deleted(tmp_path: Path) -> None:
    (tmp_path / "cache").mkdir()
    with pytest.raises(sqlite3.OperationalError):
        EmbeddingCache(tmp_path / "cache", "model", DIMENSIONS)
    assert (tmp_path / "cache").is_dir()
