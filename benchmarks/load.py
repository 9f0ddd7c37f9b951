"""Whether the service keeps its promises under load: python benchmarks/load.py --index index

Starts the service, finds out how many questions a second it answers, and then asks as the promises say: 64 clients at
half of that, and a rush at ten times it. Prints a table and ends with 1 where a promise is broken. The clients are
tasks of this process and share the machine with the service: the figures are what one machine does for both.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import random
import re
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote
from urllib.request import urlopen

CLIENTS = 64
RUSH_CLIENTS = 512
RUSH = 10
ALLOWED = (200, 429, 503)
SLOWER_AT_MOST = 5.0
NORMAL_WITHIN_S = 10
GROWTH_AT_MOST_MB = 150


@dataclass
class Outcome:
    """What a number of clients saw. `seconds` are those of answers with 200, by when they were asked."""

    statuses: Counter[int] = field(default_factory=Counter)
    without_retry_after: int = 0
    broken: int = 0
    answered: list[tuple[float, float]] = field(default_factory=list)
    lasted_s: float = 0.0

    def percentile(self, percent: float, since: float = 0.0, until: float = float("inf")) -> float:
        """Milliseconds that this many percent of the answers took at most, of those asked for in that time."""
        took = sorted(s for asked, s in self.answered if since <= asked < until)
        return 1000 * took[min(len(took) - 1, int(len(took) * percent / 100))] if took else 0.0

    @property
    def rate(self) -> float:
        """Answers a second."""
        return self.statuses[200] / self.lasted_s


class Client:
    """One connection, opened anew where the service has closed it."""

    def __init__(self, host: str, port: int) -> None:
        self._host, self._port = host, port
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def ask(self, question: str, limit: int) -> tuple[int, bool]:
        """The status, and whether there was a `Retry-After`."""
        path = f"/api/v1/search?limit={limit}&q={quote(question)}"
        try:
            return await self._ask(path)
        except (OSError, asyncio.IncompleteReadError):
            self.close()
            return await self._ask(path)  # a connection that was idle too long

    async def _ask(self, path: str) -> tuple[int, bool]:
        if self._streams is None:
            self._streams = await asyncio.open_connection(self._host, self._port)
        reader, writer = self._streams
        writer.write(f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
        head = (await reader.readuntil(b"\r\n\r\n")).lower()
        length = re.search(rb"content-length: (\d+)", head)
        assert length is not None
        await reader.readexactly(int(length[1]))
        if b"connection: close" in head:
            self.close()
        return int(head[9:12]), b"retry-after:" in head

    def close(self) -> None:
        """Let the connection go."""
        if self._streams is not None:
            self._streams[1].close()
            self._streams = None


async def load(
    address: str,
    questions: list[str],
    clients: int,
    seconds: float,
    rate: float | None = None,
    limit: int = 5,
) -> Outcome:
    """Ask for so long with so many clients: as fast as answers come, or at `rate` a second together.

    At a rate, a question's time counts from when it was due, so that waiting for the one before it counts, too.
    """
    host, port = address.removeprefix("http://").rsplit(":", 1)
    outcome, began = Outcome(), time.monotonic()

    async def one(number: int) -> None:
        client, chance = Client(host, int(port)), random.Random(number)
        due = began + (chance.random() * clients / rate if rate else 0.0)
        while due < began + seconds:
            await asyncio.sleep(max(0.0, due - time.monotonic()))
            asked = due if rate else time.monotonic()
            try:
                status, retry_after = await client.ask(chance.choice(questions), limit)
            except (OSError, asyncio.IncompleteReadError):
                outcome.broken += 1
                client.close()
            else:
                outcome.statuses[status] += 1
                outcome.without_retry_after += status in (429, 503) and not retry_after
                if status == 200:
                    outcome.answered.append((asked - began, time.monotonic() - asked))
            due = due + clients / rate if rate else time.monotonic()
        client.close()

    await asyncio.gather(*(one(number) for number in range(clients)))
    outcome.lasted_s = max(seconds, time.monotonic() - began)
    return outcome


@contextmanager
def service(index: Path, flags: list[str]) -> Iterator[tuple[str, int]]:
    """The address of a service, and the id of its process."""
    script = "import sys; from kb_cli.main import run; sys.exit(run(sys.argv[1:]))"
    command = [sys.executable, "-c", script, "serve", "--index", str(index), "--port", "0", *flags]
    with subprocess.Popen(
        command, stderr=subprocess.PIPE, text=True, env={**os.environ, "KB_LOG_LEVEL": "error"}
    ) as process:
        assert process.stderr is not None
        try:
            for line in process.stderr:
                if found := re.search(r"http://\S+", line):
                    break
            else:
                raise SystemExit("the service does not start")
            yield found[0], process.pid
        finally:
            process.terminate()
            process.wait(60)


def resident_mb(pid: int) -> float:
    """The memory of a process and its children that is theirs alone, in MB."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    rollup = Path(f"/proc/{pid}/smaps_rollup").read_text()
    private = sum(int(kb) for kb in re.findall(r"^Private_\w+:\s+(\d+)", rollup, re.MULTILINE))
    return private / 1024 + sum(resident_mb(int(child)) for child in children)


