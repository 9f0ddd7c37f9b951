"""How long the commands take from nothing: python benchmarks/cold_start.py --index DIR

`kb search`, from the start of the process to the first line of its answer and to its end, and `kb serve`, to the moment
it says it serves and to its first answer, each the median of some rounds. Files are in the system's memory: it is the
programs' time, not the disk's. Ends with 1 where search takes more than 0.9 s or serve is not ready within 2 s.
"""

from __future__ import annotations

import argparse
import re
import statistics
import subprocess
import sys
import time
from pathlib import Path
from urllib.request import urlopen

SCRIPT = "import sys; from kb_cli import main; main()"
QUESTION = "what are the symptoms of asthma"
SEARCH_S, SERVE_S = 0.9, 2.0


def search(index: Path) -> tuple[float, float]:
    """Seconds to the first line, and to the end."""
    begun = time.perf_counter()
    with subprocess.Popen(
        [sys.executable, "-c", SCRIPT, "search", QUESTION, "--index", str(index)],
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline()
        first = time.perf_counter() - begun
        process.stdout.read()
    assert process.returncode == 0
    return first, time.perf_counter() - begun


def serve(index: Path) -> tuple[float, float]:
    """Seconds until it says it serves, and until it has answered."""
    command = [sys.executable, "-c", SCRIPT, "serve", "--index", str(index), "--port", "0"]
    begun = time.perf_counter()
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        try:
            address = next(
                found[0] for line in process.stderr if (found := re.search(r"http://\S+", line))
            )
            ready = time.perf_counter() - begun
            with urlopen(f"{address}/api/v1/search?q={QUESTION.replace(' ', '+')}") as answer:
                assert answer.status == 200
            return ready, time.perf_counter() - begun
        finally:
            process.terminate()
            process.communicate(timeout=60)


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--index", type=Path, default=Path("index"))
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    rounds = [(*search(options.index), *serve(options.index)) for _ in range(options.rounds)]
    line, end, ready, answered = (statistics.median(column) for column in zip(*rounds, strict=True))
    print(f"kb search: first line after {line:.2f} s, ended after {end:.2f} s")
    print(f"kb serve: ready after {ready:.2f} s, first answer after {answered:.2f} s")
    return 0 if line <= SEARCH_S and ready <= SERVE_S else 1


if __name__ == "__main__":
    sys.exit(main())
