"""What a question costs, counted and not timed: bytes of vectors, postings, tokens, memory

Each bound is one of the library's size and of the question, so that a second pass, a pass over what is four times as
large, or an array too many is seen on any machine.
"""

from __future__ import annotations

import json
import shutil
import tracemalloc
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Self

import numpy as np
import onnxruntime
import pytest
from numpy.typing import NDArray

from indexer.build import fresh
from indexer.build.build import build
from indexer.build.request import BuildRequest
from indexer.embedding.index_encoder import IndexEncoder
from indexer.writers.coarse import write_coarse
from kb import KnowledgeBase
from kb.compute import arrays, kernels
from kb.evaluation import runs
from kb.ranking.fusion import CANDIDATE_DEPTH
from kb.retrieval import vectors
from kb.retrieval.vectors import OVERSAMPLING, VectorIndex
from kb.schema.search_request import Mode
from kb.storage.manifest import Manifest, ModelInfo
from kb.text import analysis
from support.vectors import unit_rows

PASSAGES = 2100
DIMENSIONS = 384
CANDIDATES = 2 * CANDIDATE_DEPTH
SYLLABLES = ("ba", "ko", "ri", "mu", "ta", "ne", "zo", "li", "ga", "pu")
WORDS = [a + b + c for a in SYLLABLES for b in SYLLABLES for c in SYLLABLES]
QUESTION = f"Which {WORDS[3]} helps against {WORDS[40]} and {WORDS[7]}?"


