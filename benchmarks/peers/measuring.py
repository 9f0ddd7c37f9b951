"""Given something that answers a question, how long it takes, how many it answers at once, and what memory it holds."""

from __future__ import annotations

import re
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import cycle
from pathlib import Path
from typing import Any

import numpy as np

Ask = Callable[[int], Any]
"""Answers the question of that number."""


@dataclass(frozen=True, slots=True)
class Latency:
    """Milliseconds of `asked` questions, one after the other."""

    asked: int
    p50: float
    p95: float
    p99: float


@dataclass(frozen=True, slots=True)
class Throughput:
    """Questions a second of so many clients, and how many of them failed."""

    clients: int
    asked: int
    per_second: float
    failed: int


def latency(ask: Ask, questions: int, seconds: float, least: int = 1) -> Latency:
    """Ask in turn, for so long and at least so many; where there is time for all of them once, in whole rounds.

    Two that were asked before, which are not counted, leave nothing to be loaded.
    """
    for warm in range(min(2, questions)):
        ask(warm)
    took: list[float] = []
    until = time.perf_counter() + seconds
    for number in cycle(range(questions)):
        begun = time.perf_counter()
        if begun >= until and len(took) >= least and (number == 0 or len(took) < questions):
            break
        ask(number)
        took.append(1000 * (time.perf_counter() - begun))
    p50, p95, p99 = np.percentile(took, (50, 95, 99))
    return Latency(len(took), float(p50), float(p95), float(p99))


def throughput(ask: Ask, questions: int, clients: int, seconds: float) -> Throughput:
    """Each client, a thread, asks for so long, the next once it has the answer; the last answers are waited for."""
    asked, failed = [0] * clients, [0] * clients
    together = threading.Barrier(clients + 1)
    until = [0.0]

    def client(place: int) -> None:
        together.wait()
        for number in _from(place * questions // clients, questions):
            if time.perf_counter() >= until[0]:
                break
            try:
                ask(number)
                asked[place] += 1
            except Exception as error:
                failed[place] += 1
                if sum(failed) == 1:
                    print(f"a client failed: {type(error).__name__}: {error}", file=sys.stderr)

    threads = [threading.Thread(target=client, args=(place,)) for place in range(clients)]
    for thread in threads:
        thread.start()
    begun = time.perf_counter()
    until[0] = begun + seconds
    together.wait()
    for thread in threads:
        thread.join()
    took = time.perf_counter() - begun
    return Throughput(clients, sum(asked), sum(asked) / took, sum(failed))


def pss_mb() -> float:
    """The proportional set size of this process in MB: what it holds alone, and its share of what it shares."""
    rollup = Path("/proc/self/smaps_rollup").read_text(encoding="ascii")
    return int(re.findall(r"^Pss:\s+(\d+)", rollup, re.MULTILINE)[0]) * 1024 / 1e6


def size_mb(folder: Path) -> float:
    """The size of all files in a folder, in MB."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()) / 1e6


def machine_ms() -> float:
    """Milliseconds of a fixed piece of work, the least of ten: what makes two parts of a run comparable."""
    square = np.linspace(-1, 1, 600 * 600, dtype=np.float32).reshape(600, 600)
    took = []
    for _ in range(10):
        begun = time.perf_counter()
        np.sort((square @ square).ravel())
        sum(range(100_000))
        took.append(1000 * (time.perf_counter() - begun))
    return min(took)


def _from(first: int, count: int) -> Iterator[int]:
    """All numbers below `count`, again and again, beginning with `first`."""
    return cycle([*range(first, count), *range(first)])
