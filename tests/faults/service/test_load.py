"""Publications under load: no request fails, every answer is of one generation, and nothing grows."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from support.crashes.workers import ROOT
from support.library import Library
from support.waiting import until

CLIENTS = 16
KEPT = 2


@contextmanager
def service(library: Library) -> Iterator[tuple[str, int]]:
    """A worker process of the service: its address and its process id."""
    script = "import sys; from kb_cli.main import run; sys.exit(run(sys.argv[1:]))"
    process = subprocess.Popen(
        [sys.executable, "-c", script, "serve", "--index", str(library.index), "--port", "0"],
        env={
            **os.environ,
            **{"PYTHONPATH": str(ROOT), "KB_POLL_INTERVAL_S": "0.05", "KB_LOG_LEVEL": "error"},
        },
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stderr is not None
    try:
        said = ""
        for line in process.stderr:
            said += line
            if "http://" in line:
                break
        found = re.search(r"http://\S+", said)
        assert found is not None, said
        yield found[0], process.pid
    finally:
        process.terminate()
        process.wait(30)
        process.stderr.close()


def answer(address: str, path: str) -> dict[str, object]:
    with urllib.request.urlopen(f"{address}{path}", timeout=60) as response:
        return json.load(response)  # type: ignore[no-any-return]


def descriptors(pid: int) -> int:
    return len(list(Path(f"/proc/{pid}/fd").iterdir()))


def resident_mb(pid: int) -> float:
    found = re.search(r"VmRSS:\s+(\d+)", Path(f"/proc/{pid}/status").read_text())
    assert found is not None
    return int(found[1]) / 1024


def watch_the_disk(library: Library, stop: threading.Event, wrong: list[object]) -> None:
    """Generations, whole or being built, whoever has them open: at no moment more than one besides those kept."""
    while not stop.is_set():
        there = library.generations()
        if len(there) > KEPT + 1:
            wrong.append(there)
        time.sleep(0.001)


def test_publications_under_load_from_sixteen_clients(library: Library, is_long: bool) -> None:
    rounds = 1000 if is_long else 6
    wrong: list[object] = []
    asked = 0
    stop = threading.Event()
    words = {library.live().name: library.texts["article-0"]}

    def ask(address: str, number: int) -> None:
        nonlocal asked
        while not stop.is_set():
            try:
                found = answer(address, "/api/v1/search?q=%22comes%20first%22&limit=20")
                text = " ".join(r["text"] for r in found["results"])  # type: ignore[attr-defined]
                asked += 1
                named = set(re.findall(r"round\d+", text))
                expected = words.get(str(found["generation"]))
                if expected is not None and not named <= {expected}:
                    wrong.append((found["generation"], named, expected))
            except Exception as error:
                wrong.append(repr(error))
            time.sleep(0.1 if is_long else 0.25)

    with ExitStack() as opened:
        workers = [opened.enter_context(service(library)) for _ in range(2)]
        threads = [
            threading.Thread(target=ask, args=(workers[number % 2][0], number))
            for number in range(CLIENTS)
        ]
        threads.append(threading.Thread(target=watch_the_disk, args=(library, stop, wrong)))
        for thread in threads:
            thread.start()
        settled: list[tuple[int, float]] = []
        try:
            for number in range(rounds):
                # Two articles say the same word: an answer with two of them would be a mixture.
                library.put("article-0", f"round{number}")
                library.put("article-1", f"round{number}")
                words[library.build().generation] = f"round{number}"
                # What is loaded beside the first answers is there by then.
                if number == (rounds // 4 if is_long else rounds // 2):
                    settled = [(descriptors(pid), resident_mb(pid)) for _, pid in workers]
            live = library.live().name
            for address, _ in workers:
                until(lambda at=address: answer(at, "/healthz")["generation"] == live)  # type: ignore[misc]
        finally:
            stop.set()
            for thread in threads:
                thread.join()
        assert wrong == []
        assert asked > 4 * rounds
        for (_, pid), (handles, memory) in zip(workers, settled, strict=True):
            assert descriptors(pid) <= handles + CLIENTS
            assert resident_mb(pid) <= memory * 1.25 + 30
    library.put("article-0", "quiet")
    library.build()
    assert len(library.generations()) == KEPT
