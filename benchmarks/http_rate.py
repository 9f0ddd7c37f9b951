"""How many questions a second the service answers to 8 clients, by its processes and what each works on at once.

    python benchmarks/http_rate.py --index DIR --topics TOPICS.jsonl [--field summary] [--workers 1 2 3] [--at-once 1 4]

Each client asks, has ten cited results, and asks the next. The clients are tasks of this process and share the machine
with the service. Prints a table, and ends with 1 where none of these reaches 100 questions a second with 99 of
100 answers within 200 ms and no error.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
from itertools import product
from pathlib import Path

from load import Outcome, load, resident_mb, service

from kb.evaluation.measures import read_topics

CLIENTS = 8
LIMIT = 10
PER_SECOND = 100
P99_MS = 200


def good(outcome: Outcome) -> bool:
    """Whether it is fast enough, and without error."""
    fast = outcome.rate >= PER_SECOND and outcome.percentile(99) < P99_MS
    return fast and set(outcome.statuses) == {200} and not outcome.broken


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--index", type=Path, default=Path("index"))
    parser.add_argument("--topics", type=Path, required=True)
    parser.add_argument("--field", default="text")
    parser.add_argument("--workers", type=int, nargs="+", default=[1, 2, 3])
    parser.add_argument("--at-once", type=int, nargs="+", default=[1, 4], help="--max-concurrent")
    parser.add_argument("--seconds", type=float, default=15.0, help="of each row")
    options = parser.parse_args()
    questions = [topic.text for topic in read_topics(options.topics, options.field)]
    print(
        "| processes | at once in each | questions/s | p50 ms | p95 ms | p99 ms | errors | memory of their own, MB |"
    )
    print("|---:|---:|---:|---:|---:|---:|---:|---:|")
    reached = False
    for workers, at_once in product(options.workers, options.at_once):
        flags = ["--workers", str(workers), "--max-concurrent", str(at_once)]
        with service(options.index, flags) as (address, pid):
            asyncio.run(load(address, questions, CLIENTS, min(3.0, options.seconds), limit=LIMIT))
            found = asyncio.run(load(address, questions, CLIENTS, options.seconds, limit=LIMIT))
            errors = found.broken + sum(found.statuses.values()) - found.statuses[200]
            p50, p95, p99 = (found.percentile(percent) for percent in (50, 95, 99))
            print(
                f"| {workers} | {at_once} | {found.rate:.0f} | {p50:.0f} | {p95:.0f} | {p99:.0f} | {errors} "
                f"| {resident_mb(pid):.0f} |",
                flush=True,
            )
        reached |= good(found)
    return 0 if reached else 1


if __name__ == "__main__":
    sys.exit(main())