def questions_of(address: str) -> list[str]:
    """Questions about what the library has."""
    with urlopen(f"{address}/api/v1/articles?limit=100") as answer:
        titles = [article["title"] for article in json.load(answer)["articles"]]
    forms = ("what causes {}", "how is {} treated", "when to see a doctor about {}", "{}")
    return [form.format(title.lower()) for title in titles for form in forms]


def main() -> int:
    """Measure, print, and say whether every promise was kept."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--index", type=Path, default=Path("index"))
    parser.add_argument("--seconds", type=float, default=60.0, help="how long each part lasts")
    parser.add_argument("flags", nargs="*", help="flags of kb serve, after --")
    arguments = parser.parse_args()
    seconds = arguments.seconds
    with service(arguments.index, arguments.flags) as (address, pid):
        questions = questions_of(address)
        asyncio.run(load(address, questions, 4, min(5.0, seconds)))  # warm
        alone = asyncio.run(load(address, questions, 1, seconds / 2))
        full = asyncio.run(load(address, questions, 16, seconds / 2))
        before_mb = resident_mb(pid)
        half = asyncio.run(load(address, questions, CLIENTS, seconds, full.rate / 2))
        rush = asyncio.run(load(address, questions, RUSH_CLIENTS, seconds, full.rate * RUSH))
        after_mb = resident_mb(pid)
        later = asyncio.run(load(address, questions, CLIENTS, 2 * NORMAL_WITHIN_S, full.rate / 2))
    rows = {"one client": alone, "16 clients, no pause": full, "64 clients, half of that": half}
    rows |= {"512 clients, ten times that": rush, "64 clients, half, after that": later}
    print("| | 200 a second | p50 ms | p99 ms | statuses |\n|---|---|---|---|---|")
    for name, outcome in rows.items():
        p50, p99 = outcome.percentile(50), outcome.percentile(99)
        statuses = ", ".join(f"{s}: {n:,}" for s, n in sorted(outcome.statuses.items()))
        print(f"| {name} | {outcome.rate:.1f} | {p50:.0f} | {p99:.0f} | {statuses} |")
    print(f"\nmemory of its own: {before_mb:.0f} MB before the rush, {after_mb:.0f} MB after it")
    limit = SLOWER_AT_MOST * alone.percentile(99)
    settled = later.percentile(99, since=NORMAL_WITHIN_S)
    promises = {
        "half the capacity: no error": set(half.statuses) == {200} and not half.broken,
        f"half the capacity: p99 at most {limit:.0f} ms": half.percentile(99) <= limit,
        "ten times: only 200, 429, 503": set(rush.statuses) <= set(ALLOWED) and not rush.broken,
        "ten times: always Retry-After": rush.without_retry_after == 0,
        f"ten times: at most {GROWTH_AT_MOST_MB} MB more": after_mb - before_mb
        <= GROWTH_AT_MOST_MB,
        f"after {NORMAL_WITHIN_S} s: no error, p99 {settled:.0f} ms": set(later.statuses) == {200}
        and settled <= limit,
    }
    for promise, kept in promises.items():
        print(f"{'kept  ' if kept else 'BROKEN'}  {promise}")
    return 0 if all(promises.values()) else 1


if __name__ == "__main__":
    sys.exit(main())
