"""Which engine finds the hundred nearest of many vectors: recall, time, memory, and what building it takes.

    python benchmarks/nearest.py build --real INDEX --out FOLDER --passages 1000000 [ENGINE ...]
    python benchmarks/nearest.py ask --topics TOPICS.jsonl --real INDEX --out FOLDER [ENGINE ...]

The vectors are those of a real index's passages and beyond them seeded mixtures, 0.7 of one and 0.3 of another drawn by
chance, of unit length; the questions are real (`text`, `paraphrase` and `message` of each line). Every engine names
candidates, of which the best hundred by float32 are taken, as the project does; recall is against going over all in
float32. One thread. Other engines than the project's own and FAISS need `pip install usearch==2.26.6 hnswlib==0.8.0`;
a graph takes ten minutes of a core to build, one of twice as many edges (`-32`) more than twice that.
"""

from __future__ import annotations

import argparse
import json
import resource
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from indexer.embedding.vector_rows import RoundedRows
from indexer.writers.coarse import write_coarse
from kb.compute.rows_on_disk import rows_of, take
from kb.retrieval.encoder import Encoder
from kb.retrieval.vectors import VectorIndex
from kb.storage.generation import open_generation

NEAREST = 100
ROUNDS = 2
Search = Callable[[NDArray[np.float32], int], NDArray[np.int64]]


def mixed_vectors(real: Path, path: Path, count: int, seed: int = 7) -> None:
    """Write so many vectors: the real ones, then mixtures of pairs of them."""
    folder, _, lease = open_generation(real)
    rows = np.load(folder / "vectors" / "passages.npy")
    lease.release()
    out = np.lib.format.open_memmap(path, "w+", np.float32, (count, rows.shape[1]))
    out[: len(rows)] = rows[:count]
    random = np.random.default_rng(seed)
    for start in range(len(rows), count, 50_000):
        one, other = random.integers(len(rows), size=(2, min(50_000, count - start)))
        mixed = np.float32(0.7) * rows[one] + np.float32(0.3) * rows[other]
        out[start : start + len(one)] = mixed / np.linalg.norm(mixed, axis=1, keepdims=True)
    out.flush()


class Engine:
    """`settings` are what `search` takes for its second argument, from quick to thorough."""

    settings: tuple[int, ...] = (0,)

    def build(self, folder: Path, rows: NDArray[np.float32]) -> None:
        """Write what the engine needs beside `passages.npy`."""

    def open(self, folder: Path, rows: NDArray[np.float32]) -> Search:
        raise NotImplementedError


class Float32(Engine):
    """numpy's product of all vectors with the question."""

    def open(self, _: Path, rows: NDArray[np.float32]) -> Search:
        def search(question: NDArray[np.float32], _: int) -> NDArray[np.int64]:
            return np.argpartition(rows @ question, -NEAREST)[-NEAREST:]

        return search


class OneStep(Engine):
    """The project's pass over codes of eight bits."""

    settings = (500,)

    def build(self, folder: Path, rows: NDArray[np.float32]) -> None:
        codes = RoundedRows(folder / "codes", *rows.shape)
        for place, row in enumerate(rows):
            codes[place] = row
        codes.save()
        for name in (
            "names",
            "name_scales",
            "name_starts",
            "sentences",
            "sentence_scales",
            "sentence_starts",
        ):
            np.save(folder / f"{name}.npy", np.zeros((0, rows.shape[1]), dtype=np.int8))

    def open(self, folder: Path, _: NDArray[np.float32]) -> Search:
        index = VectorIndex(folder)
        index._coarse = None
        return index.nearest


class TwoSteps(Engine):
    """The project's choice among many: two bits, eight bits."""

    settings = (125, 250, 500)

    def build(self, folder: Path, _: NDArray[np.float32]) -> None:
        write_coarse(folder)

    def open(self, folder: Path, _: NDArray[np.float32]) -> Search:
        return VectorIndex(folder).nearest


