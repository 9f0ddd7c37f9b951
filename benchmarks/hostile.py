"""Given an index, how the service bears questions that were made to hurt it: no 5xx, and none over 300 ms.

    python benchmarks/hostile.py --index /tmp/medquad --count 5000

`kb serve` runs in a process of its own, on the same machine, and is asked one question at a time over one connection,
mostly by POST. A question over the bound is asked twice again and counts by its quickest: what else the machine did in
the meantime is not the question's. Ends with 1 where a question failed or took too long. Beside the time that a client
waits stands what the service computed, on all cores together (Linux alone tells): on a busy machine that says more.
"""

from __future__ import annotations

import argparse
import http.client
import json
import os
import random
import re
import signal
import statistics
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import quote, urlencode

BOUND_MS = 300
SEARCH = "/api/v1/search"

COMMON = [
    "disease", "symptom", "treatment", "doctor", "patient", "blood", "pain", "cancer", "health", "people", "cause",
    "body", "child", "test", "drug", "cell", "the", "what", "how", "may", "can", "not", "with", "your", "from", "this",
    "that", "leg", "sleep", "muscle", "nerve", "heart",
]  # fmt: skip
"""Words that stand in a great many passages of a library about health, and small ones."""

MARKS = list("\"'“”()[]{}<>*?+-~^|&:;/\\!@#$%=._,`")
SIGNS = ["AND", "OR", "NOT", "TO", "title:", "heading:", "text:", "-", "+", "*", '"', "(", ")"]
INVISIBLE = [
    "\0",
    "\x07",
    "\x1b[2J",
    "\x7f",
    "\x85",
    "\u200b",
    "\u200d",
    "\u2028",
    "\ufeff",
    "\ufffe",
]
BIDI = [
    "\u202a",
    "\u202b",
    "\u202d",
    "\u202e",
    "\u202c",
    "\u2066",
    "\u2067",
    "\u2068",
    "\u2069",
    "\u200f",
]
EXPANDING = ["\ufdfa", "\u1e9b\u0323", "ﬃ", "½", "㍿", "İ", "ß", "\u0344", "e" + "\u0301" * 30]
FOREIGN = [
    "为什么我的腿",
    "почему мои ноги",
    "لماذا ترتجف",
    "γιατί τα πόδια",
    "なぜ足が",
    "क्यों मेरे पैर",
    "👩‍👩‍👧‍👦🏳️‍🌈",
]
ATTACKS = [
    "'; DROP TABLE articles; --", "{{7*7}}", "${jndi:ldap://x}", "../../../../etc/passwd", "<script>alert(1)</script>",
    "%00%ff%u0041", "\r\nSet-Cookie: a=b", "(a+)+$", "^(([a-z])+.)+[A-Z]([a-z])+$", "$(reboot)", "__proto__", "NaN",
    "1e400", "-" * 50, "title:" * 20, "file:///etc/passwd", "xn--" + "a" * 60, "\\" * 99, "%s%n%x", "null",
]  # fmt: skip


class Asked(NamedTuple):
    """One request. `body` is None for a GET."""

    kind: str
    path: str
    body: bytes | None


def hostile_requests(count: int, seed: int = 0) -> Iterator[Asked]:
    """`count` requests, the same for the same seed: each kind of question in its turn, some with hostile options."""
    luck = random.Random(seed)
    kinds = list(KINDS)
    for number in range(count):
        kind = kinds[number % len(kinds)]
        question = KINDS[kind](luck)
        options = _options(luck) if luck.random() < 0.3 else {}
        if len(question) < 2000 and luck.random() < 0.2:
            given = {"q": question, **options}
            # Lone surrogates travel as the bytes that would be theirs.
            query = urlencode(
                [
                    (name, str(value).encode(errors="surrogatepass"))
                    for name, values in given.items()
                    for value in (values if isinstance(values, list) else [values])
                ]
            )
            yield Asked(kind, f"{SEARCH}?{query}", None)
        else:
            raw = luck.random() < 0.5 and not re.search("[\ud800-\udfff]", question)
            body = json.dumps({"question": question, **options}, ensure_ascii=not raw)
            yield Asked(kind, SEARCH, body.encode(errors="surrogatepass"))


