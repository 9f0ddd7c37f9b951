"""How long a change waits for its 202: python benchmarks/changes.py --articles 5000

Makes a library of so many small articles and an index of them, starts the service over it, and puts articles at a
steady rate: at rest, then while the service builds the index for articles that were imported just before, whose texts
are all new. A change's time counts from when it was due, so that one that is held up counts for those behind it, too.
With `--folder`, library and index are kept there and used again.
"""

from __future__ import annotations

import argparse
import os
import random
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from while_building import KB, ROOT, SCOPES, acting, new_articles, row, service

from kb.client import Client
from kb.storage.keys import KeyRing, keys_file

MOST = 900
"""So many changes at most, since no more than `KB_MAX_TASKS` may wait for the build."""


def write_library(folder: Path, count: int) -> None:
    """So many articles of one section, each of two sentences from the corpus and a word of its own."""
    chance = random.Random(2)
    texts = "\n".join(path.read_text(encoding="utf-8") for path in (ROOT / "corpus").glob("*.md"))
    sentences = re.findall(r"[A-Z][^.\n#:|]{40,120}\.", texts)
    for number in range(count):
        text = " ".join(chance.sample(sentences, 2))
        path = folder / f"article-{number}.md"
        path.write_text(f"# Article {number}\n\n{text} It has the number {number}.\n")


def build(folder: Path, count: int) -> None:
    """The library and its index, where they are not there yet."""
    corpus = folder / "corpus"
    corpus.mkdir(parents=True, exist_ok=True)
    if not (folder / "index" / "CURRENT").exists():
        write_library(corpus, count)
        where = ("--index", str(folder / "index"), "--corpus", str(corpus))
        subprocess.run([*KB, "build", *where], check=True, stderr=subprocess.DEVNULL)


@contextmanager
def putting(client: Client, rate: float) -> Iterator[list[float]]:
    """Milliseconds of each change made inside the block: every other one is a new article, the rest replace it."""
    run = random.randrange(10**9)

    def put(number: int) -> None:
        text = f"# A change\n\nIt is change number {number}."
        client.put_article(f"put-{run}-{number // 2}", text)

    with acting(rate, put, MOST) as took_ms:
        yield took_ms


def until_built(client: Client) -> None:
    """Wait until no task waits for the index."""
    while any(not task.has_ended for task in client.tasks(limit=1).tasks):
        time.sleep(0.5)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--articles", type=int, default=5000, help="how many the index has")
    parser.add_argument("--rate", type=float, default=5.0, help="changes a second")
    parser.add_argument("--seconds", type=float, default=10.0, help="how long to change at rest")
    parser.add_argument("--imported", type=int, default=100, help="how many the build adds")
    parser.add_argument("--folder", type=Path, help="where to keep library and index")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="kb-changes-") as made:
        folder = given.folder or Path(made)
        build(folder, given.articles)
        key = KeyRing(keys_file(folder / "index")).add("benchmark", SCOPES)[1]
        with service(folder) as url, Client(url, api_key=key) as client:
            began = time.perf_counter()
            client.put_article("first", f"# First\n\nIt is of {time.time_ns()}.")
            first_ms = 1000 * (time.perf_counter() - began)
            until_built(client)
            with putting(client, given.rate) as alone:
                time.sleep(given.seconds)
            until_built(client)
            task = client.import_articles(new_articles(given.imported, time.time_ns())).task
            began = time.perf_counter()
            with putting(client, given.rate) as meanwhile:
                while len(meanwhile) < MOST and not client.task(task.id).has_ended:
                    time.sleep(1)
            built_s = time.perf_counter() - began
            ended = client.task(task.id)
    if ended.state == "failed":
        raise SystemExit(f"The task failed: {ended.error}")
    load = os.getloadavg()[0]
    print(
        f"The first change after the service's start: {first_ms:.0f} ms. Load average at the end: {load:.1f}."
    )
    print("| | changes | p50 ms | p95 ms | p99 ms | most ms |\n|---|---|---|---|---|---|")
    print(row(f"{given.rate:g} a second, with the builds they cause", alone))
    how = f"{built_s:.0f} s" if ended.has_ended else f"the first {built_s:.0f} s of it"
    print(row(f"beside a build of {given.imported} articles ({how})", meanwhile))


if __name__ == "__main__":
    sys.exit(main())
