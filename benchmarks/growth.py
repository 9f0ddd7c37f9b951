"""How the cost of a question, of memory, of disk and of a rebuild grows with the library.

    python -m benchmarks.growth build --real INDEX --out FOLDER 1000 10000 31000 100000 1000000
    python -m benchmarks.growth ask --topics TOPICS.jsonl --out FOLDER
    python -m benchmarks.growth_report --out FOLDER [--images docs/images]

INDEX is an index of real articles with its cache; TOPICS has questions, a JSON object with a `text` on each line.
Beyond the real passages all is made from mixtures of them (benchmarks/mixtures.py). `build` indexes from nothing, by
the project's own indexer, one thing spared: vectors come from the cache or are mixed, none is embedded. A million takes
some 15 GB of disk, and an hour or two. `ask` asks all, or the sizes named, each in a fresh process, from the question's
text to ten cited results. Each step may be repeated alone; an index that is there is not built again.
"""

from __future__ import annotations

import argparse
import json
import resource
import statistics
import subprocess
import sys
import time
from pathlib import Path

from benchmarks.mixtures import MixedCache, Mixtures
from indexer.build import embedding_cache
from indexer.build.build import build
from indexer.build.request import BuildRequest
from indexer.corpus.progress import Progress
from kb import KnowledgeBase

ROUNDS = 3


class Stopwatch(Progress):
    """Seconds of processor time of each stage of a build: what else the machine does is left out."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        self._name, self._since = "start", time.process_time()

    def stage(self, name: str, total: int | None = None) -> None:  # noqa: ARG002
        now = time.process_time()
        self.seconds[self._name] = self.seconds.get(self._name, 0.0) + now - self._since
        self._name, self._since = name, now

    def close(self) -> None:
        self.stage("end")


def build_size(real: Path, folder: Path, passages: int) -> None:
    """Build the index of so many passages, from nothing, and write down how long it took."""
    index, note = folder / f"index-{passages}", folder / f"build-{passages}.json"
    if note.exists():
        return
    mixtures = Mixtures(real)
    corpus = folder / f"corpus-{passages}.jsonl"
    mixtures.write(corpus, passages)
    MixedCache.mixtures = mixtures
    watch = Stopwatch()
    embedding_cache.EmbeddingCache = _cache_of(real)  # type: ignore[misc, assignment]
    report = build(BuildRequest(index, [corpus]), watch)
    generation = index / "generations" / report.generation
    disk = sum(path.stat().st_size for path in generation.rglob("*") if path.is_file())
    seconds = {name: round(value, 1) for name, value in watch.seconds.items()}
    note.write_text(
        json.dumps(
            {
                "passages": report.passages,
                "articles": report.articles,
                "texts": report.texts,
                "stages_s": seconds,
                "rebuild_s": round(sum(seconds.values()) - seconds.get("load model", 0.0), 1),
                "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
                "disk_mb": disk // 2**20,
            }
        )
    )
    print(note.read_text(), flush=True)


def _cache_of(real: Path):  # type: ignore[no-untyped-def]
    """Opens, whatever the path asked for, a cache that reads the real index's and is never written."""
    return lambda _, *rest: MixedCache(real / "cache" / "embeddings.sqlite", *rest)


def ask(folder: Path, passages: int, topics: Path) -> None:
    """Ask all questions, and write down how long they took and what the process holds after them."""
    questions = [json.loads(line)["text"] for line in topics.read_text().splitlines()]
    begun = time.perf_counter()
    with KnowledgeBase.open(folder / f"index-{passages}") as knowledge_base:
        knowledge_base.search(questions[0])
        first = time.perf_counter() - begun
        for question in questions:
            knowledge_base.search(question)
        total, steps = [], []
        for _ in range(ROUNDS):
            for question in questions:
                since = time.perf_counter()
                response = knowledge_base.search(question)
                total.append(1e3 * (time.perf_counter() - since))
                steps.append(response.timings)
        memory = _memory()
    ranked = sorted(total)
    (folder / f"ask-{passages}.json").write_text(
        json.dumps(
            {
                "questions": len(total),
                "first_s": round(first, 2),
                "p50_ms": round(statistics.median(ranked), 2),
                "p95_ms": round(ranked[int(0.95 * len(ranked))], 2),
                "without_encoding_ms": round(
                    statistics.median(
                        each - step["encode"] for each, step in zip(total, steps, strict=True)
                    ),
                    2,
                ),
                "steps_ms": {
                    name: round(statistics.median(step[name] for step in steps), 2)
                    for name in steps[0]
                },
                **memory,
            }
        )
    )
    print((folder / f"ask-{passages}.json").read_text(), flush=True)


def _memory() -> dict[str, int]:
    """MB of this process: its share of all it has mapped, and what is its own."""
    rollup = Path("/proc/self/smaps_rollup").read_text()
    values = dict(line.split(":") for line in rollup.splitlines()[1:])
    return {
        "pss_mb": int(values["Pss"].split()[0]) // 1024,
        "anonymous_mb": int(values["Anonymous"].split()[0]) // 1024,
    }


def main() -> None:
    """Do one step, each size in a process of its own."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("step", choices=("build", "ask"))
    parser.add_argument("passages", nargs="*", type=int)
    parser.add_argument("--real", type=Path)
    parser.add_argument("--topics", type=Path)
    parser.add_argument("--out", type=Path, required=True)
    given = parser.parse_intermixed_args()
    given.out.mkdir(parents=True, exist_ok=True)
    if len(given.passages) != 1:
        built = sorted(int(note.stem.rpartition("-")[2]) for note in given.out.glob("build-*.json"))
        for passages in given.passages or built:
            command = [sys.executable, "-m", "benchmarks.growth", given.step, str(passages)]
            command += ["--out", str(given.out)]
            for option in ("real", "topics"):
                if getattr(given, option):
                    command += [f"--{option}", str(getattr(given, option))]
            subprocess.run(command, check=True)
    elif given.step == "build":
        build_size(given.real, given.out, given.passages[0])
    else:
        ask(given.out, given.passages[0], given.topics)


if __name__ == "__main__":
    main()