def _options(luck: random.Random) -> dict[str, Any]:
    odd = luck.choice(ATTACKS + BIDI + ["", "en", "sleep", "nhs.uk", "\ud800", "x" * 3000])
    return luck.choice(
        [
            {"mode": luck.choice(["keyword", "dense"]), "limit": 100},
            {"group_by": luck.choice(["passage", "article"]), "limit": 100},
            {"topic": odd},
            {"source": odd},
            {"article": odd},
            {"language": odd},
            {luck.choice(["article", "topic", "source", "language"]): _several(luck, odd)},
            {"updated_since": odd},
            {"generation": odd},
            {"limit": 10**30, "offset": -1},
            {"offset": 990},
            {"explain": True, "facets": True, "limit": 100},
        ]
    )


def _several(luck: random.Random, odd: str) -> list[str]:
    """As many values of a filter as there may be, or one too many; long ones would make the address too long."""
    each = [f"{luck.choice(['', '-', chr(92)])}{odd[:20]}{n}" for n in range(luck.choice([50, 51]))]
    return [odd[:20], *each[1:]]


def _words(luck: random.Random, count: int) -> list[str]:
    return [luck.choice(COMMON) for _ in range(count)]


def _any_text(luck: random.Random) -> str:
    letters = (luck.choice([0x7F, 0x2FF, 0xFFFF, 0x10FFFF]) for _ in range(luck.randint(1, 300)))
    return "".join(chr(luck.randint(1, most)) for most in letters)


def _nested(luck: random.Random) -> str:
    depth = luck.randint(1, 1900)
    left, right = luck.choice(["()", "[]", "{}", '""', "«»"])
    return f"{left * depth}{luck.choice(COMMON)}{right * luck.choice([depth, 0])}"


def _beginnings(luck: random.Random) -> str:
    minus = luck.choice(["", "-", "title:"])
    return " ".join(f"{minus}{word[: luck.randint(1, 4)]}*" for word in _words(luck, 16))


def _phrases(luck: random.Random) -> str:
    """Phrases of common words: those have the most places to look at."""
    pairs = (
        f'{luck.choice(["", "-", "-", "title:"])}"{" ".join(_words(luck, 2))}"' for _ in range(8)
    )
    return " ".join(pairs)


def _mixed(luck: random.Random) -> str:
    parts = SIGNS + MARKS + INVISIBLE + BIDI + EXPANDING + ATTACKS + COMMON
    return luck.choice(["", " "]).join(luck.choice(parts) for _ in range(luck.randint(1, 60)))


def _misspelt(luck: random.Random) -> str:
    words = (
        "".join(luck.sample(word, len(word))) + luck.choice("aeiou") for word in _words(luck, 400)
    )
    return " ".join(words)[:4000]


KINDS: dict[str, Callable[[random.Random], str]] = {
    "wildcards": lambda luck: (
        luck.choice(["*", "?", "%", "a*", "*a", "f?s*"]) * luck.randint(1, 1000)
    ),
    "beginnings": _beginnings,
    "ranges": lambda luck: (
        f"{luck.choice(['', 'title:', 'date:'])}[{luck.choice(COMMON)} TO {luck.choice('z*}')}]"
    ),
    "ten thousand ORs": lambda luck: " OR ".join(_words(luck, 10_000)),
    "ORs": lambda luck: luck.choice([" OR ", " AND ", " | ", " NOT "]).join(_words(luck, 400))[
        :4000
    ],
    "nesting": _nested,
    "phrases": _phrases,
    "quotes": lambda luck: '"'.join(_words(luck, luck.randint(2, 16))) + '"' * luck.randint(0, 900),
    "fields": lambda luck: " ".join(
        luck.choice(["title:", "heading:", "-title:"]) + w for w in _words(luck, 16)
    ),
    "surrogates": lambda luck: (
        f"{luck.choice(COMMON)} {chr(luck.randint(0xD800, 0xDFFF))}{luck.choice(COMMON)}"
    ),
    "invisible": lambda luck: "".join(luck.choice(INVISIBLE) + word for word in _words(luck, 100)),
    "bidi": lambda luck: "".join(luck.choice(BIDI) + word + " " for word in _words(luck, 100)),
    "expanding": lambda luck: luck.choice(EXPANDING) * luck.randint(1, 120),
    "foreign": lambda luck: " ".join(luck.choice(FOREIGN) for _ in range(luck.randint(1, 100))),
    "runs of signs": lambda luck: luck.choice([*MARKS, *"…’”\n"]) * luck.randint(1, 3999) + "x",
    "rare letters": lambda luck: "".join(
        chr(0x10000 + luck.randrange(0x20000)) for _ in range(luck.randint(1, 3999))
    ),
    "one word": lambda luck: luck.choice(["a", "ab", "é", "ß", "1", "leg"]) * luck.randint(1, 1300),
    "misspelt": _misspelt,
    "attacks": lambda luck: luck.choice(ATTACKS),
    "any text": _any_text,
    "mixed": _mixed,
    "4,000 letters": lambda luck: " ".join(_words(luck, 900))[:4000],
    "1 MB": lambda luck: luck.choice(["a", "leg ", "(", '"', "\0", "é", "*"]) * 1_000_000,
}