@pytest.fixture(scope="module")
def crowd(index_path: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[KnowledgeBase]:
    """A library of PASSAGES passages of one sentence, some words of it frequent and most rare."""
    random = np.random.default_rng(2)
    frequency = 1 / np.arange(1, len(WORDS) + 1)
    frequency /= frequency.sum()
    root = tmp_path_factory.mktemp("crowd")
    with (root / "corpus.jsonl").open("w") as file:
        for number in range(PASSAGES // 3):
            sections = [
                {"id": name, "text": " ".join(random.choice(WORDS, 12, p=frequency)) + "."}
                for name in "xyz"
            ]
            title = " ".join(random.choice(WORDS, 2))
            line = {"id": f"a{number}", "title": title, "sections": sections}
            file.write(json.dumps(line) + "\n")
    made = index_path / "generations" / (index_path / "CURRENT").read_text().strip()

    def export(_: str, folder: Path) -> ModelInfo:
        shutil.copytree(made / "encoder", folder)
        return Manifest.load(made).model

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(fresh, "export_model", export)
        patched.setattr(
            IndexEncoder, "__call__", lambda _, texts: unit_rows(len(texts), DIMENSIONS)
        )
        build(BuildRequest(root / "index", [root / "corpus.jsonl"]))
    with KnowledgeBase.open(root / "index") as opened:
        assert opened.passage_count == PASSAGES > 2 * CANDIDATES
        opened.search(QUESTION)
        yield opened


class Counted(np.ndarray[Any, Any]):
    """An array that counts the bytes read of it: of what is sliced once it is, of the rest when it is computed with."""

    read: list[int]

    @classmethod
    def of(cls, array: NDArray[Any]) -> Self:
        """The same array, nothing read of it yet."""
        counted = array.view(cls)
        counted.read = []
        return counted

    @property
    def bytes_read(self) -> int:
        return sum(self.read)

    def __getitem__(self, key: Any) -> Any:
        found = self.view(np.ndarray)[key]
        self.read.append(found.nbytes)
        return found

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **options: Any) -> Any:
        return getattr(ufunc, method)(*map(self._used, inputs), **options)

    def __array_function__(self, function: Any, _: Any, given: Any, options: Any) -> Any:
        if function is np.take:
            return self[given[1]]
        return function(*map(self._used, given), **options)

    def _used(self, value: Any) -> Any:
        if not isinstance(value, Counted):
            return value
        value.read.append(value.nbytes)
        return value.view(np.ndarray)


class Products:
    """In place of kb.compute.kernels' products: how many rows are compared with a question, and how many at a time."""

    def __init__(self, patched: pytest.MonkeyPatch) -> None:
        self.passes: list[int] = []
        self.others: list[int] = []
        self.vectors: list[int] = []
        counts: dict[str, tuple[list[int], Callable[..., int]]] = {
            "dots": (self.passes, lambda _, codes, *__: len(codes)),
            "dots_of": (self.others, lambda *given: len(given[3])),
            "best_dots": (self.others, lambda *given: int(arrays.runs(*given[3:])[1].sum())),
            "vector_dots_of": (self.vectors, lambda *given: len(given[2])),
        }
        for name, (counted, count) in counts.items():
            patched.setattr(vectors, name, self._counting(name, counted, count))

    def _counting(self, name: str, counted: list[int], count: Callable[..., int]) -> Any:
        real = getattr(kernels, name)

        def counting(*given: Any) -> Any:
            counted.append(count(*given))
            return real(*given)

        return counting


@pytest.fixture
def products(monkeypatch: pytest.MonkeyPatch) -> Products:
    return Products(monkeypatch)


@pytest.mark.parametrize("mode", ["hybrid", "dense", "keyword"])
def test_a_question_goes_over_the_codes_of_passages_once_and_gathers_the_candidates_alone(
    crowd: KnowledgeBase, products: Products, mode: Mode
) -> None:
    crowd.search(QUESTION, mode=mode)
    assert sum(products.passes) == (0 if mode == "keyword" else PASSAGES)
    assert len(products.passes) <= 2  # in halves
    # Here each passage has one sentence, and each article of three passages one name.
    assert len(products.others) == 2
    assert 0 < sum(products.others) <= 2 * CANDIDATES
    assert products.vectors == [products.others[0]]


def test_of_a_large_library_only_what_two_bits_let_through_is_compared_by_eight(
    tmp_path: Path, save_vectors: Any, products: Products
) -> None:
    rows, nothing = unit_rows(4000, DIMENSIONS), np.zeros((0, DIMENSIONS), dtype=np.float32)
    np.save(tmp_path / "passages.npy", rows)
    write_coarse(tmp_path, exact_up_to=100)
    assert np.load(tmp_path / "coarse.npy").nbytes == len(rows) * DIMENSIONS // 4
    index: VectorIndex = save_vectors(tmp_path, rows, nothing, [0], nothing, [0])
    index.nearest(rows[0], 50)
    assert products.others == [OVERSAMPLING * 50]
    assert not products.passes


def test_a_question_touches_the_postings_of_its_terms_once_and_their_raw_frequencies_never(
    crowd: KnowledgeBase, monkeypatch: pytest.MonkeyPatch
) -> None:
    postings = crowd.engine.index.postings
    found = [term for word in analysis.terms(QUESTION) if (term := postings.find(word))]
    held = sum(term.end - term.start for term in found)
    assert len(found) == 3
    assert held > 100
    read = {}
    for name in ("_passages", "_impacts", "_frequencies"):
        read[name] = Counted.of(getattr(postings, name))
        monkeypatch.setattr(postings, name, read[name])
    runs.rank(crowd, QUESTION)
    assert read["_passages"].bytes_read == read["_impacts"].bytes_read == 4 * held
    assert read["_frequencies"].bytes_read == 0


def test_a_question_is_encoded_once_and_nothing_else_is(
    crowd: KnowledgeBase, monkeypatch: pytest.MonkeyPatch
) -> None:
    shapes = []
    run = onnxruntime.InferenceSession.run

    def counted(session: Any, outputs: Any, feed: dict[str, Any], *rest: Any) -> Any:
        shapes.append(feed["input_ids"].shape)
        return run(session, outputs, feed, *rest)

    monkeypatch.setattr(onnxruntime.InferenceSession, "run", counted)
    crowd.search(QUESTION, explain=True, facets=True)
    assert shapes == [crowd.engine.encoder._tokens.batch([QUESTION])["input_ids"].shape]


def test_a_warm_search_allocates_a_few_numbers_a_passage_and_a_candidate_and_copies_no_vector(
    crowd: KnowledgeBase,
) -> None:
    candidates = len(runs.rank(crowd, QUESTION).rows)
    crowd.search(QUESTION)
    tracemalloc.start()
    try:
        crowd.search(QUESTION)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert candidates > 500
    assert peak < 8 * 4 * PASSAGES + 200 * candidates
