"""What a build does to the questions asked meanwhile: python benchmarks/while_building.py --index index

Copies an index of `corpus/` and that corpus, starts the service over the copies, and asks at a steady rate: first at
rest, then while the service takes in new articles, all of whose texts have to be embedded. A question's time counts
from when it was due, so that one that is held up counts for those behind it, too.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import re
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from kb.client import Client
from kb.storage.keys import KeyRing, keys_file

ROOT = Path(__file__).parent.parent
KB = (sys.executable, "-m", "kb_cli")
SCOPES = ("articles", "admin")


def questions() -> list[str]:
    """Those that the quality of the search is held to."""
    lines = (ROOT / "tests/quality/questions.jsonl").read_text(encoding="utf-8").splitlines()
    return [json.loads(line)["text"] for line in lines]


def new_articles(count: int, seed: int = 1) -> list[dict[str, object]]:
    """Articles whose sentences come from all over the corpus, so that no text of them was embedded before."""
    chance = random.Random(seed)
    texts = "\n".join(path.read_text(encoding="utf-8") for path in (ROOT / "corpus").glob("*.md"))
    sentences = re.findall(r"[A-Z][^.\n#:|]{40,200}\.", texts)
    return [
        {
            "id": f"new-{number}",
            "title": f"New article {number}",
            "sections": [
                {
                    "id": f"s{n}",
                    "heading": f"Part {n}",
                    "text": " ".join(chance.sample(sentences, 12)),
                }
                for n in range(5)
            ],
        }
        for number in range(count)
    ]


@contextmanager
def service(folder: Path) -> Iterator[str]:
    """The address of a service over the index in a folder."""
    options = ("--port", "0", "--index", str(folder / "index"))
    environment = {**os.environ, "KB_LOG_LEVEL": "warning"}
    process = subprocess.Popen(
        [*KB, "serve", *options], env=environment, stderr=subprocess.PIPE, text=True
    )
    assert process.stderr is not None
    try:
        while not (found := re.search(r"http://\S+", process.stderr.readline())):
            if process.poll() is not None:
                raise SystemExit("The service did not start.")
        yield found[0]
    finally:
        process.terminate()
        process.wait()
        process.stderr.close()


def act_at(
    rate: float,
    act: Callable[[int], object],
    most: int,
    stop: threading.Event,
    took_ms: list[float],
) -> None:
    """Do it so many times a second until told to stop, or so often; `act` is told how often it was done."""
    due = time.perf_counter()
    while not stop.is_set() and len(took_ms) < most:
        time.sleep(max(0.0, due - time.perf_counter()))
        act(len(took_ms))
        took_ms.append(1000 * (time.perf_counter() - due))
        due += 1 / rate


@contextmanager
def acting(
    rate: float, act: Callable[[int], object], most: int = sys.maxsize
) -> Iterator[list[float]]:
    """Milliseconds that each took of what is done at a steady rate inside the block, waiting for its turn included."""
    took_ms: list[float] = []
    stop = threading.Event()
    thread = threading.Thread(target=act_at, args=(rate, act, most, stop, took_ms))
    thread.start()
    try:
        yield took_ms
    finally:
        stop.set()
        thread.join()


@contextmanager
def asking(url: str, rate: float) -> Iterator[list[float]]:
    """Milliseconds of each question that is asked inside the block."""
    asked = questions()
    with Client(url) as client:
        client.search(asked[0])
        with acting(rate, lambda number: client.search(asked[number % len(asked)])) as took_ms:
            yield took_ms


def row(name: str, took_ms: list[float]) -> str:
    """A line of the table."""
    ordered = sorted(took_ms)
    at = [ordered[min(len(ordered) - 1, len(ordered) * p // 100)] for p in (50, 95, 99)]
    return (
        f"| {name} | {len(ordered)} | {at[0]:.0f} | {at[1]:.0f} | {at[2]:.0f} | {ordered[-1]:.0f} |"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--index", type=Path, default=Path("index"), help="an index of corpus/")
    parser.add_argument("--rate", type=float, default=20.0, help="questions a second")
    parser.add_argument("--seconds", type=float, default=15.0, help="how long to ask at rest")
    parser.add_argument("--articles", type=int, default=60, help="how many are added")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="kb-while-building-") as made:
        folder = Path(made)
        shutil.copytree(given.index, folder / "index")
        shutil.copytree(ROOT / "corpus", folder / "corpus")
        where = ("--index", str(folder / "index"), "--corpus", str(folder / "corpus"))
        subprocess.run([*KB, "build", *where], check=True, stderr=subprocess.DEVNULL)
        key = KeyRing(keys_file(folder / "index")).add("benchmark", SCOPES)[1]
        with service(folder) as url, Client(url, api_key=key) as client:
            with asking(url, given.rate) as at_rest:
                time.sleep(given.seconds)
            with asking(url, given.rate) as meanwhile:
                began = time.perf_counter()
                task = client.import_articles(new_articles(given.articles)).task
                ended = client.wait(task.id)
                built_s = time.perf_counter() - began
        if ended.state != "done":
            raise SystemExit(f"The task failed: {ended.error}")
    print("| | questions | p50 ms | p95 ms | p99 ms | most ms |\n|---|---|---|---|---|---|")
    print(row("at rest", at_rest))
    print(row(f"while {given.articles} articles are added ({built_s:.0f} s)", meanwhile))


if __name__ == "__main__":
    main()