class Service:
    """`kb serve` in a process of its own, and one connection to it, made anew where the service closed it."""

    def __init__(self, index: Path) -> None:
        command = [Path(sys.executable).parent / "kb", "serve", "--index", index, "--port", "0"]
        self._process = subprocess.Popen(
            command, stderr=subprocess.PIPE, text=True, env={**os.environ, "KB_LOG_LEVEL": "error"}
        )
        assert self._process.stderr is not None
        said = next(line for line in self._process.stderr if "http://" in line)
        address = re.search(r"http://([\d.]+):(\d+)", said)
        assert address is not None, said
        self._connection = http.client.HTTPConnection(address[1], int(address[2]), timeout=60)

    def computed_ms(self) -> float:
        """The processor time that the service has taken so far, in milliseconds; 0 where the system does not tell."""
        taken = 0
        for task in Path(f"/proc/{self._process.pid}/task").glob("*/schedstat"):
            with suppress(OSError):  # a thread that has just ended
                taken += int(task.read_text().split()[0])
        return taken / 1e6

    def ask(self, asked: Asked) -> tuple[int, float]:
        """The status, and milliseconds to the end of the answer."""
        began = time.perf_counter()
        headers = {"Content-Type": "application/json"} if asked.body is not None else {}
        try:
            # A body that is too large is answered before its end.
            with suppress(BrokenPipeError, ConnectionResetError):
                method = "GET" if asked.body is None else "POST"
                self._connection.request(method, asked.path, asked.body, headers)
            answer = self._connection.getresponse()
            answer.read()
            return answer.status, (time.perf_counter() - began) * 1000
        finally:
            if asked.body is None or len(asked.body) > 60_000:
                self._connection.close()

    def stop(self) -> None:
        """End it in good order."""
        self._connection.close()
        self._process.send_signal(signal.SIGTERM)
        self._process.wait(30)


def main() -> int:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--index", type=Path, default=Path("index"))
    parser.add_argument("--count", type=int, default=5000)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    service = Service(arguments.index)
    taken: dict[str, list[float]] = {kind: [] for kind in KINDS}
    computed: dict[str, float] = dict.fromkeys(KINDS, 0.0)
    statuses: Counter[int] = Counter()
    again = failed = slow = 0
    try:
        for asked in hostile_requests(arguments.count, arguments.seed):
            before = service.computed_ms()
            status, ms = service.ask(asked)
            computed[asked.kind] = max(computed[asked.kind], service.computed_ms() - before)
            if ms > BOUND_MS:
                again += 1
                ms = min(ms, *(service.ask(asked)[1] for _ in range(2)))
            taken[asked.kind].append(ms)
            statuses[status] += 1
            failed += status >= 500
            slow += ms > BOUND_MS
            if status >= 500 or ms > BOUND_MS:
                shown = quote((asked.body or asked.path.encode())[:300])
                print(f"{asked.kind}: {status} in {ms:.0f} ms: {shown}")
    finally:
        service.stop()
    for kind, values in taken.items():
        if values:
            waited = f"p50 {statistics.median(values):6.1f} ms, most {max(values):6.1f} ms"
            print(f"{kind:17} {waited}, computed at most {computed[kind]:6.1f} ms")
    print(f"{arguments.count} questions; by status: {dict(sorted(statuses.items()))}")
    print(f"{failed} failed, {slow} took more than {BOUND_MS} ms ({again} were asked again)")
    return 1 if failed or slow else 0


if __name__ == "__main__":
    sys.exit(main())