class Faiss(Engine):
    """An index by FAISS's own description; `settings` are how many candidates it names, or lists it looks into."""

    def __init__(self, description: str, settings: tuple[int, ...], parameter: str = "") -> None:
        self.description, self.settings, self._parameter = description, settings, parameter

    def build(self, folder: Path, rows: NDArray[np.float32]) -> None:
        import faiss  # noqa: PLC0415

        index = faiss.index_factory(rows.shape[1], self.description, faiss.METRIC_INNER_PRODUCT)
        index.train(np.array(rows[:: max(1, len(rows) // 150_000)]))
        for start in range(0, len(rows), 50_000):
            index.add(np.array(rows[start : start + 50_000]))
        faiss.write_index(index, str(folder / f"{self.description}.faiss"))

    def open(self, folder: Path, _: NDArray[np.float32]) -> Search:
        import faiss  # noqa: PLC0415

        faiss.omp_set_num_threads(1)
        index = faiss.read_index(str(folder / f"{self.description}.faiss"))

        def search(question: NDArray[np.float32], setting: int) -> NDArray[np.int64]:
            if self._parameter:
                faiss.ParameterSpace().set_index_parameter(index, self._parameter, setting)
            found = index.search(question[np.newaxis], 500 if self._parameter else setting)[1][0]
            return found[found >= 0]

        return search


class Hnswlib(Engine):
    """A graph over the vectors themselves."""

    settings = (256, 512, 1024, 2048)

    def __init__(self, connectivity: int, expansion: int) -> None:
        self._connectivity, self._expansion = connectivity, expansion

    def build(self, folder: Path, rows: NDArray[np.float32]) -> None:
        import hnswlib  # noqa: PLC0415

        index = hnswlib.Index(space="ip", dim=rows.shape[1])
        index.init_index(len(rows), M=self._connectivity, ef_construction=self._expansion)
        index.set_num_threads(1)
        for start, block in _blocks(rows):
            index.add_items(block, np.arange(start, start + len(block)))
        index.save_index(str(self._path(folder)))

    def open(self, folder: Path, rows: NDArray[np.float32]) -> Search:
        import hnswlib  # noqa: PLC0415

        index = hnswlib.Index(space="ip", dim=rows.shape[1])
        index.load_index(str(self._path(folder)))
        index.set_num_threads(1)

        def search(question: NDArray[np.float32], setting: int) -> NDArray[np.int64]:
            index.set_ef(setting)
            return index.knn_query(question, NEAREST)[0][0].astype(np.int64)

        return search

    def _path(self, folder: Path) -> Path:
        return folder / f"hnswlib-{self._connectivity}"


class Usearch(Engine):
    """A graph over vectors of sixteen bits, mapped."""

    settings = (256, 512, 1024, 2048)

    def __init__(self, connectivity: int, expansion: int) -> None:
        self._connectivity, self._expansion = connectivity, expansion

    def build(self, folder: Path, rows: NDArray[np.float32]) -> None:
        from usearch.index import Index  # noqa: PLC0415

        index = Index(
            ndim=rows.shape[1],
            metric="ip",
            dtype="bf16",
            connectivity=self._connectivity,
            expansion_add=self._expansion,
        )
        for start, block in _blocks(rows):
            index.add(np.arange(start, start + len(block)), block, threads=1)
        index.save(str(self._path(folder)))

    def open(self, folder: Path, _: NDArray[np.float32]) -> Search:
        from usearch.index import Index  # noqa: PLC0415

        index = Index.restore(str(self._path(folder)), view=True)

        def search(question: NDArray[np.float32], setting: int) -> NDArray[np.int64]:
            index.expansion_search = setting
            return index.search(question, 2 * NEAREST, threads=1).keys.astype(np.int64)

        return search

    def _path(self, folder: Path) -> Path:
        return folder / f"usearch-{self._connectivity}"


def _blocks(rows: NDArray[np.float32]) -> Iterator[tuple[int, NDArray[np.float32]]]:
    """All rows in blocks, each with its first row's number; how far a graph has come is told."""
    for start in range(0, len(rows), 50_000):
        yield start, np.array(rows[start : start + 50_000])
        print(f"{start + 50_000:,} after {time.process_time():.0f} s", file=sys.stderr, flush=True)


ENGINES: dict[str, Engine] = {
    "float32": Float32(),
    "eight-bits": OneStep(),
    "two-bits": TwoSteps(),
    "faiss-pq96": Faiss("PQ96x4fs", (1000, 3000, 6000)),
    "faiss-ivf": Faiss("IVF2048,SQ8", (64, 128, 256, 512), "nprobe"),
    "usearch": Usearch(16, 128),
    "usearch-32": Usearch(32, 200),
    "hnswlib": Hnswlib(16, 128),
    "hnswlib-32": Hnswlib(32, 200),
}


def build(name: str, folder: Path) -> None:
    """Build one engine, and write down what it took."""
    rows = np.load(folder / "passages.npy", mmap_mode="r").view(np.ndarray)
    before = {path.name for path in folder.iterdir()}
    begun = time.process_time()
    ENGINES[name].build(folder, rows)
    taken = time.process_time() - begun
    new = sum(path.stat().st_size for path in folder.iterdir() if path.name not in before)
    made = {
        "build_s": round(taken, 1),
        "disk_mb": new // 2**20,
        "build_peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
    }
    (folder / f"{name}.json").write_text(json.dumps(made))
    print(name, made, flush=True)


def ask(name: str, folder: Path, questions: NDArray[np.float32], truth: list[set[int]]) -> None:
    """Ask all questions at each of the engine's settings, and print a row of the table for each."""
    rows = np.load(folder / "passages.npy", mmap_mode="r").view(np.ndarray)
    exact = rows_of(folder, "passages")
    made = json.loads((folder / f"{name}.json").read_text())
    begun = time.perf_counter()
    search = ENGINES[name].open(folder, rows)
    opened = time.perf_counter() - begun
    for setting in ENGINES[name].settings:
        found, times = 0, []
        for turn in range(ROUNDS):
            for question, wanted in zip(questions, truth, strict=True):
                since = time.perf_counter()
                candidates = search(question, setting)
                cosines = take(exact, candidates) @ question
                best = candidates[np.argsort(-cosines, kind="stable")[:NEAREST]]
                times.append(1e3 * (time.perf_counter() - since))
                found += len(wanted.intersection(best.tolist())) if turn == 0 else 0
        row = {
            "setting": setting,
            "recall": round(found / (NEAREST * len(questions)), 4),
            "p50_ms": round(statistics.median(times), 2),
            "p95_ms": round(sorted(times)[int(0.95 * len(times))], 2),
            "open_s": round(opened, 2),
            **_memory(),
            **made,
        }
        (folder / f"{name}-{setting}.row.json").write_text(json.dumps(row))
        print(f"| {name} | " + " | ".join(str(value) for value in row.values()) + " |", flush=True)


def _memory() -> dict[str, int]:
    rollup = Path("/proc/self/smaps_rollup").read_text().splitlines()[1:]
    values = {line.split(":")[0]: int(line.split()[1]) // 1024 for line in rollup}
    return {"pss_mb": values["Pss"], "anonymous_mb": values["Anonymous"]}


def read_questions(topics: Path, real: Path) -> NDArray[np.float32]:
    """The vectors of all forms of all questions."""
    folder, _, lease = open_generation(real)
    encoder = Encoder(folder / "encoder")
    lease.release()
    lines = map(json.loads, topics.read_text().splitlines())
    texts = [
        line[form] for line in lines for form in ("text", "paraphrase", "message") if line.get(form)
    ]
    return np.stack([encoder.encode_question(text) for text in texts])


def nearest_of_all(folder: Path, questions: NDArray[np.float32]) -> list[set[int]]:
    """What the hundred nearest are, by float32; kept in a file."""
    path = folder / "truth.npy"
    if not path.exists():
        rows: NDArray[Any] = np.load(folder / "passages.npy", mmap_mode="r")
        blocks = [
            questions @ rows[start : start + 50_000].T for start in range(0, len(rows), 50_000)
        ]
        np.save(
            path, np.argpartition(-np.concatenate(blocks, axis=1), NEAREST, axis=1)[:, :NEAREST]
        )
    return [set(row) for row in np.load(path).tolist()]


def main() -> None:
    """Build or ask the engines that are named, or all."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("step", choices=("build", "ask"))
    parser.add_argument("engines", nargs="*", choices=[*ENGINES, []])
    parser.add_argument("--real", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--topics", type=Path)
    parser.add_argument("--passages", type=int, default=1_000_000)
    given = parser.parse_intermixed_args()
    given.out.mkdir(parents=True, exist_ok=True)
    if given.step == "build" and not (given.out / "passages.npy").exists():
        mixed_vectors(given.real, given.out / "passages.npy", given.passages)
    if given.step == "ask":
        questions = read_questions(given.topics, given.real)
        truth = nearest_of_all(given.out, questions)
    for name in given.engines or ENGINES:
        if given.step == "build":
            build(name, given.out)
        else:
            ask(name, given.out, questions, truth)


if __name__ == "__main__":
    main()
